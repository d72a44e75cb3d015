package main

import (
	"encoding/json"
	"errors"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"platewatch/capture"
	"platewatch/capture/source"
	"platewatch/cmd/platewatch/internal/picture"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/match"
	"platewatch/ocr/passage"
	"platewatch/ocr/region"
	"platewatch/uplink/broker"
	"platewatch/uplink/outbox"
)

// The rooms do not import each other, so each has its own form of some small rules.
// These tests check that the forms agree.

// TestRoomsRefuseAlike: a setting out of range is refused in the same words,
// whichever room it belongs to.
func TestRoomsRefuseAlike(t *testing.T) {
	camera := capture.WithDefaults(capture.Config{Source: "a.mp4"})
	camera.ReadTimeout = 90 * time.Hour
	gap := passage.DefaultParams()
	gap.Gap = 90 * time.Hour
	agree := passage.DefaultParams()
	agree.Agree = 1000
	age := outbox.Default()
	age.MaxAge = time.Minute / 60
	size := outbox.Default()
	size.MaxBytes = 1 << 10
	pictures := picture.Default()
	pictures.PlateBytes = 1 << 30
	probability := 2.0
	for name, test := range map[string]struct {
		problems iter.Seq2[string, error]
		text     string // a pattern
		hint     string
	}{
		"capture, time":        {capture.Problems(camera), `= "90h" is out of range`, `write a time from [0-9a-zµ.]+ to [0-9a-zµ.]+`},
		"ocr, time":            {gap.Problems(), `= "90h" is out of range`, `write a time from 100ms to 1m`},
		"uplink, time":         {age.Problems(), `= "1s" is out of range`, `write a time from [0-9a-zµ.]+ to [0-9a-zµ.]+`},
		"ocr, number":          {agree.Problems(), `= 1000 is out of range`, `write a number from 1 to 25`},
		"uplink, size":         {size.Problems(), `= "1KiB" is out of range`, `write a size from [0-9]+[KMG]iB to [0-9]+[KMG]iB`},
		"cmd, size":            {pictures.Problems(), `= "1GiB" is out of range`, `write a size from 1KiB to 48KiB`},
		"hotlist, probability": {match.ListSettings{Name: "l", MinExact: &probability}.Problems(), `= 2 is out of range`, `write a probability from 0 to 1`},
	} {
		n := 0
		for _, err := range test.problems {
			n++
			var advised interface{ Hint() string }
			if !errors.As(err, &advised) {
				t.Fatalf("%s: %v has no hint", name, err)
			}
			if !regexp.MustCompile("^"+test.text+"$").MatchString(err.Error()) || !regexp.MustCompile("^"+test.hint+"$").MatchString(advised.Hint()) ||
				strings.Contains(advised.Hint(), "m0s") || strings.Contains(advised.Hint(), "h0m") {
				t.Errorf("%s: %q, hint %q", name, err, advised.Hint())
			}
		}
		if n != 1 {
			t.Errorf("%s: %d problems, want 1", name, n)
		}
	}
}

// TestAddressesAreRedactedAlike: no address of a camera or a broker shows its
// password, and each still shows its host.
func TestAddressesAreRedactedAlike(t *testing.T) {
	for _, address := range []string{
		"rtsp://u:hunter2@gate.example/s", "mqtts://u:hunter2@gate.example:8883", "mqtts://u:hun/ter2@hunter2@gate.example", "mqtts://:hunter2@gate.example",
		"http://gate.example/x?user=u&password=hunter2", "mqtts://gate.example?token=hunter2", "rtsp://u:hunter2 @gate.example", "rtsp://u:h?hunter2#x@gate.example/",
	} {
		for room, redact := range map[string]func(string) string{"capture": source.Redact, "uplink": broker.Redact} {
			if got := redact(address); strings.Contains(got, "ter2") || !strings.Contains(got, "gate.example") {
				t.Errorf("%s shows %q as %q", room, address, got)
			}
		}
	}
}

// TestSecretFilesAreReadAlike: what an editor adds to a file of one line is
// left out, and what is not one line is refused, for cameras and for brokers.
func TestSecretFilesAreReadAlike(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	for content, want := range map[string]string{
		"u:hunter2": "u:hunter2", "u:hunter2\n": "u:hunter2", "u:hunter2\r\n": "u:hunter2", "\ufeffu:hunter2\r\n\r\n": "u:hunter2", "u:hunter2\n \n": "u:hunter2",
		"u:hunter2 \t\n": "u:hunter2", "  u:hunter2 \r\n": "u:hunter2", "\ufeff u:hunter2\u00a0": "u:hunter2", "\xff\xfeu\x00:\x00p\x00": "", "\xfe\xff\x00u\x00:\x00p": "",
		"u:h:é@/%41": "u:h:é@/%41", "u:a b": "u:a b",
		"": "", "\n": "", "\ufeff": "", "u:hunter2\nv:hunter2\n": "", "u:hunter2\x00": "", "u:hunter2\rv": "", "u:" + strings.Repeat("hunter2", 1000): "",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		secret, brokerErr := broker.ReadSecret(path)
		user, cameraErr := cameraUser(path)
		credentials := ""
		if cameraErr == nil {
			password, _ := user.Password()
			credentials = user.Username() + ":" + password
		}
		if secret != want || credentials != want {
			t.Errorf("%.20q: a broker's secret is %q (%v), a camera's %q (%v); want %q", content, secret, brokerErr, credentials, cameraErr, want)
		}
		for _, err := range []error{brokerErr, cameraErr} {
			if (err == nil) != (want != "") || err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%.20q: %v", content, err)
			}
		}
	}
}

// cameraUser is the user of a camera whose credentials are in a file.
func cameraUser(path string) (*url.Userinfo, error) {
	u, err := source.Config{Source: "http://gate.example/", CredentialsFile: path}.Address()
	if err != nil {
		return nil, err
	}
	return u.User, nil
}

// TestSeenNamesAlike: every authority that the reader can tell is one that a list's
// state can mean, and every colour of a hit one that a list's colour can mean.
func TestSeenNamesAlike(t *testing.T) {
	for _, i := range region.Issuers() {
		listed := strings.ToUpper(strings.TrimPrefix(i.Code, "us-"))
		if !slices.Contains(entry.IssuerCodes(listed), i.Code) {
			t.Errorf("an entry of %s means %q, not %s", listed, entry.IssuerCodes(listed), i.Code)
		}
	}
	b, err := os.ReadFile("../../uplink/message/schema/hit.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties struct {
			Colour struct {
				Properties struct {
					Name struct{ Enum []string }
				}
			}
		}
	}
	if err := json.Unmarshal(b, &schema); err != nil {
		t.Fatal(err)
	}
	names := schema.Properties.Colour.Properties.Name.Enum
	if len(names) != 9 {
		t.Errorf("the schema has the colours %q", names)
	}
	for _, name := range names {
		if got := entry.ColourNames(name); !slices.Equal(got, []string{name}) {
			t.Errorf("a list's %s is seen as %q", name, got)
		}
	}
}
