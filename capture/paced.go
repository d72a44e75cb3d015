package capture

import (
	"context"
	"time"

	"gocv.io/x/gocv"
)

// paced is a [Source] whose frames come when a live camera would give them:
// at their position after the first frame's. A reader that is late gets its
// frames at once until it has caught up.
type paced struct {
	Source
	ctx   context.Context
	step  time.Duration // for frames without a position
	begin time.Time     // when position 0 was due; monotonic
	last  time.Duration
	count int
}

// Read implements [Source].
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
	if !wait(p.ctx, time.Until(p.begin.Add(due))) {
		return -1, p.ctx.Err()
	}
	return position, nil
}

// wait waits for d and reports whether ctx let it.
func wait(ctx context.Context, d time.Duration) bool {
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
