package source

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platewatch/capture/fault"
)

// Passwords in cameras' addresses, before the host, in the path or in the query, are
// masked wherever an address is shown. The forms are those of many makers.
func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"rtsp://u:p@host/x":                            "rtsp://u:***@host/x",
		"rtsp://host/x":                                "rtsp://host/x",
		"rtsp://u@host/x":                              "rtsp://u@host/x",
		"rtsp://u:p%zz@host/x":                         "rtsp://u:***@host/x",
		"rtsp://u:a/b@c@host:554/x%zz":                 "rtsp://u:***@host:554/x%zz",
		"rtsp://u:p%40q%2Fr@host:554/x":                "rtsp://u:***@host:554/x",
		"http://h/x?user=u&pwd=p&n=1":                  "http://h/x?user=u&pwd=***&n=1",
		"rtsp://admin:hunter2@192.0.2.7:554/s":         "rtsp://admin:***@192.0.2.7:554/s",
		"rtsp://admin:hun/ter2@192.0.2.7:554/s":        "rtsp://admin:***@192.0.2.7:554/s",
		"rtsp://admin:hun ter2 @192.0.2.7/s":           "rtsp://admin:***@192.0.2.7/s",
		"rtsp://admin:hun@ter2@192.0.2.7/s":            "rtsp://admin:***@192.0.2.7/s",
		"rtsp://admin@192.0.2.7/s":                     "rtsp://admin@192.0.2.7/s",
		"rtsp://192.0.2.7:554/user=a&password=hunter2": "rtsp://192.0.2.7:554/user=a&password=***",
		"rtsp://192.0.2.7/s?channel=1&pwd=hunter2;x=1": "rtsp://192.0.2.7/s?channel=1&pwd=***;x=1",
		"/dev/video0":                                  "/dev/video0",
		"key=a/pass=b/":                                "key=a/pass=b/",
		"mqtts://b:8883":                               "mqtts://b:8883",
		// Forms that cameras have: XM, Foscam, HiSilicon, Reolink, D-Link, Axis, ZOSI.
		"rtsp://192.0.2.7:554/user=admin_password=tlJw_pbo6_channel=1_stream=0.sdp?real_stream": "rtsp://192.0.2.7:554/user=admin_password=***_channel=1_stream=0.sdp?real_stream",
		"rtsp://192.0.2.7:554/user=admin&password=hunter2&channel=1&stream=0.sdp?":              "rtsp://192.0.2.7:554/user=admin&password=***&channel=1&stream=0.sdp?",
		"http://192.0.2.7/videostream.cgi?loginuse=admin&loginpas=hun/ter2?#x":                  "http://192.0.2.7/videostream.cgi?loginuse=admin&loginpas=***",
		"http://192.0.2.7/cgi-bin/hi3510/snap.cgi?&-getstream&-usr=admin&-pwd=hunter2":          "http://192.0.2.7/cgi-bin/hi3510/snap.cgi?&-getstream&-usr=admin&-pwd=***",
		"http://192.0.2.7/api.cgi?cmd=Snap&channel=0&rs=abc&user=admin&password=hunter2":        "http://192.0.2.7/api.cgi?cmd=Snap&channel=0&rs=***&user=admin&password=***",
		"http://192.0.2.7/mjpeg.cgi?u=admin&p=12":                                               "http://192.0.2.7/mjpeg.cgi?u=***&p=***",
		"http://192.0.2.7/axis-cgi/mjpg/video.cgi?resolution=1280x720&fps=25&camera=1":          "http://192.0.2.7/axis-cgi/mjpg/video.cgi?resolution=1280x720&fps=25&camera=1",
		"rtsp://192.0.2.7/0/admin:hunter2/main":                                                 "rtsp://192.0.2.7/0/admin:***/main",
		"rtsp://192.0.2.7/live?auth=YWRtaW46aHVudGVyMg==":                                       "rtsp://192.0.2.7/live?auth=***",
		"rtsp://192.0.2.7/live?whatever=hunter2":                                                "rtsp://192.0.2.7/live?whatever=***",
		"http://192.0.2.7/snap.cgi?usr={user}&pwd={password}":                                   "http://192.0.2.7/snap.cgi?usr={user}&pwd={password}",
		`cannot open "http://192.0.2.7/a?pwd=hunter2": connection refused`:                      `cannot open "http://192.0.2.7/a?pwd=***": connection refused`,
		"clips/a:b@c.mp4": "clips/a:b@c.mp4",
	} {
		if got := Redact(in); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
		_, unknown := map[string]bool{"rtsp://192.0.2.7/live?whatever=hunter2": true}[in]
		if HasPassword(in) != (strings.Contains(want, mask) && !unknown) {
			t.Errorf("%s: HasPassword is %v", in, HasPassword(in))
		}
		if got := Redact(Redact(in)); got != want {
			t.Errorf("redacted twice it is %s", got)
		}
	}
}

