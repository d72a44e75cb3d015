package bench

import (
	"bytes"
	"image"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"platewatch/ocr"
	"platewatch/ocr/text"
	"platewatch/ocr/truth"
)

func plate(read string, confidence float64) ocr.Plate {
	return ocr.Plate{Reading: text.Reading{Text: read, Confidence: confidence}}
}

func TestScore(t *testing.T) {
	at := func(x int) image.Rectangle { return image.Rect(x, 0, x+100, 30) }
	want := func(text string, x int) truth.Plate { return truth.Plate{Text: text, Box: at(x)} }
	got := func(read string, x int, confidence float64) ocr.Plate {
		p := plate(read, confidence)
		p.Box = at(x)
		return p
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
		{"within a box that is drawn around the bumper", truth.File{Plates: []truth.Plate{{Text: "AB12", Box: image.Rect(-100, -20, 200, 60)}}}, []ocr.Plate{got("AB12", 5, 0.7)},
			Score{Plates: 1, Exact: 1, Folded: 1, Found: 1, Characters: 4}},
		{"half of it within", truth.File{Plates: []truth.Plate{{Text: "AB12", Box: image.Rect(-100, -20, 55, 60)}}}, []ocr.Plate{got("AB12", 5, 0.7)},
			Score{Plates: 1, Spurious: 1, Edits: 4, Characters: 4}},
		{"nothing there, nothing said", truth.File{}, nil, Score{None: 1}},
		{"nothing there, something said", truth.File{}, []ocr.Plate{got("AB12", 0, 0.3)}, Score{None: 1, Spurious: 1}},
		{"nothing there, something said loudly", truth.File{}, []ocr.Plate{got("AB12", 0, 0.8), got("CD34", 300, 0.79)}, Score{None: 1, LoudOnNone: 1, Spurious: 2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var s Score
			s.add(test.file, test.got)
			test.want.Pictures = 1
			if d := cmp.Diff(test.want, s, cmpopts.IgnoreFields(Score{}, "Failures", "Calibration", "took")); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			wrong := s.Plates - s.Exact + s.Spurious
			if len(s.Failures) != wrong {
				t.Errorf("%d failures are listed, want %d", len(s.Failures), wrong)
			}
			if s.Calibration.N() != len(test.got) {
				t.Errorf("the reliability diagram counts %d plates, want %d", s.Calibration.N(), len(test.got))
			}
		})
	}
}

func TestQuantile(t *testing.T) {
	took := []time.Duration{3 * time.Millisecond, time.Millisecond, 2 * time.Millisecond}
	slices.Sort(took)
	for q, want := range map[float64]float64{0: 1, 0.5: 2, 0.95: 3, 1: 3} {
		if got := quantile(took, q); got != want {
			t.Errorf("quantile %g is %g ms, want %g", q, got, want)
		}
	}
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("the median of nothing is %g", got)
	}
}

// TestTotal: the total of all folders is that of one folder with all their pictures.
func TestTotal(t *testing.T) {
	var a, b, both Score
	for i, s := range []*Score{&a, &b, &both, &both} {
		texts := [][2]string{{"AB12", "AB12"}, {"CD34", "CD39"}}[i%2]
		s.add(truth.File{Plates: []truth.Plate{{Text: texts[0]}}}, []ocr.Plate{plate(texts[1], 0.91+0.05*float64(i%2))})
		s.add(truth.File{}, []ocr.Plate{plate("EF56", 0.85)})
		s.took = append(s.took, took{time.Duration(1+i%2) * time.Millisecond, time.Duration(1-i%2) * time.Millisecond})
	}
	both.Times, both.Folder = timesOf(both.took), allFolders
	approximate := cmpopts.EquateApprox(0, 1e-12)
	if d := cmp.Diff(&both, Total([]*Score{&a, &b}), cmpopts.IgnoreFields(Score{}, "Failures", "took"), approximate); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	want := Times{MedianMS: 2, P95MS: 2, FindMedianMS: 2, FindP95MS: 2, ReadMedianMS: 1, ReadP95MS: 1}
	if d := cmp.Diff(want, both.Times); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	table := Table([]*Score{&a, &b})
	if n := strings.Count(table, "\n"); n != 9 || !strings.Contains(table, "\nall ") || strings.Contains(Table([]*Score{&a}), "\nall ") {
		t.Errorf("the table has %d lines:\n%s", n, table)
	}
}

// TestReliability: worked by hand.
func TestReliability(t *testing.T) {
	var r Reliability
	if r.Error() != 0 || !strings.Contains(r.Diagram(), "–") {
		t.Errorf("of nothing: %g\n%s", r.Error(), r.Diagram())
	}
	// 0.9 to 1: mean 0.96, 3 of 4 right: 0.21 off. 0.2 to 0.3: mean 0.25,
	// 1 of 1 right: 0.75 off. Together (4 × 0.21 + 1 × 0.75) / 5.
	for _, c := range []float64{0.9, 0.95, 0.99, 1} {
		r.add(c, c > 0.9)
	}
	r.add(0.25, true)
	if got, want := r.Error(), (4*0.21+0.75)/5; math.Abs(got-want) > 1e-12 {
		t.Errorf("the expected calibration error is %g, want %g", got, want)
	}
	want := Bin{From: 0.9, To: 1, N: 4, Right: 3, Confidence: 0.96}
	if d := cmp.Diff(want, r[9], cmpopts.EquateApprox(0, 1e-12)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	for line := range strings.Lines(r.Diagram()) {
		if n := utf8.RuneCountInString(line); n > 100 {
			t.Errorf("%d characters wide: %s", n, line)
		}
	}
	if d := r.Diagram(); !strings.Contains(d, "75 %") || strings.Count(d, "┃") != 3 {
		t.Errorf("the diagram is\n%s", d)
	}
}

func TestMemory(t *testing.T) {
	m, err := ReadMemory()
	if err != nil || m.Resident < 1<<20 || m.Peak < m.Resident {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestPage: names and texts come from files that anybody may have made.
func TestPage(t *testing.T) {
	s := &Score{Folder: t.TempDir(), Plates: 1, Failures: []Failure{{File: "<script>alert(1)</script>.jpg", Want: "AB12", Got: "<b>"}}}
	var b bytes.Buffer
	if err := WritePage(t.Context(), openPictures(t), &b, []*Score{s}, 10); err != nil {
		t.Fatal(err)
	}
	if page := b.String(); strings.Contains(page, "<script>") || strings.Contains(page, "<b>") || !strings.Contains(page, "AB12") {
		t.Errorf("the page is\n%s", page)
	}
}
