package capture

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"platewatch/capture/light"
)

// Controls are settings of a V4L2 camera that matter for plates. What is nil
// or zero stays as the camera has it.
type Controls struct {
	Exposure     time.Duration // of one frame; turns the camera's own exposure off
	Gain         *int          // in the driver's units; turns automatic gain off
	Focus        *int          // in the driver's units; turns automatic focus off
	WhiteBalance *int          // kelvin; turns automatic white balance off
}

// none tells whether nothing is asked for.
func (c Controls) none() bool { return c == Controls{} }

// Values of [Config.AutoExposure].
const (
	ExposeCamera = "camera" // as the camera does by itself, for the whole scene
	ExposePlate  = "plate"  // the unit steers it by the plates that it reads
)

// ControlState is what became of a control.
type ControlState struct {
	Name     string `json:"name"`
	Asked    int    `json:"asked"`           // in the driver's units
	Value    int    `json:"value"`           // read back
	Min, Max int    `json:"-"`               // that the driver takes
	Error    string `json:"error,omitempty"` // why it could not be set
}

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

// controlRange is what a driver takes.
type controlRange struct{ min, max, step, standard int }

// fit is the nearest value that the driver takes.
func (r controlRange) fit(v int) int {
	v = min(max(v, r.min), r.max)
	if r.step > 1 {
		v = r.min + (v-r.min)/r.step*r.step
	}
	return v
}

// controller is a camera's controls. Its calls may block as long as a driver
// likes.
type controller interface {
	query(id uint32) (controlRange, error)
	get(id uint32) (int, error)
	set(id uint32, value int) error
	Close() error
}

var errNoControl = errors.New("the camera has no such control")

// applyControls sets what is asked for, one after the other, and reads each
// back: a driver may take a value and keep another.
func applyControls(d controller, c Controls) []ControlState {
	var out []ControlState
	for _, s := range []struct {
		name          string
		id            uint32
		auto          uint32 // its automatic, which must be set to manual first
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
		// Without the automatic there is nothing to turn off.
		if err := d.set(s.auto, s.manual); err != nil && !errors.Is(err, errNoControl) {
			out = append(out, ControlState{Name: s.name, Asked: s.value, Error: fmt.Sprintf("its automatic cannot be turned off: %v", err)})
			continue
		}
		out = append(out, setControl(d, s.name, s.id, s.value))
	}
	return out
}

func valueOf(p *int) int {
	if p == nil {
		return 0
	}
	return *p
}

// setControl sets one control as near to a value as the driver takes, and reads
// it back.
func setControl(d controller, name string, id uint32, value int) ControlState {
	s := ControlState{Name: name, Asked: value}
	r, err := d.query(id)
	if err == nil {
		s.Min, s.Max = r.min, r.max
		err = d.set(id, r.fit(value))
	}
	if err == nil {
		s.Value, err = d.get(id)
	}
	switch {
	case err != nil:
		s.Error = err.Error()
	case s.Value != value && (value < r.min || value > r.max):
		s.Error = fmt.Sprintf("the camera takes %d to %d", r.min, r.max)
	}
	return s
}

// wordsOf are the controls for a log line.
func wordsOf(states []ControlState) string {
	var b strings.Builder
	for i, s := range states {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %d", s.Name, s.Value)
		if s.Value != s.Asked {
			fmt.Fprintf(&b, " (asked %d)", s.Asked)
		}
		if s.Error != "" {
			b.WriteString(": " + s.Error)
		}
	}
	return b.String()
}

const (
	// steerEach is the least time between two changes of the exposure: a camera
	// takes some frames to follow, and vehicles to come by.
	steerEach = 2 * time.Second
	// The ground of a plate should be this bright: well below white, and as far
	// above the noise as that allows.
	brightest, darkest, wanted = 215.0, 120.0, 170.0
	// Most that one step changes.
	mostStep = 1.6
	// A plate must be exposed shorter than it takes to smear: at 110 km/h and
	// 200 pixels a metre 2 ms are 12 pixels across the picture, and 1 to 2 along
	// the road.
	longestExposure  = 2 * time.Millisecond
	shortestExposure = 100 * time.Microsecond
)

// steer is the next exposure, in the driver's units, for plates as bright as
// the last one was with the present exposure. It stays where it is while
// plates come out well.
func steer(now int, l light.Plate, r controlRange) int {
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
