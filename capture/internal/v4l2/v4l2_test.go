package v4l2

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platewatch/capture/fault"
	"platewatch/capture/internal/sourcetest"
	"platewatch/capture/source"
)

func TestDevice(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "video9")
	_, err := sourcetest.Open(t.Context(), Kind, source.Config{Source: missing})
	var e *fault.Error
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "no camera is connected") {
		t.Errorf("missing, alone: %v", err)
	}
	for _, name := range []string{"video0", "video2", "null"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err = sourcetest.Open(t.Context(), Kind, source.Config{Source: missing})
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &e) ||
		!strings.HasSuffix(e.Hint(), "connected are "+filepath.Join(dir, "video0")+", "+filepath.Join(dir, "video2")) {
		t.Errorf("missing among others: %v, %q", err, e.Hint())
	}
	byID := filepath.Join(dir, "v4l", "by-id")
	if err := os.MkdirAll(byID, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"usb-cam-video-index0": "../../video0", "usb-cam-video-index1": "../../video1", "usb-gone-video-index0": "../../video7"} {
		if err := os.Symlink(to, filepath.Join(byID, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, address := range []string{missing, filepath.Join(byID, "usb-other-video-index0"), filepath.Join(byID, "usb-gone-video-index0")} {
		_, err = sourcetest.Open(t.Context(), Kind, source.Config{Source: address})
		if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "name that stays") ||
			!strings.Contains(e.Hint(), filepath.Join(byID, "usb-cam-video-index0")) || strings.Contains(e.Hint(), "index1") {
			t.Errorf("%s: %v, %q", address, err, e.Hint())
		}
	}
	_, err = sourcetest.Open(t.Context(), Kind, source.Config{Source: filepath.Join(byID, "usb-cam-video-index0")})
	if !errors.Is(err, fault.ErrConfig) {
		t.Errorf("a file behind a name: %v", err)
	}
	_, err = sourcetest.Open(t.Context(), Kind, source.Config{Source: filepath.Join(dir, "video0")})
	if !errors.Is(err, fault.ErrConfig) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "kind file") {
		t.Errorf("a file as a camera: %v", err)
	}
	// The library is asked for a device that is not a camera, and refuses it.
	_, err = sourcetest.Open(t.Context(), Kind, source.Config{Source: "/dev/null"})
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "no video") || e.Hint() == "" {
		t.Errorf("/dev/null as a camera: %v", err)
	}
}
