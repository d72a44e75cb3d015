package main

import (
	"errors"

	"platewatch/ocr"
	"platewatch/ocr/region"
)

// regionUsage explains the flag that takes regions.
const regionUsage = "expect plates of `regions`: eu, us, br, uk, tw, a country (nl) or a state (us-ca); several as br,us"

// readingParams are the recogniser's settings for the commands that take
// -region.
func readingParams(regions string) (ocr.Params, error) {
	p := ocr.DefaultParams()
	p.CloseUps = true
	var err error
	p.Region, err = region.Parse(regions)
	var unknown *region.UnknownError
	if errors.As(err, &unknown) {
		return p, &failure{code: exitUsage, err: err, hint: unknown.Hint()}
	}
	return p, err
}
