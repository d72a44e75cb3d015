package rtsp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtp"
	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/handover"
	"platewatch/capture/internal/process"
	"platewatch/capture/source"
)

// camera is an open network camera: the connection to it, and its decoder.
type camera struct {
	c     source.Config
	where string
	tally *process.Tally
	ctx   context.Context
	stop  context.CancelCauseFunc // its cause is why the stream is lost

	client    *gortsplib.Client
	challenge string // how the camera wants to be authenticated to
	media     *description.Media
	format    format.Format
	video     video
	ended     chan struct{} // closed when the camera ended the stream, after ctx if it was lost

	about   described
	process *process.Process
	out     []byte
	begun   chan struct{} // closed when the decoder got the first picture
	clock   clock
	heard   atomic.Int64 // when the last packet came, nanoseconds since begin; 0: none yet
	missed  atomic.Int64 // when the first picture before a keyframe came, alike
	fed     atomic.Int64 // when the decoder last got a picture, nanoseconds since begin
	ahead   atomic.Int32 // pictures that the decoder got since its last answer
	jpeg    chan jpegAt  // MJPEG: the newest picture
	begin   time.Time    // of playing
	closing sync.Once

	// asked watches the decoder since it got the first picture of ahead, or had opened the
	// video.
	asked atomic.Pointer[process.Watch]
}

// clock continues RTP's time, which starts anywhere and wraps after 13 hours.
type clock struct {
	begun bool
	last  uint32
	ticks int64
}

// at is the time of a packet since the first one, in ticks.
func (c *clock) at(timestamp uint32) int64 {
	if !c.begun {
		c.begun, c.last = true, timestamp
	}
	c.ticks += int64(int32(timestamp - c.last))
	c.last = timestamp
	return c.ticks
}

// jpegAt is a picture and its position.
type jpegAt struct {
	b        []byte
	position time.Duration
}

// play starts the decoder and the stream.
func (s *camera) play() error {
	job := handover.StreamJob(handover.Video)
	if s.video.pictures() {
		job = handover.StreamJob(handover.Pictures)
		s.jpeg = make(chan jpegAt, 1)
	}
	var err error
	if s.process, err = process.Start(s.ctx, job, !s.video.pictures(), s.where, s.tally); err != nil {
		return err
	}
	s.begin = time.Now()
	s.client.OnPacketRTP(s.media, s.format, s.packet)
	if _, err := s.client.Play(nil); err != nil {
		return err
	}
	go func() {
		defer close(s.ended)
		err := s.client.Wait()
		var tcp liberrors.ErrClientTCPTimeout
		var udp liberrors.ErrClientUDPTimeout
		if errors.As(err, &tcp) || errors.As(err, &udp) {
			s.stop(s.timeout())
		}
		if !s.video.pictures() {
			_ = s.process.EndFeed() // fails if the stream was closed meanwhile; what the decoder holds still comes
		}
	}()
	return nil
}

// packet takes one packet of the video. It holds the connection up while the
// decoder is behind, for ReadTimeout at most.
func (s *camera) packet(p *rtp.Packet) {
	now := int64(time.Since(s.begin))
	s.heard.Store(now)
	au, early, err := s.video.accessUnit(p)
	if early {
		s.missed.CompareAndSwap(0, now)
	}
	if err != nil {
		var own *fault.Error
		if !errors.As(err, &own) {
			err = &fault.Error{Op: "read", Err: err}
		}
		s.stop(s.located(err))
	}
	if au == nil || s.ctx.Err() != nil {
		return
	}
	pts := s.clock.at(p.Timestamp)
	s.describe(pts, s.video.begins(au), p)
	if s.jpeg != nil {
		s.offer(jpegAt{au[0], time.Duration(pts) * time.Second / clockRate})
		return
	}
	s.out = s.out[:0]
	first := s.fed.Load() == 0
	if first {
		v := s.video.(*coded)
		s.out = matroskaHeader(v.codec, v.width, v.height)
	}
	s.out = appendCluster(s.out, au, pts)
	if s.ahead.Add(1) == 1 {
		s.asked.Store(s.process.Watch())
	}
	if err := s.process.Feed(s.out, s.c.ReadTimeout); err != nil && errors.Is(err, fault.ErrBlocked) {
		s.stop(err)
	}
	s.fed.Store(int64(time.Since(s.begin)))
	if first {
		close(s.begun)
	}
}

