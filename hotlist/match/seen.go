package match

import (
	"fmt"
	"slices"
	"strings"

	"platewatch/hotlist/entry"
)

// Seen is what the unit saw of the vehicle beside the number of its plate: each a
// distribution with the likeliest first, whose remainder to 1 is unknown.
type Seen struct {
	Issuer []Alternative // who issued the plate, as [entry.IssuerCodes] has it
	Colour []Alternative // of the body, as [entry.ColourNames] has it
}

// What a contradiction is worth at most: the share of vehicles on which another
// issuer, and another colour, was seen with confidence than they have. Measured on
// labelled photographs (ocr/README.md): of issuers told at 0.8 or more 1 to 3 in
// 100 were wrong, of the surest colours nearly one in five.
const (
	leastIssuer = 0.05
	leastColour = 0.20
	// contradicted is the likelihood of the entry's issuer or colour below which
	// a person is told.
	contradicted = 0.35
)

// weigh returns the likelihood of what was seen if it is the entry's vehicle, 0–1,
// and what contradicts the entry in words. It never is above 1: that state and
// colour fit makes no plate of one that reads otherwise. prior is what vehicles of
// the entry's state are worth where nothing was seen of it. It counts for the part
// of the issuer that is unknown, and not for what was seen: the place tells nothing
// more of a plate that says its state.
func (s *Seen) weigh(e *entry.Entry, prior float64) (likelihood float64, contradiction string) {
	issuer, colour, other := prior, 1.0, false
	if len(s.Issuer) > 0 {
		if codes := entry.IssuerCodes(e.State); len(codes) > 0 {
			issuer = max(agreement(s.Issuer, codes, prior), min(leastIssuer, prior))
			other = agreement(s.Issuer, codes, 1) < contradicted
		}
	}
	if len(s.Colour) > 0 {
		if names := entry.ColourNames(e.Vehicle.Colour); len(names) > 0 {
			colour = max(agreement(s.Colour, names, 1), leastColour)
		}
	}
	if !other && colour >= contradicted {
		return issuer * colour, ""
	}
	var listed, seen []string
	if colour < contradicted {
		listed, seen = append(listed, e.Vehicle.Colour), append(seen, told(s.Colour[0]))
	}
	if other {
		listed, seen = append(listed, e.State), append(seen, told(s.Issuer[0]))
	}
	return issuer * colour, "listed: " + strings.Join(listed, ", ") + "; seen: " + strings.Join(seen, ", ")
}

// agreement is the probability of one of the names, or of none that is known, of
// which prior is one of them.
func agreement(seen []Alternative, names []string, prior float64) float64 {
	fits, others := 0.0, 0.0
	for _, a := range seen {
		if slices.Contains(names, a.Text) {
			fits += a.Confidence
		} else {
			others += a.Confidence
		}
	}
	return min(fits+max(1-fits-others, 0)*prior, 1)
}

// told writes what was seen: "white 0.93", "OK 0.88".
func told(a Alternative) string {
	name := a.Text
	if len(name) == 2 || strings.HasPrefix(name, "us-") {
		name = strings.ToUpper(strings.TrimPrefix(name, "us-"))
	}
	return fmt.Sprintf("%s %.2f", name, a.Confidence)
}
