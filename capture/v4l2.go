package capture

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"platewatch/capture/internal/videoio"
)

// v4l2Buffers is how many frames the driver keeps. The camera is drained all
// the time; more would only make frames older.
const v4l2Buffers = 2

// v4l2 is the way to local cameras; a seam for tests, which have none.
type v4l2 struct {
	check    func(path string) error
	open     openDevice
	controls func(path string) (controller, error)
}

// kernelV4L2 is the kernel's, through OpenCV.
var kernelV4L2 = v4l2{checkVideoDevice, openVideoio, openControls}

// openV4L2 opens a local camera.
//
// OpenCV waits 10 s for a frame of a stalled V4L2 camera unless the process
// was started with OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT=2 (seconds); it reads
// that before main. Without it a stalled camera's last call is abandoned after
// ReadTimeout and a second, and comes back by itself.
func openV4L2(ctx context.Context, c Config, b *blockedCalls) (Source, error) {
	return kernelV4L2.source(ctx, c, b)
}

func (v v4l2) source(ctx context.Context, c Config, b *blockedCalls) (Source, error) {
	if err := v.check(c.Device); err != nil {
		return nil, err
	}
	s, err := openStream(ctx, streamSpec{
		uri:       c.Device,
		where:     c.Device,
		backend:   videoio.V4L2,
		prepare:   func(d device) { prepareV4L2(d, c) },
		openBound: c.OpenTimeout,
		readBound: c.ReadTimeout,
		end:       ErrStreamEnded,
		misses:    2, // drivers skip a frame now and then
	}, v.open, b)
	switch {
	case err == nil:
		if c.Controls.none() && c.AutoExposure != ExposePlate {
			return s, nil
		}
		return withControls(ctx, s, c, b, v.controls), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, videoio.ErrRefused):
		return nil, &Error{Op: "open", Path: c.Device, Err: errors.New("the device gives no video"),
			Advice: "another program may use it, or it is the camera's metadata device: try the other /dev/video*"}
	}
	return nil, &Error{Op: "open", Path: c.Device, Err: err}
}

// prepareV4L2 asks for the picture. The order matters: drivers offer sizes by
// format and rates by size. None of it is sure to be taken; the size and the
// rate that came of it show in [Stats].
func prepareV4L2(d device, c Config) {
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
	d.Set(videoio.BufferSize, v4l2Buffers)
}

func fourCC(s string) float64 {
	return float64(uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24)
}

// checkVideoDevice finds what OpenCV would hide behind "cannot open".
func checkVideoDevice(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Error{Op: "open", Path: path, Err: fmt.Errorf("there is no such camera: %w", pathless(err)),
			Advice: presentDevices(filepath.Dir(path))}
	case err != nil:
		return &Error{Op: "open", Path: path, Err: pathless(err)}
	case info.Mode()&fs.ModeCharDevice == 0:
		return &Error{Op: "open", Path: path, Err: errors.New("is not a camera device"),
			Advice: "a video file is a camera of kind file, a folder of pictures one of kind folder", also: ErrConfig}
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrPermission) {
		return &Error{Op: "open", Path: path, Err: pathless(err), Advice: "add the daemon's user to the group video"}
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
