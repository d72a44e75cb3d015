// Package pace plays the pictures of a file or a folder as a live camera would
// send them.
package pace

import (
	"context"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/source"
)

// paced is a [source.Source] whose frames come when a live camera would send
// them: at their position after the first frame's. A reader that is late gets
// its frames at once until it has caught up.
type paced struct {
	source.Source
	ctx   context.Context
	step  time.Duration // for frames without a position
	begin time.Time     // when position 0 was due; monotonic
	last  time.Duration
	count int
}

// New slows src down to its own pace. step is the time between two frames that
// have no position. ctx ends the waiting.
func New(ctx context.Context, src source.Source, step time.Duration) source.Source {
	return &paced{Source: src, ctx: ctx, step: step}
}

// Read implements [source.Source].
func (p *paced) Read(m *gocv.Mat) (time.Duration, error) {
	position, err := p.Source.Read(m)
	if err != nil {
		return position, err
	}
	due := position
	if due < 0 {
		due = p.last + p.step
	}
	if p.count == 0 {
		p.begin = time.Now().Add(-due)
	}
	p.count++
	p.last = due
	if !Wait(p.ctx, time.Until(p.begin.Add(due))) {
		return -1, p.ctx.Err()
	}
	return position, nil
}

// Wait waits for d. It returns false as soon as ctx has ended.
func Wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
