package v4l2

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"platewatch/capture/internal/stream"
	"platewatch/capture/internal/worker"
	"platewatch/capture/light"
	"platewatch/capture/source"
)

// controlBound is how long setting a camera's controls may take. USB cameras
// answer in milliseconds; a driver gives up after five seconds.
const controlBound = 2 * time.Second

// controlled is a V4L2 stream with its controls. A worker of its own sets them,
// so that reading goes on meanwhile.
type controlled struct {
	*stream.Stream
	worker     *worker.Worker
	controller controller

	mu  sync.Mutex
	set []source.ControlState
}

// withControls sets what is asked for, reads it back, and keeps the controls
// for steering. A camera whose controls cannot be set still sends pictures; the
// error is one of its control states.
func withControls(ctx context.Context, s *stream.Stream, c source.Config, a *worker.Abandoned, open func(string) (controller, error)) *controlled {
	v := &controlled{Stream: s}
	v.worker = worker.New(a, func() {
		if v.controller != nil {
			v.controller.Close()
		}
	})
	var set []source.ControlState
	err := v.worker.Do(ctx, controlBound, func() {
		d, err := open(c.Source)
		if err != nil {
			set = append(set, source.ControlState{Name: "controls", Error: err.Error()})
			return
		}
		v.controller = d
		asked := c.Controls
		if c.AutoExposure == source.ExposePlate && asked.Exposure == 0 {
			asked.Exposure = startExposure
		}
		set = applyControls(d, asked)
	})
	if err != nil {
		set = []source.ControlState{{Name: "controls", Error: err.Error()}}
	}
	v.set = set
	return v
}

// startExposure is where steering begins: right for a plate by day.
const startExposure = time.Millisecond

// Controls implements [source.Steerable].
func (v *controlled) Controls() []source.ControlState {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]source.ControlState(nil), v.set...)
}

// Steer implements [source.Steerable].
func (v *controlled) Steer(ctx context.Context, l light.Plate) error {
	var s source.ControlState
	var err error
	changed := false
	lost := v.worker.Do(ctx, controlBound, func() {
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
		if next := nextExposure(now, l, r); next != now {
			s, changed = setControl(v.controller, "exposure", cidExposure, next), true
		}
	})
	if lost != nil {
		return lost
	}
	if err != nil {
		return fmt.Errorf("cannot set the exposure: %w", err)
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

// Close implements [source.Source].
func (v *controlled) Close() error {
	v.worker.Close()
	return v.Stream.Close()
}

const (
	// The background of a plate should be this bright: well below white, and as
	// far above the noise as that allows.
	brightest, darkest, wanted = 215.0, 120.0, 170.0
	// mostStep is the largest factor of one change.
	mostStep = 1.6
	// A plate must be exposed shorter than it takes to smear: at 110 km/h and
	// 200 pixels a metre 2 ms are 12 pixels across the picture, and 1 to 2 along
	// the road.
	longestExposure  = 2 * time.Millisecond
	shortestExposure = 100 * time.Microsecond
)

// nextExposure is the next exposure, in the driver's units, for plates as bright
// as the last one was with the present exposure. It does not change while plates
// come out well.
func nextExposure(now int, l light.Plate, r controlRange) int {
	factor := 1.0
	switch {
	case l.OverExposed():
		factor = 1 / mostStep // how far over white cannot be seen
	case l.Bright > brightest, l.Bright < darkest:
		factor = wanted / max(l.Bright, 1)
	}
	factor = min(max(factor, 1/mostStep), mostStep)
	next := int(float64(now)*factor + 0.5)
	if factor > 1 {
		next = max(next, now+1)
	}
	if factor < 1 {
		next = min(next, now-1)
	}
	low, high := int(shortestExposure/exposureUnit), int(longestExposure/exposureUnit)
	return r.fit(min(max(cmp.Or(next, 1), low), high))
}
