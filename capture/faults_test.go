package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/rtsptest"
)

// running is a camera under Run and the lines it logs.
type running struct {
	*Camera
	ctx    context.Context
	cancel context.CancelFunc
	done   chan error
	log    *lines
}

type lines struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	written chan struct{} // a token after a line
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	signal(l.written)
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func start(t *testing.T, c Config, seams ...func(*Camera)) *running {
	t.Helper()
	return startFor(t, 30*time.Second, c, seams...)
}

// startFor runs a camera for so long at most.
func startFor(t *testing.T, bound time.Duration, c Config, seams ...func(*Camera)) *running {
	t.Helper()
	r := &running{done: make(chan error, 1), log: &lines{written: make(chan struct{}, 1)}}
	var err error
	if r.Camera, err = New(c, slog.New(slog.NewTextHandler(r.log, nil))); err != nil {
		t.Fatal(err)
	}
	for _, f := range seams {
		f(r.Camera)
	}
	r.ctx, r.cancel = context.WithTimeout(t.Context(), bound)
	go func() { r.done <- r.Run(r.ctx) }()
	t.Cleanup(r.stop)
	return r
}

// stop is idempotent.
func (r *running) stop() {
	r.cancel()
	if err, ok := <-r.done; ok && err == nil {
		close(r.done)
	}
}

func (r *running) next(t *testing.T) *Frame {
	t.Helper()
	f, err := r.Next(r.ctx)
	if err != nil {
		t.Fatalf("no frame: %v; log:\n%s", err, r.log)
	}
	return f
}

// frames takes n frames and returns the last one's number.
func (r *running) frames(t *testing.T, n int) (seq uint64) {
	t.Helper()
	for range n {
		f := r.next(t)
		seq = f.Seq
		f.Close()
	}
	return seq
}

// The server is killed and comes back on the same port: the camera is back,
// numbers go on, and the log has one line per change.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	clip := annexB(t, 160, 120, 25, 25)
	s := serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true}, clip)
	addr := s.Addr()
	r := start(t, Config{Name: "gate", Kind: KindRTSP, URL: s.URL("gate")})
	before := r.frames(t, 3)
	s.Close()
	for !strings.Contains(r.log.String(), "offline") {
		select {
		case <-r.log.written:
		case <-r.ctx.Done():
			t.Fatal("the loss was not noticed")
		}
	}
	serve(t, addr, rtsptest.Options{Loop: true}, clip)
	begin := time.Now()
	after := r.frames(t, 3)
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the camera was back after %v", took)
	}
	if after <= before {
		t.Errorf("frame %d follows frame %d", after, before)
	}
	st := r.Stats()
	if st.State != StateOnline || st.Losses != 1 || st.Opens < 2 || st.LastError == "" || st.Abandoned != 0 {
		t.Errorf("stats %+v", st)
	}
	r.stop()
	if got := strings.Count(r.log.String(), "\n"); got != 4 { // online, offline, online, ended
		t.Errorf("%d log lines, want 4:\n%s", got, r.log)
	}
}

// A server that hangs with its connections open is a read error within the
// bound, and the camera recovers.
func TestServerFreezes(t *testing.T) {
	t.Parallel()
	s := serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true}, annexB(t, 160, 120, 25, 25))
	const bound = time.Second
	src := opened(t, t.Context(), Config{Name: "gate", Kind: KindRTSP, URL: s.URL("gate"), ReadTimeout: bound})
	m := gocv.NewMat()
	defer m.Close()
	if _, err := src.Read(&m); err != nil {
		t.Fatal(err)
	}
	s.Freeze(true)
	begin := time.Now()
	for {
		_, err := src.Read(&m)
		if err != nil {
			if !errors.Is(err, ErrTimeout) {
				t.Errorf("error is %v, want a timeout", err)
			}
			break
		}
		if time.Since(begin) > 5*time.Second {
			t.Fatal("a frozen server goes on")
		}
	}
	// What the decoder and the network held comes first.
	if took := time.Since(begin); took > bound+callOverrun+500*time.Millisecond {
		t.Errorf("the timeout came after %v, the bound is %v", took, bound)
	}
	s.Freeze(false)
	again := opened(t, t.Context(), Config{Name: "gate", Kind: KindRTSP, URL: s.URL("gate")})
	if _, err := again.Read(&m); err != nil {
		t.Errorf("after the thaw: %v", err)
	}
}

