package v4l2

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"platewatch/capture/fault"
)

// findDevice is the device behind a path, which may be one of the names below
// /dev/v4l: a camera that comes back under another number keeps those. It finds what
// OpenCV would hide behind "cannot open".
func findDevice(path string) (string, error) {
	device, err := filepath.EvalSymlinks(path)
	var info fs.FileInfo
	if err == nil {
		info, err = os.Stat(device)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", &fault.Error{Op: "open", Path: path, Err: fmt.Errorf("there is no such camera: %w", fault.Pathless(err)),
			Advice: presentDevices(path)}
	case err != nil:
		return "", &fault.Error{Op: "open", Path: path, Err: fault.Pathless(err), Advice: "check the path"}
	case info.Mode()&fs.ModeCharDevice == 0:
		return "", &fault.Error{Op: "open", Path: path, Err: errors.New("is not a camera device"),
			Advice: "a video file is a camera of kind file, a folder of pictures one of kind folder", Class: fault.ErrConfig}
	}
	f, err := os.OpenFile(device, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrPermission) {
		return "", &fault.Error{Op: "open", Path: path, Err: fault.Pathless(err), Advice: "add the daemon's user to the group video"}
	}
	if err == nil {
		f.Close()
	}
	return device, nil // other errors (busy, unplugged) are the decoder's to find
}

// presentDevices says which cameras there are instead of the one at path: by the
// names that stay the same where there are such.
func presentDevices(path string) string {
	folder := filepath.Dir(path)
	named := names(filepath.Join(folder, "v4l", "by-id"), "*-video-index0")
	if strings.Contains(path, "/v4l/by-") {
		named = names(folder, "*-video-index0")
		folder = filepath.Dir(filepath.Dir(folder))
	}
	numbered := names(folder, "video*")
	switch {
	case len(named) > 0:
		return "check the cable and the USB hub; write a name that stays when the number changes: connected are " + strings.Join(named, ", ")
	case len(numbered) > 0:
		return "check the cable and the USB hub; connected are " + strings.Join(numbered, ", ")
	}
	return "no camera is connected: check the cable and `lsusb`"
}

func names(folder, pattern string) []string {
	found, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil {
		return nil
	}
	slices.Sort(found)
	return found
}
