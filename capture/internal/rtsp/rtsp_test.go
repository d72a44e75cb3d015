package rtsp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/sourcetest"
	"platewatch/capture/rtsptest"
	"platewatch/capture/source"
	"platewatch/deploy/tools/addrtest"
)

func TestConforms(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, transport string
		clip            func(*testing.T) *rtsptest.Clip
		setup           func(*rtsptest.Server)
	}{
		{"tcp", transportTCP, h264Clip, func(*rtsptest.Server) {}},
		{"udp", transportUDP, h264Clip, func(s *rtsptest.Server) { s.UDP = true }},
		{"H.265", transportTCP, h265Clip, func(*rtsptest.Server) {}},
		{"RTSPS", transportTCP, h264Clip, func(s *rtsptest.Server) { s.TLS = selfSigned() }},
	} {
		config := func(t *testing.T, o rtsptest.Options) source.Config {
			s := capturetest.ServeWith(t, "127.0.0.1:0", tt.setup, o, tt.clip(t))
			return source.Config{Name: "rtsp", Source: s.URL("gate"), Transport: tt.transport, TLSInsecure: s.TLS != nil}
		}
		t.Run(tt.name, sourcetest.Suite{Kind: Kind, Width: 160, Height: 120, Frames: 25, End: fault.ErrStreamEnded,
			Config:  func(t *testing.T) source.Config { return config(t, rtsptest.Options{}) },
			Endless: func(t *testing.T) source.Config { return config(t, rtsptest.Options{Loop: true}) },
			Lost: func(t *testing.T) source.Config {
				c := config(t, rtsptest.Options{})
				c.Source += "/none"
				return c
			},
		}.Run)
	}
}

func h264Clip(t *testing.T) *rtsptest.Clip { return capturetest.AnnexB(t, 160, 120, 25, 25) }

func h265Clip(t *testing.T) *rtsptest.Clip { return capturetest.AnnexB265(t, 160, 120, 25, 25) }

// selfSigned is a certificate as cameras have them.
func selfSigned() *tls.Config {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return &tls.Config{Certificates: s.TLS.Certificates}
}

// A server that hangs with its connections open is a read error within the
// bound, and the camera recovers.
func TestServerFreezes(t *testing.T) {
	t.Parallel()
	s := capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true}, capturetest.AnnexB(t, 160, 120, 25, 25))
	const bound = 3 * time.Second // on a busy machine too
	src := sourcetest.Opened(t, t.Context(), Kind, source.Config{Name: "gate", Source: s.URL("gate"), ReadTimeout: bound})
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
			if !errors.Is(err, fault.ErrTimeout) {
				t.Errorf("error is %v, want a timeout", err)
			}
			break
		}
		if time.Since(begin) > bound+4*time.Second {
			t.Fatal("a frozen server goes on")
		}
	}
	// What the decoder and the network held comes first.
	if took := time.Since(begin); took > bound+1500*time.Millisecond {
		t.Errorf("the timeout came after %v, the bound is %v", took, bound)
	}
	s.Freeze(false)
	again := sourcetest.Opened(t, t.Context(), Kind, source.Config{Name: "gate", Source: s.URL("gate")})
	if _, err := again.Read(&m); err != nil {
		t.Errorf("after the thaw: %v", err)
	}
}

// Credentials come from a file; a password with every kind of character
// works, and none is ever printed.
func TestCredentials(t *testing.T) {
	const password = "p@ss:w/r d+%&;|é?#\\"
	s := capturetest.ServeWith(t, "127.0.0.1:0", func(s *rtsptest.Server) { s.Username, s.Password = "camera", password },
		rtsptest.Options{Loop: true}, capturetest.AnnexB(t, 160, 120, 25, 25))
	file := filepath.Join(t.TempDir(), "credentials")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := source.Config{Name: "gate", Source: s.URL("gate"), CredentialsFile: file}
	write("camera:" + password + "\n")
	sourcetest.Opened(t, t.Context(), Kind, c)

	const wrong = "s3cret/@:x"
	write("camera:" + wrong)
	_, err := sourcetest.Open(t.Context(), Kind, c)
	var e *fault.Error
	if !errors.Is(err, fault.ErrCredentials) || !errors.As(err, &e) || e.Hint() == "" {
		t.Errorf("wrong password: %v", err)
	}
	if err != nil && (strings.Contains(err.Error(), wrong) || strings.Contains(err.Error(), url.QueryEscape(wrong))) {
		t.Errorf("%q holds the password", err)
	}
	for _, text := range []string{"", "nocolon", ":nouser", "a:b\nc:d\n", "a:b\x00", strings.Repeat("a:", 4096)} {
		write(text)
		if _, err := sourcetest.Open(t.Context(), Kind, c); !errors.Is(err, fault.ErrConfig) {
			t.Errorf("credentials %.10q: %v", text, err)
		}
	}
	c.CredentialsFile = file + ".none"
	if _, err := sourcetest.Open(t.Context(), Kind, c); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no credentials file: %v", err)
	}
}

// The errors of a network camera's address are told apart.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	listen := func(serve func(net.Conn)) string { return capturetest.Accept(t, serve) }
	closed := addrtest.Free(t)
	for _, tt := range []struct {
		name, addr string
		want       error
	}{
		{"nobody listens", closed, fault.ErrUnreachable},
		{"no such host", "no-such-host.invalid:554", fault.ErrUnreachable},
		{"it never answers", listen(func(c net.Conn) { io.Copy(io.Discard, c) }), fault.ErrTimeout},
		{"it speaks HTTP", listen(func(c net.Conn) {
			c.Read(make([]byte, 1))
			fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		}), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begin := time.Now()
			c := source.Config{Source: "rtsp://u:hunter2@" + tt.addr + "/x", OpenTimeout: 10 * time.Second}
			if errors.Is(tt.want, fault.ErrTimeout) {
				c.OpenTimeout = time.Second
			}
			_, err := sourcetest.Open(t.Context(), Kind, c)
			var e *fault.Error
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !errors.As(err, &e) || e.Hint() == "" {
				t.Errorf("error is %v, want %v with a hint", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q holds the password", err)
			}
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// A stream that is opened and closed ten times leaves no descriptor open.
func TestReopeningLeaksNothing(t *testing.T) {
	s := capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true}, capturetest.AnnexB(t, 160, 120, 25, 25))
	c := source.Config{Name: "gate", Source: s.URL("gate")}
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
		src, err := sourcetest.Open(t.Context(), Kind, c)
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
