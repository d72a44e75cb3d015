package status

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

func TestHostHeader(t *testing.T) {
	h := newServer(t, newFake(), Options{}).handler()
	for host, want := range map[string]int{
		"localhost": 200, "localhost:9000": 200, "127.0.0.1:8080": 200, "[::1]:8080": 200, "[::1]": 200,
		"evil.example.org": 421, "evil.example.org:8080": 421, "127.0.0.1.evil.example.org": 421, "192.0.2.1": 421, "": 421,
	} {
		for _, path := range []string{"/", "/status.json", "/metrics", "/healthz", "/cameras/front/frame.jpg"} {
			if got := get(h, path, "Host: "+host).Code; got != want {
				t.Errorf("%s for host %q: %d, want %d", path, host, got, want)
			}
		}
	}
}

func TestSecureHeaders(t *testing.T) {
	h := newServer(t, newFake(), Options{Settings: Settings{TokenFile: tokenFile(t, token)}}).handler()
	for _, path := range []string{"/", "/status.json", "/healthz", "/nothing", "/assets/page.js"} {
		header := get(h, path, "Accept: text/html").Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": "frame-ancestors 'none'",
			"X-Content-Type-Options":  "nosniff",
			"X-Frame-Options":         "DENY",
			"Referrer-Policy":         "no-referrer",
		} {
			if !strings.Contains(header.Get(name), want) {
				t.Errorf("%s: %s is %q", path, name, header.Get(name))
			}
		}
		if keep := header.Get("Cache-Control"); keep != "no-store" && !strings.HasPrefix(path, "/assets/") {
			t.Errorf("%s: Cache-Control is %q", path, keep)
		}
	}
}

func TestAuthentication(t *testing.T) {
	s := newServer(t, newFake(), Options{Settings: Settings{TokenFile: tokenFile(t, token)}})
	s.sessions.penalty = 0
	h := s.handler()
	secret := []string{"/", "/status.json", "/events", "/metrics", "/readyz", "/cameras/front/frame.jpg",
		"/cameras/front/live.mjpeg", "/hits/gate-7-000041/plate.jpg", "/nothing"}
	for _, path := range secret {
		for _, header := range []string{"X: y", "Authorization: Bearer wrong", "Authorization: Bearer ", "Authorization: Basic " + token,
			"Cookie: platewatch=", "Cookie: platewatch=" + token, "Cookie: platewatch=AAAA"} {
			w := get(h, path, header)
			if w.Code != http.StatusUnauthorized {
				t.Errorf("%s with %q: %d", path, header, w.Code)
			}
			if strings.Contains(w.Body.String(), "gate-7") {
				t.Errorf("%s with %q tells about the unit", path, header)
			}
		}
	}
	if w := get(h, "/status.json", "Authorization: Bearer "+token); w.Code != 200 {
		t.Errorf("the right bearer token: %d", w.Code)
	}
	if w := get(h, "/healthz"); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("/healthz needs no token: %d %q", w.Code, w.Body)
	}
}

func TestSessions(t *testing.T) {
	now := time.Now()
	s := newSessions(token)
	cookie := s.issue(now)
	if !s.valid(cookie, now) || !newSessions(token).valid(cookie, now.Add(time.Hour)) {
		t.Error("a session does not outlive a restart")
	}
	if s.valid(cookie, now.Add(sessionTime+time.Second)) {
		t.Error("a session does not end")
	}
	if s.valid(cookie, now.Add(-10*365*24*time.Hour)) {
		t.Error("with the clock back in the past a session lasts for years")
	}
	if newSessions(token+"2").valid(cookie, now) {
		t.Error("a session outlives its token")
	}
	for i := range cookie { // every single changed character
		changed := []byte(cookie)
		changed[i] ^= 1
		if s.valid(string(changed), now) && i < len(cookie)-1 { // the last one has bits that mean nothing
			t.Errorf("changed at %d it is still valid", i)
		}
	}
}

// TestLogin goes through the form over TLS, as a phone does.
func TestLogin(t *testing.T) {
	cert, key := certificateFiles(t)
	s := newServer(t, newFake(), Options{Settings: Settings{Listen: "127.0.0.1:0", TokenFile: tokenFile(t, token), Cert: cert, Key: key}})
	s.sessions.penalty = 0
	base := start(t, s)
	pool := x509.NewCertPool()
	pem, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool.AppendCertsFromPEM(pem)
	jar, _ := cookiejar.New(nil)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Jar: jar, Transport: transport, Timeout: 10 * time.Second}

	browse := func(request *http.Request) (int, string) {
		t.Helper()
		request.Header.Set("Accept", "text/html")
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	page := func() (int, string) {
		r, _ := http.NewRequest("GET", base, nil)
		return browse(r)
	}
	login := func(token, site string) (int, string) {
		r, _ := http.NewRequest("POST", base+"login", strings.NewReader(url.Values{"token": {token}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", site)
		return browse(r)
	}
	if code, body := page(); code != 401 || !strings.Contains(body, `action="/login"`) {
		t.Errorf("without a session: %d\n%s", code, body)
	}
	if code, body := login("wrong-wrong-wrong", "same-origin"); code != 401 || !strings.Contains(body, "Wrong token") {
		t.Errorf("a wrong token: %d\n%s", code, body)
	}
	if code, _ := login(token, "cross-site"); code != 403 {
		t.Errorf("a login from a foreign page: %d", code)
	}
	if code, body := login(token, "same-origin"); code != 200 || !strings.Contains(body, "gate-7") {
		t.Errorf("the right token: %d\n%s", code, body)
	}
	if code, _ := page(); code != 200 {
		t.Errorf("with a session: %d", code)
	}
	cookies := jar.Cookies(must(url.Parse(base)))
	if len(cookies) != 1 || cookies[0].Name != "__Host-platewatch" || strings.Contains(cookies[0].Value, token) {
		t.Errorf("cookies: %v", cookies)
	}
	r, _ := http.NewRequest("POST", base+"logout", nil)
	if code, _ := browse(r); code != 401 {
		t.Errorf("after the logout: %d", code)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestWrongTokensWait: only a few wrong tokens are tried at the same time.
func TestWrongTokensWait(t *testing.T) {
	s := newServer(t, newFake(), Options{Settings: Settings{TokenFile: tokenFile(t, token)}})
	for range cap(s.sessions.failing) {
		s.sessions.failing <- struct{}{}
	}
	if w := get(s.handler(), "/status.json", "Authorization: Bearer wrong"); w.Code != http.StatusTooManyRequests {
		t.Errorf("got %d", w.Code)
	}
	if w := get(s.handler(), "/status.json", "Authorization: Bearer "+token); w.Code != 200 {
		t.Errorf("the right token has to wait too: %d", w.Code)
	}
}
