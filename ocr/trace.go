package ocr

import (
	"context"
	"fmt"
	"image"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
	"platewatch/ocr/internal/shape"
	"platewatch/ocr/read"
	"platewatch/ocr/rectify"
)

// Trace holds the intermediate pictures on the way from a picture to its plates.
// They are copies, so a trace outlives the picture.
type Trace struct {
	Result
	Maps []Map // the finder's, at most mapSide pixels a side
}

// Map is one of the finder's binary maps: possible characters are white.
type Map struct {
	Name    string // as in [find.Tap]; ", light" for light characters
	Picture *image.Gray
}

// LookTrace is what the reader saw on one crop of a candidate.
type LookTrace struct {
	Line        [4]rectify.Point // around its characters, in pixels of the levelled picture
	Cut         *image.Gray      // what the reader was shown
	Text        string           // the likeliest text of this crop alone
	Probability float64          // 0–1, of Text
	Scout       bool             // by the cheaper network
}

// mapSide bounds the copies of the finder's maps: a frame may have 50 million
// pixels, and has up to sixteen maps.
const mapSide = 640

// Trace is [Recogniser.Recognise] with the intermediate pictures.
func (r *Recogniser) Trace(ctx context.Context, picture gocv.Mat) (*Trace, error) {
	t := &Trace{}
	var err error
	t.Result, err = r.recognise(ctx, picture, t, nil)
	return t, err
}

// The methods below do nothing on a nil trace: a unit traces nothing.

// maps is the tap for the finder.
func (t *Trace) maps() find.Tap {
	if t == nil {
		return nil
	}
	seen := map[string]bool{}
	return func(name string, binary gocv.Mat) {
		if seen[name] { // the second round searches for light characters
			name += ", light"
		}
		seen[name] = true
		scale := min(1, float64(mapSide)/float64(max(binary.Cols(), binary.Rows())))
		small := gocv.NewMat()
		defer small.Close()
		size := image.Pt(max(1, int(float64(binary.Cols())*scale)), max(1, int(float64(binary.Rows())*scale)))
		gocv.Resize(binary, &small, size, 0, 0, gocv.InterpolationArea)
		t.Maps = append(t.Maps, Map{name, copyOf(small)})
	}
}

// level keeps a candidate's levelled picture.
func (t *Trace) level(a *Attempt, p *rectify.Plate) {
	if t != nil {
		a.Level = copyOf(p.Grey)
	}
}

// looks is the tap for the reader, which may level the rows of a plate anew; p is
// the picture that all lines are shown on.
func (t *Trace) looks(a *Attempt, p *rectify.Plate) read.Tap {
	if t == nil {
		return nil
	}
	return func(s read.LookResult) {
		for i, q := range s.Line {
			s.Line[i] = p.FromFrame(q)
		}
		a.Looks = append(a.Looks, LookTrace{s.Line, copyOf(s.Picture), s.Text, s.Probability, s.Scout})
	}
}

// copyOf copies a grey Mat into a Go picture.
func copyOf(grey gocv.Mat) *image.Gray {
	p, err := shape.PlaneOf(grey)
	if err != nil {
		panic(fmt.Sprintf("ocr: cannot trace a picture that is not grey: %v", err))
	}
	g := image.NewGray(image.Rect(0, 0, p.W, p.H))
	copy(g.Pix, p.Pix)
	return g
}
