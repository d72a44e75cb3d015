package rtsp

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/source"
)

const (
	// rowStill is how long the picture's last row may stay the same, to the
	// bit, before the camera is asked for its size.
	rowStill = 3 * time.Second
	// askAgain is when it is asked again if the row still does not change: a
	// picture at night, or a rendered one.
	askAgain = 30 * time.Second
	// askAlways is when it is asked in any case.
	askAlways = 2 * time.Minute
)

// sizeWatch finds that a camera changed its size in mid-stream. OpenCV (4.6 to
// 4.10 at least) does not tell: it keeps returning pictures of the first size.
// When the new ones are larger it repeats the last one, when they are lower they
// cover only its upper part: either way the last row does not change any more.
// After rowStill the camera is asked for the size that its description (SDP)
// announces. A picture that only became narrower shows no such sign, so the
// camera is also asked now and then without one.
type sizeWatch struct {
	source.Source
	where string
	ask   func(context.Context) (width, height int, err error)
	ctx   context.Context
	stop  context.CancelFunc

	seed   maphash.Seed
	row    uint64
	since  time.Time // when the last row last changed; monotonic
	asked  time.Time
	answer chan [2]int
	asking bool
	now    func() time.Time
}

func watchSize(ctx context.Context, src source.Source, where string, ask func(context.Context) (int, int, error)) *sizeWatch {
	ctx, stop := context.WithCancel(ctx)
	return &sizeWatch{Source: src, where: where, ask: ask, ctx: ctx, stop: stop,
		seed: maphash.MakeSeed(), answer: make(chan [2]int, 1), now: time.Now}
}

// Read implements [source.Source].
func (w *sizeWatch) Read(m *gocv.Mat) (time.Duration, error) {
	position, err := w.Source.Read(m)
	if err != nil {
		return position, err
	}
	w.check(m)
	if !w.asking {
		return position, nil
	}
	select {
	case size := <-w.answer:
		w.asking = false
		if size[0] != 0 && (size[0] != m.Cols() || size[1] != m.Rows()) {
			return -1, &fault.Error{Op: "read", Path: w.where,
				Err: fmt.Errorf("%w from %d x %d to %d x %d", fault.ErrResized, m.Cols(), m.Rows(), size[0], size[1])}
		}
	default:
	}
	return position, nil
}

// check compares the last row with the last frame's, and asks when it is due.
func (w *sizeWatch) check(m *gocv.Mat) {
	row, now := w.hashRow(m), w.now()
	if row != w.row || w.since.IsZero() {
		w.row, w.since = row, now
	}
	if w.asked.IsZero() {
		w.asked = now // it was just opened: the size is known
	}
	silent := now.Sub(w.asked)
	still := now.Sub(w.since) >= rowStill && (silent >= askAgain || w.asked.Before(w.since.Add(rowStill)))
	if w.asking || !still && silent < askAlways {
		return
	}
	w.asked, w.asking = now, true
	go func() {
		width, height, err := w.ask(w.ctx)
		if err != nil { // a camera may refuse a second connection; reading goes on
			width, height = 0, 0
		}
		w.answer <- [2]int{width, height}
	}()
}

func (w *sizeWatch) hashRow(m *gocv.Mat) uint64 {
	px, err := m.DataPtrUint8()
	if err != nil || len(px) < m.Step() {
		return 0
	}
	return maphash.Bytes(w.seed, px[len(px)-m.Step():])
}

// Close implements [source.Source]. It waits for the answer if the camera is
// being asked.
func (w *sizeWatch) Close() error {
	w.stop()
	if w.asking {
		<-w.answer
		w.asking = false
	}
	return w.Source.Close()
}

// announcedSize is the size of the first video in a description; 0, 0 if it
// names none.
func announcedSize(s *description.Session) (width, height int) {
	for _, m := range s.Medias {
		for _, f := range m.Formats {
			switch f := f.(type) {
			case *format.H264:
				var sps h264.SPS
				if sps.Unmarshal(f.SPS) == nil {
					return sps.Width(), sps.Height()
				}
			case *format.H265:
				var sps h265.SPS
				if sps.Unmarshal(f.SPS) == nil {
					return sps.Width(), sps.Height()
				}
			}
		}
	}
	return 0, 0
}
