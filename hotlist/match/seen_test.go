package match

import (
	"testing"

	"platewatch/hotlist/entry"
)

// TestSeen: what was seen lowers the probability of an entry that it contradicts,
// says so, and never raises one.
func TestSeen(t *testing.T) {
	texas := entry.Entry{State: "TX", Vehicle: entry.Vehicle{Colour: "RED"}}
	of := func(name string, confidence float64) []Alternative { return []Alternative{{name, confidence}} }
	for name, c := range map[string]struct {
		seen        Seen
		entry       entry.Entry
		least, most float64
		says        string
	}{
		"nothing seen":          {Seen{}, texas, 1, 1, ""},
		"both fit":              {Seen{of("us-tx", 0.95), of("red", 0.8)}, texas, 1, 1, ""},
		"another state":         {Seen{Issuer: of("us-ok", 0.88)}, texas, 0.11, 0.13, "listed: TX; seen: OK 0.88"},
		"another colour":        {Seen{Colour: of("white", 0.93)}, texas, 0.2, 0.2, "listed: RED; seen: white 0.93"},
		"neither fits":          {Seen{of("us-ok", 0.88), of("white", 0.93)}, texas, 0.02, 0.03, "listed: RED, TX; seen: white 0.93, OK 0.88"},
		"certain of another":    {Seen{Issuer: of("us-ok", 1)}, texas, leastIssuer, leastIssuer, "listed: TX; seen: OK 1.00"},
		"hardly seen":           {Seen{of("us-ok", 0.3), of("white", 0.4)}, texas, 0.4, 0.45, ""},
		"the entry says none":   {Seen{of("us-ok", 0.9), of("white", 0.9)}, entry.Entry{}, 1, 1, ""},
		"a colour of two names": {Seen{Colour: []Alternative{{"grey", 0.5}, {"white", 0.3}}}, entry.Entry{Vehicle: entry.Vehicle{Colour: "SIL/WHI"}}, 1, 1, ""},
		"Delaware or Germany":   {Seen{Issuer: of("de", 0.9)}, entry.Entry{State: "DE"}, 1, 1, ""},
	} {
		got, says := c.seen.weigh(&c.entry, 1)
		if got < c.least-1e-9 || got > c.most+1e-9 || says != c.says {
			t.Errorf("%s: %v %q, want %v to %v %q", name, got, says, c.least, c.most, c.says)
		}
	}
}

// TestPriorOfTheStateCountsOnce: the prior of the place counts where the plate's
// state was not seen, and not in addition to the state that was read.
func TestPriorOfTheStateCountsOnce(t *testing.T) {
	texas := entry.Entry{State: "TX"}
	of := func(name string, confidence float64) Seen {
		return Seen{Issuer: []Alternative{{name, confidence}}}
	}
	const prior = 0.2
	for name, c := range map[string]struct {
		seen Seen
		want float64
	}{
		"nothing seen":  {Seen{}, prior},
		"seen surely":   {of("us-tx", 1), 1},
		"seen probably": {of("us-tx", 0.8), 0.8 + 0.2*prior},
		"another":       {of("us-ok", 0.5), 0.5 * prior},
		"surely other":  {of("us-ok", 1), leastIssuer},
	} {
		if got, _ := c.seen.weigh(&texas, prior); got < c.want-1e-9 || got > c.want+1e-9 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
