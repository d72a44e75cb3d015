package broker

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ErrPlaintext refuses a broker that is neither on this machine nor reached over
// TLS.
var ErrPlaintext = errors.New("a broker on another machine needs TLS")

// plainSchemes and tlsSchemes are the ways to begin a broker's address.
var (
	plainSchemes = []string{"mqtt", "tcp", "ws"}
	tlsSchemes   = []string{"mqtts", "ssl", "tls", "wss"}
)

// ports are those of addresses that name none.
var ports = map[string]string{"ws": "80", "wss": "443"}

// webSocketPath is where servers expect MQTT, unless the address has a path.
const webSocketPath = "/mqtt"

// isWebSocket is true for an address of MQTT over WebSockets.
func isWebSocket(u *url.URL) bool { return u.Scheme == "ws" || u.Scheme == "wss" }

const exampleAddress = "write mqtts://HOST:8883, or mqtt://127.0.0.1:1883 for a broker on this machine"

// addressError is what is wrong with an address, without the address: the text
// continues it.
type addressError struct {
	err    error
	advice string
}

// parseAddress takes an address apart and applies the rules: a scheme of MQTT, a
// host, no user or password, nothing after the port but the path of WebSockets, and
// TLS unless the broker is on this machine or insecure allows plaintext. The port is
// always set.
func parseAddress(address string, insecure bool) (u *url.URL, secure bool, bad *addressError) {
	fail := func(advice, format string, args ...any) (*url.URL, bool, *addressError) {
		return nil, false, &addressError{fmt.Errorf(format, args...), advice}
	}
	u, err := url.Parse(address)
	if err != nil {
		// The error of url.Parse quotes the address, which may hold a password.
		return fail(exampleAddress, "is not a well-formed address")
	}
	secure = slices.Contains(tlsSchemes, u.Scheme)
	switch {
	case !secure && !slices.Contains(plainSchemes, u.Scheme):
		return fail(exampleAddress, "is not an MQTT address")
	case u.Hostname() == "":
		return fail(exampleAddress, "names no host")
	case u.User != nil:
		return fail("put user and password into files: addresses end up in logs", "contains a user or a password")
	case u.Path != "" && u.Path != "/" && !isWebSocket(u):
		return fail(exampleAddress, "has a path after the port")
	case u.RawQuery != "" || u.Fragment != "":
		return fail(exampleAddress, "has a query after the port")
	case !validPort(u):
		return fail(exampleAddress, "has no valid port")
	case !secure && !insecure && !Loopback(u.Hostname()):
		return fail("use mqtts:// and a CA file, or set insecure = true where the network itself is protected",
			"would send every hit in plain text over the network: %w", ErrPlaintext)
	}
	if isWebSocket(u) && u.Path == "" {
		u.Path = webSocketPath
	}
	if u.Port() == "" {
		port := ports[u.Scheme]
		switch {
		case port != "":
		case secure:
			port = "8883"
		default:
			port = "1883"
		}
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	return u, secure, nil
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

// isTLS is true for an address that asks for TLS.
func isTLS(address string) bool {
	scheme, _, _ := strings.Cut(address, "://")
	return slices.Contains(tlsSchemes, scheme)
}

// Loopback reports whether a host, without its port, is this machine. Of names
// only localhost is: where another one points can change.
func Loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Redact returns an address without user, password and query, for messages and
// logs. It need not be a well-formed address.
func Redact(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if ok {
		scheme += "://"
	} else {
		scheme, rest = "", address
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = "***" + rest[i:]
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i+1] + "***"
	}
	return scheme + rest
}
