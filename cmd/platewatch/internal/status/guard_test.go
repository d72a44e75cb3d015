package status

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"platewatch/cmd/platewatch/internal/access"
)

// Requests under a foreign name, as by DNS rebinding, or under none are answered with
// 421 for every path.
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

// Pages of other sites frame the page, guess its content types, or read it from a
// cache: the headers forbid it.
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

// Every path but /healthz is asked for without a token, with wrong ones, as basic
// authentication and with forged cookies: 401, and nothing about the unit.
func TestAuthentication(t *testing.T) {
	s := newServer(t, newFake(), Options{Settings: Settings{TokenFile: tokenFile(t, token)}})
	s.sessions.guesses.window = 0
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

// allRoles is the token of the token file.
var allRoles = access.Of(token, "", access.All)

// A session's cookie is changed in each of its characters, used after its time, after
// the unit's restart, and opened too many times.
func TestSessions(t *testing.T) {
	now := time.Now()
	s := newSessions(access.Grants{allRoles})
	cookie := s.begin(allRoles, now)
	if s.find(cookie, now) == nil || s.find(cookie, now.Add(sessionTime-time.Second)) == nil {
		t.Error("a session is not found")
	}
	if newSessions(access.Grants{allRoles}).find(cookie, now) != nil {
		t.Error("a session outlives the unit")
	}
	for i := range cookie { // every single changed character
		changed := []byte(cookie)
		changed[i] ^= 1
		if s.find(string(changed), now) != nil {
			t.Errorf("changed at %d it is still valid", i)
		}
	}
	if s.find(cookie, now.Add(sessionTime)) != nil || s.find(cookie, now) != nil {
		t.Error("a session does not end")
	}
	first := s.begin(allRoles, now)
	login := s.find(first, now)
	for range maxSessions {
		s.begin(allRoles, now)
	}
	if s.find(first, now) != nil || login.ctx.Err() == nil || len(s.open) != maxSessions {
		t.Errorf("%d sessions; the oldest goes on", len(s.open))
	}
	s.closeAll()
}

// TestLogin goes through the form over TLS, as a phone does.
func TestLogin(t *testing.T) {
	cert, key := certificateFiles(t)
	s := newServer(t, newFake(), Options{Settings: Settings{Listen: "127.0.0.1:0", TokenFile: tokenFile(t, token), Cert: cert, Key: key}})
	s.sessions.guesses.window = 0
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
	if code, body := page(); code != 401 || !strings.Contains(body, `action="login"`) {
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
	// The logout ends the session, also for a copy of the cookie, and the stream that
	// runs.
	events, err := client.Get(base + "events")
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	r, _ := http.NewRequest("POST", base+"logout", nil)
	if code, _ := browse(r); code != 401 {
		t.Errorf("after the logout: %d", code)
	}
	if _, err := io.Copy(io.Discard, events.Body); err != nil {
		t.Logf("the stream ended: %v", err)
	}
	copied, _ := http.NewRequest("GET", base, nil)
	copied.AddCookie(cookies[0])
	if code, _ := browse(copied); code != 401 {
		t.Errorf("a copy of the cookie after the logout: %d", code)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestGuessing: the bound counts before a token is compared, so that the right one
// is not found among too many; other addresses are not kept out; the log gets one
// line; the answer says what it is.
func TestGuessing(t *testing.T) {
	var log strings.Builder
	s, err := New(newFake(), Options{Settings: Settings{Listen: "127.0.0.1:0", TokenFile: tokenFile(t, token)}},
		slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	s.sessions.guesses.window = time.Hour
	h := s.handler()
	from := func(address, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/status.json", nil)
		r.Host, r.RemoteAddr = "localhost", address
		r.Header.Set("Authorization", "bEARER  "+token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	login := func(address, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/login", strings.NewReader(url.Values{"token": {token}}.Encode()))
		r.Host, r.RemoteAddr = "localhost", address
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	if w := from("192.0.2.1:1", token); w.Code != 200 {
		t.Errorf("the right token: %d", w.Code)
	}
	limited := 0
	for i := range 1000 {
		try := from
		if i%2 == 1 {
			try = login
		}
		w := try("192.0.2.1:1", "wrong")
		if w.Code == http.StatusTooManyRequests {
			limited++
		} else if w.Code != http.StatusUnauthorized {
			t.Fatalf("a wrong token: %d", w.Code)
		}
	}
	if limited != 1000-guessesEach {
		t.Errorf("%d of 1000 wrong tokens were limited", limited)
	}
	for what, w := range map[string]*httptest.ResponseRecorder{"header": from("192.0.2.1:3", token), "form": login("192.0.2.1:3", token)} {
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "Too many wrong tokens") {
			t.Errorf("%s: the right token among too many wrong ones: %d %s", what, w.Code, w.Body)
		}
	}
	if w := from("192.0.2.2:1", token); w.Code != 200 {
		t.Errorf("another address is kept out: %d", w.Code)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines in the log:\n%s", n, log.String())
	}
	// All addresses together have a bound too, and those of one IPv6 customer are one.
	for i := range 2 * guessesAll {
		from(fmt.Sprintf("[2001:db8::%x]:1", i+1), "wrong")
	}
	if n := len(s.sessions.guesses.recent); n != 2*guessesEach {
		t.Errorf("%d wrong tokens were compared", n)
	}
	for i := range 2 * guessesAll {
		from(fmt.Sprintf("198.51.100.%d:1", i), "wrong")
	}
	if n := len(s.sessions.guesses.recent); n != guessesAll {
		t.Errorf("%d wrong tokens were compared", n)
	}
	// Guesses that are not in the log yet are logged after a minute.
	g := &s.sessions.guesses
	if _, _, tell := g.try("192.0.2.9", time.Now().Add(2*time.Hour), func() bool { return false }); tell < 1000 {
		t.Errorf("%d wrong tokens are told later", tell)
	}
}

// TestOtherSites: pages of other sites take up no places and see nothing, while a
// link to the page works.
func TestOtherSites(t *testing.T) {
	u := healthy()
	h := newServer(t, u, Options{Settings: Settings{Viewers: 4}}).handler()
	for _, site := range []string{"cross-site", "same-site"} {
		for i := range 6 {
			w := get(h, fmt.Sprintf("/cameras/front/frame.jpg?viewer=%d", i), "Sec-Fetch-Site: "+site, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image")
			if w.Code != http.StatusForbidden {
				t.Errorf("an <img> of another site (%s): %d", site, w.Code)
			}
		}
		for _, path := range []string{"/cameras/front/live.mjpeg", "/events", "/status.json", "/hits/gate-7-000041/plate.jpg"} {
			if w := get(h, path, "Sec-Fetch-Site: "+site, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"); w.Code != http.StatusForbidden {
				t.Errorf("%s, %s: %d", path, site, w.Code)
			}
		}
		if w := get(h, "/", "Accept: text/html", "Sec-Fetch-Site: "+site, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"); w.Code != http.StatusForbidden {
			t.Errorf("a frame in another site: %d", w.Code)
		}
		if w := get(h, "/", "Accept: text/html", "Sec-Fetch-Site: "+site, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"); w.Code != 200 {
			t.Errorf("a link from another site: %d", w.Code)
		}
	}
	if w := get(h, "/cameras/front/frame.jpg", "Referer: https://evil.example.org/"); w.Code != http.StatusForbidden {
		t.Errorf("an old browser on another site: %d", w.Code)
	}
	if n := u.pictures.Load(); n != 0 {
		t.Errorf("%d pictures were taken", n)
	}
	for i, headers := range [][]string{{"Sec-Fetch-Site: same-origin"}, {"Sec-Fetch-Site: none"}, {"Referer: http://localhost:8080/"}, nil} {
		if w := get(h, fmt.Sprintf("/cameras/front/frame.jpg?viewer=%d", i), headers...); w.Code != 200 {
			t.Errorf("%v: %d", headers, w.Code)
		}
	}
}

// TestIdleConnections: connections that say nothing, or begin a request and go no
// further, keep nobody out, and do not end a stream that runs.
func TestIdleConnections(t *testing.T) {
	base := start(t, newServer(t, healthy(), Options{}))
	address := strings.TrimSuffix(strings.TrimPrefix(base, "http://"), "/")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	stream, err := client.Get(base + "cameras/front/live.mjpeg")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	for i := range 3 * maxConnections {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if i%2 == 1 {
			if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n"); err != nil {
				t.Fatal(err)
			}
		}
	}
	begun := time.Now()
	answer, err := client.Get(base + "status.json")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if took := time.Since(begun); answer.StatusCode != 200 || took > readTimeout/4 {
		t.Errorf("beside %d connections that wait: %d after %v", 3*maxConnections, answer.StatusCode, took)
	}
	parts(t, stream, 3)
}

// TestConnectionsEach: one address cannot take the places of others.
func TestConnectionsEach(t *testing.T) {
	l := limitConnections(nil, 4, 2)
	at := func(network string, busy int, age time.Duration) *connection {
		return &connection{owner: l, network: network, busy: busy, idle: time.Now().Add(-age)}
	}
	a1, a2, a3 := at("a", 0, 2*time.Second), at("a", 0, 3*time.Second), at("a", 0, 0)
	b1, b2, c1 := at("b", 1, time.Hour), at("b", 1, time.Hour), at("c", 0, 0)
	for _, step := range []struct {
		n       *connection
		ok      bool
		evicted *connection
	}{
		{a1, true, nil}, {a2, true, nil}, {a3, true, a2}, // its own that waits the longest
		{b1, true, nil}, {b2, true, nil}, {at("b", 0, 0), false, nil}, // its own are all in use
		{c1, true, a1}, // there are four
	} {
		if ok, evicted := l.admit(step.n); ok != step.ok || evicted != step.evicted {
			t.Errorf("%+v: %t, evicted %+v", step.n, ok, evicted)
		}
	}
}
