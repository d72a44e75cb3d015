package broker

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platewatch/uplink/internal/failure"
)

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
		"no scheme":            {Broker{URL: "127.0.0.1:1883"}, "URL"},
		"other scheme":         {Broker{URL: "http://127.0.0.1"}, `"http://"`},
		"no host":              {Broker{URL: "tcp://:1883"}, "no host"},
		"password in it":       {Broker{URL: "tls://u:hunter2@broker.example"}, "contains a user"},
		"password, bad port":   {Broker{URL: "tls://u:hunter2@broker.example:port"}, "not a URL"},
		"path":                 {Broker{URL: "tls://broker.example/x"}, "goes on"},
		"empty":                {Broker{}, "starts with"},
		"half a certificate":   {Broker{URL: "tls://b", CertFile: file}, "both"},
		"password alone":       {Broker{URL: "tls://b", PasswordFile: file}, "no user file"},
		"CA without TLS":       {Broker{URL: "tcp://127.0.0.1", CAFile: file}, "without TLS"},
		"CA is no certificate": {Broker{URL: "tls://b", CAFile: file}, "no PEM certificate"},
		"user file":            {Broker{URL: "tls://b", UserFile: file}, ""},
	} {
		err := tc.b.Validate()
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: %v", name, err)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%s: the password is in %q", name, err)
		case err != nil && err.(*failure.Error).Hint() == "":
			t.Errorf("%s: no hint", name)
		}
	}
	for _, b := range []Broker{
		{URL: "tls://b", CAFile: file + "x"}, {URL: "tls://b", CertFile: file + "x", KeyFile: file + "y"},
		{URL: "tls://b", UserFile: file + "x"}, {URL: "tls://b", UserFile: file, PasswordFile: file + "x"},
	} {
		if err := b.Validate(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a missing file: %v", err)
		}
	}
}

func TestSecretLine(t *testing.T) {
	for content, want := range map[string]string{"a b\n": "a b", "a\r\n": "a", "a": "a", "": "", "\n": "", "a\nb": "", strings.Repeat("x", 5000): ""} {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := secretLine(path)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%.10q: %q, %v", content, got, err)
		}
	}
}
