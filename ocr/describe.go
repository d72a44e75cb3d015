package ocr

import (
	"context"
	"sync"

	"gocv.io/x/gocv"

	"platewatch/ocr/colour"
	"platewatch/ocr/internal/shape"
	"platewatch/ocr/issuer"
	"platewatch/ocr/read"
	"platewatch/ocr/rectify"
	"platewatch/ocr/tesseract"
	"platewatch/ocr/text"
	"platewatch/ocr/vehicle"
)

// lettering is the model that reads what is written around a number. It is
// opened when it is first needed: 3 MB that a unit without hits in the United
// States or Europe does not need.
type lettering struct {
	mu     sync.Mutex
	engine read.Engine
}

// Describe tells what a picture shows of a vehicle beside the number of its
// plate: who issued it and the body's colour. The picture (8 bit, BGR or grey,
// upright) is the one that p was read on, and stays the caller's. It costs one to
// five looks, so it is done for the best views of a passage and not for each
// frame; an issuer that earlier views of the vehicle told surely is not looked for
// again. A grey picture tells no colour.
func (r *Recogniser) Describe(ctx context.Context, picture gocv.Mat, p Plate, earlier vehicle.Seen) (vehicle.Seen, error) {
	told := earlier.Issuer
	if likeliest, _ := vehicle.Likeliest(told); likeliest.Confidence < surelyTold {
		var err error
		if told, err = r.issuer(ctx, picture, p); err != nil {
			return vehicle.Seen{}, err
		}
	}
	return vehicle.Seen{Issuer: told, Colour: colour.Of(picture, p.Corners)}, nil
}

// surelyTold is the confidence from which an issuer was wrong on 1 to 3 of 100
// labelled plates: another view adds little (README.md, "Issuer and colour").
const surelyTold = 0.8

// issuer looks for who issued a plate.
func (r *Recogniser) issuer(ctx context.Context, picture gocv.Mat, p Plate) ([]text.Alternative, error) {
	evidence := issuer.About(p.Text, r.Regions())
	evidence.LookAtPaint(picture, p.ink)
	for place := range evidence.Places() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		cut, err := rectify.Quad(picture, place.Corners(p.ink))
		if err != nil { // it lies outside the picture
			continue
		}
		steps, err := r.lettering.read(cut)
		if err != nil {
			return nil, err
		}
		evidence.Look(place, steps)
	}
	return evidence.Issuer(), nil
}

// read runs the model on one picture, and closes it.
func (l *lettering) read(picture gocv.Mat) ([]float32, error) {
	defer picture.Close()
	plane, err := shape.PlaneOf(picture)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.engine == nil {
		if l.engine, err = tesseract.OpenLettering(); err != nil {
			return nil, err
		}
	}
	out, err := l.engine.Read(plane)
	return append([]float32(nil), out.Steps...), err // the engine's own until its next Read
}

// close frees the model.
func (l *lettering) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.engine == nil {
		return nil
	}
	err := l.engine.Close()
	l.engine = nil
	return err
}
