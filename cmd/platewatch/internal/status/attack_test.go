package status

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Paths that lead out of the folder, Go's debug pages, the token in the address, Host
// in absolute form, two of it and none, TLS 1.0 and 1.1, headers of 1 MiB, and one
// without an end, over real connections.
func TestAttackStatusPage(t *testing.T) {
	cert, key := certificateFiles(t)
	s := newServer(t, newFake(), Options{Settings: Settings{TokenFile: tokenFile(t, token), Cert: cert, Key: key}})
	s.sessions.guesses.window = 0
	address := strings.TrimSuffix(strings.TrimPrefix(start(t, s), "https://"), "/")
	dial := func(version uint16) (*tls.Conn, error) {
		return tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
	}
	for _, old := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		if c, err := dial(old); err == nil {
			c.Close()
			t.Errorf("%s is spoken", tls.VersionName(old))
		}
	}
	// say writes a request as it stands, and returns the answer's status and body; 0 if
	// the connection ends without one.
	say := func(request string) (int, string) {
		t.Helper()
		c, err := dial(tls.VersionTLS12)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(2 * readTimeout)); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, request) // it may be refused before its end
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return 0, ""
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
		return answer.StatusCode, string(body)
	}
	bearer := "Authorization: Bearer " + token + "\r\n"
	get := func(path, headers string) (int, string) {
		t.Helper()
		return say(fmt.Sprintf("GET %s HTTP/1.1\r\nHost: localhost\r\n%sConnection: close\r\n\r\n", path, headers))
	}
	if code, _ := get("/status.json", bearer); code != 200 {
		t.Fatalf("with the token: %d", code)
	}
	for _, path := range []string{
		"/assets/../../../../etc/passwd", "/assets/..%2f..%2f..%2fetc%2fpasswd", "/assets/%2e%2e/%2e%2e/etc/passwd", "/assets/..\\..\\etc\\passwd",
		"/..", "//etc/passwd", "/hits/../../etc/passwd/plate.jpg", "/cameras/..%2f..%2f/frame.jpg", "/assets/", "/assets/page.js%00",
		"/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/debug/requests", "/.git/config", "/state", "/platewatch.toml",
	} {
		if code, body := get(path, bearer); code == 200 || strings.Contains(body, "root:") {
			t.Errorf("%s: %d %.60q", path, code, body)
		}
	}
	for _, path := range []string{"/status.json?token=" + token, "/?access_token=" + token, "/status.json?bearer=" + token, "/login?token=" + token} {
		if code, body := get(path, ""); code == 200 || strings.Contains(body, "gate-7") {
			t.Errorf("the token in the address %s is taken: %d", path, code)
		}
	}
	for _, request := range []string{
		"GET http://evil.example.org/status.json HTTP/1.1\r\nHost: evil.example.org\r\n" + bearer,
		"GET http://evil.example.org/status.json HTTP/1.1\r\nHost: localhost\r\n" + bearer,
		"GET /status.json HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.org\r\n" + bearer,
		"GET /status.json HTTP/1.1\r\n" + bearer,
		"GET /status.json HTTP/1.0\r\n" + bearer,
		"TRACE / HTTP/1.1\r\nHost: localhost\r\n" + bearer,
		"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n" + bearer,
	} {
		// A page with a certificate of its own may have any name, so the host itself is
		// checked without one: TestHostHeader. No request of these is answered twice.
		code, body := say(request + "Connection: close\r\n\r\n")
		if strings.Contains(request, "Host: localhost\r\nHost") && code != 400 || strings.HasPrefix(request, "TRACE") && code == 200 || strings.HasPrefix(request, "CONNECT") && code == 200 {
			t.Errorf("%.60q: %d %.40q", request, code, body)
		}
	}
	if code, _ := get("/status.json", "X: "+strings.Repeat("a", 1<<20)+"\r\n"); code != http.StatusRequestHeaderFieldsTooLarge && code != 0 {
		t.Errorf("headers of 1 MiB: %d", code)
	}
	if code, _ := get("/status.json", strings.Repeat("A: b\r\n", 1<<18)); code != http.StatusRequestHeaderFieldsTooLarge && code != 0 {
		t.Errorf("262,144 headers: %d", code)
	}
}

// A request whose header comes byte by byte, and never ends, is over within its time.
func TestAttackSlowHeader(t *testing.T) {
	address := strings.TrimSuffix(strings.TrimPrefix(start(t, newServer(t, newFake(), Options{})), "http://"), "/")
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	begun, over := time.Now(), make(chan struct{})
	go func() {
		defer close(over)
		_, _ = io.Copy(io.Discard, c) // until the server ends it
	}()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX: "); err != nil {
		t.Fatal(err)
	}
	drip := time.NewTicker(100 * time.Millisecond)
	defer drip.Stop()
	for {
		select {
		case <-drip.C:
			_, _ = c.Write([]byte("x")) // fails once it is over
		case <-over:
			took := time.Since(begun)
			t.Attr("outcome", fmt.Sprintf("over after %.1f s", took.Seconds()))
			if took > readTimeout {
				t.Errorf("it took %v", took)
			}
			return
		case <-time.After(2 * readTimeout):
			t.Fatal("the connection lives on")
		}
	}
}
