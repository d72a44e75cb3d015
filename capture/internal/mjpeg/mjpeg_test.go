package mjpeg

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"
	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/sourcetest"
	"platewatch/capture/source"
)

func TestConforms(t *testing.T) {
	t.Parallel()
	config := func(s *httptest.Server, path string) source.Config {
		return source.Config{Name: "http", Source: s.URL + path}
	}
	sourcetest.Suite{Kind: Kind, Width: 160, Height: 120, Frames: 10, End: fault.ErrStreamEnded,
		Config:  func(t *testing.T) source.Config { return config(capturetest.MJPEG(t, 160, 120, 10), "/video") },
		Endless: func(t *testing.T) source.Config { return config(capturetest.MJPEG(t, 160, 120, -1), "/video") },
		Lost:    func(t *testing.T) source.Config { return config(capturetest.MJPEG(t, 160, 120, -1), "/none") },
	}.Run(t)
}

// The camera's clock comes from its answer.
func TestDescribes(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=x")
		w.Header().Set("Date", time.Now().Add(-2*time.Hour).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusOK)
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer s.Close()
	src := sourcetest.Opened(t, t.Context(), Kind, source.Config{Name: "gate", Source: s.URL})
	v := source.VideoOf(src)
	if v.Codec != "JPEG" || !v.ClockKnown || (v.Ahead+2*time.Hour).Abs() > 5*time.Second {
		t.Errorf("%+v", v)
	}
	src.Close()
}

// A camera that stops in the middle of a picture is a timeout; one that sends
// something other than pictures is lost after a while; one that ends, ends.
func TestFaults(t *testing.T) {
	t.Parallel()
	picture := capturetest.EncodeJPEG(t, image.NewGray(image.Rect(0, 0, 64, 48)))
	part := func(w io.Writer, b []byte) {
		fmt.Fprintf(w, "--x\r\nContent-Length: %d\r\n\r\n%s\r\n", len(b), b)
	}
	for _, tt := range []struct {
		name string
		send func(w http.ResponseWriter, r *http.Request)
		want error
	}{
		{"stalls", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "--x\r\nContent-Length: 1000\r\n\r\nabc")
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, fault.ErrTimeout},
		{"rubbish", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				part(w, []byte("not a picture"))
			}
		}, fault.ErrFrame},
		{"ends", func(http.ResponseWriter, *http.Request) {}, fault.ErrStreamEnded},
		{"too large", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "--x\r\nContent-Length: %d\r\n\r\n%s", maxPicture+1, picture[:len(picture)-2])
			w.Write(make([]byte, maxPicture))
		}, fault.ErrFrame},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=x")
				part(w, picture)
				part(w, picture[:len(picture)/2]) // one that is cut off does no harm
				part(w, picture)
				tt.send(w, r)
			}))
			defer s.Close()
			bound := 10 * time.Second // on a busy machine too
			if errors.Is(tt.want, fault.ErrTimeout) {
				bound = 3 * time.Second
			}
			src := sourcetest.Opened(t, t.Context(), Kind, source.Config{Source: s.URL, ReadTimeout: bound})
			m := gocv.NewMat()
			defer m.Close()
			for range 2 {
				if _, err := src.Read(&m); err != nil || m.Cols() != 64 {
					t.Fatalf("a picture of %d columns, %v", m.Cols(), err)
				}
			}
			begin := time.Now()
			_, err := src.Read(&m)
			if !errors.Is(err, tt.want) {
				t.Errorf("error is %v, want %v", err, tt.want)
			}
			if took := time.Since(begin); took > bound+1500*time.Millisecond {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// A camera that wants credentials gets them, by digest authentication where it
// supports that, and they are never printed.
func TestCredentials(t *testing.T) {
	t.Parallel()
	const password = `p@ss:w"rd`
	picture := capturetest.EncodeJPEG(t, image.NewGray(image.Rect(0, 0, 64, 48)))
	for _, tt := range []struct{ name, challenge string }{
		{"basic", `Basic realm="camera"`},
		{"digest", `Digest realm="cam, era", nonce="abc", qop="auth,auth-int", algorithm=MD5, opaque="o"`},
		{"SHA-256", `Digest realm="camera", nonce="abc", qop="auth", algorithm=SHA-256`},
		{"old digest", `Digest realm="camera", nonce="abc"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !authorized(r, tt.challenge, "viewer", password) {
					w.Header().Set("WWW-Authenticate", tt.challenge)
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=x")
				fmt.Fprintf(w, "--x\r\nContent-Length: %d\r\n\r\n%s\r\n", len(picture), picture)
			}))
			defer s.Close()
			file := filepath.Join(t.TempDir(), "credentials")
			c := source.Config{Source: s.URL + "/a?b=c", CredentialsFile: file}
			for secret, want := range map[string]error{password: nil, "hunter2": fault.ErrCredentials} {
				if err := os.WriteFile(file, []byte("viewer:"+secret), 0o600); err != nil {
					t.Fatal(err)
				}
				src, err := sourcetest.Open(t.Context(), Kind, c)
				if !errors.Is(err, want) {
					t.Errorf("with %s: %v", secret, err)
				}
				if err == nil {
					src.Close()
				} else if strings.Contains(err.Error(), secret) {
					t.Errorf("%q holds the password", err)
				}
			}
		})
	}
}

// authorized checks an answer to a challenge as a camera does.
func authorized(r *http.Request, challenge, name, password string) bool {
	if strings.HasPrefix(challenge, "Basic") {
		n, p, ok := r.BasicAuth()
		return ok && n == name && p == password
	}
	got, err := digest.ParseCredentials(r.Header.Get("Authorization"))
	if err != nil {
		return false
	}
	asked, err := digest.ParseChallenge(challenge)
	if err != nil {
		return false
	}
	sums := func(s string) string {
		if asked.Algorithm == "SHA-256" {
			return fmt.Sprintf("%x", sha256.Sum256([]byte(s)))
		}
		return fmt.Sprintf("%x", md5.Sum([]byte(s)))
	}
	identity, what := sums(name+":"+asked.Realm+":"+password), sums("GET:"+r.URL.RequestURI())
	want := sums(identity + ":" + asked.Nonce + ":" + what)
	if len(asked.QOP) > 0 {
		want = sums(strings.Join([]string{identity, asked.Nonce, fmt.Sprintf("%08x", got.Nc), got.Cnonce, "auth", what}, ":"))
	}
	return got.Response == want && got.Username == name && got.Opaque == asked.Opaque
}

// An answer that is not a stream gives an error that says what it is.
func TestRefuses(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page":
			fmt.Fprint(w, "<html>")
		case "/silent":
			<-r.Context().Done()
		case "/away":
			http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusFound)
		}
	}))
	defer s.Close()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{"/page": nil, "/silent": fault.ErrTimeout, "/away": nil} {
		begin := time.Now()
		c := source.Config{Source: "http://u:hunter2@" + u.Host + path}
		if want != nil {
			c.OpenTimeout = 500 * time.Millisecond
		}
		_, err := sourcetest.Open(t.Context(), Kind, c)
		var e *fault.Error
		if !errors.As(err, &e) || e.Hint() == "" || want != nil && !errors.Is(err, want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", path, err)
		}
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("%s took %v", path, took)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sourcetest.Open(ctx, Kind, source.Config{Source: s.URL}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
