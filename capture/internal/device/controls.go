// Package device sets a V4L2 camera up and steers its exposure, inside the
// decoder's process.
package device

import (
	"errors"
	"fmt"
	"time"

	"platewatch/capture/internal/handover"
)

// Identifiers of linux/v4l2-controls.h.
const (
	cidAutoWhiteBalance = 0x0098090c
	cidAutoGain         = 0x00980912
	cidGain             = 0x00980913
	cidWhiteBalance     = 0x0098091a
	cidExposureAuto     = 0x009a0901 // menu: 0 auto, 1 manual, 2 shutter, 3 aperture priority
	cidExposure         = 0x009a0902 // in 100 µs
	cidFocus            = 0x009a090a
	cidAutoFocus        = 0x009a090c

	exposureManual = 1
	exposureUnit   = 100 * time.Microsecond
)

// controlRange is what a driver accepts.
type controlRange struct{ min, max, step, standard int }

// fit is the nearest value that the driver accepts.
func (r controlRange) fit(v int) int {
	v = min(max(v, r.min), r.max)
	if r.step > 1 {
		v = r.min + (v-r.min)/r.step*r.step
	}
	return v
}

// controller is a camera's controls. Its calls may block for as long as the
// driver does.
type controller interface {
	query(id uint32) (controlRange, error)
	get(id uint32) (int, error)
	set(id uint32, value int) error
	format() (string, error) // that the camera gives, four letters
	Close() error
}

var errNoControl = errors.New("the camera has no such control")

// applyControls sets what is asked for, one after the other, and reads each
// back: a driver may accept a value and keep another.
func applyControls(d controller, c handover.Job) []state {
	var out []state
	for _, s := range []struct {
		name          string
		id            uint32
		auto          uint32 // its automatic control, which must be set to manual first
		manual, value int
		asked         bool
	}{
		{"exposure", cidExposure, cidExposureAuto, exposureManual, int(c.Exposure / exposureUnit), c.Exposure > 0},
		{"gain", cidGain, cidAutoGain, 0, valueOf(c.Gain), c.Gain != nil},
		{"focus", cidFocus, cidAutoFocus, 0, valueOf(c.Focus), c.Focus != nil},
		{"white_balance", cidWhiteBalance, cidAutoWhiteBalance, 0, valueOf(c.WhiteBalance), c.WhiteBalance != nil},
	} {
		if !s.asked {
			continue
		}
		// A camera without the automatic control has nothing to turn off.
		if err := d.set(s.auto, s.manual); err != nil && !errors.Is(err, errNoControl) {
			out = append(out, state{name: s.name, asked: s.value, err: fmt.Sprintf("its automatic control cannot be turned off: %v", err)})
			continue
		}
		before, beforeErr := d.get(s.id)
		set := setControl(d, s.name, s.id, s.value)
		if beforeErr == nil && set.err == "" && set.value == before && set.value != set.wanted {
			set.err = fmt.Sprintf("has no effect: the camera keeps %d", before)
		}
		out = append(out, set)
	}
	return append(out, checkFormat(d, c.Format)...)
}

// checkFormat is the state of the pixel format, where the camera gives another one.
func checkFormat(d controller, asked string) []state {
	if asked == "" {
		return nil
	}
	if given, err := d.format(); err == nil && given != asked {
		return []state{{name: "format", err: fmt.Sprintf("the camera gives %s and not %s", given, asked)}}
	}
	return nil
}

func valueOf(p *int) int {
	if p == nil {
		return 0
	}
	return *p
}

// setControl sets one control as near to a value as the driver accepts, and
// reads it back.
func setControl(d controller, name string, id uint32, value int) state {
	s := state{name: name, asked: value}
	r, err := d.query(id)
	if err == nil {
		s.min, s.max, s.wanted = r.min, r.max, r.fit(value)
		err = d.set(id, s.wanted)
	}
	if err == nil {
		s.value, err = d.get(id)
	}
	switch {
	case err != nil:
		s.err = err.Error()
	case s.value != value && (value < r.min || value > r.max):
		s.err = fmt.Sprintf("the camera accepts %d to %d", r.min, r.max)
	}
	return s
}