// A library's error that quotes a part of the address, or the secret alone, is
// scrubbed.
func TestScrubParameters(t *testing.T) {
	for address, text := range map[string]string{
		"rtsp://192.0.2.7/user=a_password=hun%21ter2_channel=1": "404 for /user=a_password=hun%21ter2_channel=1, tried hun!ter2",
		"http://192.0.2.7/s?usr=a&pwd=hun%21ter2":               "GET /s?usr=a&pwd=hun%21ter2 failed",
	} {
		if got := Scrub(errors.New(text), address).Error(); strings.Contains(got, "ter2") {
			t.Errorf("scrubbed to %q", got)
		}
	}
}

// TestAddress: what the credentials file holds goes before the host, or to its
// places in path and query, escaped.
func TestAddress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(path, []byte("ad min:h&n/t?r#2=_x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"rtsp://192.0.2.7/s": "rtsp://ad%20min:h&n%2Ft%3Fr%232=_x@192.0.2.7/s",
		"http://192.0.2.7/s?usr={user}&pwd={password}&n=1":            "http://192.0.2.7/s?usr=ad%20min&pwd=h%26n%2Ft%3Fr%232%3D_x&n=1",
		"rtsp://192.0.2.7/user={user}_password={password}_channel=1_": "rtsp://192.0.2.7/user=ad%20min_password=h%26n%2Ft%3Fr%232%3D_x_channel=1_",
	} {
		c := Config{Source: in, CredentialsFile: path}
		u, err := c.Address()
		if err != nil || u.String() != want {
			t.Errorf("%s: %v, %v", in, u, err)
			continue
		}
		if shown := Redact(u.String()); strings.Contains(shown, "232") || strings.Contains(c.Where(), "232") {
			t.Errorf("it shows as %s, %s", shown, c.Where())
		}
	}
}

func TestScrub(t *testing.T) {
	library := errors.New("cannot open rtsp://u:p%40q@host/x with p@q or p%40q (rtsp://u:p@q@host)")
	got := Scrub(library, "rtsp://u:p%40q@host/x").Error()
	if strings.Contains(got, "p@q") || strings.Contains(got, "p%40q") || !strings.Contains(got, "host") {
		t.Errorf("scrubbed to %q", got)
	}
}

func TestReadCredentials(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	for text, want := range map[string]string{
		"u:p": "u p", "u:p\n": "u p", "u:p\r\n": "u p", "\ufeffu:p\r\n": "u p", "u: p:é \n\n": "u  p:é", "u:p \t\n": "u p", "u:": "u ",
		"": "", "u": "", ":p": "", "u:p\nv:q\n": "", "u:p\x00": "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		u, err := readCredentials(path)
		if want == "" {
			if !errors.Is(err, fault.ErrConfig) {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if p, _ := u.Password(); err != nil || u.Username()+" "+p != want {
			t.Errorf("%q gives %v, %v", text, u, err)
		}
	}
}

// IPv6 addresses work as people write them; one that no interface can reach is
// refused.
func TestAddressesOfIPv6(t *testing.T) {
	for in, want := range map[string]string{
		"rtsp://fe80::1%eth0/live":               "fe80::1%eth0|",
		"rtsp://fe80::1%eth0:8554/live":          "fe80::1%eth0|8554",
		"rtsp://[fe80::1%eth0]:8554/live":        "fe80::1%eth0|8554",
		"rtsp://[fe80::1%25eth0]:8554/live":      "fe80::1%eth0|8554",
		"rtsp://u:p%40@fe80::1%25eth0/live?a=b:": "fe80::1%eth0|",
		"http://2001:db8::7/video":               "2001:db8::7|",
		"http://[2001:db8::7]:81/video":          "2001:db8::7|81",
		"rtsp://192.0.2.7:554/a:b:c":             "192.0.2.7|554",
		"rtsp://camera:554":                      "camera|554",
		"rtsp://u:p@camera:554/x":                "camera|554",
	} {
		c := Config{Source: in}
		if err := c.CheckAddress("rtsp://host/path", "rtsp", "http"); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		u, err := c.Address()
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := u.Hostname() + "|" + u.Port(); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
	err := Config{Source: "rtsp://fe80::1/live"}.CheckAddress("rtsp://host/path", "rtsp")
	var e *fault.Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint(), "rtsp://[fe80::1%eth0]/") {
		t.Errorf("a link-local address without an interface: %v", err)
	}
}
