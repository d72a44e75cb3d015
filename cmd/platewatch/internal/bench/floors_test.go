package bench

import (
	"os"
	"path/filepath"
	"testing"

	"platewatch/ocr"
	"platewatch/ocr/read"
	"platewatch/ocr/truth"
)

const (
	data     = "../../../../../shared/data"
	rendered = "../../../../ocr/render/testdata/plates" // part of the repository
)

// floors say, for each model and labelled folder, how many plates must at
// least be read exactly and how many may at most be misread, with no region
// told. They lie a little below what was measured, and only ever rise.
var floors = []struct {
	model          string
	dir            string
	exact, misread float64 // percent of the plates
	spurious       int
}{
	{"plate", rendered, 80, 10, 20},
	{"plate", data + "/frames/eu", 83, 6, 6},
	{"plate", data + "/frames/us", 71, 16, 18},
	{"plate", data + "/frames/br", 76, 16, 14},
	{"plate", data + "/frames/fr", 70, 17, 20},
	{"plate", data + "/negatives/grey", 0, 0, 16},
	{"eng", rendered, 62, 30, 6},
	{"eng", data + "/frames/eu", 58, 30, 10},
	{"eng", data + "/frames/us", 30, 62, 16},
	{"eng", data + "/frames/br", 74, 22, 18},
}

func TestFloors(t *testing.T) {
	for name, m := range map[string]read.Model{"plate": read.Plate(), "eng": read.English()} {
		r, err := ocr.New(m, ocr.DefaultParams())
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for _, floor := range floors {
			if floor.model != name {
				continue
			}
			t.Run(name+"/"+short(floor.dir), func(t *testing.T) {
				set, err := truth.Open(filepath.FromSlash(floor.dir))
				if os.IsNotExist(err) && floor.dir != rendered {
					t.Skip("the labelled pictures are not here, so nothing was measured on them")
				}
				if err != nil {
					t.Fatal(err)
				}
				s, err := Run(t.Context(), r, set, func() {})
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("\n%s", Table([]*Score{s}))
				exact, misread := 100*share(s.Exact, s.Plates), 100*share(s.Misread, s.Plates)
				if exact < floor.exact || misread > floor.misread || s.Spurious > floor.spurious || s.Unreadable > 0 {
					t.Errorf("exact %.1f %% (at least %.0f), misread %.1f %% (at most %.0f), spurious %d (at most %d), unreadable %d:",
						exact, floor.exact, misread, floor.misread, s.Spurious, floor.spurious, s.Unreadable)
					for _, f := range s.Failures {
						t.Logf("  %s: %q read as %q", f.File, f.Want, f.Got)
					}
				}
			})
		}
	}
}
