//go:build matprofile

package ocr

import (
	"testing"

	"gocv.io/x/gocv"
)

// TestNoMatIsLeft: every Mat that a look at a picture makes is closed.
func TestNoMatIsLeft(t *testing.T) {
	m := picture(t, "us-tx-frame.jpg")
	r := open(t)
	before := gocv.MatProfile.Count()
	for range 3 {
		if _, err := r.Recognise(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Trace(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if after := gocv.MatProfile.Count(); after != before {
		t.Errorf("%d Mats before, %d after", before, after)
	}
}
