package look

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture"
	"platewatch/capture/fault"
	"platewatch/capture/still"
	"platewatch/cmd/platewatch/internal/hit"
	"platewatch/cmd/platewatch/internal/observe"
	"platewatch/hotlist"
	"platewatch/hotlist/match"
	"platewatch/ocr"
	"platewatch/ocr/passage"
	"platewatch/ocr/text"
	"platewatch/ocr/vehicle"
)

// Looker reads inputs, one after the other.
type Looker struct {
	Recogniser *ocr.Recogniser
	Pictures   *still.Reader // reads the pictures; the caller closes it
	Observe    observe.Params
	Hotlist    *hotlist.DB // nil: nothing is looked up
	Annotate   *Album      // for copies of the pictures with the plates drawn in; nil: none
	Stages     *Album      // for contact sheets of how the pictures were read; nil: none
}

// Look reads one input and passes each line of the result to emit: a
// [Picture], or a [Passage] for each vehicle of a video.
func (l *Looker) Look(ctx context.Context, in Input, emit func(any) error) error {
	if in.Err != nil {
		return in.Err
	}
	if in.Stream != nil {
		return l.stream(ctx, in, emit)
	}
	img, err := l.picture(ctx, in)
	if err != nil {
		return err
	}
	defer img.Close()
	res, err := l.recognise(ctx, in.Name, img)
	if err != nil {
		return err
	}
	line := Picture{File: in.Name, Width: img.Cols(), Height: img.Rows(),
		ElapsedMS: milliseconds(res.Find + res.Read), Plates: []Plate{}}
	for _, p := range res.Plates {
		seen, err := l.Recogniser.Describe(ctx, img, p, vehicle.Seen{})
		if err != nil {
			return err
		}
		plate := plateOf(p, seen)
		if plate.Matches, err = l.matches(p.Reading, p.Hidden, seen); err != nil {
			return err
		}
		line.Plates = append(line.Plates, plate)
	}
	if l.Annotate != nil {
		if err := l.Annotate.annotated(in.Name, img, res.Plates, line.Plates); err != nil {
			return err
		}
	}
	return emit(line)
}

// picture decodes the picture of an input; the caller closes it.
func (l *Looker) picture(ctx context.Context, in Input) (gocv.Mat, error) {
	if in.Bytes != nil {
		return l.Pictures.ReadFrom(ctx, in.Name, in.Bytes)
	}
	return l.Pictures.Read(ctx, in.Name)
}

// recognise reads a picture, and draws its contact sheet if there is to be one.
func (l *Looker) recognise(ctx context.Context, name string, img gocv.Mat) (ocr.Result, error) {
	if l.Stages == nil {
		return l.Recogniser.Recognise(ctx, img)
	}
	trace, err := l.Recogniser.Trace(ctx, img)
	if err != nil {
		return ocr.Result{}, err
	}
	return trace.Result, l.Stages.sheet(name, img, trace)
}

// stream follows the passages of a video or a camera until it ends.
func (l *Looker) stream(ctx context.Context, in Input, emit func(any) error) error {
	passages := 0
	err := Passages(ctx, l.Recogniser, l.Observe, *in.Stream, func(find, read time.Duration) {}, func(p passage.Passage) error {
		line := passageOf(in.Name, p)
		line.Plates[0].Region = l.Recogniser.RegionOf(p.Text)
		var err error
		if line.Plates[0].Matches, err = l.matches(p.Reading, p.Hidden, p.Vehicle); err != nil {
			return err
		}
		passages++
		return emit(line)
	})
	if err != nil || passages > 0 {
		return err
	}
	return emit(Empty{File: in.Name, Plates: []Plate{}})
}

// Passages observes a stream until its end and passes on each passage that was sure
// when it ended. took receives the times of finding and reading for each frame that
// was searched.
func Passages(ctx context.Context, r *ocr.Recogniser, p observe.Params, stream capture.Config,
	took func(find, read time.Duration), emit func(passage.Passage) error) error {
	src, err := capture.Open(ctx, stream)
	if err != nil {
		return err
	}
	defer src.Close()
	o, err := observe.New(r, p)
	if err != nil {
		return err
	}
	defer o.Close()
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
			if errors.Is(err, io.EOF) || errors.Is(err, fault.ErrStreamEnded) {
				err = nil
			}
			return errors.Join(ended(o.Flush()), err)
		}
		if at < 0 {
			at = time.Since(start)
		}
		seen, err := o.Observe(ctx, frame, at, nil)
		if err = cmp.Or(err, seen.Undescribed); err != nil {
			return err
		}
		if seen.Extent != observe.Nothing {
			took(seen.Find, seen.Read)
		}
		if err := ended(seen.Updates); err != nil {
			return err
		}
	}
}

func (l *Looker) matches(r text.Reading, hidden float64, seen vehicle.Seen) ([]match.Match, error) {
	if l.Hotlist == nil {
		return nil, nil
	}
	return l.Hotlist.Match(match.Query{Text: r.Text, Characters: hit.Reading(r.Characters), Hidden: hidden, Seen: hit.Seen(seen), At: time.Now(), ClockSynchronised: true})
}
