package find

import (
	"os"
	"path/filepath"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/truth"
)

// TestRecall sets floors for how often the true plate is among the finder's first
// candidates (overlap ≥ 0.5) on real frames.
func TestRecall(t *testing.T) {
	floors := []struct {
		set      string
		at1, at3 float64 // share of the plates, percent
	}{
		// On one frame of br the first is another car's plate, which the list does
		// not name.
		{"eu", 96, 98}, {"us", 88, 96}, {"br", 94, 100},
	}
	f, err := New(DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, floor := range floors {
		t.Run(floor.set, func(t *testing.T) {
			dir := filepath.Join("..", "..", "..", "shared", "data", "frames", floor.set)
			set, err := truth.Open(dir)
			if os.IsNotExist(err) {
				t.Skipf("the labelled pictures are not here: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			var n, at1, at3 float64
			for _, file := range set.Files {
				grey := gocv.IMRead(filepath.Join(dir, file.Name), gocv.IMReadGrayScale)
				cs, err := f.Find(grey, nil)
				grey.Close()
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range file.Plates {
					n++
					want := Box{float64(p.Box.Min.X), float64(p.Box.Min.Y), float64(p.Box.Dx()), float64(p.Box.Dy())}
					for i, c := range cs {
						if c.Box.Overlap(want) >= 0.5 {
							if i == 0 {
								at1++
							}
							if i < 3 {
								at3++
							}
							break
						}
					}
				}
			}
			at1, at3 = 100*at1/n, 100*at3/n
			t.Logf("%s: %.0f plates, first candidate %.1f %%, among three %.1f %%", floor.set, n, at1, at3)
			if at1 < floor.at1 || at3 < floor.at3 {
				t.Errorf("%s: found %.1f / %.1f %%, at least %.0f / %.0f", floor.set, at1, at3, floor.at1, floor.at3)
			}
		})
	}
}
