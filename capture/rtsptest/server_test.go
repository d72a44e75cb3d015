package rtsptest

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testClip(t *testing.T, fps int) *Clip {
	t.Helper()
	c, err := ParseAnnexB(encode(t, 96, 64, fps))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func serve(t *testing.T, setup func(*Server)) *Server {
	t.Helper()
	s := New("127.0.0.1:0")
	setup(s)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// reader is a client that counts pictures.
type reader struct {
	*gortsplib.Client
	pictures atomic.Int64
	first    chan struct{}
	bye      chan struct{}
}

func read(t *testing.T, rawURL string) (*reader, error) {
	t.Helper()
	u, err := base.ParseURL(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	tcp := gortsplib.ProtocolTCP
	r := &reader{Client: &gortsplib.Client{Scheme: u.Scheme, Host: u.Host, Protocol: &tcp},
		first: make(chan struct{}), bye: make(chan struct{})}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	session, _, err := r.Describe(u)
	if err != nil {
		return nil, err
	}
	if err := r.SetupAll(session.BaseURL, session.Medias); err != nil {
		return nil, err
	}
	r.OnPacketRTPAny(func(_ *description.Media, _ format.Format, p *rtp.Packet) {
		if p.Marker && r.pictures.Add(1) == 1 {
			close(r.first)
		}
	})
	r.OnPacketRTCPAny(func(_ *description.Media, p rtcp.Packet) {
		if _, ok := p.(*rtcp.Goodbye); ok {
			close(r.bye)
		}
	})
	_, err = r.Play(nil)
	return r, err
}

func wantClosed(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatalf("timed out: %s", what)
	}
}

// Every reader gets every picture from the first to the last, paced, and is
// told the end.
func TestEachReaderFromTheStart(t *testing.T) {
	a, b := testClip(t, 25), testClip(t, 50)
	var order []int
	ended := make(chan struct{}, 2)
	s := serve(t, func(s *Server) {
		var first atomic.Bool
		err := s.Add("gate", Options{OnClip: func(i int) {
			if !first.Load() {
				order = append(order, i)
			}
		}, OnEnd: func() { first.Store(true); ended <- struct{}{} }}, a, b)
		if err != nil {
			t.Fatal(err)
		}
	})
	for range 2 {
		begin := time.Now()
		r, err := read(t, s.URL("gate"))
		if err != nil {
			t.Fatal(err)
		}
		wantClosed(t, r.bye, "the end of the clips")
		if got := r.pictures.Load(); got != 75 {
			t.Errorf("%d pictures, want 75", got)
		}
		if took := time.Since(begin); took < 1900*time.Millisecond {
			t.Errorf("two seconds of video played in %v", took)
		}
		r.Close()
		<-ended
	}
	if len(order) != 2 || order[0] != 0 || order[1] != 1 {
		t.Errorf("OnClip was called with %v, want 0 and 1", order)
	}
}

func TestOnce(t *testing.T) {
	clip := testClip(t, 25)
	s := serve(t, func(s *Server) {
		if err := s.Add("gate", Options{FPS: 500, Once: true}, clip); err != nil {
			t.Fatal(err)
		}
	})
	r, err := read(t, s.URL("gate"))
	if err != nil {
		t.Fatal(err)
	}
	wantClosed(t, r.bye, "the end of the clip")
	_, err = read(t, s.URL("gate"))
	var status liberrors.ErrClientBadStatusCode
	if !errors.As(err, &status) || status.Code != base.StatusNotFound {
		t.Errorf("the second reader got %v, want not found", err)
	}
}

// A live path shows all readers the same, and starts anew after its end.
func TestLive(t *testing.T) {
	clip := testClip(t, 10)
	s := serve(t, func(s *Server) {
		if err := s.Add("gate", Options{Live: true}, clip); err != nil {
			t.Fatal(err)
		}
	})
	for range 2 {
		first, err := read(t, s.URL("gate"))
		if err != nil {
			t.Fatal(err)
		}
		wantClosed(t, first.first, "the first picture")
		second, err := read(t, s.URL("gate"))
		if err != nil {
			t.Fatal(err)
		}
		wantClosed(t, first.bye, "the first reader's end")
		wantClosed(t, second.bye, "the second reader's end")
		if n, late := first.pictures.Load(), second.pictures.Load(); n != 10 || late >= n {
			t.Errorf("the readers got %d and %d pictures, want 10 and fewer", n, late)
		}
		first.Close()
		second.Close()
	}
}

func TestLoopAndFreeze(t *testing.T) {
	clip := testClip(t, 50)
	rounds := make(chan int, 100)
	s := serve(t, func(s *Server) {
		if err := s.Add("gate", Options{Loop: true, FPS: 500, OnClip: func(int) { rounds <- 0 }}, clip); err != nil {
			t.Fatal(err)
		}
	})
	r, err := read(t, s.URL("gate"))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-rounds
	}
	s.Freeze(true)
	s.Freeze(true)
	// At most the picture in flight comes after this.
	before := r.pictures.Load()
	select {
	case <-r.bye:
		t.Error("the stream ended while frozen")
	case <-time.After(300 * time.Millisecond):
	}
	if n := r.pictures.Load(); n > before+25 {
		t.Errorf("%d pictures came while frozen", n-before)
	}
	for len(rounds) > 0 {
		<-rounds
	}
	s.Freeze(false)
	<-rounds // it plays again
}

func TestCredentials(t *testing.T) {
	clip := testClip(t, 25)
	const user, password = "camera", "p@ss:w/rd"
	s := serve(t, func(s *Server) {
		s.Username, s.Password = user, password
		if err := s.Add("gate", Options{FPS: 500}, clip); err != nil {
			t.Fatal(err)
		}
	})
	u, _ := url.Parse(s.URL("gate"))
	u.User = url.UserPassword(user, password)
	if _, err := read(t, u.String()); err != nil {
		t.Errorf("with the right password: %v", err)
	}
	u.User = url.UserPassword(user, "wrong")
	for _, raw := range []string{u.String(), s.URL("gate")} {
		if _, err := read(t, raw); err == nil {
			t.Errorf("%s can be read", raw)
		}
	}
}

func TestAddAndStartRefuse(t *testing.T) {
	clip := testClip(t, 25)
	s := serve(t, func(s *Server) {
		if err := s.Add("gate", Options{}, clip); err != nil {
			t.Fatal(err)
		}
	})
	for name, err := range map[string]error{
		"a path twice":    s.Add("/gate/", Options{}, clip),
		"no clip":         s.Add("other", Options{}),
		"a negative rate": s.Add("other", Options{FPS: -1}, clip),
		"a second start":  s.Start(),
		"a taken address": New(s.Addr()).Start(),
	} {
		if err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if err := s.Add("late", Options{}, clip); err != nil {
		t.Errorf("adding after the start: %v", err)
	}
	if _, err := read(t, s.URL("late")); err != nil {
		t.Errorf("reading what was added after the start: %v", err)
	}
}

func TestTranscode(t *testing.T) {
	dir := t.TempDir()
	video := filepath.Join(dir, "clip.h264")
	// An odd size and a rate of its own.
	if err := os.WriteFile(video, encode(t, 101, 75, 20, "-pix_fmt", "yuv444p"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := Transcode(t.Context(), video)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseAnnexB(b)
	if err != nil {
		t.Fatal(err)
	}
	if c.Width != 102 || c.Height != 76 || len(c.Units) < 19 {
		t.Errorf("%d pictures of %d x %d, want 20 of 102 x 76", len(c.Units), c.Width, c.Height)
	}

	text := filepath.Join(dir, "text.mp4")
	if err := os.WriteFile(text, []byte("not a video"), 0o600); err != nil {
		t.Fatal(err)
	}
	var e *Error
	if _, err := Transcode(t.Context(), text); !errors.As(err, &e) || !strings.Contains(err.Error(), text) || e.Hint() == "" {
		t.Errorf("a text file: %v", err)
	}
	if _, err := Transcode(t.Context(), filepath.Join(dir, "none.mp4")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Transcode(ctx, video); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	t.Setenv("PATH", dir)
	if _, err := Transcode(t.Context(), video); !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "ffmpeg") {
		t.Errorf("without ffmpeg: %v", err)
	}
}
