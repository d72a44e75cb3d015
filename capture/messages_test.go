package capture

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"image"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/rtsptest"
	"platewatch/deploy/tools/addrtest"
	"platewatch/deploy/tools/goldentest"
)

// messageCase is a camera that cannot be opened, or has to be waited for.
type messageCase struct {
	name   string
	config Config
}

// TestFieldMessages: a camera that cannot be opened says what is wrong, and what to
// do about it: all messages are read together in testdata/messages.txt.
func TestFieldMessages(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	var volatile []string // words of this run, and what stands for them
	for _, tt := range messageCases(t, &volatile) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		src, err := Open(ctx, tt.config)
		cancel()
		if err == nil {
			src.Close()
			t.Errorf("%s: it opens", tt.name)
			continue
		}
		var hint interface{ Hint() string }
		if !errors.As(err, &hint) || hint.Hint() == "" {
			t.Errorf("%s: no hint for %v", tt.name, err)
			continue
		}
		if strings.Contains(err.Error()+hint.Hint(), "hunter2") {
			t.Errorf("%s: the password is printed: %v", tt.name, err)
		}
		fmt.Fprintf(&got, "%s\n  %v\n  → %s\n\n", tt.name, err, hint.Hint())
	}
	text := strings.NewReplacer(volatile...).Replace(got.String())
	text = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(text, "127.0.0.1:PORT")
	text = regexp.MustCompile(`\bport \d+`).ReplaceAllString(text, "port PORT")
	text = regexp.MustCompile(`[0-9a-f]{64}`).ReplaceAllString(text, "FINGERPRINT")
	goldentest.Compare(t, "testdata/messages.txt", text)
}

