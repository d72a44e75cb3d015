package folder

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/sourcetest"
	"platewatch/capture/source"
)

func TestConforms(t *testing.T) {
	t.Parallel()
	sourcetest.Suite{Kind: Kind, Width: 64, Height: 48, Frames: 6, End: io.EOF,
		Config: func(t *testing.T) source.Config {
			return source.Config{Name: "folder", Source: capturetest.PictureFolder(t, 64, 48, 6), FPS: 50}
		},
		Endless: func(t *testing.T) source.Config {
			return source.Config{Name: "folder", Source: capturetest.PictureFolder(t, 64, 48, 6), FPS: 50, Loop: true}
		},
		Lost: func(t *testing.T) source.Config {
			return source.Config{Name: "folder", Source: t.TempDir()}
		},
	}.Run(t)
}

// A folder plays what should be a picture, by name.
func TestNames(t *testing.T) {
	dir := capturetest.PictureFolder(t, 64, 48, 2)
	for _, name := range []string{"000a.jpg", "notes.txt", ".hidden.jpg"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	names, err := pictureNames(dir)
	if diff := cmp.Diff([]string{"000.jpg", "000a.jpg", "001.jpg"}, names); err != nil || diff != "" {
		t.Errorf("%v, names (-want +got):\n%s", err, diff)
	}
}

// A folder in a loop whose pictures are all unusable is an error and not a spin.
func TestNothingUsable(t *testing.T) {
	all := t.TempDir()
	if err := os.WriteFile(filepath.Join(all, "a.jpg"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	src := sourcetest.Opened(t, t.Context(), Kind, source.Config{Source: all, Pace: source.PaceFast, Loop: true})
	m := gocv.NewMat()
	defer m.Close()
	if _, err := src.Read(&m); !errors.Is(err, fault.ErrPicture) {
		t.Errorf("the first: %v", err)
	}
	if _, err := src.Read(&m); err == nil || errors.Is(err, fault.ErrPicture) {
		t.Errorf("the second round: %v", err)
	}
}
