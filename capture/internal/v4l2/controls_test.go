package v4l2

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/stream"
	"platewatch/capture/internal/videoio"
	"platewatch/capture/internal/worker"
	"platewatch/capture/light"
	"platewatch/capture/source"
)

// panel is a camera's controls: what a driver does, without a device.
type panel struct {
	ranges map[uint32]controlRange
	values map[uint32]int
	hang   chan struct{} // not nil: set blocks until it is closed
	closed bool
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
	if p.hang != nil {
		<-p.hang
	}
	r, err := p.query(id)
	switch {
	case err != nil:
		return err
	case v < r.min || v > r.max:
		return errors.New("numerical result out of range")
	case id == cidExposure && p.values[cidExposureAuto] != exposureManual:
		return errors.New("device or resource busy")
	}
	p.values[id] = v
	return nil
}

func (p *panel) Close() error { p.closed = true; return nil }

func TestControlsAreSetAndReadBack(t *testing.T) {
	n := func(v int) *int { return &v }
	p := newPanel()
	got := applyControls(p, source.Controls{Exposure: 2 * time.Millisecond, Gain: n(400), Focus: n(33), WhiteBalance: n(4500)})
	want := []source.ControlState{
		{Name: "exposure", Asked: 20, Value: 20, Min: 1, Max: 5000},
		{Name: "gain", Asked: 400, Value: 100, Max: 100, Error: "the camera accepts 0 to 100"},
		{Name: "focus", Asked: 33, Value: 30, Max: 250},
		{Name: "white_balance", Asked: 4500, Error: errNoControl.Error()},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if p.values[cidExposureAuto] != exposureManual || p.values[cidAutoGain] != 0 || p.values[cidAutoFocus] != 0 {
		t.Errorf("the automatics are %v", p.values)
	}
}

// A driver that hangs costs the camera its controls and not its pictures.
func TestHungControls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a worker.Abandoned
		dev := &board{1, map[int]float64{videoio.FrameWidth: 64, videoio.FrameHeight: 48}}
		s, err := stream.Open(t.Context(), stream.Spec{Where: "hung", OpenBound: time.Second, ReadBound: time.Second, End: io.EOF, Misses: 1},
			func(stream.Spec) (stream.Device, error) { return dev, nil }, &a)
		if err != nil {
			t.Fatal(err)
		}
		p := newPanel()
		p.hang = make(chan struct{})
		v := withControls(t.Context(), s, source.Config{Controls: source.Controls{Exposure: time.Millisecond}}, &a,
			func(string) (controller, error) { return p, nil })
		if states := v.Controls(); len(states) != 1 || states[0].Error == "" {
			t.Errorf("states %+v", states)
		}
		m := gocv.NewMat()
		defer m.Close()
		if _, err := v.Read(&m); err != nil {
			t.Errorf("no picture: %v", err)
		}
		if err := v.Steer(t.Context(), light.Plate{Bright: 255}); !errors.Is(err, fault.ErrClosed) {
			t.Errorf("steering after that: %v", err)
		}
		v.Close()
		close(p.hang)
		synctest.Wait()
		if !p.closed || a.Blocked() != 0 {
			t.Errorf("closed %v, %d calls out", p.closed, a.Blocked())
		}
	})
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
