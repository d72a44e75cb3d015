package judge

import "testing"

// What speaks against a plate makes it less likely, whatever the model.
func TestJudge(t *testing.T) {
	good := Evidence{Text: "AB123C", Place: 0.9, Reader: 0.9, Letters: 6, Agreed: true, Height: 24}
	for kind, j := range map[string]*Judge{"whole plates": OfPlates(), "lines": OfLines()} {
		for name, change := range map[string]func(*Evidence){
			"a place that is hardly a plate": func(e *Evidence) { e.Place = 0.2 },
			"an unsure reading":              func(e *Evidence) { e.Reader = 0.3 },
			"letters only":                   func(e *Evidence) { e.Text = "GARAGE" },
			"low characters":                 func(e *Evidence) { e.Height = 9 },
		} {
			worse := good
			change(&worse)
			if j.Plate(worse) >= j.Plate(good) || j.Right(worse) >= j.Right(good) {
				t.Errorf("%s, %s: %.2f and %.2f, not below %.2f and %.2f", kind, name,
					j.Plate(worse), j.Right(worse), j.Plate(good), j.Right(good))
			}
		}
		if p := j.Right(good); p < 0.5 || p > 1 {
			t.Errorf("%s: a good reading is right with %.2f", kind, p)
		}
	}
}

// TestUnsure: a text of which the reader is unsure is not sure by its place and format.
func TestUnsure(t *testing.T) {
	j := OfPlates()
	e := Evidence{Text: "AB123CD", Place: 0.99, Letters: 7, Agreed: true, Height: 40, Prior: 6, Fills: true}
	last := 0.0
	for e.Reader = 0.05; e.Reader < 1; e.Reader += 0.05 {
		p := j.Right(e)
		if e.Reader < j.Unsure && p >= 0.9 || p < last {
			t.Errorf("reader at %.2f: %.2f after %.2f", e.Reader, p, last)
		}
		last = p
	}
	if last < 0.95 {
		t.Errorf("a sure reader: %.2f", last)
	}
}
