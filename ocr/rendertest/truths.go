package rendertest

import (
	"testing"

	"platewatch/ocr/render"
)

// Truths returns the truth of each frame of a clip, without drawing any.
func Truths(t testing.TB, spec render.ClipSpec) []render.FrameTruth {
	t.Helper()
	var truths []render.FrameTruth
	for f, err := range render.Clip(spec) {
		if err != nil {
			t.Fatal(err)
		}
		truths = append(truths, f.Truth)
	}
	return truths
}
