package rtsptest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"
)

// Options of one path.
type Options struct {
	FPS     float64       // frames a second; 0: as each clip announces it, or 25
	Stamped float64       // frames a second that the time stamps claim; 0: FPS
	Loop    bool          // begin again after the last clip, for ever
	Live    bool          // one timeline for all readers, begun by the first; otherwise each reader begins at the first frame
	Once    bool          // after the last clip was played out for a reader, the path is not found any more
	Gap     time.Duration // silence between two clips
	Ahead   time.Duration // other than 0: the server reports a clock that is so far ahead (RTCP sender reports), with each clip
	From    int           // picture of the first clip that the first round begins with: a camera that is met between two keyframes

	// Choose, if not nil, says which clip is sent next, for ever; otherwise one is sent
	// after the other.
	Choose func() int

	// OnClip, if not nil, is called before the first frame of clip i is sent, and
	// OnEnd when the readers have been told the end of the last one (not when a
	// reader left, or the server was closed, before). With several readers of a
	// path that is not Live both are called for each, on several goroutines.
	OnClip func(i int)
	OnEnd  func()
}

// fallbackFPS is the pace of a clip that announces none.
const fallbackFPS = 25

// Server serves clips over RTSP. Set its fields before Start.
type Server struct {
	// Username and Password, if set, are asked for by digest authentication.
	Username, Password string
	// Redirects are paths that are answered with another address (status 302).
	Redirects map[string]string
	// SHA256 asks for digests of SHA-256, and takes no other.
	SHA256 bool
	// TLS, if set, serves RTSPS.
	TLS *tls.Config
	// UDP also offers the UDP transport, on two ports of its own.
	UDP bool
	// Log gets lost packets and the like; nil discards it.
	Log *slog.Logger

	addr   string
	ctx    context.Context // of all players
	cancel context.CancelFunc
	plays  sync.WaitGroup // the players' goroutines

	mu      sync.Mutex
	paths   map[string]*path
	rtsp    *gortsplib.Server
	bound   string        // the address that it listens on
	thawed  chan struct{} // closed while not frozen
	stopped bool
}

// New makes a server for host:port; port 0 takes a free one. The host should
// be a loopback address: what is served here is for this machine.
func New(addr string) *Server {
	ctx, cancel := context.WithCancel(context.Background())
	thawed := make(chan struct{})
	close(thawed)
	return &Server{addr: addr, ctx: ctx, cancel: cancel, paths: map[string]*path{}, thawed: thawed}
}

// path is one stream that can be played.
type path struct {
	name    string
	options Options
	clips   []*Clip

	desc *description.Session
	// shared is what DESCRIBE answers with, and on a live path what is played.
	shared *gortsplib.ServerStream
	live   *player
	over   bool // Once, and played
}

// Add serves clips, one after the other, under name ("gate", "a/b"). It can be
// called before and after Start, but once per name.
func (s *Server) Add(name string, o Options, clips ...*Clip) error {
	name = strings.Trim(name, "/")
	switch {
	case len(clips) == 0:
		return &Error{Op: "add", Path: name, Err: errors.New("there is no clip to serve")}
	case o.FPS < 0 || o.FPS > 1000 || o.Gap < 0:
		return &Error{Op: "add", Path: name, Err: fmt.Errorf("cannot play at %g frames a second with gaps of %v", o.FPS, o.Gap)}
	}
	for _, c := range clips {
		if c.H265() != clips[0].H265() {
			return &Error{Op: "add", Path: name, Err: errors.New("one path cannot play H.264 and H.265")}
		}
	}
	p := &path{name: name, options: o, clips: clips, desc: describe(clips[0])}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paths[name] != nil {
		return &Error{Op: "add", Path: name, Err: errors.New("the path is taken")}
	}
	if s.rtsp != nil {
		if err := p.initialize(s.rtsp); err != nil {
			return err
		}
	}
	s.paths[name] = p
	return nil
}

func describe(c *Clip) *description.Session {
	return &description.Session{Medias: []*description.Media{{Type: description.MediaTypeVideo, Formats: []format.Format{formatOf(c)}}}}
}

func formatOf(c *Clip) format.Format {
	if c.H265() {
		return &format.H265{PayloadTyp: 96, VPS: c.VPS, SPS: c.SPS, PPS: c.PPS}
	}
	return &format.H264{PayloadTyp: 96, PacketizationMode: 1, SPS: c.SPS, PPS: c.PPS}
}

