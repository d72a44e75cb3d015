// Package v4l2 opens local cameras: USB cameras and those on the board.
package v4l2

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/handover"
	"platewatch/capture/internal/process"
	"platewatch/capture/light"
	"platewatch/capture/source"
)

// Kind is the entry of local cameras in the table of kinds.
var Kind = source.Kind{
	Name:      "v4l2",
	Example:   "/dev/video0",
	Recognise: func(s string) bool { return strings.HasPrefix(s, "/dev/") },
	Keys: []string{"width", "height", "fps", "format",
		"exposure", "gain", "focus", "white_balance", "auto_exposure"},
	Local:    true,
	Problems: problems,
	Open:     open,
}

// shortestExposure is the unit of V4L2's exposure.
const shortestExposure = 100 * time.Microsecond

func problems(c source.Config) iter.Seq2[string, error] {
	exposure := error(nil)
	if c.Exposure != 0 {
		exposure = source.TimeInRange(c.Exposure, shortestExposure, time.Second)
	}
	key, size := checkSize(c)
	return source.Failed(
		source.Check{Key: key, Err: size},
		source.Check{Key: "format", Err: checkFormat(c.Format)},
		source.Check{Key: "exposure", Err: exposure},
		source.Check{Key: "auto_exposure", Err: source.OneOf(c.AutoExposure, source.ExposeCamera, source.ExposePlate)},
	)
}

// checkSize checks width and height; key is the one to blame.
func checkSize(c source.Config) (key string, err error) {
	possible := func(v int) bool { return v >= 0 && v <= handover.MaxSide }
	if possible(c.Width) && possible(c.Height) && (c.Width == 0) == (c.Height == 0) {
		return "", nil
	}
	key = "width"
	if c.Width == 0 || !possible(c.Height) {
		key = "height"
	}
	return key, source.Problem(fmt.Sprintf("give both width and height, up to %d, or neither", handover.MaxSide),
		": a size of %d × %d pixels is not possible", c.Width, c.Height)
}

func checkFormat(format string) error {
	if format == "" {
		return nil
	}
	valid := len(format) == 4
	for _, b := range []byte(format) {
		valid = valid && b >= ' ' && b <= '~'
	}
	if valid {
		return nil
	}
	return source.Problem("write MJPG or YUYV; `v4l2-ctl --list-formats` lists the camera's", "= %q is not a pixel format of four letters", format)
}

// open opens a local camera: its decoder opens the device.
func open(ctx context.Context, c source.Config, t *process.Tally) (source.Source, error) {
	path, err := findDevice(c.Source)
	if err != nil {
		return nil, err
	}
	j := handover.StreamJob(handover.Device)
	j.Path = path
	j.Width, j.Height, j.FPS, j.Format = c.Width, c.Height, c.FPS, c.Format
	j.Exposure, j.Gain, j.Focus, j.WhiteBalance = c.Exposure, c.Gain, c.Focus, c.WhiteBalance
	j.FollowPlates = c.AutoExposure == source.ExposePlate
	p, err := process.Start(ctx, j, false, c.Source, t)
	if err != nil {
		return nil, err
	}
	if _, err := p.Opened(ctx, c.OpenTimeout, c.OpenTimeout); err != nil {
		p.Close()
		return nil, err
	}
	s := &camera{ctx: ctx, c: c, process: p}
	if c.Controls == (source.Controls{}) && !j.FollowPlates && j.Format == "" {
		return s, nil
	}
	return steered{s}, nil
}

// camera is an open V4L2 camera.
type camera struct {
	ctx     context.Context
	c       source.Config
	process *process.Process
}

// Read implements [source.Source].
func (s *camera) Read(m *gocv.Mat) (time.Duration, error) {
	position, err := s.process.Next(s.ctx, s.c.ReadTimeout, m)
	if errors.Is(err, fault.ErrTimeout) {
		err = &fault.Error{Op: "read", Path: s.c.Source, Err: fmt.Errorf("%w (%v)", fault.ErrTimeout, s.c.ReadTimeout),
			Advice: "check the cable; another USB port may give more power"}
	}
	return position, err
}

// Close implements [source.Source].
func (s *camera) Close() error {
	s.process.Close()
	return nil
}

// steered is a camera whose controls the unit sets.
type steered struct{ *camera }

// Controls implements [source.Steerable].
func (s steered) Controls() []source.ControlState {
	var all []source.ControlState
	for _, m := range s.process.Controls() {
		all = append(all, source.ControlState{Name: m.Text, Asked: m.Asked, Value: m.Value, Min: m.Min, Max: m.Max, Error: m.Advice})
	}
	return all
}

// Steer implements [source.Steerable].
func (s steered) Steer(ctx context.Context, l light.Plate) error {
	if err := s.process.Steer(ctx, l.Bright, l.Clipped); err != nil {
		return err
	}
	for _, c := range s.Controls() {
		if c.Name == "exposure" && c.Error != "" {
			return fmt.Errorf("cannot set the exposure: %s", c.Error)
		}
	}
	return nil
}
