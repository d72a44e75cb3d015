// Package mjpeg opens network cameras that send MJPEG over HTTP.
package mjpeg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"sync/atomic"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/handover"
	"platewatch/capture/internal/process"
	"platewatch/capture/internal/trust"
	"platewatch/capture/source"
)

// Kind is the entry of MJPEG cameras in the table of kinds.
var Kind = source.Kind{
	Name:      "http",
	Example:   "http://192.168.1.20/mjpg/video.mjpg",
	Recognise: func(s string) bool { return source.HasScheme(s, schemes...) },
	Keys:      append([]string{"credentials_file"}, trust.Keys...),
	Problems: func(c source.Config) iter.Seq2[string, error] {
		return source.Failed(append(trust.Check(c),
			source.Check{Key: "source", Err: c.CheckAddress("http://host/mjpg/video.mjpg", schemes...)})...)
	},
	Open: open,
}

var schemes = []string{"http", "https"}

// maxBad is how many pictures in a row may be unusable before the stream counts as
// lost.
const maxBad = 25

// mjpegStream is an MJPEG stream over HTTP, read by Go: every wait has a bound. The decoder gets one picture after the other, and
// refuses what is no JPEG or too large, from its header.
type mjpegStream struct {
	where    string
	ctx      context.Context
	cancel   context.CancelCauseFunc
	body     io.ReadCloser
	pictures *pictureReader
	bound    time.Duration
	idle     *time.Timer // ends the request when a frame takes longer than bound
	late     atomic.Bool
	begin    time.Time
	decoder  *process.Process
	video    source.Video
	closed   bool
	end      error // why it was closed, if not by the reader
}

// open opens an MJPEG stream over HTTP or HTTPS. The decoder is started when the
// camera has answered.
func open(ctx context.Context, c source.Config, t *process.Tally) (source.Source, error) {
	u, err := c.Address()
	if err != nil {
		return nil, err
	}
	where := source.Redact(c.Source)
	user := u.User
	u.User = nil
	tlsConfig, err := trust.Config(c)
	if err != nil {
		return nil, err
	}
	life, cancel := context.WithCancelCause(ctx)
	m := &mjpegStream{where: where, ctx: ctx, cancel: cancel, bound: c.ReadTimeout}
	m.idle = time.AfterFunc(c.OpenTimeout, func() {
		m.late.Store(true)
		cancel(fault.ErrTimeout)
	})
	res, err := (&asker{where: where, user: user, tls: tlsConfig, bound: c.OpenTimeout}).request(life, u)
	if err == nil {
		m.body = res.Body
		m.video = source.Video{Codec: "JPEG"}
		if date, derr := http.ParseTime(res.Header.Get("Date")); derr == nil {
			m.video.Ahead, m.video.ClockKnown = time.Until(date), true
		}
		m.pictures, err = picturesOf(res)
	}
	if err != nil {
		m.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if m.late.Load() {
			err = context.DeadlineExceeded
		}
		return nil, explain(where, u, c.OpenTimeout, err)
	}
	m.idle.Stop()
	if m.decoder, err = process.Start(ctx, handover.StreamJob(handover.Pictures), false, where, t); err != nil {
		m.Close()
		return nil, err
	}
	m.begin = time.Now()
	return m, nil
}

// Video is for [source.VideoOf].
func (m *mjpegStream) Video() source.Video { return m.video }

// Read implements [source.Source].
func (m *mjpegStream) Read(out *gocv.Mat) (time.Duration, error) {
	for bad := 0; ; {
		if m.closed {
			return -1, cmp.Or(m.end, fault.ErrClosed)
		}
		if err := m.ctx.Err(); err != nil {
			return -1, err
		}
		m.idle.Reset(m.bound)
		part, err := m.pictures.next()
		m.idle.Stop()
		if err != nil {
			m.end = m.lost(err)
			return -1, m.end
		}
		err = m.decoder.Picture(m.ctx, process.HangBound, m.bound, part, true, out)
		switch {
		case err == nil:
			return time.Since(m.begin), nil
		case !errors.Is(err, fault.ErrPicture):
			m.end = err
			m.Close()
			return -1, err
		}
		if bad++; bad >= maxBad {
			m.Close()
			lost := fmt.Errorf("%d pictures in a row cannot be used: %w", bad, err)
			// The next read says that the stream is lost, and not one picture.
			m.end = &fault.Error{Op: "read", Path: m.where, Err: errors.New(lost.Error()), Class: fault.ErrFrame,
				Advice: "set the camera to MJPEG, and to a picture of at most 4K"}
			return -1, &fault.Error{Op: "read", Path: m.where, Err: lost}
		}
	}
}

// lost closes the stream and says why.
func (m *mjpegStream) lost(err error) error {
	late := m.late.Load()
	m.Close()
	var own *fault.Error
	switch {
	case m.ctx.Err() != nil:
		return m.ctx.Err()
	case late:
		return &fault.Error{Op: "read", Path: m.where, Err: fmt.Errorf("%w (%v)", fault.ErrTimeout, m.bound), Advice: "look at the camera's network and power"}
	case errors.As(err, &own):
		own.Op, own.Path = "read", m.where
		return own
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &fault.Error{Op: "read", Path: m.where, Err: fault.ErrStreamEnded}
	}
	e := &fault.Error{Op: "read", Path: m.where, Err: err}
	if errors.Is(err, fault.ErrFrame) {
		e.Advice = "set the camera to MJPEG, and to a picture of at most 4K"
	}
	return e
}

// Close implements [source.Source].
func (m *mjpegStream) Close() error {
	if m.closed {
		return nil
	}
	m.closed = true
	m.idle.Stop()
	m.cancel(fault.ErrClosed)
	if m.body != nil {
		m.body.Close()
	}
	if m.decoder != nil {
		m.decoder.Close()
	}
	return nil
}
