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
	"platewatch/ocr/vehicle"
)

// lettering is the model that reads what is written around a number. It is
// opened when it is first needed: 15 MB that a unit without hits in the United
// States or Europe does not need.
type lettering struct {
	mu     sync.Mutex
	engine read.Engine
}

// Describe tells what a picture shows of a vehicle beside the number of its
// plate: who issued it and the body's colour. The picture (8 bit, BGR or grey,
// upright) is the one that p was read on, and stays the caller's. It costs up to
// five looks, so it is done for the best views of a passage and not for each
// frame. A grey picture tells no colour.
func (r *Recogniser) Describe(ctx context.Context, picture gocv.Mat, p Plate) (vehicle.Seen, error) {
	looks, err := r.lettering.look(ctx, picture, p, issuer.Places(p.Text, r.Regions()))
	if err != nil {
		return vehicle.Seen{}, err
	}
	return vehicle.Seen{Issuer: issuer.Of(p.Text, r.Regions(), looks), Colour: colour.Of(picture, p.Corners)}, nil
}

// look runs the model on places of a plate.
func (l *lettering) look(ctx context.Context, picture gocv.Mat, p Plate, places []issuer.Place) (looks issuer.Looks, err error) {
	if len(places) == 0 {
		return looks, nil
	}
	grey := picture
	if picture.Channels() == 3 {
		grey = gocv.NewMat()
		defer grey.Close()
		gocv.CvtColor(picture, &grey, gocv.ColorBGRToGray)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.engine == nil {
		if l.engine, err = tesseract.OpenLettering(); err != nil {
			return looks, err
		}
	}
	for _, place := range places {
		if err := ctx.Err(); err != nil {
			return looks, err
		}
		cut, err := rectify.Quad(grey, place.Corners(p.ink), false)
		if err != nil { // it lies outside the picture
			continue
		}
		if looks[place], err = l.read(cut); err != nil {
			return looks, err
		}
		if place >= issuer.Band && issuer.Enough(looks[place]) {
			break
		}
	}
	return looks, nil
}

// read runs the model on one picture, and closes it.
func (l *lettering) read(picture gocv.Mat) ([]float32, error) {
	defer picture.Close()
	plane, err := shape.PlaneOf(picture)
	if err != nil {
		return nil, err
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
