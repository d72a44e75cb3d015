package mjpeg

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/sourcetest"
	"platewatch/capture/source"
)

// An HTTP camera sends headers without end, a byte a second, lengths that no picture
// has, a part header without end, redirections to a file and to another host, and
// playlists instead of a stream.
func TestAttackHTTPCamera(t *testing.T) {
	t.Parallel()
	endless := func(piece string) func(net.Conn) {
		return func(c net.Conn) {
			for {
				if _, err := io.WriteString(c, piece); err != nil {
					return
				}
			}
		}
	}
	after := func(begin string, then func(net.Conn)) func(net.Conn) {
		return func(c net.Conn) {
			if _, err := io.WriteString(c, begin); err == nil {
				then(c)
			}
		}
	}
	drip := func(c net.Conn) {
		for {
			if _, err := io.WriteString(c, "x"); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond) // the camera's own pace
		}
	}
	once := func(answer string) func(net.Conn) { return after(answer, func(net.Conn) {}) }
	const stream = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n"
	const playlist = "#EXTM3U\n#EXTINF:5,\nfile:///etc/passwd\n"
	for name, send := range map[string]func(net.Conn){
		"headers without end":              after("HTTP/1.1 200 OK\r\n", endless("A: b\r\n")),
		"one header without end":           after("HTTP/1.1 200 OK\r\nA: ", endless("bbbbbbbbbbbbbbbb")),
		"a byte now and then":              drip,
		"a header a byte at a time":        after("HTTP/1.1 200 OK\r\nA: ", drip),
		"a picture a byte at a time":       after(stream+"--x\r\nContent-Length: 1000\r\n\r\n", drip),
		"a length of 99999999999":          once(stream + "--x\r\nContent-Length: 99999999999\r\n\r\nab"),
		"a length beyond 64 bits":          once(stream + "--x\r\nContent-Length: 99999999999999999999999\r\n\r\nab"),
		"a negative length":                once(stream + "--x\r\nContent-Length: -1\r\n\r\nab"),
		"a length of 2 GB and its bytes":   after(stream+"--x\r\nContent-Length: 2000000000\r\n\r\n", endless(strings.Repeat("y", 4096))),
		"no length and no end":             after(stream+"--x\r\n\r\n", endless(strings.Repeat("y", 4096))),
		"part headers without end":         after(stream+"--x\r\n", endless("A: b\r\n")),
		"a part header's line without end": after(stream+"--x\r\nA: ", endless("bbbbbbbbbbbbbbbb")),
		"redirected to a file":             once("HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"),
		"a playlist":                       once(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.apple.mpegurl\r\nContent-Length: %d\r\n\r\n%s", len(playlist), playlist)),
		"a playlist as MJPEG":              once(stream + playlist),
		"a playlist as a picture":          after(stream, endless("--x\r\n\r\n"+playlist)),
		"an answer of chunks of 1 GB":      once("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n--x"),
		"a boundary of 60 KB":              once("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=" + strings.Repeat("x", 60_000) + "\r\n\r\n--x\r\n\r\n"),
	} {
		if os.Getenv("PLATEWATCH_ATTACK") == "" && strings.HasPrefix(name, "a") && name != "a length of 2 GB and its bytes" && name != "a byte now and then" {
			continue // most of these take a decoder's start
		}
		t.Run(name, func(t *testing.T) {
			address := capturetest.Accept(t, func(c net.Conn) {
				go func() { _, _ = io.Copy(io.Discard, c) }() // the request
				send(c)
			})
			begun := time.Now()
			err := lost(t, source.Config{Source: "http://" + address + "/video", OpenTimeout: 500 * time.Millisecond, ReadTimeout: 500 * time.Millisecond})
			var e *fault.Error
			if !errors.As(err, &e) || strings.Contains(err.Error(), "root:") {
				t.Errorf("error is %v", err)
			}
			if took := time.Since(begun); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Attr("outcome", fmt.Sprintf("each is refused in time; %d MiB of heap in all", m.HeapSys>>20))
	if m.HeapSys > 200<<20 {
		t.Errorf("%d MiB of heap", m.HeapSys>>20)
	}
}

// lost opens a camera and reads until it is lost.
func lost(t *testing.T, c source.Config) error {
	t.Helper()
	src, err := sourcetest.Open(t.Context(), Kind, c)
	if err != nil {
		return err
	}
	defer src.Close()
	m := gocv.NewMat()
	defer m.Close()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		_, err = src.Read(&m)
		var e *fault.Error
		if err != nil && !errors.Is(err, fault.ErrPicture) && errors.As(err, &e) {
			return err
		}
	}
	return err
}

// A camera redirects to another port of its host, to another name of it, and to itself
// without end: no other address gets a request, and none the password.
func TestAttackHTTPRedirect(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer elsewhere.Close()
	for name, to := range map[string]string{"port": elsewhere.URL + "/video", "name": strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1) + "/video", "itself": "/video"} {
		var own atomic.Int32
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, _, ok := r.BasicAuth(); !ok && name != "itself" {
				w.Header().Set("WWW-Authenticate", `Basic realm="camera"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			own.Add(1)
			http.Redirect(w, r, to, http.StatusFound)
		}))
		file := filepath.Join(t.TempDir(), "credentials")
		if err := os.WriteFile(file, []byte("viewer:hunter2"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := lost(t, source.Config{Source: s.URL + "/video", CredentialsFile: file}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("to another %s: %v", name, err)
		}
		if n := own.Load(); n > 20 {
			t.Errorf("it was followed to itself %d times", n)
		}
		s.Close()
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the other address got %d requests", n)
	}
}
