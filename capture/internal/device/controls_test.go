package device

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/capture/internal/handover"
	"platewatch/capture/light"
)

// panel is a camera's controls: what a driver does, without a device.
type panel struct {
	ranges map[uint32]controlRange
	values map[uint32]int
	closed bool
	given  string // its pixel format
	stuck  uint32 // a control that accepts everything and changes nothing
}

func newPanel() *panel {
	return &panel{
		ranges: map[uint32]controlRange{
			cidExposureAuto: {0, 3, 1, 3}, cidExposure: {1, 5000, 1, 157}, cidAutoGain: {0, 1, 1, 1}, cidGain: {0, 100, 1, 0},
			cidAutoFocus: {0, 1, 1, 1}, cidFocus: {0, 250, 5, 0},
		},
		values: map[uint32]int{cidExposureAuto: 3, cidExposure: 157, cidAutoGain: 1, cidAutoFocus: 1},
	}
}

func (p *panel) query(id uint32) (controlRange, error) {
	r, ok := p.ranges[id]
	if !ok {
		return r, errNoControl
	}
	return r, nil
}

func (p *panel) get(id uint32) (int, error) {
	if _, err := p.query(id); err != nil {
		return 0, err
	}
	return p.values[id], nil
}

func (p *panel) set(id uint32, v int) error {
	r, err := p.query(id)
	switch {
	case err != nil:
		return err
	case v < r.min || v > r.max:
		return errors.New("numerical result out of range")
	case id == cidExposure && p.values[cidExposureAuto] != exposureManual:
		return errors.New("device or resource busy")
	}
	if id != p.stuck {
		p.values[id] = v
	}
	return nil
}

func (p *panel) format() (string, error) { return p.given, nil }

func (p *panel) Close() error { p.closed = true; return nil }

func TestControlsAreSetAndReadBack(t *testing.T) {
	n := func(v int) *int { return &v }
	p := newPanel()
	got := applyControls(p, handover.Job{Exposure: 2 * time.Millisecond, Gain: n(400), Focus: n(33), WhiteBalance: n(4500)})
	want := []state{
		{name: "exposure", asked: 20, value: 20, min: 1, max: 5000, wanted: 20},
		{name: "gain", asked: 400, value: 100, max: 100, wanted: 100, err: "the camera accepts 0 to 100"},
		{name: "focus", asked: 33, value: 30, max: 250, wanted: 30},
		{name: "white_balance", asked: 4500, err: errNoControl.Error()},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(state{})); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if p.values[cidExposureAuto] != exposureManual || p.values[cidAutoGain] != 0 || p.values[cidAutoFocus] != 0 {
		t.Errorf("the automatics are %v", p.values)
	}
}

// TestFieldControlWithoutEffect: a control that the driver accepts and does not change,
// and another pixel format than was asked for, are said.
func TestFieldControlWithoutEffect(t *testing.T) {
	n := func(v int) *int { return &v }
	p := newPanel()
	p.stuck, p.given = cidGain, "YUYV"
	p.values[cidGain] = 7
	got := applyControls(p, handover.Job{Gain: n(40), Focus: n(30), Format: "MJPG"})
	if len(got) != 3 || !strings.Contains(got[0].err, "has no effect: the camera keeps 7") || got[1].err != "" ||
		got[2].name != "format" || !strings.Contains(got[2].err, "gives YUYV and not MJPG") {
		t.Errorf("states %+v", got)
	}
	if again := applyControls(p, handover.Job{Gain: n(7), Format: "YUYV"}); len(again) != 1 || again[0].err != "" {
		t.Errorf("what it has already: %+v", again)
	}
}

// Controls are set, reported, and follow each plate that the unit reports.
func TestControl(t *testing.T) {
	p := newPanel()
	plates := make(chan handover.Message, 2)
	plates <- handover.Message{Bright: 255, Clipped: 0.5}
	plates <- handover.Message{Bright: 170}
	close(plates)
	var told []handover.Message
	control(handover.Job{FollowPlates: true}, func(string) (controller, error) { return p, nil }, plates, func(m handover.Message) { told = append(told, m) }, func() {})
	var values []int
	for _, m := range told {
		if m.Kind != handover.Control || m.Text != "exposure" || m.Count != 1 {
			t.Errorf("told %+v", m)
		}
		values = append(values, m.Value)
	}
	if d := cmp.Diff([]int{10, 6, 6}, values); d != "" {
		t.Errorf("exposures (-want +got):\n%s", d)
	}
	if !p.closed {
		t.Error("the device was left open")
	}
}

// A camera without controls says so.
func TestNoControls(t *testing.T) {
	var told []handover.Message
	control(handover.Job{FollowPlates: true}, func(string) (controller, error) { return nil, errors.New("busy") }, nil, func(m handover.Message) { told = append(told, m) }, func() {})
	if len(told) != 1 || told[0].Advice != "busy" {
		t.Errorf("told %+v", told)
	}
}

// TestSteering closes the loop: a scene whose plates are as bright as the
// exposure makes them, by day, at dusk and in headlights, comes to rest with
// plates that are neither white nor dark, and stays there.
func TestSteering(t *testing.T) {
	r := controlRange{1, 5000, 1, 157}
	for _, daylight := range []float64{400, 60, 17, 9} { // grey levels for each 100 µs
		exposure := 10
		light := func() light.Plate {
			b := min(255, daylight*float64(exposure))
			l := light.Plate{Bright: b}
			if b >= 250 {
				l.Clipped = 0.6
			}
			return l
		}
		for range 20 {
			exposure = nextExposure(exposure, light(), r)
		}
		rest := exposure
		for range 10 {
			exposure = nextExposure(exposure, light(), r)
		}
		if exposure != rest {
			t.Errorf("light %g: the exposure goes on from %d to %d", daylight, rest, exposure)
		}
		if b := light().Bright; exposure > 1 && exposure < 20 && (b < darkest || b > brightest) {
			t.Errorf("light %g: at rest at %d with plates of %g", daylight, exposure, b)
		}
		if exposure > int(longestExposure/exposureUnit) {
			t.Errorf("light %g: exposed for %d: vehicles smear", daylight, exposure)
		}
	}
}
