// Package tesseract provides the reading models that run in Tesseract, which
// gosseract opens: the project's own model for whole plates, and the general
// ones for print that Debian packages.
package tesseract

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/otiai10/gosseract/v2"

	"platewatch/ocr/judge"
	"platewatch/ocr/read"
	"platewatch/ocr/read/model"
	"platewatch/ocr/rectify"
)

// Plate is the name of the built-in model.
const Plate = "plate"

// extension of the files that hold a model.
const extension = ".traineddata"

// Model is the reading model with a name: "plate" is built in, the path of a
// .traineddata file that ocr/train made is a model like it, and every other name
// is one of Tesseract's own models, such as "eng", in the folder that Tesseract
// was built with.
func Model(name string) read.Model {
	switch {
	case name == Plate:
		m := plates(source{name: Plate, data: model.Plate, whole: true}).Named(Plate, digest(slices.Concat(model.Plate, model.Second, model.Scout)))
		m.Networks = append(m.Networks, read.Network{Open: source{name: "second", data: model.Second, whole: true}.open, Size: rectify.Full})
		m.Scout = &read.Network{Open: source{name: "scout", data: model.Scout, whole: true}.open, Size: rectify.Small}
		return m
	case strings.HasSuffix(name, extension):
		version := ""
		if b, err := os.ReadFile(name); err == nil { // opening it says what is wrong
			version = digest(b)
		}
		base := strings.TrimSuffix(filepath.Base(name), extension)
		return plates(source{dir: filepath.Dir(name), name: base, whole: true}).Named(base, version)
	}
	return lines(source{name: name}).Named(name, "tesseract "+Version())
}

// OpenLettering opens the model that reads the lettering around a number: names
// and slogans of states, and the signs of countries. Like the model for plates it
// takes whole pictures ([rectify.Quad]) and gives its outputs for each time step.
func OpenLettering() (read.Engine, error) {
	engines, err := source{name: "lettering", data: model.Lettering, whole: true}.open(1)
	if err != nil {
		return nil, err
	}
	return engines[0], nil
}

// digest is the beginning of a model's SHA-256, enough to tell two apart.
func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

// Version is Tesseract's version.
func Version() string { return gosseract.Version() }

// plates is a model that reads whole plates.
//
// The ends of a line are what the line finder gets wrong most often, and plates
// leave more or less room beside and above their characters, so the crops
// differ in what they include. The first two reach to the plate's edges, the
// third stays close to the characters. They were chosen among all triples of 15
// on one half of the labelled pictures, with 87.0 % read (83.6 % on the other
// half; 85.4 and 82.0 % with three that went by the line's ends). The second
// and third are read only where those before were not certain: 1.9 on average.
func plates(s source) read.Model {
	return read.Model{
		Whole: true,
		Crops: []read.Crop{
			{Line: 0, Around: rectify.Around{Half: 0.8, Beyond: 0.8, Edges: true}},
			{Line: 0, Around: rectify.Around{Half: 1.1, Beyond: 0.8, Edges: true}},
			{Line: 0, Around: rectify.Around{Half: 0.8, Beyond: 0.3}},
		},
		Judge:    judge.OfPlates(),
		Networks: []read.Network{{Open: s.open, Size: rectify.Full}},
	}
}

// lines is a general model that reads lines of print. It was trained on black
// print on white paper, so it gets the ink alone. The crops are the four whose
// vote reads most of the labelled frames, among 18 that were tried: a sixth more
// than the best of them alone.
func lines(s source) read.Model {
	ink := func(height int, stretch float64) rectify.Cut {
		return rectify.Cut{Height: height, Fill: 0.72, Beyond: 0.25, Stretch: stretch, Border: 12}
	}
	return read.Model{
		Crops: []read.Crop{
			{Line: 0, Cut: ink(48, 1.25)}, {Line: 1, Cut: ink(40, 1.25)}, {Line: 2, Cut: ink(40, 1.25)}, {Line: 0, Cut: ink(40, 1.5)},
		},
		Judge:    judge.OfLines(),
		Networks: []read.Network{{Open: s.open}},
	}
}

// source says where a model's data is: dir/name.traineddata, or in memory. An
// empty dir is the folder that Tesseract was built with.
type source struct {
	dir, name string
	data      []byte // the content of the file; nil: it is on disk
	whole     bool   // it reads whole plates
}

// open opens n instances of a model.
func (s source) open(n int) (engines []read.Engine, err error) {
	if s.data != nil {
		// Tesseract reads a model from a file, and no longer needs the file
		// once it is open.
		if s.dir, err = s.write(); err != nil {
			return nil, err
		}
		defer os.RemoveAll(s.dir)
	}
	// One after the other: gosseract redirects the process's standard error
	// while it opens an instance.
	for range n {
		e, err := newEngine(s)
		if err != nil {
			for _, open := range engines {
				err = errors.Join(err, open.Close())
			}
			return nil, err
		}
		engines = append(engines, e)
	}
	return engines, nil
}

// write writes the model's file and gives its folder: in memory, because a board's
// disk may be full or read-only, or where temporary files lie.
func (s source) write() (dir string, err error) {
	for _, parent := range []string{"/dev/shm", os.TempDir()} {
		dir, e := os.MkdirTemp(parent, "platewatch-model-")
		if e == nil {
			s.dir = dir
			if e = os.WriteFile(s.path(), s.data, 0o600); e == nil {
				return dir, nil
			}
			os.RemoveAll(dir)
		}
		err = errors.Join(err, e)
	}
	return "", err
}

func (s source) path() string { return filepath.Join(s.dir, s.name+extension) }

// Error says that a model could not be opened.
type Error struct {
	Dir, Name string // Dir is empty for the folder that Tesseract was built with
	Err       error
}

func (e *Error) Error() string {
	if e.Dir != "" && errors.Is(e.Err, fs.ErrNotExist) {
		return fmt.Sprintf("the reading model %s%s is not in %s", e.Name, extension, e.Dir)
	}
	return fmt.Sprintf("cannot open the reading model %q: %v", e.Name, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Is reports every model that cannot be opened as missing: Tesseract does not
// tell the causes apart.
func (e *Error) Is(target error) bool { return target == fs.ErrNotExist }

// Hint says what to do.
func (e *Error) Hint() string {
	return `use "plate", which is built in, "eng" with Debian's tesseract-ocr-eng, or a .traineddata file that ocr/train made`
}
