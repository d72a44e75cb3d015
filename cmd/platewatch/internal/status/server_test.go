package status

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"image/jpeg"
	"io"
	"io/fs"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"go.uber.org/goleak"
	"platewatch/cmd/platewatch/internal/access"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "0123456789abcdef-token"

// get asks a handler, with headers as "Name: value".
func get(h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", target, nil)
	r.Host = "localhost:8080"
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Host" {
			r.Host = value
		} else {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A configuration opens the page to the network without a token, without TLS, or with a
// short token: it is refused.
func TestNetworkNeedsTokenAndTLS(t *testing.T) {
	cert, key := certificateFiles(t)
	for _, test := range []struct {
		name string
		opt  Options
		ok   bool
	}{
		{"loopback", Options{Settings: Settings{Listen: "127.0.0.1:0"}}, true},
		{"loopback 6", Options{Settings: Settings{Listen: "[::1]:0"}}, true},
		{"localhost with a token", Options{Settings: Settings{Listen: "localhost:0", TokenFile: tokenFile(t, token)}}, true},
		{"everywhere", Options{Settings: Settings{Listen: ":8080"}}, false},
		{"everywhere, no TLS and no place for it", Options{Settings: Settings{Listen: "0.0.0.0:8080", TokenFile: tokenFile(t, token)}}, false},
		{"everywhere, its own certificate", Options{Settings: Settings{Listen: "0.0.0.0:8080", Tokens: []string{grantLine(t, "anna", access.Aim)}}, StateDir: t.TempDir(), UnitName: "gate-7"}, true},
		{"a malformed line of a token", Options{Settings: Settings{Listen: "127.0.0.1:0", Tokens: []string{"aim anna sha256:00"}}}, false},
		{"everywhere, no token", Options{Settings: Settings{Listen: "0.0.0.0:8080", Cert: cert, Key: key}}, false},
		{"everywhere, both", Options{Settings: Settings{Listen: "0.0.0.0:8080", Cert: cert, Key: key, TokenFile: tokenFile(t, token)}}, true},
		{"a name", Options{Settings: Settings{Listen: "gate-7:8080"}}, false},
		{"a short token", Options{Settings: Settings{Listen: "127.0.0.1:0", TokenFile: tokenFile(t, "short")}}, false},
		{"no port", Options{Settings: Settings{Listen: "127.0.0.1"}}, false},
	} {
		_, err := New(newFake(), test.opt, quietLog)
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
		var hint interface{ Hint() string }
		if err != nil && (!errors.As(err, &hint) || hint.Hint() == "") {
			t.Errorf("%s: %v has no hint", test.name, err)
		}
	}
	_, err := New(newFake(), Options{Settings: Settings{Listen: "127.0.0.1:0", Cert: cert + ".none", Key: key}}, quietLog)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing certificate: %v, want fs.ErrNotExist", err)
	}
}

func TestDocument(t *testing.T) {
	h := newServer(t, newFake(), Options{}).handler()
	for _, accept := range []string{"application/json", "*/*", ""} {
		w := get(h, "/", "Accept: "+accept)
		var doc Document
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
			t.Fatalf("Accept %q: %v", accept, err)
		}
		if doc.Unit != "gate-7" || len(doc.Cameras) != 2 || doc.Process.Memory == 0 || doc.Process.Goroutines == 0 {
			t.Errorf("Accept %q: %+v", accept, doc)
		}
	}
	if w := get(h, "/", "Accept: text/html,*/*"); !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		t.Errorf("a browser gets %s", w.Header().Get("Content-Type"))
	}
	empty := get(newServer(t, &fakeUnit{}, Options{}).handler(), "/status.json").Body.String()
	for _, list := range []string{`"cameras":[]`, `"last_hits":[]`, `"lists":[]`} {
		if !strings.Contains(empty, list) {
			t.Errorf("an empty document has no %s: %s", list, empty)
		}
	}
}

// TestPageEscapes: what comes from cameras and lists cannot become markup.
func TestPageEscapes(t *testing.T) {
	u := newFake()
	u.doc.Unit = `</script><script>alert(1)</script>`
	u.doc.LastHits[0].Facts[0].Text = `</script><img src=x onerror=alert(1)>`
	body := get(newServer(t, u, Options{}).handler(), "/", "Accept: text/html").Body.String()
	if strings.Contains(body, "<script>alert") || strings.Contains(body, "<img src=x") {
		t.Error(body)
	}
}

// TestPrivacy: the only plates in the document are those of hits.
func TestPrivacy(t *testing.T) {
	u := newFake()
	u.doc.LastHits = nil
	s := newServer(t, u, Options{})
	for _, path := range []string{"/status.json", "/metrics"} {
		if body := get(s.handler(), path).Body.String(); strings.Contains(body, "KL47RVX") {
			t.Errorf("%s holds a plate", path)
		}
	}
	if body := get(newServer(t, newFake(), Options{}).handler(), "/metrics").Body.String(); strings.Contains(body, "KL47RVX") {
		t.Error("the metrics hold the plate of a hit")
	}
}

