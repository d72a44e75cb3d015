package status

import (
	"errors"
	"fmt"
	"iter"
	"net"
	"strconv"
	"strings"

	"platewatch/cmd/platewatch/internal/setting"
	"platewatch/uplink/broker"
)

// Off as [Settings].Listen means: no status page.
const Off = "off"

// minToken is the shortest token that is accepted, in bytes.
const minToken = 16

// Settings are what the configuration file says of the status page.
type Settings struct {
	// Listen is host:port, or [Off]. Anything but loopback needs TokenFile, Cert
	// and Key.
	Listen string `toml:"listen"`

	TokenFile string `toml:"token_file"` // holds the token, at least 16 characters, in one line; optional on loopback
	Cert      string `toml:"cert"`       // PEM file with the page's certificate, together with Key; read again when it changes
	Key       string `toml:"key"`        // PEM file with its private key

	Viewers int `toml:"viewers"` // largest number of concurrent viewers of live pictures
}

// Default listens on loopback.
func Default() Settings { return Settings{Listen: "127.0.0.1:8080", Viewers: 4} }

// Problems yields the settings that cannot be used, by their keys.
func (s Settings) Problems() iter.Seq2[string, error] {
	return setting.Failed(
		setting.Check{Key: "listen", Err: s.checkListen()},
		setting.Pair("cert", s.Cert, "key", s.Key),
		setting.Check{Key: "viewers", Err: setting.Int(s.Viewers, 1, 32)},
	)
}

func (s Settings) checkListen() error {
	if s.Listen == Off {
		return nil
	}
	host, port, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return setting.Problemf(`write "127.0.0.1:8080", or "off" for no status page`, "= %q is not host:port", s.Listen)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return setting.Problemf("a port is a number up to 65535", "= %q has no valid port", s.Listen)
	}
	if broker.Loopback(host) {
		return nil
	}
	var missing []string
	if s.TokenFile == "" {
		missing = append(missing, "token_file")
	}
	if s.Cert == "" {
		missing = append(missing, "cert and key")
	}
	if len(missing) == 0 {
		return nil
	}
	return setting.Problemf("listen on 127.0.0.1 and connect through ssh -L 8080:127.0.0.1:8080, or set "+strings.Join(missing, ", "),
		"= %q is reachable from the network, where live pictures need a token and TLS", s.Listen)
}

// readToken reads the token; "" where none is needed.
func (s Settings) readToken() (string, error) {
	if s.TokenFile == "" {
		return "", nil
	}
	token, err := broker.ReadSecret(s.TokenFile)
	if err == nil && len(token) < minToken {
		err = &Error{Op: "start", Err: fmt.Errorf("its token is shorter than %d characters", minToken),
			Advice: "make one with: openssl rand -hex 16"}
	}
	return token, err
}

// check returns the first problem of the settings as an error of the server.
func (s Settings) check() error {
	if s.Listen == Off {
		return &Error{Op: "start", Err: errors.New("it is switched off"), Advice: "set status.listen"}
	}
	for key, err := range s.Problems() {
		advice := ""
		var h interface{ Hint() string }
		if errors.As(err, &h) {
			advice = h.Hint()
		}
		return &Error{Op: "start", Err: fmt.Errorf("status.%s %w", key, err), Advice: advice}
	}
	return nil
}
