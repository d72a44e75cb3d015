package broker

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"platewatch/uplink/failure"
)

// Broker addresses are refused when they only look like loopback and have no TLS, hold
// a password, or have another scheme.
func TestBrokerAddresses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		b    Broker
		want string // part of the error; "" for none
	}{
		"loopback":             {Broker{URL: "tcp://127.0.0.1:1883"}, ""},
		"loopback v6":          {Broker{URL: "mqtt://[::1]"}, ""},
		"localhost":            {Broker{URL: "tcp://localhost"}, ""},
		"tls":                  {Broker{URL: "tls://broker.example"}, ""},
		"allowed plaintext":    {Broker{URL: "tcp://broker.example", Insecure: true}, ""},
		"plaintext":            {Broker{URL: "tcp://broker.example:1883"}, "needs TLS"},
		"plaintext to a LAN":   {Broker{URL: "tcp://192.168.1.2"}, "needs TLS"},
		"loopback in the name": {Broker{URL: "tcp://127.0.0.1.example.com"}, "needs TLS"},
		"no scheme":            {Broker{URL: "127.0.0.1:1883"}, "well-formed address"},
		"other scheme":         {Broker{URL: "http://127.0.0.1"}, "MQTT address"},
		"no host":              {Broker{URL: "tcp://:1883"}, "no host"},
		"password in it":       {Broker{URL: "tls://u:hunter2@broker.example"}, "contains a user"},
		"password, bad port":   {Broker{URL: "tls://u:hunter2@broker.example:port"}, "not a well-formed address"},
		"WebSockets":           {Broker{URL: "wss://broker.example/units/mqtt"}, ""},
		"WebSockets, loopback": {Broker{URL: "ws://127.0.0.1:9001"}, ""},
		"WebSockets, plain":    {Broker{URL: "ws://broker.example/mqtt"}, "needs TLS"},
		"WebSockets, query":    {Broker{URL: "wss://broker.example/mqtt?token=hunter2"}, "a query"},
		"path":                 {Broker{URL: "tls://broker.example/x"}, "a path after the port"},
		"empty":                {Broker{}, "MQTT address"},
		"half a certificate":   {Broker{URL: "tls://b", CertFile: file}, "both"},
		"password alone":       {Broker{URL: "tls://b", PasswordFile: file}, "no user file"},
		"CA without TLS":       {Broker{URL: "tcp://127.0.0.1", CAFile: file}, "without TLS"},
		"CA is no certificate": {Broker{URL: "tls://b", CAFile: file}, "contains no PEM certificate"},
		"port out of range":    {Broker{URL: "tls://b:70000"}, "no valid port"},
		"user file":            {Broker{URL: "tls://b", UserFile: file}, ""},
	} {
		err := tc.b.check()
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: %v", name, err)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%s: the password is in %q", name, err)
		case err != nil && !hasHint(err):
			t.Errorf("%s: no hint", name)
		}
	}
	for _, b := range []Broker{
		{URL: "tls://b", CAFile: file + "x"}, {URL: "tls://b", CertFile: file + "x", KeyFile: file + "y"},
		{URL: "tls://b", UserFile: file + "x"}, {URL: "tls://b", UserFile: file, PasswordFile: file + "x"},
	} {
		if err := b.check(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a missing file: %v", err)
		}
	}
}

func TestReadSecret(t *testing.T) {
	for content, want := range map[string]string{"a b\n": "a b", "a\r\n": "a", "\ufeffa b\r\n": "a b", "\ufeff\n": "", "a\n\n": "a", "a": "a", "": "", "\n": "", "a\nb": "", strings.Repeat("x", 5000): "", "hunter2\nhunter2": ""} {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadSecret(path)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%.10q: %q, %v", content, got, err)
		}
		if err != nil && (!hasHint(err) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%.10q: no hint, or a secret in it: %v", content, err)
		}
	}
	if _, err := ReadSecret(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) || !hasHint(err) {
		t.Errorf("a missing file: %v", err)
	}
}

// Passwords in brokers' addresses are masked where addresses are shown.
func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"mqtts://host:8883":             "mqtts://host:8883",
		"mqtts://u:hunter2@host":        "mqtts://***@host",
		"mqtts://u:hun@t er2@host:x":    "mqtts://***@host:x",
		"u:hunter2@host":                "***@host",
		"mqtts://host?password=hunter2": "mqtts://host?***",
		"mqtts://host/x#token=hunter2":  "mqtts://host/x#***",
		"host":                          "host",
		"":                              "",
	} {
		if got := Redact(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{"localhost": true, "LOCALHOST": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true,
		"": false, "0.0.0.0": false, "192.168.1.2": false, "127.0.0.1.example.com": false, "localhost.example.com": false} {
		if got := Loopback(host); got != want {
			t.Errorf("%q: %t", host, got)
		}
	}
}

func TestSettings(t *testing.T) {
	for name, tc := range map[string]struct {
		s    Settings
		want []string
	}{
		"none":      {Settings{}, nil},
		"good":      {Settings{Brokers: []string{"mqtts://a", "mqtt://127.0.0.1"}, CA: "ca", Cert: "c", Key: "k", UserFile: "u", PasswordFile: "p"}, nil},
		"plaintext": {Settings{Brokers: []string{"mqtts://a", "mqtt://b"}}, []string{`brokers[1] = "mqtt://b" would send every hit in plain text over the network: ` + ErrPlaintext.Error()}},
		"allowed":   {Settings{Brokers: []string{"mqtt://b"}, Insecure: true}, nil},
		"secret":    {Settings{Brokers: []string{"mqtts://u:hunter2@a"}}, []string{`brokers[0] = "mqtts://***@a" contains a user or a password`}},
		"halves":    {Settings{Cert: "c", PasswordFile: "p"}, []string{"cert is given without key", "password_file is given without user_file"}},
		"no TLS":    {Settings{Brokers: []string{"mqtt://127.0.0.1"}, CA: "ca"}, []string{"ca is given, and none of the brokers is reached over TLS"}},
		"many":      {Settings{Brokers: slices.Repeat([]string{"mqtts://a"}, 9)}, []string{"brokers lists 9 brokers"}},
	} {
		var got []string
		for key, err := range tc.s.Problems() {
			got = append(got, key+" "+err.Error())
			var h interface{ Hint() string }
			if !errors.As(err, &h) || h.Hint() == "" {
				t.Errorf("%s: no hint in %v", name, err)
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	list := Settings{Brokers: []string{"mqtts://a", "mqtt://127.0.0.1"}, CA: "ca", Insecure: true}.List()
	want := []Broker{{URL: "mqtts://a", CAFile: "ca", Insecure: true}, {URL: "mqtt://127.0.0.1", Insecure: true}}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// hasHint reports whether an error says what to do.
func hasHint(err error) bool {
	var e *failure.Error
	return errors.As(err, &e) && e.Hint() != ""
}
