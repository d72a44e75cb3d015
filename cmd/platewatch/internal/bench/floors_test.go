package bench

import (
	"os"
	"path/filepath"
	"testing"

	"platewatch/ocr"
	"platewatch/ocr/truth"
)

const (
	data   = "../../../../../shared/data"
	stills = "../../../../ocr/render/testdata/plates" // part of the repository
)

// floor says, for a model and a labelled folder, how many plates must at least
// be read exactly and how many may at most be misread. They lie a little below
// what was measured, and only ever rise.
type floor struct {
	dir, region    string  // the region that is told; empty: none
	exact, misread float64 // percent of the plates
	spurious       int     // plates reported where none is labelled
	loud           int     // plates reported at 0.8 or more on pictures without one
}

// check compares what was measured with the floor.
func (f floor) check(t *testing.T, s *Score) {
	t.Helper()
	t.Logf("\n%s", Table([]*Score{s}))
	exact, misread := 100*share(s.Exact, s.Plates), 100*share(s.Misread, s.Plates)
	if exact >= f.exact && misread <= f.misread && s.Spurious <= f.spurious && s.LoudOnNone <= f.loud && s.Unreadable == 0 {
		return
	}
	t.Errorf("exact %.1f %% (at least %.0f), misread %.1f %% (at most %.0f), spurious %d (at most %d), loud %d (at most %d), unreadable %d:",
		exact, f.exact, misread, f.misread, s.Spurious, f.spurious, s.LoudOnNone, f.loud, s.Unreadable)
	for _, fail := range s.Failures {
		t.Logf("  %s: %q read as %q (%.2f)", fail.File, fail.Want, fail.Got, fail.Confidence)
	}
}

// openModel opens a recogniser for a region.
func openModel(t *testing.T, model, regions string) *ocr.Recogniser {
	t.Helper()
	p := ocr.PictureParams()
	p.Model, p.Region = model, regions
	r, err := ocr.New(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// skipUnderRace: make test measures the floors in a run without the race
// detector, and everything else in a run with it.
func skipUnderRace(t *testing.T) {
	t.Helper()
	if underRace {
		t.Skip("the floors are measured without the race detector")
	}
}

// TestFloors holds both models to what they read of labelled photographs,
// where those are, and of the stills of the repository.
func TestFloors(t *testing.T) {
	skipUnderRace(t)
	for _, test := range []struct {
		model  string
		floors []floor
	}{
		{"plate", []floor{
			{stills, "", 91, 5, 20, 0},
			{data + "/frames/eu", "eu", 98, 2, 5, 0},
			{data + "/frames/eu", "", 92, 2, 5, 0},
			{data + "/frames/us", "us", 89, 6, 12, 0},
			{data + "/frames/us", "", 85, 7, 10, 0},
			{data + "/frames/us_carpark", "us", 92, 6, 5, 0},
			{data + "/frames/us_caltech", "us", 98, 2, 3, 0},
			{data + "/frames/us_flickr", "us", 93, 4, 7, 0},
			{data + "/frames/br", "br", 96, 4, 10, 0},
			{data + "/frames/br", "", 94, 6, 14, 0},
			{data + "/frames/fr", "fr", 91, 7, 17, 0},
			{data + "/frames/uk_flickr", "uk", 92, 3, 10, 0},
			{data + "/frames/eu_flickr", "eu", 88, 5, 5, 0},
			{data + "/frames/au_flickr", "", 93, 7, 13, 0},
			{data + "/crops/eu", "eu", 95, 3, 3, 0},
			{data + "/crops/us", "us", 90, 6, 6, 0},
			{data + "/crops/br_night", "br", 93, 6, 3, 0},
			{data + "/crops/tw", "tw", 97, 3, 5, 0},
			{data + "/negatives/grey", "", 0, 0, 12, 0},
		}},
		{"eng", []floor{
			{stills, "", 62, 30, 6, 0},
			{data + "/frames/eu", "", 58, 30, 10, 0},
			{data + "/frames/br", "", 74, 22, 18, 0},
		}},
	} {
		for _, f := range test.floors {
			t.Run(test.model+"/"+short(f.dir)+":"+f.region, func(t *testing.T) {
				set, err := truth.Open(filepath.FromSlash(f.dir))
				if os.IsNotExist(err) && f.dir != stills {
					t.Skip("the labelled pictures are not here, so nothing was measured on them")
				}
				if err != nil {
					t.Fatal(err)
				}
				s, err := Run(t.Context(), openModel(t, test.model, f.region), openPictures(t), set, func() {})
				if err != nil {
					t.Fatal(err)
				}
				f.check(t, s)
			})
		}
	}
}

// TestRenderedFloors holds the built-in model to what it reads of rendered
// road scenes of every region, by day and by night. One picture is 7 % of a
// region, so the floors of all together are the sharper ones.
func TestRenderedFloors(t *testing.T) {
	skipUnderRace(t)
	var scores []*Score
	for _, f := range []floor{
		{"eu", "eu", 78, 8, 4, 0},
		{"uk", "uk", 71, 8, 4, 0},
		{"us", "us", 57, 8, 3, 0},
		{"br", "br", 71, 8, 3, 0},
		{"tw", "tw", 64, 15, 3, 0},
	} {
		t.Run(f.dir, func(t *testing.T) {
			s, err := Run(t.Context(), openModel(t, "plate", f.region), openPictures(t), renderRegion(t, f.dir), func() {})
			if err != nil {
				t.Fatal(err)
			}
			s.Folder = "rendered/" + f.dir
			f.check(t, s)
			scores = append(scores, s)
		})
	}
	if len(scores) == len(layouts) {
		floor{"all", "", 79, 5, 8, 0}.check(t, Total(scores))
	}
}
