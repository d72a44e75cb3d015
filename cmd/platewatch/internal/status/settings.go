package status

import (
	"errors"
	"fmt"
	"iter"
	"net"
	"strconv"

	"platewatch/cmd/platewatch/internal/access"
	"platewatch/cmd/platewatch/internal/setting"
	"platewatch/cmd/platewatch/internal/testdrive"
	"platewatch/uplink/broker"
)

// Off as [Settings].Listen means: no status page.
const Off = "off"

// maxTokens bounds the tokens of the configuration: each is compared at a login.
const maxTokens = 32

// minToken is the shortest token that is accepted, in bytes.
const minToken = 16

// Settings are what the configuration file says of the status page.
type Settings struct {
	// Listen is host:port, or [Off]. Anything but loopback needs a token.
	Listen string `toml:"listen"`

	TokenFile string   `toml:"token_file"` // holds a token for everything, at least 16 characters, in one line; optional on loopback
	Tokens    []string `toml:"tokens"`     // others, each with its roles: see [access.Parse]
	Cert      string   `toml:"cert"`       // PEM file with the page's certificate, together with Key; read again when it changes; empty: the unit makes one
	Key       string   `toml:"key"`        // PEM file with its private key

	Drive testdrive.Settings `toml:",inline"`

	BasePath string   `toml:"base_path"` // the path of the page behind a reverse proxy, "/" or "/units/north/"
	Hosts    []string `toml:"hosts"`     // names under which a reverse proxy on this machine serves it

	Viewers int `toml:"viewers"` // largest number of concurrent viewers of live pictures
}

// Default listens on loopback.
func Default() Settings {
	return Settings{Listen: "127.0.0.1:8080", Drive: testdrive.Default(), BasePath: "/", Viewers: 4}
}

// Problems yields the settings that cannot be used, by their keys.
func (s Settings) Problems() iter.Seq2[string, error] {
	checks := append(s.proxyProblems(), setting.Check{Key: "listen", Err: s.checkListen()}, setting.Pair("cert", s.Cert, "key", s.Key))
	for i, line := range s.Tokens {
		_, err := access.Parse(line)
		checks = append(checks, setting.Check{Key: fmt.Sprintf("tokens[%d]", i), Err: err})
	}
	if len(s.Tokens) > maxTokens {
		checks = append(checks, setting.Check{Key: "tokens", Err: setting.Problemf("share tokens, or take out old ones", "has %d, more than %d", len(s.Tokens), maxTokens)})
	}
	for key, err := range s.Drive.Problems() {
		checks = append(checks, setting.Check{Key: key, Err: err})
	}
	return setting.Failed(append(checks, setting.Check{Key: "viewers", Err: setting.Int(s.Viewers, 1, 32)})...)
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
	if s.TokenFile != "" || len(s.Tokens) > 0 {
		return nil
	}
	return setting.Problemf("listen on 127.0.0.1 and connect through ssh -L 8080:127.0.0.1:8080, or add to tokens what platewatch config token -role aim -name NAME prints",
		"= %q is reachable from the network, where the page needs a token", s.Listen)
}

// grants are the tokens that are accepted; none where none is needed.
func (s Settings) grants() (access.Grants, error) {
	var all access.Grants
	for _, line := range s.Tokens {
		g, err := access.Parse(line)
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	if s.TokenFile == "" {
		return all, nil
	}
	token, err := s.readToken()
	return append(all, access.Of(token, "", access.All)), err
}

// readToken reads the token of the token file.
func (s Settings) readToken() (string, error) {
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
