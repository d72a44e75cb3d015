package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gocv.io/x/gocv"

	"platewatch/ocr"
	"platewatch/ocr/text"
	"platewatch/ocr/truth"
	"platewatch/ocr/vehicle"
)

// Seen counts what is told of the vehicle beside the number: its issuer, or its
// colour. For a plate that was not read nothing is told.
type Seen struct {
	What      string `json:"what"` // issuer, colour
	N         int    `json:"n"`    // labelled
	Told      int    `json:"told"`
	Right     int    `json:"right"`
	Sure      int    `json:"sure"`       // told at 0.8 or more
	SureWrong int    `json:"sure_wrong"` // of those
	// Matrix counts what was told by what is right: of several answers the one that
	// was told, else the first. Nothing told is [untold].
	Matrix      map[string]map[string]int `json:"matrix"`
	Calibration Reliability               `json:"reliability"`
}

// untold stands for an answer that was not given.
const untold = "–"

// sureFrom is the confidence from which what is told counts as sure.
const sureFrom = 0.8

func (s *Seen) add(answers []string, told []text.Alternative) {
	s.N++
	a, ok := vehicle.Likeliest(told)
	if !ok {
		s.count(answers[0], untold, 1)
		return
	}
	s.Told++
	right := slices.Contains(answers, a.Text)
	s.Calibration.add(a.Confidence, right)
	if right {
		s.Right++
		s.count(a.Text, a.Text, 1)
	} else {
		s.count(answers[0], a.Text, 1)
	}
	if a.Confidence >= sureFrom {
		s.Sure++
		if !right {
			s.SureWrong++
		}
	}
}

// labels are the answers for the vehicles of a folder, by file and plate; the
// plate is empty where the file shows one vehicle.
type labels map[[2]string][]string

// label lists are beside the pictures, tab separated, with a header: states.tsv
// and countries.tsv (file, code), colours.tsv (file, plate, colour). Answers that
// people differ on stand with "/" between.
var labelLists = []struct {
	file, what string
	plate      bool // the second column is a plate
}{{"states.tsv", "issuer", false}, {"countries.tsv", "issuer", false}, {"colours.tsv", "colour", true}}

// alike are the words of the lists for what has one name here.
var alike = map[string]string{"silver": "grey", "beige": "brown", "gold": "yellow"}

// openLabels reads a list; nil where the folder has none.
func openLabels(dir, name string, withPlate bool) (labels, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := labels{}
	lines := bufio.NewScanner(f)
	lines.Scan() // the header
	for n := 2; lines.Scan(); n++ {
		cells := strings.Split(strings.TrimRight(lines.Text(), "\r"), "\t")
		key, answer := [2]string{cells[0]}, 1
		if withPlate {
			answer = 2
		}
		if len(cells) <= answer {
			return nil, fmt.Errorf("%s:%d: a column is missing", filepath.Join(dir, name), n)
		}
		if withPlate {
			key[1] = cells[1]
		}
		var answers []string
		for a := range strings.SplitSeq(cells[answer], "/") {
			if other, ok := alike[a]; ok {
				a = other
			}
			answers = append(answers, a)
		}
		if answers[0] != "unknown" && answers[0] != "none" {
			out[key] = answers
		}
	}
	return out, lines.Err()
}

// describer scores what is told of the vehicles of a folder; nil where they are not
// labelled.
type describer struct {
	recogniser *ocr.Recogniser
	lists      map[*Seen]labels
}

// newDescriber opens the lists of a folder.
func newDescriber(r *ocr.Recogniser, dir string) (*describer, error) {
	d := &describer{r, map[*Seen]labels{}}
	for _, l := range labelLists {
		known, err := openLabels(dir, l.file, l.plate)
		if err != nil {
			return nil, err
		}
		if len(known) > 0 {
			d.lists[&Seen{What: l.what}] = known
		}
	}
	if len(d.lists) == 0 {
		return nil, nil
	}
	return d, nil
}

// score describes the labelled vehicles of a picture. A plate that is read wrong at
// the labelled one's place is on the same vehicle.
func (d *describer) score(ctx context.Context, file truth.File, img gocv.Mat, plates []ocr.Plate) error {
	for score, known := range d.lists {
		for key, answers := range known {
			if key[0] != file.Name {
				continue
			}
			i := min(0, len(plates)-1)
			if key[1] != "" {
				i = slices.IndexFunc(plates, func(p ocr.Plate) bool { return p.Text == key[1] })
				if k := slices.IndexFunc(file.Plates, func(p truth.Plate) bool { return p.Text == key[1] }); i < 0 && k >= 0 {
					i = belonging(file.Plates[k], plates)
				}
			}
			if i < 0 {
				score.add(answers, nil)
				continue
			}
			seen, err := d.recogniser.Describe(ctx, img, plates[i], vehicle.Seen{})
			if err != nil {
				return err
			}
			told := seen.Colour
			if score.What == "issuer" {
				told = seen.Issuer
			}
			score.add(answers, told)
		}
	}
	return nil
}

// scores are the results, issuer first.
func (d *describer) scores() []*Seen {
	return slices.SortedFunc(maps.Keys(d.lists), func(a, b *Seen) int { return strings.Compare(b.What, a.What) })
}
