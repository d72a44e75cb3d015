package tesseract

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"platewatch/ocr/internal/shape"
	"platewatch/ocr/read"
	"platewatch/ocr/read/model"
)

// sources are a model for whole plates and one for lines.
var sources = map[string]source{
	Plate: {name: Plate, data: model.Plate, whole: true},
	"eng": {name: "eng"},
}

func openOne(t *testing.T, s source) read.Engine {
	t.Helper()
	engines, err := s.open(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engines[0].Close(); err != nil {
			t.Error(err)
		}
	})
	return engines[0]
}

func TestEngine(t *testing.T) {
	white := make([]uint8, 200*60)
	letters := make([]uint8, len(white))
	for i := range white {
		white[i], letters[i] = 255, 255
		x, y := i%200%40, i/200 // an H in each of five fields
		if y >= 8 && y < 52 && (x >= 9 && x < 15 || x >= 25 && x < 31 || x >= 15 && x < 25 && y >= 27 && y < 33) {
			letters[i] = 0
		}
	}
	for name, s := range sources {
		t.Run(name, func(t *testing.T) {
			e := openOne(t, s)
			got, err := e.Read(shape.Plane{Pix: white, W: 200, H: 60})
			if err != nil || len(got.Characters) != 0 || len(got.Steps) != 0 {
				t.Errorf("an empty strip reads as %d characters, %d steps, %v", len(got.Characters), len(got.Steps), err)
			}
			got, err = e.Read(shape.Plane{Pix: letters, W: 200, H: 60})
			if err != nil || s.whole && len(got.Steps) == 0 || len(got.Steps)%read.Classes != 0 {
				t.Errorf("five letters read as %d characters, %d steps, %v", len(got.Characters), len(got.Steps), err)
			}
			for _, size := range [][2]int{{0, 10}, {10, 0}, {-1, 5}, {300, 60}} {
				if _, err := e.Read(shape.Plane{Pix: white, W: size[0], H: size[1]}); err == nil {
					t.Errorf("%d × %d pixels out of %d give no error", size[0], size[1], len(white))
				}
			}
			if _, err := e.Read(shape.Plane{Pix: white, W: 1, H: 1}); err != nil {
				t.Errorf("one pixel: %v", err)
			}
		})
	}
}

func TestModelMissing(t *testing.T) {
	for _, name := range []string{filepath.Join(t.TempDir(), "plate.traineddata"), "nolanguage"} {
		_, err := read.NewReader(Model(name), 1, nil)
		var missing *Error
		if err == nil || !errors.As(err, &missing) || !errors.Is(err, fs.ErrNotExist) || missing.Hint() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFullDisk: a model opens where no temporary file can be written.
func TestFullDisk(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	openOne(t, sources[Plate])
}
