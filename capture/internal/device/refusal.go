package device

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"platewatch/capture/fault"
)

// Capabilities of linux/videodev2.h.
const (
	capCapture  = 0x00000001
	capPlanes   = 0x00001000 // capture in several planes
	capMetadata = 0x00800000
)

// decoded are the pixel formats that can be decoded.
var decoded = []string{"MJPG", "JPEG", "YUYV", "UYVY", "YVYU", "YU12", "YV12", "NV12", "NV21", "BGR3", "RGB3", "GREY", "Y16 "}

// prober asks a device what it is.
type prober interface {
	capabilities() (uint32, error)
	// claim fails with EBUSY while another program takes pictures.
	claim() error
	formats() []string // pixel formats, by their four letters
	Close() error
}

// Refusal says why a device that cannot be opened is not a camera, or not a usable
// one. The error has a hint.
func Refusal(path string) error {
	return refusal(path, func(path string) (prober, error) { return openDevice(path) })
}

func refusal(path string, open func(string) (prober, error)) error {
	because := func(advice, format string, args ...any) error {
		return &fault.Error{Op: "open", Path: path, Err: fmt.Errorf(format, args...), Advice: advice}
	}
	busy := func() error {
		return because("stop the other program; `sudo fuser -v "+path+"` names it", "another program uses the camera")
	}
	d, err := open(path)
	switch {
	case errors.Is(err, syscall.EBUSY):
		return busy()
	case errors.Is(err, fs.ErrPermission):
		return because("add the daemon's user to the group video", "this user may not use the device")
	case isGone(err):
		return because(unpluggedAdvice, "the camera is not there any more")
	case err != nil:
		return because("unplug the camera and plug it in again; `sudo dmesg` may say more", "the device cannot be opened: %w", err)
	}
	defer d.Close()
	what, err := d.capabilities()
	switch {
	case isGone(err):
		return because(unpluggedAdvice, "the camera is not there any more")
	case err != nil:
		return because("`v4l2-ctl --list-devices` lists the cameras", "the device sends no video: it is no camera")
	case what&capCapture == 0 && what&capMetadata != 0:
		return because("name the camera's first device, …-video-index0 in /dev/v4l/by-id", "the device sends no video: it is the camera's second one, for metadata")
	case what&capCapture == 0 && what&capPlanes != 0:
		return because("use a USB camera, or the board's camera over a program that serves RTSP", "the device sends its video in several planes, which cannot be read")
	case what&capCapture == 0:
		return because("`v4l2-ctl --list-devices` lists the cameras", "the device sends no video")
	}
	if errors.Is(d.claim(), syscall.EBUSY) {
		return busy()
	}
	if all := d.formats(); len(all) > 0 && !slices.ContainsFunc(all, func(f string) bool { return slices.Contains(decoded, f) }) {
		return because("use a camera with MJPG or YUYV", "the camera sends %s, which cannot be decoded", strings.Join(all, ", "))
	}
	return because("unplug the camera and plug it in again, or use another USB port; `sudo dmesg` may say more", "the device sends no video")
}

// unpluggedAdvice is what to do about a camera that has gone.
const unpluggedAdvice = "check the cable and the power of its USB hub; it is tried again, and found under another number too if source is its name in /dev/v4l/by-id"

func isGone(err error) bool {
	return errors.Is(err, syscall.ENODEV) || errors.Is(err, syscall.ENXIO) || errors.Is(err, fs.ErrNotExist)
}

// Watch keeps a device in view, to tell later whether it was unplugged.
type Watch struct{ d prober }

// NewWatch opens the device beside the one that streams. A nil Watch knows nothing.
func NewWatch(path string) *Watch {
	d, err := openDevice(path)
	if err != nil {
		return nil
	}
	return &Watch{d}
}

// Lost is why a camera sends no more frames. The error has a hint.
func (w *Watch) Lost() error {
	e := &fault.Error{Op: "read", Err: errors.New("the camera stopped sending"), Class: fault.ErrStreamEnded,
		Advice: "check the cable; another USB port may give more power, and a smaller picture needs less of the bus"}
	if w != nil {
		if _, err := w.d.capabilities(); isGone(err) {
			e.Err, e.Advice = errors.New("the camera was unplugged, or its USB hub was reset"), unpluggedAdvice
		}
	}
	return e
}
