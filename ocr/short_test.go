package ocr

import (
	"fmt"
	"image/color"
	"slices"
	"testing"

	"platewatch/ocr/region"
	"platewatch/ocr/render"
	"platewatch/ocr/rendertest"
)

// TestPlausible: how short a plate may be follows from the configuration, or from
// the regions and the lists.
func TestPlausible(t *testing.T) {
	for _, test := range []struct {
		regions              string
		listed, configured   int
		plausible, otherwise []string
	}{
		{"", 0, 0, []string{"AB12", "ABCDE", "A1B2C"}, []string{"MY", "ABC", "A12", "SALE", "F1"}},
		{"nl", 0, 0, []string{"AB12"}, []string{"MY", "ABC", "A12", "SALE"}},
		{"de", 0, 0, []string{"F1", "A12", "AB1", "BA1", "BA12"}, []string{"MY", "ABC", "SALE", "1A"}},
		{"uk", 0, 0, []string{"F1", "1F", "AB1", "A12", "ABC1"}, []string{"MY", "ABC", "SALE"}},
		{"us", 0, 0, []string{"1", "M", "MY", "ABC", "SALE", "F1"}, []string{"II", "111"}},
		{"", 2, 0, []string{"MY", "ABC", "SALE"}, []string{"M"}},
		{"nl", 3, 0, []string{"ABC", "SALE"}, []string{"MY"}},
		{"us", 0, 3, []string{"ABC"}, []string{"MY", "M"}},
		{"", 2, 6, []string{"AB12CD"}, []string{"AB12C", "MY"}},
	} {
		formats, err := region.Parse(test.regions)
		if err != nil {
			t.Fatal(err)
		}
		r := &Recogniser{formats: formats, p: Params{MinCharacters: test.configured}}
		r.listed.Store(int32(test.listed))
		for _, read := range append(test.plausible, test.otherwise...) {
			want := slices.Contains(test.plausible, read)
			if got := r.plausible(read, false); got != want {
				t.Errorf("region %q, list %d, configured %d: %s: %v, want %v", test.regions, test.listed, test.configured, read, got, want)
			}
		}
	}
}

// TestReadable: an import names the plates that no setting of lists makes readable.
func TestReadable(t *testing.T) {
	for _, test := range []struct {
		text  string
		least int
		want  bool
	}{{"F1", 0, true}, {"M", 0, true}, {"F1", 3, false}, {"ABC", 3, true}, {"1111", 0, false}, {"ABCDEFGHJKLM", 0, true}, {"ABCDEFGHJKLMN", 0, false}} {
		if got := (Params{MinCharacters: test.least}).Readable(test.text); got != test.want {
			t.Errorf("%s, at least %d: %v", test.text, test.least, got)
		}
	}
}

// TestShortCloseups: close-ups of plates with few characters are read where the
// region or a list has such, and only there.
func TestShortCloseups(t *testing.T) {
	for _, test := range []struct {
		regions, layout string
		listed          int
		texts           []string
		least           int // of them are read
	}{
		{"de", "de", 0, []string{"F:1", "A:12", "AB:1", "B:A 1", "M:A 12", "KA:X 7"}, 5},
		{"uk", "gb", 0, []string{"F1", "A 12", "AB 1", "1 A", "MY 5", "ABC 1"}, 5},
		{"us", "us-tx", 0, []string{"ABC", "MY", "K", "GO 1", "7", "TAXI"}, 5},
		{"", "gb", 2, []string{"F1", "A 12", "AB 1", "MY", "ABC"}, 4},
		{"", "gb", 0, []string{"F1", "MY", "ABC"}, -1},
	} {
		t.Run(fmt.Sprintf("%s, listed %d", test.regions, test.listed), func(t *testing.T) {
			p := PictureParams()
			p.Region = test.regions
			r, err := New(p)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			r.ExpectShort(test.listed)
			read := 0
			for i, display := range test.texts {
				c := rendertest.Closeup{Plates: []rendertest.Mounted{{Spec: render.PlateSpec{Layout: test.layout, Text: display, Seed: uint64(i)}}},
					Width: 220, Margin: 0.4, Ground: color.RGBA{60, 70, 90, 255}, Seed: uint64(i)}
				m, views := c.Mat(t)
				res, err := r.Recognise(t.Context(), m)
				m.Close()
				if err != nil {
					t.Fatal(err)
				}
				if len(res.Plates) > 0 && res.Plates[0].Text == views[0].Text {
					read++
					continue
				}
				t.Logf("%s: %d plates", views[0].Text, len(res.Plates))
				for _, a := range res.Attempts {
					t.Logf("    %s: %s", a.Reading.Text, a.Verdict)
				}
			}
			if test.least < 0 && read > 0 || read < test.least {
				t.Errorf("%d of %d read, want %d", read, len(test.texts), max(test.least, 0))
			}
		})
	}
}
