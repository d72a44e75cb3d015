package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platewatch/ocr/text"
)

// TestSeen: where people's labels differ both answers count, unknown vehicles are
// left out, and a missing answer is neither right nor wrong.
func TestSeen(t *testing.T) {
	dir := t.TempDir()
	list := "file\tplate\tcolour\na.jpg\tAB1\tsilver/white\nb.jpg\tAB2\tunknown\nc.jpg\tAB3\tred\n"
	if err := os.WriteFile(filepath.Join(dir, "colours.tsv"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := newDescriber(nil, dir)
	if err != nil || d == nil || len(d.scores()) != 1 {
		t.Fatalf("%v, %v", d, err)
	}
	s := d.scores()[0]
	known := d.lists[s]
	if len(known) != 2 {
		t.Fatalf("%v", known)
	}
	answers := known[[2]string{"a.jpg", "AB1"}]
	told := func(name string, confidence float64) []text.Alternative {
		return []text.Alternative{{Text: name, Confidence: confidence}}
	}
	s.add(answers, told("grey", 0.9))
	s.add(answers, told("white", 0.7))
	s.add(answers, told("blue", 0.85))
	s.add(answers, nil)
	if s.N != 4 || s.Told != 3 || s.Right != 2 || s.Sure != 2 || s.SureWrong != 1 || s.Matrix["grey"]["blue"] != 1 || s.Matrix["white"]["white"] != 1 || s.Matrix["grey"][untold] != 1 {
		t.Errorf("%+v", s)
	}
	if got := seenTable([]*Score{{Folder: dir, Seen: []*Seen{s}}}, 20); !strings.Contains(got, "50.0 % of 2") || !strings.Contains(got, "grey → blue 1") {
		t.Errorf("%s", got)
	}
	all := allSeen([]*Score{{Seen: []*Seen{s}}, {Seen: []*Seen{s}}})
	if len(all) != 1 || all[0].N != 8 || all[0].Matrix["grey"]["grey"] != 2 {
		t.Errorf("two folders: %+v", all)
	}
	if got := s.confusion(); !strings.Contains(got, "grey                1       1       0       1\n") {
		t.Errorf("the matrix:\n%s", got)
	}
	if d, err := newDescriber(nil, t.TempDir()); d != nil || err != nil {
		t.Errorf("a folder without lists: %v, %v", d, err)
	}
}
