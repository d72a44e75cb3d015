package bench

import (
	"os"
	"path/filepath"
	"testing"

	"platewatch/ocr"
	"platewatch/ocr/read"
	"platewatch/ocr/truth"
)

// floors say, for each labelled folder, how many plates must at least be read
// exactly and how many may at most be misread: with Debian's general model and
// no region. They lie a little below what was measured, and only ever rise.
var floors = []struct {
	dir            string
	exact, misread float64 // percent of the plates
	spurious       int
	rendered       bool // part of the repository; the others may be absent
}{
	{dir: "../../../../ocr/render/testdata/plates", exact: 62, misread: 30, spurious: 6, rendered: true},
	{dir: "../../../../../shared/data/frames/eu", exact: 58, misread: 30, spurious: 10},
	{dir: "../../../../../shared/data/frames/us", exact: 30, misread: 62, spurious: 16},
	{dir: "../../../../../shared/data/frames/br", exact: 74, misread: 22, spurious: 18},
	{dir: "../../../../../shared/data/negatives/grey", spurious: 25},
}

func TestFloors(t *testing.T) {
	r, err := ocr.New(read.English(), ocr.DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, floor := range floors {
		t.Run(short(floor.dir), func(t *testing.T) {
			set, err := truth.Open(filepath.FromSlash(floor.dir))
			if os.IsNotExist(err) && !floor.rendered {
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
