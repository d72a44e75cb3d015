package source

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platewatch/capture/fault"
)

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
		"clips/a:b@c.mp4":                              "clips/a:b@c.mp4",
	} {
		if got := Redact(in); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
		if HasPassword(in) != strings.Contains(want, ":***@") {
			t.Errorf("%s: HasPassword is %v", in, HasPassword(in))
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
		"u:p": "u p", "u:p\n": "u p", "u:p\r\n": "u p", "\ufeffu:p\r\n": "u p", "u: p:é \n\n": "u  p:é ", "u:": "u ",
		"": "", "u": "", ":p": "", "u:p\nv:q\n": "", "u:p\x00": "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		u, err := ReadCredentials(path)
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