// encoder makes RTP packets of a clip's pictures.
type encoder interface {
	Encode(unit [][]byte) ([]*rtp.Packet, error)
}

func encoderOf(f format.Format) (encoder, error) {
	if f, ok := f.(*format.H265); ok {
		return f.CreateEncoder()
	}
	return f.(*format.H264).CreateEncoder()
}

func (p *path) initialize(s *gortsplib.Server) error {
	stream := &gortsplib.ServerStream{Server: s, Desc: p.desc}
	if err := stream.Initialize(); err != nil {
		return &Error{Op: "add", Path: p.name, Err: err}
	}
	p.shared = stream
	return nil
}

// writeQueue is how many packets may wait for a slow reader: three seconds of
// 20 Mbit/s. Beyond it packets are lost, which is logged. A power of two.
const writeQueue = 8192

// Start listens. The error of an address in use says so.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rtsp != nil || s.stopped {
		return errors.New("an RTSP server starts only once")
	}
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return &Error{Op: "listen", Path: s.addr, Err: err, Advice: "use another port, or 0 for a free one"}
	}
	rtsp, err := s.startOn(listener)
	if err != nil {
		listener.Close()
		return &Error{Op: "listen", Path: s.addr, Err: err}
	}
	for _, p := range s.paths {
		if err := p.initialize(rtsp); err != nil {
			rtsp.Close()
			return err
		}
	}
	s.rtsp, s.bound = rtsp, listener.Addr().String()
	return nil
}

// startOn starts the protocol on a listener. UDP needs an even port and the
// next, which cannot be asked for: a few pairs are tried.
func (s *Server) startOn(listener net.Listener) (*gortsplib.Server, error) {
	const attempts = 16
	digest := auth.VerifyMethodDigestMD5
	if s.SHA256 {
		digest = auth.VerifyMethodDigestSHA256
	}
	var err error
	for range attempts {
		rtsp := &gortsplib.Server{
			Handler:        (*handler)(s),
			RTSPAddress:    s.addr,
			AuthMethods:    []auth.VerifyMethod{digest},
			WriteQueueSize: writeQueue,
			TLSConfig:      s.TLS,
			Listen:         func(string, string) (net.Listener, error) { return listener, nil },
		}
		if s.UDP {
			host, _, _ := net.SplitHostPort(listener.Addr().String())
			var port int
			if port, err = evenPort(host); err != nil {
				return nil, err
			}
			rtsp.UDPRTPAddress = net.JoinHostPort(host, strconv.Itoa(port))
			rtsp.UDPRTCPAddress = net.JoinHostPort(host, strconv.Itoa(port+1))
		}
		if err = rtsp.Start(); err == nil {
			return rtsp, nil
		}
	}
	return nil, err
}

func evenPort(host string) (int, error) {
	conn, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port &^ 1, nil
}

// Addr is host:port as it listens; empty before Start.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bound
}

// URL is where a path is played, without the credentials. It is valid after
// Start.
func (s *Server) URL(name string) string {
	scheme := "rtsp"
	if s.TLS != nil {
		scheme = "rtsps"
	}
	return (&url.URL{Scheme: scheme, Host: s.Addr(), Path: "/" + strings.Trim(name, "/")}).String()
}

// Freeze stops sending, with all connections kept, until it is called with
// false: the camera that hangs. Playing then goes on where it was.
func (s *Server) Freeze(frozen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.thawed:
		if frozen {
			s.thawed = make(chan struct{})
		}
	default:
		if !frozen {
			close(s.thawed)
		}
	}
}

func (s *Server) thaw() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.thawed
}

// Close disconnects all readers and waits until nothing of the server runs.
func (s *Server) Close() error {
	s.mu.Lock()
	rtsp := s.rtsp
	stopped := s.stopped
	s.stopped = true
	s.mu.Unlock()
	if stopped {
		return nil
	}
	s.cancel()
	if rtsp != nil {
		rtsp.Close()
	}
	s.plays.Wait()
	return nil
}

func (s *Server) log() *slog.Logger {
	if s.Log != nil {
		return s.Log
	}
	return slog.New(slog.DiscardHandler)
}
