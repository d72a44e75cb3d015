package rtsptest

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtcp"
)

// clockRate of H.264 and H.265 in RTP, ticks a second (RFC 6184 and 7798).
const clockRate = 90000

// lingerBound is how long a reader that was told the end gets to take what is
// queued for it and to leave. FFmpeg does not: it waits to be disconnected.
const lingerBound = 300 * time.Millisecond

// player sends a path's clips to a stream, on one goroutine.
type player struct {
	server *Server
	path   *path
	stream *gortsplib.ServerStream
	ctx    context.Context
	cancel context.CancelFunc // when its reader has left
	once   sync.Once

	encoder encoder
	clock   uint32        // RTP time of position 0
	begin   time.Time     // when position 0 was due; monotonic
	at      time.Duration // position of the next frame
	skipped bool          // the pictures before Options.From were left out
}

// player makes the player of one session, or finds the one of a live path.
func (s *Server) player(p *path) (*player, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.options.Live && p.live != nil {
		return p.live, nil
	}
	pl := &player{server: s, path: p, stream: p.shared, clock: rand.Uint32()}
	if !p.options.Live {
		pl.stream = &gortsplib.ServerStream{Server: s.rtsp, Desc: p.desc}
		if err := pl.stream.Initialize(); err != nil {
			return nil, err
		}
	}
	encoder, err := encoderOf(p.desc.Medias[0].Formats[0])
	if err != nil {
		return nil, err
	}
	pl.encoder = encoder
	pl.ctx, pl.cancel = context.WithCancel(s.ctx)
	if p.options.Live {
		p.live = pl
	}
	return pl, nil
}

// start runs the player unless it runs already or the server is closed.
func (s *Server) start(pl *player) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	pl.once.Do(func() { s.plays.Go(pl.run) })
}

func (pl *player) run() {
	defer pl.cancel()
	defer pl.stream.Close()
	pl.begin = time.Now()
	o := pl.path.options
	for next := 0; o.Choose != nil || o.Loop || next < len(pl.path.clips); next++ {
		i := next % len(pl.path.clips)
		if o.Choose != nil {
			i = o.Choose()
		}
		clip := pl.path.clips[i]
		if o.OnClip != nil {
			o.OnClip(i)
		}
		if o.Live {
			// What a camera describes is what it sends just now.
			switch f := pl.path.desc.Medias[0].Formats[0].(type) {
			case *format.H264:
				f.SPS, f.PPS = clip.SPS, clip.PPS
			case *format.H265:
				f.VPS, f.SPS, f.PPS = clip.VPS, clip.SPS, clip.PPS
			}
			pl.stream.ReloadDesc()
		}
		if !pl.play(clip) {
			return
		}
		pl.at += o.Gap
	}
	pl.finish()
}

// play sends one clip, and reports whether it came to its end.
func (pl *player) play(c *Clip) bool {
	fps := pl.path.options.FPS
	if fps == 0 {
		fps = c.FPS
	}
	if !(fps >= 0.1 && fps <= 1000) {
		fps = fallbackFPS
	}
	claim := 1.0
	if stamped := pl.path.options.Stamped; stamped > 0 {
		claim = fps / stamped
	}
	start := pl.at
	units := c.Units
	if !pl.skipped {
		pl.skipped = true
		units = units[min(pl.path.options.From, len(units)):]
	}
	for n, unit := range units {
		pl.at = start + time.Duration(float64(n)/fps*float64(time.Second))
		if !pl.due() {
			return false
		}
		packets, err := pl.encoder.Encode(unit)
		if err != nil {
			pl.server.log().Warn("a picture cannot be sent", "path", pl.path.name, "error", err)
			continue
		}
		for _, p := range packets {
			p.Timestamp = pl.clock + uint32(uint64(pl.at.Seconds()*claim*clockRate))
			if pl.stream.WritePacketRTP(pl.path.desc.Medias[0], p) != nil {
				return false // closed
			}
			if n == 0 && pl.path.options.Ahead != 0 {
				pl.report(p.Timestamp)
			}
		}
	}
	pl.at = start + time.Duration(float64(len(units))/fps*float64(time.Second))
	return true
}

// due waits for the time of the next frame, and while the server is frozen,
// which moves the times of all later frames.
func (pl *player) due() bool {
	t := time.NewTimer(time.Until(pl.begin.Add(pl.at)))
	defer t.Stop()
	select {
	case <-t.C:
	case <-pl.ctx.Done():
		return false
	}
	thawed := pl.server.thaw()
	select {
	case <-thawed:
		return true
	default:
	}
	since := time.Now()
	select {
	case <-thawed:
		pl.begin = pl.begin.Add(time.Since(since))
		return true
	case <-pl.ctx.Done():
		return false
	}
}

// finish tells the readers the end and gives them the time to leave.
func (pl *player) finish() {
	if !pl.due() {
		return
	}
	pl.server.over(pl.path)
	pl.tell(func(source uint32) rtcp.Packet { return &rtcp.Goodbye{Sources: []uint32{source}} })
	if f := pl.path.options.OnEnd; f != nil {
		f()
	}
	t := time.NewTimer(lingerBound)
	defer t.Stop()
	select {
	case <-t.C:
	case <-pl.ctx.Done():
	}
}

// tell sends the readers a packet of RTCP of each format.
func (pl *player) tell(of func(source uint32) rtcp.Packet) {
	stats := pl.stream.Stats()
	if stats == nil {
		return
	}
	for _, m := range stats.Medias {
		for _, f := range m.Formats {
			// A failure means that the reader has left: nobody to tell.
			_ = pl.stream.WritePacketRTCP(pl.path.desc.Medias[0], of(f.LocalSSRC))
		}
	}
}

// report says which time of the server's clock belongs to a time of RTP.
func (pl *player) report(timestamp uint32) {
	const since1900 = 2208988800 // seconds, to 1970 (RFC 868)
	now := time.Now().Add(pl.path.options.Ahead)
	ntp := uint64(now.Unix()+since1900)<<32 | uint64(now.Nanosecond())<<32/1e9
	pl.tell(func(source uint32) rtcp.Packet {
		return &rtcp.SenderReport{SSRC: source, NTPTime: ntp, RTPTime: timestamp}
	})
}

// over takes a path that is played once out of service. A live path that ends
// starts anew with its next reader.
func (s *Server) over(p *path) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.over = p.over || p.options.Once
	if p.options.Live {
		p.live = nil
		if err := p.initialize(s.rtsp); err != nil {
			p.over = true
			s.log().Warn("a path cannot be played again", "path", p.name, "error", err)
		}
	}
}
