package region

import (
	"math"
	"slices"
	"strings"
)

// Issuer is an authority that issues plates: a country, or one of its states.
type Issuer struct {
	Code string   // ISO 3166-1 alpha-2 in lower case ("de", "gb"), of a US state with the country before it ("us-tx")
	Says []string // what its plates say beside the number, without spaces; the name first
	Band []string // the signs in its plates' blue band
	// Red is the share of its plates whose characters are red, Yellow that of those
	// whose ground is yellow, 0–1.
	Red, Yellow float64
}

// issuerOf is the code of the authority that a section belongs to, empty for a
// section that stands for several.
func issuerOf(section string) string {
	country, state, _ := strings.Cut(section, "-")
	switch {
	case country == "uk":
		return "gb"
	case country == "us" && state == "short":
		return ""
	case country == "us":
		return section
	}
	return country
}

// Issuers are all authorities, in the order of the data files.
func Issuers() []Issuer {
	var out []Issuer
	for _, s := range world().sections {
		code := issuerOf(s.name)
		if code == "" {
			continue
		}
		i := slices.IndexFunc(out, func(o Issuer) bool { return o.Code == code })
		if i < 0 {
			out = append(out, Issuer{Code: code, Red: s.red, Yellow: s.yellow})
			i = len(out) - 1
		}
		out[i].Says, out[i].Band = append(out[i].Says, s.says...), append(out[i].Band, s.band...)
	}
	return out
}

// IssuerShares are, for a plate that was read (A to Z, 0 to 9), the probability
// of that text in each authority's series, times how many of its cars there are:
// by code, and they sum to 1. expected are the regions that the unit was told
// ([Parse]); authorities outside weigh foreign of those inside, 0–1. A told
// region of which no authority is known counts for nothing.
func IssuerShares(plate, expected string, foreign float64) map[string]float64 {
	a := world()
	inside := map[string]float64{}
	for name := range strings.SplitSeq(expected, ",") {
		for _, m := range a.members(strings.TrimSpace(name)) {
			inside[m.name] = max(inside[m.name], math.Sqrt(m.part))
		}
	}
	out := map[string]float64{}
	total := 0.0
	for _, s := range a.sections {
		code := issuerOf(s.name)
		if code == "" {
			continue
		}
		weight := 1.0
		if len(inside) > 0 {
			weight = max(foreign, inside[s.name])
		}
		// Fewer vehicles, less often seen; but a unit stands in one place, and
		// it is not known in which, see [Parse].
		p := weight * math.Sqrt(s.cars) * s.density(plate)
		out[code] += p
		total += p
	}
	for code := range out {
		out[code] /= total
	}
	return out
}

// density is the probability of one text among a section's plates. A vanity
// plate may have any text.
func (s *section) density(plate string) float64 {
	p := s.vanity * math.Exp(-float64(len(plate))*math.Log(characters)) / lengths
	total := 0.0
	for _, f := range s.formats {
		total += f.share
	}
	for i := range s.formats {
		if f := &s.formats[i]; len(f.at) == len(plate) && f.fits(plate) {
			p += (1 - s.vanity) * f.share / total * f.each
		}
	}
	return p
}
