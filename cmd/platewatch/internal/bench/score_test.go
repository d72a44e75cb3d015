package bench

import (
	"bytes"
	"image"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"platewatch/ocr"
	"platewatch/ocr/truth"
)

func TestScore(t *testing.T) {
	at := func(x int) image.Rectangle { return image.Rect(x, 0, x+100, 30) }
	want := func(text string, x int) truth.Plate { return truth.Plate{Text: text, Box: at(x)} }
	got := func(text string, x int, confidence float64) ocr.Plate {
		return ocr.Plate{Text: text, Box: at(x), Confidence: confidence}
	}
	tests := []struct {
		name string
		file truth.File
		got  []ocr.Plate
		want Score
	}{
		{"exact", truth.File{Plates: []truth.Plate{want("AB12", 0)}}, []ocr.Plate{got("AB12", 5, 0.95)},
			Score{Plates: 1, Exact: 1, Folded: 1, Found: 1, Sure: 1, Characters: 4}},
		{"right but for O and 0", truth.File{Plates: []truth.Plate{want("ABO2", 0)}}, []ocr.Plate{got("AB02", 5, 0.95)},
			Score{Plates: 1, Folded: 1, Found: 1, Sure: 1, SureWrong: 1, Edits: 1, Characters: 4}},
		{"misread", truth.File{Plates: []truth.Plate{want("AB12", 0)}}, []ocr.Plate{got("AB127", 5, 0.5)},
			Score{Plates: 1, Found: 1, Misread: 1, Edits: 1, Characters: 4}},
		{"not found, and something elsewhere", truth.File{Plates: []truth.Plate{want("AB12", 0)}}, []ocr.Plate{got("AB12", 500, 0.95)},
			Score{Plates: 1, Spurious: 1, Sure: 1, SureWrong: 1, Edits: 4, Characters: 4}},
		{"two plates, each its own", truth.File{Plates: []truth.Plate{want("AB12", 0), want("CD34", 300)}}, []ocr.Plate{got("CD34", 300, 0.9), got("AB12", 0, 0.8)},
			Score{Plates: 2, Exact: 2, Folded: 2, Found: 2, Sure: 1, Characters: 8}},
		{"no box: the likeliest counts", truth.File{Plates: []truth.Plate{{Text: "AB12"}}}, []ocr.Plate{got("AB12", 7, 0.7), got("ZZZZZ", 300, 0.2)},
			Score{Plates: 1, Exact: 1, Folded: 1, Found: 1, Spurious: 1, Characters: 4}},
		{"nothing there, nothing said", truth.File{}, nil, Score{}},
		{"nothing there, something said", truth.File{}, []ocr.Plate{got("AB12", 0, 0.3)}, Score{Spurious: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var s Score
			s.add(test.file, test.got)
			test.want.Pictures = 1
			if d := cmp.Diff(test.want, s, cmpopts.IgnoreFields(Score{}, "Failures")); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			wrong := s.Plates - s.Exact + s.Spurious
			if len(s.Failures) != wrong {
				t.Errorf("%d failures are listed, want %d", len(s.Failures), wrong)
			}
		})
	}
}

func TestQuantile(t *testing.T) {
	took := []time.Duration{3 * time.Millisecond, time.Millisecond, 2 * time.Millisecond}
	for q, want := range map[float64]float64{0: 1, 0.5: 2, 0.95: 3, 1: 3} {
		if got := quantile(took, q); got != want {
			t.Errorf("quantile %g is %g ms, want %g", q, got, want)
		}
	}
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("the median of nothing is %g", got)
	}
}

// TestPage: names and texts come from files that anybody may have made.
func TestPage(t *testing.T) {
	s := &Score{Folder: t.TempDir(), Plates: 1, Failures: []Failure{{File: "<script>alert(1)</script>.jpg", Want: "AB12", Got: "<b>"}}}
	var b bytes.Buffer
	if err := WritePage(&b, []*Score{s}, 10); err != nil {
		t.Fatal(err)
	}
	if page := b.String(); strings.Contains(page, "<script>") || strings.Contains(page, "<b>") || !strings.Contains(page, "AB12") {
		t.Errorf("the page is\n%s", page)
	}
}
