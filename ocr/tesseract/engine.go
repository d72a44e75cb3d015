package tesseract

/*
#cgo CXXFLAGS: -std=c++17
#cgo pkg-config: tesseract
#include "symbols.h"
*/
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"unsafe"

	"github.com/otiai10/gosseract/v2"

	"platewatch/ocr/internal/shape"
	"platewatch/ocr/read"
	"platewatch/ocr/text"
)

// engine is one Tesseract instance, which stays open. It implements
// [read.Engine].
//
// gosseract opens and configures the instance. Its results are not used: they
// have neither a character's alternatives nor the network's outputs, and the C
// strings that they copy are never freed, a leak without bound in a unit that
// runs for years. symbols.cpp asks Tesseract's iterators instead, through the
// instance that gosseract opened.
type engine struct {
	client *gosseract.Client
	api    unsafe.Pointer // tesseract::TessBaseAPI, owned by client
	whole  bool           // it reads whole plates
	out    [maxChoices]C.pw_choice
	steps  [maxSteps * read.Classes]float32
}

const (
	// maxChoices bounds the characters and alternatives of one line: 32
	// characters with 8 alternatives.
	maxChoices = 256
	// maxSteps bounds the time steps of one picture: one for every 4 columns.
	maxSteps = 128
)

// newEngine opens a model that is on disk.
func newEngine(s source) (*engine, error) {
	fail := func(err error) (*engine, error) { return nil, &Error{Dir: s.dir, Name: s.name, Err: err} }
	if s.dir != "" {
		if _, err := os.Stat(s.path()); err != nil {
			return fail(err)
		}
	}
	c := gosseract.NewClient()
	api, err := start(c, s)
	if err != nil {
		return fail(errors.Join(err, c.Close()))
	}
	return &engine{client: c, api: api, whole: s.whole}, nil
}

// start makes gosseract open a model, which it does for the first picture that
// it reads.
func start(c *gosseract.Client, s source) (unsafe.Pointer, error) {
	if s.dir != "" {
		if err := c.SetTessdataPrefix(s.dir); err != nil {
			return nil, err
		}
	}
	if err := c.SetLanguage(s.name); err != nil {
		return nil, err
	}
	for name, value := range s.variables() {
		if err := c.SetVariable(name, value); err != nil {
			return nil, err
		}
	}
	// Leptonica reads a PGM by itself: none of the libraries for pictures that it is
	// linked with is ever called.
	const side = 32
	white := fmt.Appendf(nil, "P5\n%d %d\n255\n%s", side, side, bytes.Repeat([]byte{255}, side*side))
	if err := c.SetImageFromBytes(white); err != nil {
		return nil, err
	}
	if _, err := c.Text(); err != nil {
		why, _, _ := strings.Cut(err.Error(), "\n") // the rest is advice for other programs
		return nil, errors.New(why)
	}
	return instance(c)
}

// instance is the Tesseract instance that a client opened. gosseract keeps it in
// a private field and offers no accessor, and what it offers is not enough, see
// [engine]. A version that keeps the instance elsewhere is refused at start.
func instance(c *gosseract.Client) (unsafe.Pointer, error) {
	api := reflect.ValueOf(c).Elem().FieldByName("api")
	if !api.IsValid() || api.Kind() != reflect.UnsafePointer {
		return nil, errors.New("this version of gosseract keeps its instance elsewhere")
	}
	return api.UnsafePointer(), nil
}

func (e *engine) Close() error { return e.client.Close() }

func (e *engine) Read(p shape.Plane) (read.Output, error) {
	if p.W <= 0 || p.H <= 0 || len(p.Pix) < p.W*p.H {
		return read.Output{}, fmt.Errorf("tesseract: %d bytes are too few for a picture of %d × %d", len(p.Pix), p.W, p.H)
	}
	if e.whole {
		steps, err := e.timesteps(p)
		return read.Output{Steps: steps}, err
	}
	characters, err := e.symbols(p)
	return read.Output{Characters: characters}, err
}

// timesteps are the outputs of a network for whole plates.
func (e *engine) timesteps(p shape.Plane) ([]float32, error) {
	var why [200]C.char
	n := C.pw_timesteps(e.api, (*C.uchar)(unsafe.Pointer(&p.Pix[0])), C.int(p.W), C.int(p.H), C.int(p.W),
		(*C.float)(unsafe.Pointer(&e.steps[0])), maxSteps, &why[0], C.size_t(len(why)))
	if n < 0 {
		return nil, fmt.Errorf("tesseract: %s", C.GoString(&why[0]))
	}
	return e.steps[:int(n)*read.Classes], nil
}

// symbols are the characters on a line with their alternatives.
func (e *engine) symbols(p shape.Plane) ([][]text.Alternative, error) {
	var why [200]C.char
	n := C.pw_recognise(e.api, (*C.uchar)(unsafe.Pointer(&p.Pix[0])), C.int(p.W), C.int(p.H), C.int(p.W),
		&e.out[0], maxChoices, &why[0], C.size_t(len(why)))
	if n < 0 {
		return nil, fmt.Errorf("tesseract: %s", C.GoString(&why[0]))
	}
	var out [][]text.Alternative
	last := C.int(-1)
	for _, c := range e.out[:n] {
		if c.text[1] != 0 || !strings.ContainsRune(text.Alphabet, rune(c.text[0])) {
			continue // the whitelist excludes these; the reader could not place them
		}
		if c.symbol != last {
			last = c.symbol
			out = append(out, nil)
		}
		s := &out[len(out)-1]
		*s = append(*s, text.Alternative{Text: C.GoString(&c.text[0]), Confidence: float64(c.confidence) / 100})
	}
	return out, nil
}

// variables are Tesseract's settings for a model.
func (s source) variables() map[gosseract.SettableVariable]string {
	v := map[gosseract.SettableVariable]string{
		"debug_file":               os.DevNull,
		"tessedit_do_invert":       "0", // crops have dark characters already
		"classify_enable_learning": "0",
	}
	if s.whole {
		v["tessedit_pageseg_mode"] = "13" // the whole picture is the line, unchanged
		v["lstm_choice_mode"] = "1"       // keep every time step's probabilities
		v["lstm_choice_iterations"] = "0" // further beams cost time and are not used
		return v
	}
	v["tessedit_pageseg_mode"] = "7" // one line of text
	v["tessedit_char_whitelist"] = text.Alphabet
	v["lstm_choice_mode"] = "2" // alternatives for each character
	v["load_system_dawg"] = "0" // plates are not words
	v["load_freq_dawg"] = "0"
	return v
}