func TestHealth(t *testing.T) {
	u := healthy()
	h := newServer(t, u, Options{}).handler()
	if w := get(h, "/healthz"); w.Code != 200 {
		t.Errorf("healthy: %d %s", w.Code, w.Body)
	}
	if w := get(h, "/readyz"); w.Code != 200 || w.Body.String() != "ready\n" {
		t.Errorf("ready: %d %s", w.Code, w.Body)
	}
	stalled := healthy()
	stalled.doc.ProgressAge = 31
	if w := get(newServer(t, stalled, Options{}).handler(), "/healthz"); w.Code != 503 {
		t.Errorf("stalled: %d %s", w.Code, w.Body)
	}
	absent := newFake() // a camera is gone: not ready, and yet alive
	absent.doc.Hotlist = Hotlist{Open: true}
	absent.doc.Outbox = Outbox{Error: "no space left\non device"}
	h = newServer(t, absent, Options{}).handler()
	if w := get(h, "/healthz"); w.Code != 200 {
		t.Errorf("without a camera: %d %s", w.Code, w.Body)
	}
	w := get(h, "/readyz")
	want := "bad: Camera rear is offline: read /dev/video0: no such device.\n" +
		"bad: The outbox is not open, so hits cannot be stored: no space left on device.\n" +
		"bad: The hotlist is empty, so nothing can match: run platewatch hotlist import.\n" +
		"warn: No connection to the broker: dial tcp: i/o timeout: 0 hits wait in the outbox.\n"
	if diff := cmp.Diff(want, w.Body.String()); diff != "" || w.Code != 503 {
		t.Errorf("%d (-want +got):\n%s", w.Code, diff)
	}
}

func TestEvents(t *testing.T) {
	u := newFake()
	s := newServer(t, u, Options{})
	s.every = 10 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", start(t, s)+"events", nil)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("Content-Type %q", kind)
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	changed := false
	for lines.Scan() {
		text, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var doc Document
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		if doc.Hits == 99 {
			return
		}
		if !changed {
			changed = true
			u.change(func(d *Document) { d.Hits = 99 })
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
}

// More event streams and waits for frames are opened than there are places: 503.
func TestBoundsOnStreams(t *testing.T) {
	s := newServer(t, newFake(), Options{})
	for range maxEvents {
		s.events <- struct{}{}
	}
	if w := get(s.handler(), "/events"); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("one event stream too many: %d", w.Code)
	}
	for range maxFrameWaits {
		s.frames <- struct{}{}
	}
	if w := get(s.handler(), "/cameras/front/frame.jpg"); w.Code != 503 {
		t.Errorf("one frame too many: %d", w.Code)
	}
}

func TestAssets(t *testing.T) {
	h := newServer(t, newFake(), Options{}).handler()
	for name, kind := range map[string]string{"page.js": "text/javascript", "page.css": "text/css", "icon.svg": "image/svg+xml"} {
		w := get(h, "/assets/"+name)
		if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s", name, w.Code, w.Header().Get("Content-Type"))
		}
		if again := get(h, "/assets/"+name, "If-None-Match: "+w.Header().Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%s, known: %d", name, again.Code)
		}
	}
	for _, name := range []string{"page.html", "none.css", "..%2fserver.go"} {
		if w := get(h, "/assets/"+name); w.Code != 404 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

func TestListenTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := newServer(t, newFake(), Options{Settings: Settings{Listen: taken.Addr().String()}})
	var e *Error
	if err := s.Run(t.Context()); !errors.As(err, &e) || e.Hint() == "" {
		t.Errorf("got %v", err)
	}
}

// TestStopsWithStreams: open streams do not hold the server up.
func TestStopsWithStreams(t *testing.T) {
	s := newServer(t, newFake(), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	base, err := s.Listen(ctx)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var bodies []io.ReadCloser
	for _, path := range []string{"events", "cameras/front/live.mjpeg"} {
		answer, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(answer.Body, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, answer.Body)
	}
	begun := time.Now()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > drainTime {
		t.Errorf("it took %v", took)
	}
	for _, b := range bodies {
		b.Close()
	}
	http.DefaultClient.CloseIdleConnections()
}

// FuzzRequest: whatever comes in, nothing panics, and nothing of the unit is
// told without the token.
func FuzzRequest(f *testing.F) {
	s := newServer(f, newFake(), Options{Settings: Settings{TokenFile: tokenFile(f, token)}})
	s.sessions.guesses.window = 0
	h := s.handler()
	for _, line := range []string{"GET / HTTP/1.1", "GET /cameras/front/frame.jpg?viewer=x HTTP/1.1", "POST /login HTTP/1.1",
		"GET /hits/%2e%2e/plate.jpg HTTP/1.0", "OPTIONS * HTTP/1.1", "GET //status.json HTTP/1.1"} {
		f.Add([]byte(line + "\r\nHost: localhost\r\nCookie: platewatch=AAAA\r\nContent-Length: 7\r\n\r\ntoken=x"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if bytes.Contains(raw, []byte(token)) {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return
		}
		r.RemoteAddr = "192.0.2.1:1234"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if body := w.Body.Bytes(); bytes.Contains(body, []byte("gate-7")) || bytes.HasPrefix(body, []byte{0xff, 0xd8}) {
			t.Errorf("%q is answered with %d %.200q", raw, w.Code, body)
		}
	})
}

// certificateFiles makes a self-signed certificate for 127.0.0.1.
func certificateFiles(t testing.TB) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gate-7"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private))
	write := func(name, kind string, b []byte) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return write("page.crt", "CERTIFICATE", der), write("page.key", "PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(private)))
}

// parts reads n pictures of a stream.
func parts(t *testing.T, answer *http.Response, n int) {
	t.Helper()
	_, params, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	reader := multipart.NewReader(answer.Body, params["boundary"])
	for range n {
		part, err := reader.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jpeg.Decode(part); err != nil {
			t.Fatal(err)
		}
	}
}
