package unit

import (
	"context"
	"fmt"
	"image"
	"sync"

	"gocv.io/x/gocv"

	"platewatch/capture"
	"platewatch/cmd/platewatch/internal/draw"
	"platewatch/cmd/platewatch/internal/picture"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/ocr"
)

// previewWidth is the width of the live picture, in pixels.
const previewWidth = 960

// preview delivers the next frame, with its plates outlined, to those who wait for
// it. Only plates of hits are labelled with their text, and only for those who may see
// hits: that of others, which are on no list, is nowhere but in the picture itself.
// Nothing is drawn or encoded while nobody waits.
type preview struct {
	mu      sync.Mutex
	waiting []viewer
	ended   bool
	plate   []byte // JPEG of the last plate while somebody aims
}

// viewer waits for a frame, or for a part of it.
type viewer struct {
	cut status.Cut
	to  chan []byte // takes one JPEG; nil if there is none
}

// next waits for the next frame and returns what is wanted of it as a JPEG. Errors:
// [status.ErrNoPicture], or that of ctx.
func (p *preview) next(ctx context.Context, cut status.Cut) ([]byte, error) {
	c := make(chan []byte, 1)
	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return nil, status.ErrNoPicture
	}
	p.waiting = append(p.waiting, viewer{cut, c})
	p.mu.Unlock()
	select {
	case b := <-c:
		if b == nil {
			return nil, status.ErrNoPicture
		}
		return b, nil
	case <-ctx.Done():
		p.forget(c)
		return nil, ctx.Err()
	}
}

func (p *preview) forget(c chan []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, w := range p.waiting {
		if w.to == c {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			return
		}
	}
}

// take removes and returns those who wait. After a take with last, next fails at
// once.
func (p *preview) take(last bool) []viewer {
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting := p.waiting
	p.waiting, p.ended = nil, p.ended || last
	return waiting
}

// show delivers a frame. It may draw into the frame, which must not be used after.
func (p *preview) show(c *cameraPipeline, f *capture.Frame, plates []ocr.Plate) {
	if c.aim.Watched() {
		p.keepPlate(f.Image, plates)
	}
	waiting := p.take(false)
	made := map[status.Cut][]byte{}
	deliver := func(wanted func(status.Cut) bool, of func(status.Cut) gocv.Mat, quality int) {
		for _, w := range waiting {
			if !wanted(w.cut) {
				continue
			}
			b, ok := made[w.cut]
			if !ok {
				m := of(w.cut)
				if b, err := picture.JPEG(m, quality); err == nil {
					made[w.cut] = b
				}
				m.Close()
				b = made[w.cut]
			}
			w.to <- b
		}
	}
	deliver(func(k status.Cut) bool { return k.Part }, func(k status.Cut) gocv.Mat { return partOf(f.Image, k) }, 90)
	// Without the text of hits first: what is drawn stays.
	for _, text := range []bool{false, true} {
		drawn := false
		deliver(func(k status.Cut) bool { return !k.Part && k.Text == text }, func(k status.Cut) gocv.Mat {
			if !drawn {
				draw.Marks(&f.Image, c.marks(plates, text))
				drawn = true
			}
			return scaled(f.Image, k.Small)
		}, 75)
	}
}

// marks are what is drawn around plates: with text only beside those of hits.
func (c *cameraPipeline) marks(plates []ocr.Plate, text bool) []draw.Mark {
	marks := make([]draw.Mark, 0, len(plates))
	for _, q := range plates {
		m := draw.Mark{Corners: q.Corners, Hit: c.isHit(q)}
		if m.Hit && text {
			m.Text = fmt.Sprintf("%s %.0f%%", q.Text, 100*q.Confidence)
		}
		marks = append(marks, m)
	}
	return marks
}

// scaled is a frame for the live picture.
func scaled(frame gocv.Mat, small bool) gocv.Mat {
	width := previewWidth
	if small {
		width /= 2
	}
	out := gocv.NewMat()
	scale := min(1, float64(width)/float64(frame.Cols()))
	gocv.Resize(frame, &out, image.Point{}, scale, scale, gocv.InterpolationLinear)
	return out
}

// partOf is a part of a frame at its own resolution, moved into the frame where it
// would reach beyond.
func partOf(frame gocv.Mat, k status.Cut) gocv.Mat {
	w, h := min(k.Width, frame.Cols()), min(k.Height, frame.Rows())
	x := min(max(int(k.X*float64(frame.Cols()))-w/2, 0), frame.Cols()-w)
	y := min(max(int(k.Y*float64(frame.Rows()))-h/2, 0), frame.Rows()-h)
	region := frame.Region(image.Rect(x, y, x+w, y+h))
	defer region.Close()
	return region.Clone()
}

// keepPlate keeps the largest plate that was read anew on a frame.
func (p *preview) keepPlate(frame gocv.Mat, plates []ocr.Plate) {
	var box image.Rectangle
	for _, q := range plates {
		if !q.Again && q.Box.Dx() > box.Dx() {
			box = q.Box
		}
	}
	box = box.Inset(-box.Dy() / 2).Intersect(image.Rect(0, 0, frame.Cols(), frame.Rows()))
	if box.Dx() < 16 || box.Dy() < 8 {
		return
	}
	region := frame.Region(box)
	defer region.Close()
	b, err := picture.JPEG(region, 90)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plate = b
}

// lastPlate is the last plate; nil before the first one that passes while somebody
// aims.
func (p *preview) lastPlate() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plate
}

// close ends the waiting of everybody, without a picture.
func (p *preview) close() {
	for _, w := range p.take(true) {
		w.to <- nil
	}
}

// isHit tells whether a plate reads as the hit that was sent of an open passage.
func (c *cameraPipeline) isHit(p ocr.Plate) bool {
	for _, s := range c.open {
		if s.hitID != "" && !s.withdrawn && s.sentText == p.Text {
			return true
		}
	}
	return false
}
