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
func readingParams(model, regions string) (ocr.Params, error) {
	p := ocr.PictureParams()
	p.Model, p.Region = model, regions
	return p, checkRegions(regions)
}

// checkRegions refuses a -region that names an unknown region.
func checkRegions(regions string) error {
	_, err := region.Parse(regions)
	var unknown *region.UnknownError
	if errors.As(err, &unknown) {
		return &failure{code: exitUsage, err: err, hint: unknown.Hint()}
	}
	return err
}
