package capture

import (
	"context"
	"fmt"
	"sync"
	"time"

	"platewatch/capture/light"
)

// controlBound is how long setting a camera's controls may take. USB cameras
// answer in milliseconds; a driver gives up after five seconds.
const controlBound = 2 * time.Second

// adjustable is a source with controls.
type adjustable interface {
	Source
	states() []ControlState
	// steer sets the exposure by a plate. It waits for controlBound at most.
	steer(context.Context, light.Plate) error
}

// v4l2Source is a V4L2 stream with its controls, which are set by a hand of
// their own beside the one that reads.
type v4l2Source struct {
	*stream
	hand       *hand
	controller controller

	mu  sync.Mutex
	set []ControlState
}

// withControls sets what is asked for, reads it back, and keeps the controls
// for steering. A camera whose controls cannot be had still gives pictures: what
// went wrong stands among the states.
func withControls(ctx context.Context, s *stream, c Config, b *blockedCalls, open func(string) (controller, error)) *v4l2Source {
	v := &v4l2Source{stream: s}
	v.hand = newHand(b, func() {
		if v.controller != nil {
			v.controller.Close()
		}
	})
	var set []ControlState
	err := v.hand.do(ctx, controlBound, func() {
		d, err := open(c.Device)
		if err != nil {
			set = append(set, ControlState{Name: "controls", Error: err.Error()})
			return
		}
		v.controller = d
		asked := c.Controls
		if c.AutoExposure == ExposePlate && asked.Exposure == 0 {
			asked.Exposure = startExposure
		}
		set = applyControls(d, asked)
	})
	if err != nil {
		set = []ControlState{{Name: "controls", Error: err.Error()}}
	}
	v.set = set
	return v
}

// startExposure is where steering begins: right for a plate by day.
const startExposure = time.Millisecond

// states implements adjustable.
func (v *v4l2Source) states() []ControlState {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]ControlState(nil), v.set...)
}

// steer implements adjustable.
func (v *v4l2Source) steer(ctx context.Context, l light.Plate) error {
	var s ControlState
	var err error
	changed := false
	lost := v.hand.do(ctx, controlBound, func() {
		if v.controller == nil {
			err = errNoControl
			return
		}
		var now int
		var r controlRange
		if now, err = v.controller.get(cidExposure); err != nil {
			return
		}
		if r, err = v.controller.query(cidExposure); err != nil {
			return
		}
		if next := steer(now, l, r); next != now {
			s, changed = setControl(v.controller, "exposure", cidExposure, next), true
		}
	})
	if lost != nil {
		return lost
	}
	if err != nil {
		return fmt.Errorf("the exposure cannot be steered: %w", err)
	}
	if changed {
		v.mu.Lock()
		defer v.mu.Unlock()
		for i := range v.set {
			if v.set[i].Name == s.Name {
				v.set[i] = s
				return nil
			}
		}
		v.set = append(v.set, s)
	}
	return nil
}

// Close implements [Source].
func (v *v4l2Source) Close() error {
	v.hand.close()
	return v.stream.Close()
}

// Steer tells the camera how a plate came out. Where the unit steers the
// exposure, the camera follows the latest plate; otherwise nothing happens. It
// does not wait.
func (c *Camera) Steer(l light.Plate) {
	if c.config.AutoExposure != ExposePlate {
		return
	}
	for {
		select {
		case c.light <- l:
			return
		default:
		}
		select { // the newest plate wins
		case <-c.light:
		default:
		}
	}
}

// steering follows the plates until ctx is done.
func (c *Camera) steering(ctx context.Context, src adjustable) {
	for {
		select {
		case <-ctx.Done():
			return
		case l := <-c.light:
			if err := src.steer(ctx, l); err != nil && ctx.Err() == nil {
				c.log.Warn("the exposure stays as it is", "error", err)
				return
			}
			c.record.controls(src.states())
		}
		if !wait(ctx, steerEach) {
			return
		}
	}
}