// A reader that does nothing gets the newest frame, and what it missed is
// counted.
func TestNewestWins(t *testing.T) {
	t.Parallel()
	s := serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true}, annexB(t, 160, 120, 50, 25))
	r := start(t, Config{Name: "gate", Kind: KindRTSP, URL: s.URL("gate")})
	first := r.next(t)
	defer first.Close()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for r.Stats().Frames < first.Seq+20 {
		select {
		case <-tick.C:
		case <-r.ctx.Done():
			t.Fatal("no more frames")
		}
	}
	f := r.next(t)
	defer f.Close()
	if f.Seq < first.Seq+20 {
		t.Errorf("frame %d came although there are %d", f.Seq, r.Stats().Frames)
	}
	if age := time.Since(f.Arrived); age > time.Second {
		t.Errorf("the newest frame is %v old", age)
	}
	if n := r.Stats().DropsByReason[DropNewer]; n < f.Seq-first.Seq-1 {
		t.Errorf("%d drops counted between the frames %d and %d", n, first.Seq, f.Seq)
	}
	if fps := r.Stats().FPS; fps < 5 { // on a busy machine they come in bursts: there is no upper bound
		t.Errorf("%g frames a second, and it plays 50", fps)
	}
	// A frame that is out is not written to.
	before := first.Image.Mean()
	r.frames(t, 10)
	if after := first.Image.Mean(); before != after {
		t.Error("a frame changed while its reader had it")
	}
}

// Credentials come from a file; a password with every kind of character
// works, and none is ever printed.
func TestCredentials(t *testing.T) {
	const password = "p@ss:w/r d+%&;|é?#\\"
	s := serveWith(t, "127.0.0.1:0", func(s *rtsptest.Server) { s.Username, s.Password = "camera", password },
		rtsptest.Options{Loop: true}, annexB(t, 160, 120, 25, 25))
	file := filepath.Join(t.TempDir(), "credentials")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := Config{Name: "gate", Kind: KindRTSP, URL: s.URL("gate"), CredentialsFile: file}
	write("camera:" + password + "\n")
	opened(t, t.Context(), c)

	const wrong = "s3cret/@:x"
	write("camera:" + wrong)
	_, err := Open(t.Context(), c)
	var e *Error
	if !errors.Is(err, ErrCredentials) || !errors.As(err, &e) || e.Hint() == "" {
		t.Errorf("wrong password: %v", err)
	}
	if err != nil && (strings.Contains(err.Error(), wrong) || strings.Contains(err.Error(), url.QueryEscape(wrong))) {
		t.Errorf("%q holds the password", err)
	}
	for _, text := range []string{"", "nocolon", ":nouser", "a:b\nc:d\n", "a:b\x00", strings.Repeat("a:", maxCredentials)} {
		write(text)
		if _, err := Open(t.Context(), c); !errors.Is(err, ErrConfig) {
			t.Errorf("credentials %.10q: %v", text, err)
		}
	}
	c.CredentialsFile = file + ".none"
	if _, err := Open(t.Context(), c); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no credentials file: %v", err)
	}
}

// What goes wrong at a network camera's address is told apart.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	listen := func(serve func(net.Conn)) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				wg.Go(func() { defer c.Close(); serve(c) })
			}
		})
		t.Cleanup(func() { l.Close(); wg.Wait() })
		return l.Addr().String()
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, tt := range []struct {
		name, addr string
		want       error
	}{
		{"nobody listens", closed.Addr().String(), ErrUnreachable},
		{"no such host", "no-such-host.invalid:554", ErrUnreachable},
		{"it never answers", listen(func(c net.Conn) { io.Copy(io.Discard, c) }), ErrTimeout},
		{"it speaks HTTP", listen(func(c net.Conn) {
			c.Read(make([]byte, 1))
			fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		}), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begin := time.Now()
			_, err := Open(t.Context(), Config{Kind: KindRTSP, URL: "rtsp://u:hunter2@" + tt.addr + "/x", OpenTimeout: time.Second})
			var e *Error
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !errors.As(err, &e) || e.Hint() == "" {
				t.Errorf("error is %v, want %v with a hint", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q holds the password", err)
			}
			if took := time.Since(begin); took > time.Second+callOverrun+diagnoseBound+time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// Ten lives of a stream leave nothing open.
func TestReopeningLeaksNothing(t *testing.T) {
	s := serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true}, annexB(t, 160, 120, 25, 25))
	c := Config{Name: "gate", Kind: KindRTSP, URL: s.URL("gate")}
	m := gocv.NewMat()
	defer m.Close()
	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc to count descriptors in: ", err)
		}
		return len(entries)
	}
	var before int
	for i := range 11 {
		src, err := Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := src.Read(&m); err != nil {
			t.Fatal(err)
		}
		src.Close()
		if i == 0 {
			before = descriptors()
		}
	}
	// The server closes its side of the last ones a moment later.
	if after := descriptors(); after > before+2 {
		t.Errorf("%d descriptors after the first, %d after ten more", before, after)
	}
}
