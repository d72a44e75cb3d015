package look

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture"
	"platewatch/cmd/platewatch/internal/draw"
	"platewatch/hotlist"
	"platewatch/ocr"
	"platewatch/ocr/passage"
)

// Looker looks at inputs, one after the other.
type Looker struct {
	Recogniser *ocr.Recogniser
	Passage    passage.Params
	Hotlist    *hotlist.DB // nil: nothing is looked up
	Annotate   string      // folder for pictures with the plates drawn in; empty: none
}

// Look looks at one input and hands each line of the result to emit: a
// [Picture], or a [Passage] for each vehicle of a video.
func (l *Looker) Look(ctx context.Context, in Input, emit func(any) error) error {
	if in.Err != nil {
		return in.Err
	}
	if in.Stream != nil {
		return l.stream(ctx, in, emit)
	}
	still, err := capture.ReadStill(in.Name, capture.StillLimits{})
	if err != nil {
		return err
	}
	defer still.Close()
	res, err := l.Recogniser.Recognise(ctx, still)
	if err != nil {
		return err
	}
	line := Picture{File: in.Name, Width: still.Cols(), Height: still.Rows(),
		ElapsedMS: milliseconds(res.Find + res.Read), Plates: []Plate{}}
	for _, p := range res.Plates {
		plate := plateOf(p)
		if plate.Matches, err = l.matches(p.Text); err != nil {
			return err
		}
		line.Plates = append(line.Plates, plate)
	}
	if err := l.annotate(in.Name, &still, res.Plates, line.Plates); err != nil {
		return err
	}
	return emit(line)
}

// stream follows the passages of a video or a camera until it ends.
func (l *Looker) stream(ctx context.Context, in Input, emit func(any) error) error {
	return Passages(ctx, l.Recogniser, l.Passage, *in.Stream, func(time.Duration) {}, func(p passage.Passage) error {
		line := passageOf(in.Name, p)
		var err error
		if line.Plates[0].Matches, err = l.matches(p.Text); err != nil {
			return err
		}
		return emit(line)
	})
}

// Passages reads every frame of a stream, until its end, and hands over each
// passage that was sure when it ended. took gets the time that each frame's finding and reading
// needed.
func Passages(ctx context.Context, r *ocr.Recogniser, p passage.Params, stream capture.Config,
	took func(time.Duration), emit func(passage.Passage) error) error {
	src, err := capture.Open(ctx, stream)
	if err != nil {
		return err
	}
	defer src.Close()
	tracker, err := passage.NewTracker(p, 1)
	if err != nil {
		return err
	}
	ended := func(updates []passage.Update) error {
		for _, u := range updates {
			if u.Event == passage.Ended && u.Passage.Sure {
				if err := emit(u.Passage); err != nil {
					return err
				}
			}
		}
		return nil
	}
	frame := gocv.NewMat()
	defer frame.Close()
	start := time.Now()
	for {
		at, err := src.Read(&frame)
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, capture.ErrStreamEnded) {
				err = nil
			}
			return errors.Join(ended(tracker.Flush()), err)
		}
		if at < 0 {
			at = time.Since(start)
		}
		res, err := r.Recognise(ctx, frame)
		if err != nil {
			return err
		}
		took(res.Find + res.Read)
		if err := ended(tracker.Observe(at, res.Plates)); err != nil {
			return err
		}
	}
}

func (l *Looker) matches(text string) ([]hotlist.Match, error) {
	if l.Hotlist == nil {
		return nil, nil
	}
	return l.Hotlist.Match(hotlist.Query{Text: text, At: time.Now(), ClockSynchronised: true})
}

// annotate writes a copy of the picture with the plates drawn in.
func (l *Looker) annotate(name string, picture *gocv.Mat, plates []ocr.Plate, lines []Plate) error {
	if l.Annotate == "" {
		return nil
	}
	marks := make([]draw.Mark, 0, len(plates))
	for i, p := range plates {
		marks = append(marks, draw.Mark{Corners: p.Corners, Hit: len(lines[i].Matches) > 0,
			Text: fmt.Sprintf("%s %.2f", p.Text, p.Confidence)})
	}
	draw.Marks(picture, marks)
	if err := os.MkdirAll(l.Annotate, 0o755); err != nil {
		return err
	}
	path := filepath.Join(l.Annotate, filepath.Base(name)+".jpg")
	if !gocv.IMWrite(path, *picture) {
		return fmt.Errorf("%s could not be written", path)
	}
	return nil
}
