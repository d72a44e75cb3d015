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
// it. Only plates of hits are labelled with their text: that of others, which are
// on no list, is nowhere but in the picture itself. Nothing is drawn or encoded
// while nobody waits.
type preview struct {
	mu      sync.Mutex
	waiting []chan []byte // each takes one JPEG; nil if there is none
	ended   bool
}

// next waits for the next frame and returns it as a JPEG. Errors:
// [status.ErrNoPicture], or that of ctx.
func (p *preview) next(ctx context.Context) ([]byte, error) {
	c := make(chan []byte, 1)
	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return nil, status.ErrNoPicture
	}
	p.waiting = append(p.waiting, c)
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
		if w == c {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			return
		}
	}
}

// take removes and returns the waiting channels. After a take with last, next
// fails at once.
func (p *preview) take(last bool) []chan []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting := p.waiting
	p.waiting, p.ended = nil, p.ended || last
	return waiting
}

// show delivers a frame. It draws into the frame, which must not be used after.
func (p *preview) show(c *cameraPipeline, f *capture.Frame, plates []ocr.Plate) {
	waiting := p.take(false)
	if len(waiting) == 0 {
		return
	}
	marks := make([]draw.Mark, 0, len(plates))
	for _, q := range plates {
		m := draw.Mark{Corners: q.Corners, Hit: c.isHit(q)}
		if m.Hit {
			m.Text = fmt.Sprintf("%s %.0f%%", q.Text, 100*q.Confidence)
		}
		marks = append(marks, m)
	}
	draw.Marks(&f.Image, marks)
	small := gocv.NewMat()
	defer small.Close()
	scale := min(1, previewWidth/float64(f.Image.Cols()))
	gocv.Resize(f.Image, &small, image.Point{}, scale, scale, gocv.InterpolationLinear)
	b, err := picture.JPEG(small, 75)
	if err != nil {
		b = nil
	}
	for _, w := range waiting {
		w <- b
	}
}

// close ends the waiting of everybody, without a picture.
func (p *preview) close() {
	for _, c := range p.take(true) {
		c <- nil
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
