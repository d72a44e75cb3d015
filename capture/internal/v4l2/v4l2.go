// Package v4l2 opens local cameras: USB cameras and those on the board.
package v4l2

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"platewatch/capture/fault"
	"platewatch/capture/internal/stream"
	"platewatch/capture/internal/videoio"
	"platewatch/capture/internal/worker"
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
	Open:     kernel.open,
}

func problems(c source.Config) iter.Seq2[string, error] {
	exposure := error(nil)
	if c.Exposure != 0 {
		exposure = source.TimeInRange(c.Exposure, exposureUnit, time.Second)
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
	possible := func(v int) bool { return v >= 0 && v <= stream.MaxSide }
	if possible(c.Width) && possible(c.Height) && (c.Width == 0) == (c.Height == 0) {
		return "", nil
	}
	key = "width"
	if c.Width == 0 || !possible(c.Height) {
		key = "height"
	}
	return key, source.Problem(fmt.Sprintf("give both width and height, up to %d, or neither", stream.MaxSide),
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

// buffers is how many frames the driver keeps. The camera is drained all the
// time; more would only make frames older.
const buffers = 2

// driver is the way to local cameras; tests put another one there.
type driver struct {
	check    func(path string) error
	capture  stream.Opener
	controls func(path string) (controller, error)
}

// kernel is the kernel's driver, through OpenCV.
var kernel = driver{checkDevice, stream.Videoio, openControls}

// open opens a local camera.
//
// OpenCV waits 10 s for a frame of a stalled V4L2 camera unless the process
// was started with OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT=2 (seconds); it reads
// that before main. Without it a stalled camera's last call is abandoned after
// ReadTimeout and a second, and returns by itself.
func (d driver) open(ctx context.Context, c source.Config, a *worker.Abandoned) (source.Source, error) {
	if err := d.check(c.Source); err != nil {
		return nil, err
	}
	s, err := stream.Open(ctx, stream.Spec{
		URI:       c.Source,
		Where:     c.Source,
		Backend:   videoio.V4L2,
		Prepare:   func(v stream.Device) { prepare(v, c) },
		OpenBound: c.OpenTimeout,
		ReadBound: c.ReadTimeout,
		End:       fault.ErrStreamEnded,
		Misses:    2, // drivers skip a frame now and then
	}, d.capture, a)
	switch {
	case err == nil:
		if c.Controls == (source.Controls{}) && c.AutoExposure != source.ExposePlate {
			return s, nil
		}
		return withControls(ctx, s, c, a, d.controls), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, videoio.ErrRefused):
		return nil, &fault.Error{Op: "open", Path: c.Source, Err: errors.New("the device sends no video"),
			Advice: "another program may use it, or it is the camera's metadata device: try the other /dev/video*"}
	}
	return nil, &fault.Error{Op: "open", Path: c.Source, Err: err}
}

// prepare asks for the picture. The order matters: drivers offer sizes by format
// and rates by size. A driver may ignore any of it; the frames show the size and
// the rate that it chose.
func prepare(d stream.Device, c source.Config) {
	if c.Format != "" {
		d.Set(videoio.FourCC, fourCC(c.Format))
	}
	if c.Width != 0 {
		d.Set(videoio.FrameWidth, float64(c.Width))
		d.Set(videoio.FrameHeight, float64(c.Height))
	}
	if c.FPS != 0 {
		d.Set(videoio.FPS, c.FPS)
	}
	d.Set(videoio.BufferSize, buffers)
}

func fourCC(s string) float64 {
	return float64(uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24)
}

// checkDevice finds what OpenCV would hide behind "cannot open".
func checkDevice(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &fault.Error{Op: "open", Path: path, Err: fmt.Errorf("there is no such camera: %w", fault.Pathless(err)),
			Advice: presentDevices(filepath.Dir(path))}
	case err != nil:
		return &fault.Error{Op: "open", Path: path, Err: fault.Pathless(err)}
	case info.Mode()&fs.ModeCharDevice == 0:
		return &fault.Error{Op: "open", Path: path, Err: errors.New("is not a camera device"),
			Advice: "a video file is a camera of kind file, a folder of pictures one of kind folder", Class: fault.ErrConfig}
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrPermission) {
		return &fault.Error{Op: "open", Path: path, Err: fault.Pathless(err), Advice: "add the daemon's user to the group video"}
	}
	if err == nil {
		f.Close()
	}
	return nil // other errors (busy, unplugged) are the library's to find
}

// presentDevices says which cameras there are instead.
func presentDevices(dir string) string {
	found, err := filepath.Glob(filepath.Join(dir, "video*"))
	if err != nil || len(found) == 0 {
		return "no camera is connected: check the cable and `lsusb`"
	}
	return "connected are " + strings.Join(found, ", ")
}
