package picture

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/uplink/message"
)

// TestPictures: what goes with a hit stays within its bounds in bytes and
// pixels, and shows no more than the configuration allows.
func TestPictures(t *testing.T) {
	frame := gocv.NewMatWithSize(1080, 1920, gocv.MatTypeCV8UC3)
	defer frame.Close()
	gocv.RandU(&frame, gocv.NewScalar(0, 0, 0, 0), gocv.NewScalar(255, 255, 255, 0)) // compresses worst
	c := Default()
	for name, box := range map[string]image.Rectangle{
		"in the middle":    image.Rect(900, 500, 1100, 550),
		"at a corner":      image.Rect(0, 0, 120, 30),
		"over the edge":    image.Rect(1850, 1060, 2050, 1110),
		"larger than sane": image.Rect(0, 0, 1920, 1080),
	} {
		t.Run(name, func(t *testing.T) {
			var p Pair
			defer p.Close()
			p.Take(frame, box, c)
			plate, context := p.Encode(c)
			for what, got := range map[string]struct {
				picture  *message.Picture
				maxBytes int
				maxWidth int
			}{"plate": {plate, int(c.PlateBytes), maxPlateWidth}, "context": {context, int(c.ContextBytes), maxContextWidth}} {
				if got.picture == nil {
					continue // noise does not fit: no picture is better than an unreadable one
				}
				if len(got.picture.JPEG) > got.maxBytes || got.picture.Width > got.maxWidth {
					t.Errorf("%s: %d bytes, %d px wide", what, len(got.picture.JPEG), got.picture.Width)
				}
				size, err := jpeg.DecodeConfig(bytes.NewReader(got.picture.JPEG))
				if err != nil || size.Width != got.picture.Width || size.Height != got.picture.Height {
					t.Errorf("%s: %v, %v", what, size, err)
				}
			}
			allowed := image.Rect(0, 0, 3*box.Dx()+2, 2*box.Dx()+box.Dy()+2) // a width beside it; the defaults above and below are less
			if p.context.Cols() > allowed.Dx() || p.context.Rows() > allowed.Dy() {
				t.Errorf("the context is %d × %d, allowed are %v", p.context.Cols(), p.context.Rows(), allowed)
			}
		})
	}
}

func TestNoContextWhenItsBoundIsZero(t *testing.T) {
	frame := gocv.NewMatWithSize(400, 600, gocv.MatTypeCV8UC3)
	defer frame.Close()
	c := Default()
	c.ContextBytes = 0
	var p Pair
	defer p.Close()
	p.Take(frame, image.Rect(200, 200, 300, 225), c)
	if plate, context := p.Encode(c); plate == nil || context != nil {
		t.Errorf("plate %v, context %v", plate != nil, context != nil)
	}
}

// TestLargestContext: no setting that is accepted reaches the windows.
func TestLargestContext(t *testing.T) {
	frame := gocv.NewMatWithSize(1000, 1600, gocv.MatTypeCV8UC3)
	defer frame.Close()
	box := image.Rect(700, 500, 800, 525)
	for _, test := range []struct {
		sides, above, below float64
		problems            int
	}{{1, 0.15, 1, 0}, {1.01, 0.15, 1, 1}, {1, 0.16, 1, 1}, {1, 0.15, 1.01, 1}, {3, 1.2, 2, 3}} {
		c := Default()
		c.ContextSides, c.ContextAbove, c.ContextBelow = test.sides, test.above, test.below
		n := 0
		for range c.Problems() {
			n++
		}
		if n != test.problems {
			t.Errorf("%+v: %d problems", test, n)
		}
		if n > 0 {
			continue
		}
		var p Pair
		p.Take(frame, box, c)
		if got := image.Pt(p.context.Cols(), p.context.Rows()); got != image.Pt(300, 140) {
			t.Errorf("the largest context of a plate 100 pixels wide is %v", got)
		}
		p.Close()
	}
}
