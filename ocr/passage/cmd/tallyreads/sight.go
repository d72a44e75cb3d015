package main

import (
	"context"
	"fmt"
	"image"
	"maps"
	"slices"
	"strings"
	"time"

	"gocv.io/x/gocv"

	"platewatch/ocr"
	"platewatch/ocr/passage"
	"platewatch/ocr/render"
	"platewatch/ocr/text"
	"platewatch/ocr/truth"
)

// Seen holds the readings of one labelled plate, frame by frame.
type Seen struct {
	File   string
	Plate  string // its label
	Frames []Frame
}

// Frame holds the readings of one frame, the surroundings' lettering included.
type Frame struct {
	Box    image.Rectangle // of the labelled plate, pixels; empty: not known
	Plates []ocr.Plate
}

// readPicture reads each plate of a picture on the frames made of it.
func readPicture(ctx context.Context, r *ocr.Recogniser, path string, file truth.File, frames int) ([]Seen, error) {
	photo := gocv.IMRead(path, gocv.IMReadColor)
	defer photo.Close()
	if photo.Empty() {
		return nil, fmt.Errorf("%s cannot be read", path)
	}
	var all []Seen
	for _, plate := range file.Plates {
		s := Seen{File: path, Plate: normal(plate.Text)}
		if err := made(photo, plate, file.Name, frames, func(frame gocv.Mat, box image.Rectangle) error {
			return s.read(ctx, r, frame, box)
		}); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// readClip reads the frames of a clip that shows one plate.
func readClip(ctx context.Context, r *ocr.Recogniser, path string, file truth.File) ([]Seen, error) {
	if len(file.Plates) != 1 {
		return nil, fmt.Errorf("%s has %d plates, which cannot be told apart", path, len(file.Plates))
	}
	v, err := gocv.VideoCaptureFile(path)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	s := Seen{File: path, Plate: normal(file.Plates[0].Text)}
	frame := gocv.NewMat()
	defer frame.Close()
	for v.Read(&frame) {
		if err := s.read(ctx, r, frame, image.Rectangle{}); err != nil {
			return nil, err
		}
	}
	return []Seen{s}, nil
}

func (s *Seen) read(ctx context.Context, r *ocr.Recogniser, frame gocv.Mat, box image.Rectangle) error {
	res, err := r.Recognise(ctx, frame)
	s.Frames = append(s.Frames, Frame{box, res.Plates})
	return err
}

// between is the time between two frames: a unit reads five to fifteen frames a
// second.
const between = 100 * time.Millisecond

// followed is a passage that may be the labelled plate's.
type followed struct {
	lookups []passage.Passage // the look-ups that the unit would have made
	frames  []text.Reading    // what each frame read by itself; without text for nothing
	sure    float64           // the latest confidence
}

// follow lets the frames vote, as the daemon does. Of several passages it
// returns the one that was looked up, and of those the surest.
func (s *Seen) follow() (followed, error) {
	tracker, err := passage.NewTracker(passage.DefaultParams(), 1)
	if err != nil {
		return followed{}, err
	}
	of := map[uint64]*followed{}
	for i, f := range s.Frames {
		var observations []passage.Observation
		for _, p := range f.Plates {
			observations = append(observations, p.Observation())
		}
		for _, u := range tracker.Observe(time.Duration(i)*between, observations, nil) {
			if u.Plate < 0 || !f.Box.Empty() && truth.Overlap(f.Box, u.Passage.Box) < 0.3 {
				continue
			}
			k := of[u.Passage.Number]
			if k == nil {
				k = &followed{frames: make([]text.Reading, len(s.Frames))}
				of[u.Passage.Number] = k
			}
			k.frames[i] = f.Plates[u.Plate].Reading
			k.sure = u.Passage.Confidence
			if u.Event == passage.Sure || u.Event == passage.Corrected {
				k.lookups = append(k.lookups, u.Passage)
			}
		}
	}
	var best followed
	for _, number := range slices.Sorted(maps.Keys(of)) {
		k := of[number]
		if was, is := len(best.lookups) > 0, len(k.lookups) > 0; is && !was || is == was && k.sure > best.sure {
			best = *k
		}
	}
	return best, nil
}

// normal returns a label's characters only.
func normal(s string) string { return render.Characters(strings.ToUpper(s)) }
