package bench

import (
	"context"
	"fmt"
	"image"
	"path/filepath"
	"strings"

	"gocv.io/x/gocv"

	"platewatch/capture/still"
	"platewatch/ocr"
	"platewatch/ocr/truth"
)

// sides are the sides at which a picture is cut.
var sides = []string{"left", "right", "top", "bottom"}

// cuts are how far inside a plate a picture ends, as shares of the plate's width
// or height.
var cuts = []float64{0.20, 0.25, 0.30, 0.35}

// CutScore is what a folder gave when each picture was cut inside a plate: no
// reading of what is left can be known to be complete.
type CutScore struct {
	Folder string              `json:"folder"`
	Region string              `json:"region"`
	Sides  map[string]CutCount `json:"sides"`
}

// CutCount counts the pictures that were cut at one side.
type CutCount struct {
	N         int `json:"n"`
	Loud      int `json:"loud"`       // with a plate there at 0.8 or more, whatever its text
	Sure      int `json:"sure"`       // with one at 0.9 or more
	SureWrong int `json:"sure_wrong"` // of those, not the whole text of the plate
}

// RunCut reads the pictures of a folder, cut inside each labelled plate at each
// side. Where the label has no box, the picture is the plate. progress is called
// after each picture.
func RunCut(ctx context.Context, r *ocr.Recogniser, pictures *still.Reader, set *truth.Set, progress func()) (*CutScore, error) {
	s := &CutScore{Folder: set.Dir, Region: r.Regions(), Sides: map[string]CutCount{}}
	for _, file := range set.Files {
		img, err := pictures.Read(ctx, filepath.Join(set.Dir, file.Name))
		if err != nil {
			return nil, err
		}
		ocr.Grey(&img)
		for _, plate := range file.Plates {
			if plate.Box.Empty() {
				if len(file.Plates) > 1 {
					continue
				}
				plate.Box = image.Rect(0, 0, img.Cols(), img.Rows())
			}
			if err = s.cut(ctx, r, img, plate); err != nil {
				break
			}
		}
		img.Close()
		if err != nil {
			return nil, err
		}
		progress()
	}
	return s, nil
}

// cut reads a picture with each of the cuts through one plate.
func (s *CutScore) cut(ctx context.Context, r *ocr.Recogniser, img gocv.Mat, plate truth.Plate) error {
	whole := image.Rect(0, 0, img.Cols(), img.Rows())
	for _, share := range cuts {
		for _, side := range sides {
			to := cutAt(whole, plate.Box, side, share)
			if to.Dx() < 16 || to.Dy() < 16 {
				continue
			}
			part := img.Region(to)
			own := part.Clone()
			part.Close()
			res, err := r.Recognise(ctx, own)
			own.Close()
			if err != nil {
				return err
			}
			c := s.Sides[side]
			c.count(res.Plates, plate, to)
			s.Sides[side] = c
		}
	}
	return nil
}

// cutAt is what is left of a picture that ends inside a box.
func cutAt(whole, box image.Rectangle, side string, share float64) image.Rectangle {
	x, y := int(share*float64(box.Dx())), int(share*float64(box.Dy()))
	switch side {
	case "left":
		whole.Min.X = box.Min.X + x
	case "right":
		whole.Max.X = box.Max.X - x
	case "top":
		whole.Min.Y = box.Min.Y + y
	default:
		whole.Max.Y = box.Max.Y - y
	}
	return whole
}

// count counts one picture: got is what was read on the part to.
func (c *CutCount) count(got []ocr.Plate, plate truth.Plate, to image.Rectangle) {
	c.N++
	left := plate.Box.Intersect(to).Sub(to.Min)
	loudest := ocr.Plate{}
	for _, p := range got {
		if p.Confidence > loudest.Confidence && truth.Overlap(left, p.Box) >= 0.3 {
			loudest = p
		}
	}
	if loudest.Confidence >= loud {
		c.Loud++
	}
	if loudest.Confidence >= sure {
		c.Sure++
		if loudest.Text != plate.Text {
			c.SureWrong++
		}
	}
}

// CutTable writes the scores as aligned text.
func CutTable(scores []*CutScore) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-24s %-7s %6s %15s %22s\n", "folder", "cut at", "n", "≥ 0.8", "≥ 0.9, not all right")
	total := map[string]CutCount{}
	row := func(name, side string, c CutCount) {
		fmt.Fprintf(&b, "%-24s %-7s %6d %15s %22s\n", name, side, c.N, shareOf(c.Loud, c.N), shareOf(c.SureWrong, c.Sure))
	}
	for _, s := range scores {
		name := short(s.Folder)
		if s.Region != "" {
			name += ":" + s.Region
		}
		for _, side := range sides {
			c := s.Sides[side]
			row(name, side, c)
			t := total[side]
			total[side] = CutCount{t.N + c.N, t.Loud + c.Loud, t.Sure + c.Sure, t.SureWrong + c.SureWrong}
		}
	}
	if len(scores) > 1 {
		for _, side := range sides {
			row(allFolders, side, total[side])
		}
	}
	return b.String()
}

// CutLegend says what the columns of [CutTable] count.
const CutLegend = `n      pictures that end 20, 25, 30 or 35 % inside a labelled plate
≥ 0.8  those with a plate reported there at a confidence of 0.8 or more, whatever its text
≥ 0.9  those at 0.9 or more whose text is not that of the whole plate, out of all at 0.9 or more
`
