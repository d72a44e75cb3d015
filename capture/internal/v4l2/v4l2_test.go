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
	_, err = sourcetest.Open(t.Context(), Kind, source.Config{Source: filepath.Join(dir, "video0")})
	if !errors.Is(err, fault.ErrConfig) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "kind file") {
		t.Errorf("a file as a camera: %v", err)
	}
	// A device that is no camera gets as far as the library, and back.
	_, err = sourcetest.Open(t.Context(), Kind, source.Config{Source: "/dev/null"})
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "no video") || e.Hint() == "" {
		t.Errorf("/dev/null as a camera: %v", err)
	}
}
