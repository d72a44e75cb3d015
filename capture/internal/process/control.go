package process

import (
	"context"
	"fmt"
	"time"

	"platewatch/capture/fault"
	"platewatch/capture/internal/handover"
)

// steerBound is how long setting a camera's exposure may take. USB cameras answer
// in milliseconds.
const steerBound = 3 * time.Second

// control notes one control of the camera. They come all together, the last one
// last.
func (p *Process) control(m handover.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.Index > len(p.controls) {
		return fmt.Errorf("%w: the control %d before the others", handover.ErrProtocol, m.Index)
	}
	p.controls = append(p.controls[:m.Index], m)
	if m.Index == m.Count-1 {
		select {
		case p.told <- struct{}{}:
		default: // nobody waits for them
		}
	}
	return nil
}

// Controls are the camera's controls, as last told.
func (p *Process) Controls() []handover.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]handover.Message(nil), p.controls...)
}

// Steer tells the camera how a plate came out, and waits until the exposure is
// set.
func (p *Process) Steer(ctx context.Context, bright, clipped float64) error {
	select {
	case <-p.told: // of an earlier call that was not waited for
	default:
	}
	p.tell(handover.Message{Kind: handover.Steer, Bright: min(max(bright, 0), 255), Clipped: min(max(clipped, 0), 1)})
	timer := time.NewTimer(steerBound)
	defer timer.Stop()
	select {
	case <-p.told:
		return nil
	case <-p.gone:
		return fault.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fmt.Errorf("%w (%v)", fault.ErrBlocked, steerBound)
	}
}
