package read

/*
#cgo CXXFLAGS: -std=c++17
#cgo pkg-config: tesseract
#include "symbols.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"unsafe"

	"github.com/otiai10/gosseract/v2"
)

// engine is one Tesseract instance, kept open. One goroutine at a time may use
// it.
//
// gosseract opens and configures the instance. Its calls for the result
// (Text, HOCRText) never free the C string they copy, which on a unit that
// runs for years is a leak without bound, and they offer no alternatives; so
// the recognition itself asks Tesseract's iterators, through the instance
// that gosseract opened.
type engine struct {
	client *gosseract.Client
	api    unsafe.Pointer // tesseract::TessBaseAPI, owned by client
	out    [maxChoices]C.pw_choice
	steps  [maxSteps * classes]float32
}

// maxChoices bounds what one strip can give: 32 symbols of 8 alternatives.
const maxChoices = 256

// newEngine opens a model, dir/name.traineddata. An empty dir is Tesseract's
// own. Engines must be opened one after the other: gosseract redirects the
// process's standard error while it opens one.
func newEngine(m Model) (*engine, error) {
	if m.Dir != "" {
		if _, err := os.Stat(filepath.Join(m.Dir, m.Name+".traineddata")); err != nil {
			return nil, &ModelError{Model: m, Err: err}
		}
	}
	c := gosseract.NewClient()
	fail := func(err error) (*engine, error) {
		c.Close()
		return nil, &ModelError{Model: m, Err: err}
	}
	if m.Dir != "" {
		if err := c.SetTessdataPrefix(m.Dir); err != nil {
			return fail(err)
		}
	}
	if err := c.SetLanguage(m.Name); err != nil {
		return fail(err)
	}
	for name, value := range m.variables() {
		if err := c.SetVariable(name, value); err != nil {
			return fail(err)
		}
	}
	// gosseract opens the model with the first picture it reads.
	if err := c.SetImageFromBytes(blankBMP()); err != nil {
		return fail(err)
	}
	if _, err := c.Text(); err != nil {
		why, _, _ := strings.Cut(err.Error(), "\n") // the rest is advice for other programs
		return fail(errors.New(why))
	}
	api := reflect.ValueOf(c).Elem().FieldByName("api")
	if !api.IsValid() || api.Kind() != reflect.UnsafePointer {
		return fail(errors.New("this version of gosseract keeps its instance elsewhere"))
	}
	return &engine{client: c, api: api.UnsafePointer()}, nil
}

func (e *engine) Close() error { return e.client.Close() }

// symbol is one recognised character. Choices are the best first; confidences
// are 0–1.
type symbol struct {
	x0, x1  int // pixels of the strip
	choices []Alternative
}

// recognise reads a grey picture of w × h pixels, rows without gaps.
func (e *engine) recognise(pix []uint8, w, h int) ([]symbol, error) {
	if w <= 0 || h <= 0 || len(pix) < w*h {
		return nil, fmt.Errorf("read: %d bytes are no picture of %d × %d", len(pix), w, h)
	}
	var why [200]C.char
	n := C.pw_recognise(e.api, (*C.uchar)(unsafe.Pointer(&pix[0])), C.int(w), C.int(h), C.int(w),
		&e.out[0], maxChoices, &why[0], C.size_t(len(why)))
	if n < 0 {
		return nil, fmt.Errorf("read: Tesseract: %s", C.GoString(&why[0]))
	}
	var out []symbol
	last := C.int(-1)
	for _, c := range e.out[:n] {
		if c.text[1] != 0 || !strings.ContainsRune(Letters, rune(c.text[0])) {
			continue // the whitelist keeps these out; nothing below could place them
		}
		a := Alternative{Text: C.GoString(&c.text[0]), Confidence: float64(c.confidence) / 100}
		if c.symbol != last {
			last = c.symbol
			out = append(out, symbol{x0: int(c.x0), x1: int(c.x1)})
		}
		s := &out[len(out)-1]
		s.choices = append(s.choices, a)
	}
	return out, nil
}

// blankBMP is a white 8-bit BMP of 32 × 32 pixels.
func blankBMP() []byte {
	const side, head, palette = 32, 54, 1024
	b := make([]byte, head+palette+side*side)
	put := func(at int, v uint32) {
		b[at], b[at+1], b[at+2], b[at+3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
	}
	b[0], b[1] = 'B', 'M'
	put(2, uint32(len(b)))
	put(10, head+palette)
	put(14, 40)
	put(18, side)
	put(22, side)
	b[26], b[28] = 1, 8
	put(34, side*side)
	for i := range uint32(256) {
		put(head+4*int(i), i*0x010101)
	}
	for i := head + palette; i < len(b); i++ {
		b[i] = 255
	}
	return b
}

// variables are Tesseract's settings for a model.
func (m Model) variables() map[gosseract.SettableVariable]string {
	v := map[gosseract.SettableVariable]string{
		"debug_file":               os.DevNull,
		"tessedit_do_invert":       "0", // polarity is settled before
		"classify_enable_learning": "0",
	}
	if m.Whole {
		v["tessedit_pageseg_mode"] = "13" // the whole picture is the line, as it is
		v["lstm_choice_mode"] = "1"       // keep every time step's probabilities
		v["lstm_choice_iterations"] = "0" // the further beams cost time and tell nothing
		return v
	}
	v["tessedit_pageseg_mode"] = "7" // one line of text
	v["tessedit_char_whitelist"] = Letters
	v["lstm_choice_mode"] = "2" // alternatives per character
	v["load_system_dawg"] = "0" // plates are no words
	v["load_freq_dawg"] = "0"
	return v
}

// Version is Tesseract's version.
func Version() string { return gosseract.Version() }

// maxSteps bounds the time steps of one picture: one for every 4 columns.
const maxSteps = 128

// outputs reads a grey picture of w × h pixels, rows without gaps, with the
// project's own model.
func (e *engine) outputs(pix []uint8, w, h int) (outputs, error) {
	if w <= 0 || h <= 0 || len(pix) < w*h {
		return nil, fmt.Errorf("read: %d bytes are no picture of %d × %d", len(pix), w, h)
	}
	var why [200]C.char
	n := C.pw_timesteps(e.api, (*C.uchar)(unsafe.Pointer(&pix[0])), C.int(w), C.int(h), C.int(w),
		(*C.float)(unsafe.Pointer(&e.steps[0])), maxSteps, &why[0], C.size_t(len(why)))
	if n < 0 {
		return nil, fmt.Errorf("read: Tesseract: %s", C.GoString(&why[0]))
	}
	return newOutputs(e.steps[:int(n)*classes]), nil
}
