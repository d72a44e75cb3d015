// Package bench measures finding and reading against labelled folders.
package bench

import (
	"image"
	"slices"

	"platewatch/ocr"
	"platewatch/ocr/passage"
	"platewatch/ocr/text"
	"platewatch/ocr/truth"
)

// Score is a folder's result. Counts are of plates unless stated otherwise.
//
// A reported plate belongs to a labelled one when their boxes overlap (at
// least 0.3 of intersection over union), when it lies within a label's box (nine
// tenths of it: some boxes are drawn around the bumper), or, where the label has
// no box, when it is the one on the picture with the closest text. Remaining plates are spurious:
// not labelled, or not a plate. Some frames hold readable plates that nobody
// labelled; they count as spurious too.
type Score struct {
	Folder     string `json:"folder"`
	Region     string `json:"region"` // the region given; empty: none
	Pictures   int    `json:"pictures"`
	Unreadable int    `json:"unreadable"` // pictures that could not be decoded

	Plates   int `json:"n"`
	Exact    int `json:"exact"`    // the whole text, every character
	Folded   int `json:"folded"`   // the same with O = Q = 0 and I = 1
	Found    int `json:"found"`    // reported with any text
	Misread  int `json:"misread"`  // found with a wrong text, O/0 and I/1 apart
	Spurious int `json:"spurious"` // reported where no plate is labelled

	Sure       int `json:"sure"`         // reported at a confidence of 0.9 or more
	SureWrong  int `json:"sure_wrong"`   // of those, not exactly right
	None       int `json:"none"`         // pictures that are labelled to hold no plate
	LoudOnNone int `json:"loud_on_none"` // plates reported on them at 0.8 or more
	Edits      int `json:"edits"`        // wrong, missing and added characters
	Characters int `json:"characters"`   // on the labels

	Calibration Reliability `json:"reliability"`
	Seen        []*Seen     `json:"seen,omitempty"` // of the vehicles, where the folder has states.tsv, countries.tsv or colours.tsv
	Times

	Failures []Failure `json:"failures,omitempty"`

	took []took // for each picture or frame
}

// allFolders is the Folder of the total.
const allFolders = "all"

// Total adds folders up, across all regions. It lists no failures.
func Total(scores []*Score) *Score {
	t := &Score{Folder: allFolders}
	for _, s := range scores {
		for to, n := range map[*int]int{
			&t.Pictures: s.Pictures, &t.Unreadable: s.Unreadable, &t.Plates: s.Plates, &t.Exact: s.Exact,
			&t.Folded: s.Folded, &t.Found: s.Found, &t.Misread: s.Misread, &t.Spurious: s.Spurious,
			&t.Sure: s.Sure, &t.SureWrong: s.SureWrong, &t.None: s.None, &t.LoudOnNone: s.LoudOnNone,
			&t.Edits: s.Edits, &t.Characters: s.Characters,
		} {
			*to += n
		}
		t.Calibration.join(s.Calibration)
		t.took = append(t.took, s.took...)
	}
	t.Times = timesOf(t.took)
	return t
}

// CharacterErrorRate is edits per labelled character.
func (s *Score) CharacterErrorRate() float64 { return share(s.Edits, s.Characters) }

// Failure is a plate that was not read exactly, or a spurious one.
type Failure struct {
	File       string          `json:"file"`
	Want       string          `json:"want"` // empty: spurious
	Got        string          `json:"got"`  // empty: not found
	Confidence float64         `json:"confidence"`
	Box        image.Rectangle `json:"-"`
}

const (
	// sure is the confidence from which a reading should be right nine times in ten.
	sure = 0.9
	// loud is the confidence from which a plate on a picture without one is counted.
	loud = 0.8
)

// add scores one picture.
func (s *Score) add(file truth.File, got []ocr.Plate) {
	s.Pictures++
	if len(file.Plates) == 0 {
		s.None++
		for _, p := range got {
			if p.Confidence >= loud {
				s.LoudOnNone++
			}
		}
	}
	free := slices.Clone(got)
	for _, want := range file.Plates {
		s.Plates++
		s.Characters += len(want.Text)
		i := belonging(want, free)
		if i < 0 {
			s.Edits += len(want.Text)
			s.Failures = append(s.Failures, Failure{File: file.Name, Want: want.Text, Box: want.Box})
			continue
		}
		p := free[i]
		free = slices.Delete(free, i, i+1)
		s.Found++
		s.Edits += passage.Distance(want.Text, p.Text)
		exact := p.Text == want.Text
		s.claim(p, exact)
		if exact {
			s.Exact++
		}
		if text.Fold(p.Text) == text.Fold(want.Text) {
			s.Folded++
		} else {
			s.Misread++
		}
		if !exact {
			s.Failures = append(s.Failures, Failure{file.Name, want.Text, p.Text, p.Confidence, p.Box})
		}
	}
	for _, p := range free {
		s.Spurious++
		s.claim(p, false)
		s.Failures = append(s.Failures, Failure{File: file.Name, Got: p.Text, Confidence: p.Confidence, Box: p.Box})
	}
}

func (s *Score) claim(p ocr.Plate, right bool) {
	s.Calibration.add(p.Confidence, right)
	if p.Confidence < sure {
		return
	}
	s.Sure++
	if !right {
		s.SureWrong++
	}
}

// belonging finds the reported plate for a labelled one; −1 if there is none.
// Plates come most confident first.
func belonging(want truth.Plate, got []ocr.Plate) int {
	if want.Box.Empty() {
		return min(0, len(got)-1)
	}
	const within, overlapping = 0.9, 0.3
	best, at := 0.0, -1
	for i, p := range got {
		o := truth.Overlap(want.Box, p.Box)
		inside := want.Box.Intersect(p.Box).Size()
		if (o >= overlapping || float64(inside.X*inside.Y) >= within*float64(p.Box.Dx()*p.Box.Dy())) && o > best {
			best, at = o, i
		}
	}
	return at
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}