// offer replaces the picture that nobody has taken.
func (s *camera) offer(p jpegAt) {
	s.fed.Store(int64(time.Since(s.begin)))
	for {
		select {
		case s.jpeg <- p:
			return
		default:
		}
		select {
		case <-s.jpeg:
		default:
		}
	}
}

// Read implements [source.Source].
func (s *camera) Read(m *gocv.Mat) (time.Duration, error) {
	position, err := s.read(m)
	if cause := context.Cause(s.ctx); err != nil && cause != nil {
		return -1, cause
	}
	if err != nil && s.process != nil && errors.Is(err, io.EOF) {
		err = &fault.Error{Op: "read", Path: s.where, Err: fault.ErrStreamEnded}
	}
	return position, err
}

func (s *camera) read(m *gocv.Mat) (time.Duration, error) {
	if s.jpeg == nil {
		return s.decoded(m)
	}
	timer := time.NewTimer(s.c.ReadTimeout)
	defer timer.Stop()
	for {
		if err := s.ctx.Err(); err != nil {
			return -1, err
		}
		select {
		case p := <-s.jpeg:
			err := s.process.Picture(s.ctx, process.HangBound, s.c.ReadTimeout, p.b, true, m)
			if errors.Is(err, fault.ErrPicture) && !errors.Is(err, fault.ErrTooLarge) {
				continue // a packet of it was lost
			}
			return p.position, err
		case <-s.ended:
			return -1, &fault.Error{Op: "read", Path: s.where, Err: fault.ErrStreamEnded}
		case <-timer.C:
			return -1, s.timeout()
		case <-s.ctx.Done():
			return -1, s.ctx.Err()
		}
	}
}

// maxAhead is how many pictures a decoder may get before it answers: H.264 and H.265
// let a picture be shown up to 16 pictures after it was sent.
const maxAhead = 16

// decoded waits for the decoder's next picture. When none comes, either the camera is
// silent, or the decoder hangs, or it is starved. What it got meanwhile tells the first,
// and the processor time that it used the second; the third has ReadTimeout.
func (s *camera) decoded(m *gocv.Mat) (time.Duration, error) {
	for begin := time.Now(); ; {
		position, err := s.process.Next(s.ctx, min(s.c.ReadTimeout, process.LookEach), m)
		if !errors.Is(err, fault.ErrTimeout) {
			s.ahead.Store(0) // packet makes another Watch with the next picture: each is used here alone
			return position, err
		}
		bound := min(s.c.ReadTimeout, process.HangBound)
		hangs := s.asked.Load().Hangs(bound) // at each look, however little it got
		switch {
		case s.ahead.Load() > maxAhead && hangs:
			return -1, s.process.Hung(bound)
		case time.Since(begin) < s.c.ReadTimeout:
		case s.ahead.Load() > 0 && time.Since(s.begin)-time.Duration(s.fed.Load()) < s.c.ReadTimeout/2:
			return -1, s.process.Hung(s.c.ReadTimeout)
		default:
			return -1, s.timeout()
		}
	}
}

func (s *camera) timeout() error {
	return &fault.Error{Op: "read", Path: s.where, Err: fmt.Errorf("%w (%v)", fault.ErrTimeout, s.c.ReadTimeout),
		Advice: "look at the camera's network and power; a longer read timeout helps with very slow frames only"}
}

// closeBound is how long saying goodbye to a camera may take.
const closeBound = 500 * time.Millisecond

// Close implements [source.Source].
func (s *camera) Close() error {
	s.closing.Do(func() {
		s.stop(fault.ErrClosed)
		if s.process != nil {
			s.process.Close() // first: a packet may wait for it
		}
		if s.client == nil {
			return
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.client.Close()
		}()
		timer := time.NewTimer(closeBound)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C: // it goes on by itself, within WriteTimeout
		}
	})
	return nil
}