func messageCases(t *testing.T, volatile *[]string) []messageCase {
	clip := capturetest.AnnexB(t, 160, 120, 25, 25)
	secure, err := os.CreateTemp(t.TempDir(), "credentials")
	if err != nil {
		t.Fatal(err)
	}
	secure.WriteString("admin:hunter2")
	secure.Close()
	rtsp := func(setup func(*rtsptest.Server), o rtsptest.Options, clips ...*rtsptest.Clip) string {
		return capturetest.ServeWith(t, "127.0.0.1:0", setup, o, clips...).URL("gate")
	}
	plain := func(*rtsptest.Server) {}
	wants := func(s *rtsptest.Server) { s.Username, s.Password, s.SHA256 = "admin", "right", true }
	pki := httptest.NewTLSServer(nil)
	pki.Close()
	overTLS := func(s *rtsptest.Server) { s.TLS = &tls.Config{Certificates: pki.TLS.Certificates} }
	good := rtsp(plain, rtsptest.Options{Loop: true}, clip)
	closed := addrtest.Free(t)
	// A busy machine may take a second for TLS alone: only where no answer ever comes is
	// the wait a short one.
	at := func(address string) Config { return Config{Source: address, OpenTimeout: 15 * time.Second} }
	mute := func(address string) Config { return Config{Source: address, OpenTimeout: time.Second} }
	answers := func(status, header, body string) string {
		return "rtsp://" + canned(t, func(c net.Conn, method, cseq string) {
			if method == "OPTIONS" {
				fmt.Fprintf(c, "RTSP/1.0 200 OK\r\nCSeq: %s\r\nPublic: DESCRIBE, SETUP, PLAY\r\n\r\n", cseq)
				return
			}
			fmt.Fprintf(c, "RTSP/1.0 %s\r\nCSeq: %s\r\n%sContent-Length: %d\r\n\r\n%s", status, cseq, header, len(body), body)
		}) + "/gate"
	}
	describes := func(media ...string) string {
		return answers("200 OK", "Content-Type: application/sdp\r\n", "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\n"+strings.Join(media, ""))
	}
	picture := capturetest.EncodeJPEG(t, image.NewGray(image.Rect(0, 0, 64, 48)))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page":
			fmt.Fprint(w, "<html>")
		case "/snapshot":
			w.Header().Set("Content-Type", "image/jpeg")
			w.Write(picture)
		case "/away":
			http.Redirect(w, r, "http://elsewhere.example/stream?pwd=hunter2", http.StatusFound)
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		case "/login":
			w.Header().Set("WWW-Authenticate", `Digest realm="camera", nonce="abc", algorithm=MD5`)
			w.WriteHeader(http.StatusUnauthorized)
		case "/token":
			w.Header().Set("WWW-Authenticate", `Bearer realm="camera"`)
			w.WriteHeader(http.StatusUnauthorized)
		case "/full":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/silent":
			<-r.Context().Done()
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(web.Close)
	withFile := func(c Config) Config { c.CredentialsFile = secure.Name(); return c }
	plugged := t.TempDir()
	*volatile = append(*volatile, plugged, "/dev")
	return []messageCase{
		{"rtsp: the name is not known", at("rtsp://admin:hunter2@no-such-camera.invalid/gate")},
		{"rtsp: nobody listens", at("rtsp://admin:hunter2@" + closed + "/gate")},
		{"rtsp: no such interface", at("rtsp://fe80::1%nosuch0/gate")},
		{"rtsp: a link-local address without an interface", at("rtsp://fe80::1/gate")},
		{"rtsp: it accepts and stays silent", mute("rtsp://" + canned(t, nil) + "/gate")},
		{"rtsp: it hangs up", at("rtsp://" + canned(t, func(c net.Conn, _, _ string) { c.Close() }) + "/gate")},
		{"rtsp: it speaks another protocol", mute("rtsp://" + canned(t, nil, "220 camera FTP server ready\r\n") + "/gate")},
		{"rtsp: no credentials", at(rtsp(wants, rtsptest.Options{}, clip))},
		{"rtsp: wrong credentials (SHA-256 only)", withFile(at(rtsp(wants, rtsptest.Options{}, clip)))},
		{"rtsp: unknown authentication", withFile(at(answers("401 Unauthorized", "WWW-Authenticate: Digest realm=\"camera\", nonce=\"abc\", algorithm=SHA-512-256\r\n", "")))},
		{"rtsp: the account may not view", at(answers("403 Forbidden", "", ""))},
		{"rtsp: wrong path", at(good + "/none")},
		{"rtsp: too many viewers", at(answers("503 Service Unavailable", "", ""))},
		{"rtsp: redirected to another address", at(answers("302 Found", "Location: rtsp://192.0.2.9:554/gate\r\n", ""))},
		{"rtsp: wrong codec", at(describes("m=video 0 RTP/AVP 96\r\na=rtpmap:96 MP4V-ES/90000\r\na=control:1\r\n"))},
		{"rtsp: unknown codec", at(describes("m=video 0 RTP/AVP 96\r\na=rtpmap:96 H266/90000\r\na=control:1\r\n"))},
		{"rtsp: audio only", at(describes("m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:1\r\n"))},
		{"rtsp: too large", at(rtsp(plain, rtsptest.Options{}, capturetest.AnnexB(t, 7680, 4320, 5, 2)))},
		{"rtsps: self-signed certificate", at(rtsp(overTLS, rtsptest.Options{}, clip))},
		{"rtsps: the port does not speak TLS", at("rtsps://" + canned(t, nil, "RTSP/1.0 400 Bad Request\r\n\r\n") + "/gate")},
		{"http: nobody listens", at("http://" + closed + "/video")},
		{"http: the name is not known", at("http://no-such-camera.invalid/video")},
		{"http: it accepts and stays silent", mute(web.URL + "/silent")},
		{"http: it speaks another protocol", at("http://" + canned(t, func(c net.Conn, _, _ string) { fmt.Fprint(c, "RTSP/1.0 400 Bad Request\r\n\r\n") }) + "/video")},
		{"http: no credentials", at(web.URL + "/login")},
		{"http: wrong credentials", withFile(at(web.URL + "/login"))},
		{"http: unknown authentication", withFile(at(web.URL + "/token"))},
		{"http: wrong path", at(web.URL + "/none")},
		{"http: too many viewers", at(web.URL + "/full")},
		{"http: a single picture", at(web.URL + "/snapshot")},
		{"http: a web page", at(web.URL + "/page")},
		{"http: redirected to another address", at(web.URL + "/away")},
		{"http: redirected in circles", at(web.URL + "/circle")},
		{"v4l2: no camera", Config{Kind: "v4l2", Source: filepath.Join(plugged, "video0")}},
	}
}

// canned is the address of a server that answers each request of a text protocol
// with a function, or with nothing; greeting is said first.
func canned(t *testing.T, answer func(c net.Conn, method, cseq string), greeting ...string) string {
	t.Helper()
	return capturetest.Accept(t, func(c net.Conn) {
		fmt.Fprint(c, strings.Join(greeting, ""))
		method, cseq := "", ""
		for lines := bufio.NewScanner(c); lines.Scan(); {
			line := lines.Text()
			if number, ok := strings.CutPrefix(line, "CSeq: "); ok {
				cseq = number
			}
			if method == "" {
				method, _, _ = strings.Cut(line, " ")
			}
			if line == "" && answer != nil {
				answer(c, method, cseq)
			}
			if line == "" {
				method = ""
			}
		}
	})
}
