package vehicle

import (
	"testing"

	"platewatch/ocr/text"
)

// TestVote: views are averaged, and what one does not know stays unknown.
func TestVote(t *testing.T) {
	var v Vote
	if s := v.Seen(); len(s.Issuer)+len(s.Colour) != 0 {
		t.Fatalf("nothing was seen: %v", s)
	}
	v.Add(Seen{Issuer: []text.Alternative{{Text: "us-tx", Confidence: 0.9}}, Colour: []text.Alternative{{Text: "red", Confidence: 0.6}, {Text: "brown", Confidence: 0.2}}})
	v.Add(Seen{Colour: []text.Alternative{{Text: "brown", Confidence: 0.8}}})
	s := v.Seen()
	issuer, _ := Likeliest(s.Issuer)
	colour, _ := Likeliest(s.Colour)
	if v.Views() != 2 || issuer.Text != "us-tx" || issuer.Confidence != 0.45 || colour.Text != "brown" || colour.Confidence != 0.5 || s.Colour[1].Confidence != 0.3 {
		t.Fatalf("%d views, %v", v.Views(), s)
	}
}
