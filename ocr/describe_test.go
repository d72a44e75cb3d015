package ocr

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"platewatch/ocr/text"
	"platewatch/ocr/vehicle"
)

// What earlier views told surely is kept, what they did not is looked for.
func TestDescribe(t *testing.T) {
	r := open(t)
	m := picture(t, "us-ca.jpg")
	res, err := r.Recognise(t.Context(), m)
	if err != nil || len(res.Plates) == 0 {
		t.Fatalf("%d plates, %v", len(res.Plates), err)
	}
	describe := func(earlier ...text.Alternative) vehicle.Seen {
		t.Helper()
		seen, err := r.Describe(t.Context(), m, res.Plates[0], vehicle.Seen{Issuer: earlier})
		if err != nil {
			t.Fatal(err)
		}
		return seen
	}
	first := describe()
	if likeliest, ok := vehicle.Likeliest(first.Issuer); !ok || likeliest.Text != "us-ca" || len(first.Colour) == 0 {
		t.Fatalf("a first view tells %+v, want California and a colour", first)
	}
	if got := describe(text.Alternative{Text: "us-ok", Confidence: 0.5}); !cmp.Equal(got, first) {
		t.Errorf("after an unsure view %+v, want %+v", got, first)
	}
	sure := []text.Alternative{{Text: "us-ok", Confidence: 0.9}}
	if got := describe(sure...); !cmp.Equal(got, vehicle.Seen{Issuer: sure, Colour: first.Colour}) {
		t.Errorf("after a sure view %+v, want its issuer kept and the colour looked at", got)
	}
}
