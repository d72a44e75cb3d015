package capture

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"

	"platewatch/capture/light"
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
	got := applyControls(p, Controls{Exposure: 2 * time.Millisecond, Gain: n(400), Focus: n(33), WhiteBalance: n(4500)})
	want := []ControlState{
		{Name: "exposure", Asked: 20, Value: 20, Min: 1, Max: 5000},
		{Name: "gain", Asked: 400, Value: 100, Max: 100, Error: "the camera takes 0 to 100"},
		{Name: "focus", Asked: 33, Value: 30, Max: 250},
		{Name: "white_balance", Asked: 4500, Error: errNoControl.Error()},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if p.values[cidExposureAuto] != exposureManual || p.values[cidAutoGain] != 0 || p.values[cidAutoFocus] != 0 {
		t.Errorf("the automatics are %v", p.values)
	}
	if w, want := wordsOf(got[:2]), "exposure 20, gain 100 (asked 400): the camera takes 0 to 100"; w != want {
		t.Errorf("in words %q, want %q", w, want)
	}
}

// A driver that hangs costs the camera its controls and not its pictures.
func TestHungControls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b blockedCalls
		dev := newStuck(1)
		s, err := dev.open(t.Context(), &b, 1)
		if err != nil {
			t.Fatal(err)
		}
		p := newPanel()
		p.hang = make(chan struct{})
		v := withControls(t.Context(), s, Config{Controls: Controls{Exposure: time.Millisecond}}, &b,
			func(string) (controller, error) { return p, nil })
		if states := v.states(); len(states) != 1 || states[0].Error == "" {
			t.Errorf("states %+v", states)
		}
		m := gocv.NewMat()
		defer m.Close()
		if _, err := v.Read(&m); err != nil {
			t.Errorf("no picture: %v", err)
		}
		if err := v.steer(t.Context(), light.Plate{Bright: 255}); !errors.Is(err, ErrClosed) {
			t.Errorf("steering after that: %v", err)
		}
		v.Close()
		close(p.hang)
		synctest.Wait()
		if !p.closed || b.out.Load() != 0 {
			t.Errorf("closed %v, %d calls out", p.closed, b.out.Load())
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
			exposure = steer(exposure, light(), r)
		}
		rest := exposure
		for range 10 {
			exposure = steer(exposure, light(), r)
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

// The camera follows the plates that it is told of, and the newest one counts.
func TestCameraIsSteered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPanel()
		dev := newStuck(1 << 30)
		c, err := New(Config{Name: "x", Kind: KindV4L2, Device: "/dev/video0", AutoExposure: ExposePlate}, testLog(t))
		if err != nil {
			t.Fatal(err)
		}
		c.open = func(ctx context.Context, cfg Config, b *blockedCalls) (Source, error) {
			s, err := openStream(ctx, streamSpec{where: "x", openBound: time.Second, readBound: time.Second, end: io.EOF, misses: 1},
				func(streamSpec) (device, error) { return slowly{dev}, nil }, b)
			if err != nil {
				return nil, err
			}
			return withControls(ctx, s, cfg, b, func(string) (controller, error) { return p, nil }), nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		time.Sleep(time.Second)
		for range 5 {
			c.Steer(light.Plate{Bright: 255, Clipped: 0.9})
			time.Sleep(3 * time.Second)
		}
		st := c.Stats()
		if len(st.Controls) != 1 || st.Controls[0].Value >= 10 || p.values[cidExposure] != st.Controls[0].Value {
			t.Errorf("controls %+v with the camera at %d", st.Controls, p.values[cidExposure])
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if !p.closed {
			t.Error("the controls are still open")
		}
	})
}

// slowly gives a frame each 40 ms.
type slowly struct{ *stuck }

func (s slowly) Read(m *gocv.Mat) (bool, error) {
	time.Sleep(40 * time.Millisecond)
	return s.stuck.Read(m)
}
