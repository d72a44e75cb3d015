package status

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"platewatch/deploy/tools/addrtest"
)

const proxyToken = "0123456789abcdef0123"

// TestFieldProxy: the examples for nginx and Caddy, run by the real programs: login,
// cookie, relative addresses and an event stream that is not buffered, under
// /units/north/.
func TestFieldProxy(t *testing.T) {
	for name, start := range map[string]func(*testing.T, string, bool) string{"nginx": startNginx, "caddy": startCaddy} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(name); err != nil {
				t.Skip(name + " is not installed")
			}
			s := newServer(t, newFake(), Options{Settings: Settings{TokenFile: tokenFile(t, proxyToken), BasePath: "/units/north/", Hosts: []string{"units.example"}}})
			address := start(t, startUnit(t, s), true)
			behindProxy(t, address)
		})
	}
}

// behindProxy uses a page as a browser does.
func behindProxy(t *testing.T, address string) {
	t.Helper()
	jar := must(cookiejar.New(nil))
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Jar: jar, Transport: transport, Timeout: 20 * time.Second}
	_, port, _ := net.SplitHostPort(address)
	site := "https://units.example:" + port
	ask := func(method, path string, form url.Values) (*http.Response, string) {
		r := must(http.NewRequestWithContext(t.Context(), method, site+path, strings.NewReader(form.Encode())))
		r.Header.Set("Accept", "text/html")
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", site)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer, string(must(io.ReadAll(answer.Body)))
	}
	answer, text := ask("GET", "/units/north", nil)
	if answer.StatusCode != http.StatusUnauthorized || answer.Request.URL.Path != "/units/north/" || !strings.Contains(text, "<form") {
		t.Fatalf("%s %s: %s", answer.Status, answer.Request.URL, text)
	}
	for _, m := range regexp.MustCompile(`(?:href|src|action)="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if strings.HasPrefix(m[1], "/") {
			t.Errorf("the address %s is not relative", m[1])
		}
	}
	if answer, _ := ask("GET", "/units/north/assets/page.css", nil); answer.StatusCode != http.StatusOK {
		t.Errorf("the style: %s", answer.Status)
	}
	if answer, text := ask("POST", "/units/north/login", url.Values{"token": {"wrong"}}); answer.StatusCode != http.StatusUnauthorized || !strings.Contains(text, "Wrong token") {
		t.Errorf("a wrong token: %s %s", answer.Status, text)
	}
	answer, text = ask("POST", "/units/north/login", url.Values{"token": {proxyToken}})
	if answer.StatusCode != http.StatusOK || answer.Request.URL.Path != "/units/north/" || !strings.Contains(text, "page.js") {
		t.Fatalf("the login leads to %s %s", answer.Status, answer.Request.URL)
	}
	cookies := jar.Cookies(must(url.Parse(site + "/units/north/")))
	if len(cookies) != 1 || cookies[0].Name != "__Secure-platewatch" {
		t.Errorf("cookies %v", cookies)
	}
	if others := jar.Cookies(must(url.Parse(site + "/units/south/"))); len(others) != 0 {
		t.Errorf("another unit gets the cookies %v", others)
	}
	r := must(http.NewRequestWithContext(t.Context(), "GET", site+"/units/north/events", nil))
	began := time.Now()
	stream, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	var at []time.Duration
	lines := bufio.NewScanner(stream.Body)
	lines.Buffer(nil, 1<<20)
	for len(at) < 3 && lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data: ") {
			at = append(at, time.Since(began))
		}
	}
	if len(at) < 3 || at[2]-at[0] < time.Second {
		t.Errorf("events came after %v: the stream is buffered", at)
	}
	t.Attr("outcome", fmt.Sprintf("login, cookie under the path, events after %v", at))
}

// TestFieldProxyBrowser: the page itself works behind nginx: its script finds events,
// pictures and the rest by relative addresses.
func TestFieldProxyBrowser(t *testing.T) {
	if os.Getenv("PLATEWATCH_FIELD") == "" {
		t.Skip("runs with make field")
	}
	if _, err := exec.LookPath("nginx"); err != nil {
		t.Skip("nginx is not installed")
	}
	u := healthy()
	s := newServer(t, u, Options{Settings: Settings{BasePath: "/units/north/"}})
	_, port, _ := net.SplitHostPort(startNginx(t, startUnit(t, s), false))
	ctx := browser(t)
	site := "http://localhost:" + port + "/units/north/"
	said := observe(t, ctx, site)
	if err := chromedp.Do(ctx, chromedp.Navigate(site+"#aim")); err != nil { // pictures are fetched where they are shown
		t.Fatal(err)
	}
	waitFor(t, ctx, `Number(document.getElementById("picture").dataset.shown) >= 3`)
	u.change(func(d *Document) { d.Hits++ })
	waitFor(t, ctx, `document.querySelector("#tile-hits .value").textContent === "4"`) // by an event
	if n := js[int](t, ctx, `document.querySelectorAll("#hit-list img").length`); n == 0 {
		t.Error("no hit has a picture")
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(site+"#hits")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, ctx, `[...document.querySelectorAll("#hit-list img")].every((i) => i.naturalWidth > 0)`)
	said.check(t)
}

// startUnit serves a unit's page, and returns host:port.
func startUnit(t *testing.T, s *Server) string {
	t.Helper()
	return must(url.Parse(start(t, s))).Host
}

// startNginx runs deploy/proxy/nginx.conf in front of a unit, and returns its
// address. It goes without TLS where secure is false.
func startNginx(t *testing.T, unit string, secure bool) string {
	dir, address := t.TempDir(), addrtest.Free(t)
	cert, key := certificateFiles(t)
	text := string(must(os.ReadFile("../../../../deploy/proxy/nginx.conf")))
	text = replaced(t, text, "listen 443 ssl;", "listen "+address+" ssl;", "/etc/ssl/certs/units.example.pem", cert, "/etc/ssl/private/units.example.key", key, "http://127.0.0.1:8080", "http://"+unit)
	if !secure {
		text = replaced(t, text, " ssl;", ";")
	}
	config := fmt.Sprintf("daemon off; master_process off; pid %[1]s/pid; error_log stderr warn; events {}\nhttp { access_log off; client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;\n%[2]s}\n", dir, text)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	runProxy(t, address, exec.Command("nginx", "-p", dir, "-c", file, "-e", "stderr"))
	return address
}

// startCaddy runs deploy/proxy/Caddyfile in front of a unit, and returns its address.
func startCaddy(t *testing.T, unit string, _ bool) string {
	dir, address := t.TempDir(), addrtest.Free(t)
	cert, key := certificateFiles(t)
	_, port, _ := net.SplitHostPort(address)
	text := string(must(os.ReadFile("../../../../deploy/proxy/Caddyfile")))
	text = replaced(t, text, "units.example {", "{\n\tadmin off\n\tauto_https off\n}\nunits.example:"+port+" {\n\tbind 127.0.0.1\n\ttls "+cert+" "+key, "127.0.0.1:8080", unit)
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("caddy", "run", "--config", file, "--adapter", "caddyfile")
	c.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir, "HOME="+dir)
	runProxy(t, address, c)
	return address
}

// replaced replaces texts of an example that must be in it.
func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the example has no %q", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// runProxy runs a proxy until the test ends, and waits for its port.
func runProxy(t *testing.T, address string, c *exec.Cmd) {
	t.Helper()
	var said strings.Builder
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = c.Wait(); close(ended) }()
	t.Cleanup(func() { _ = c.Process.Kill(); <-ended })
	for until := time.Now().Add(20 * time.Second); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended: %s", c.Path, said.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(until) {
			t.Fatalf("%s does not listen on %s", c.Path, address)
		}
	}
}

// TestFieldForwarded: the address of the client that a proxy forwards, the last one
// if there are several, is trusted only in a request under a name of status.hosts.
func TestFieldForwarded(t *testing.T) {
	s := newServer(t, newFake(), Options{Settings: Settings{TokenFile: tokenFile(t, proxyToken), Hosts: []string{"units.example"}}})
	for _, c := range []struct {
		host, forwarded, want string
		code                  int
	}{
		{"units.example:8443", "203.0.113.9, 198.51.100.4", "198.51.100.4", 200},
		{"units.example", "2001:db8::7", "2001:db8::7", 200},
		{"UNITS.example", "no address", "192.0.2.1", 200},
		{"units.example", "", "192.0.2.1", 200},
		{"localhost", "203.0.113.9", "192.0.2.1", 200},
		{"other.example", "203.0.113.9", "", http.StatusMisdirectedRequest},
	} {
		var from string
		h := s.behindProxy(s.checkHost(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { from = host(r) })))
		r := httptest.NewRequest("GET", "/", nil)
		r.Host, r.RemoteAddr = c.host, "192.0.2.1:5"
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.code || from != c.want {
			t.Errorf("%+v: %d, from %q", c, w.Code, from)
		}
	}
	for _, bad := range []Settings{{BasePath: "units/"}, {BasePath: "/units"}, {BasePath: "/a b/"}, {BasePath: "/../"}, {Hosts: []string{"units.example"}}, {Hosts: []string{"https://units.example"}, TokenFile: "x"}} {
		bad.Listen = "127.0.0.1:0"
		if bad.BasePath == "" {
			bad.BasePath = "/"
		}
		if n := len(bad.proxyProblems()); n != 1 {
			t.Errorf("%+v: %d problems", bad, n)
		}
	}
}

// TestFieldRelative: no address in the page's files begins with a slash, so that they
// work under any path.
func TestFieldRelative(t *testing.T) {
	absolute := regexp.MustCompile("(?:[\"'`]|url\\()/[a-z][^\\s\"'`]*")
	files := must(web.ReadDir("web"))
	for _, f := range files {
		for _, m := range absolute.FindAll(must(web.ReadFile("web/"+f.Name())), -1) {
			t.Errorf("%s has the absolute address %s", f.Name(), m)
		}
	}
}
