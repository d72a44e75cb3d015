package orientation

import (
	"os"
	"path/filepath"
	"testing"

	"platewatch/capture/internal/capturetest"
)

func TestOf(t *testing.T) {
	for _, degrees := range []int{0, 90, 180, 270} {
		got, known := Of(capturetest.TurnedVideo(t, degrees, 5))
		if got != degrees || !known {
			t.Errorf("%d degrees are %d, known %v", degrees, got, known)
		}
	}
	other := filepath.Join(t.TempDir(), "clip.avi")
	if err := os.WriteFile(other, capturetest.FFmpeg(t, 160, 120, 25, 5, "avi"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, known := Of(other); known {
		t.Error("an AVI has a matrix")
	}
}

// FuzzOf: no file takes long, or more than its bytes.
func FuzzOf(f *testing.F) {
	for _, degrees := range []int{0, 90} {
		b, err := os.ReadFile(capturetest.TurnedVideo(f, degrees, 5))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("\x00\x00\x00\x01moov\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte("\x00\x00\x00\x10moov\x00\x00\x00\x00trak"))
	path := filepath.Join(f.TempDir(), "fuzzed")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if degrees, known := Of(path); !known && degrees != 0 {
			t.Errorf("%d degrees, which are not known", degrees)
		}
	})
}
