// Package broker says where an MQTT broker is, what makes an address acceptable,
// and with which certificates and passwords it is reached.
package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"platewatch/uplink/internal/failure"
)

// Broker says how to reach the MQTT broker.
type Broker struct {
	// URL is tcp://host:port or tls://host:port (mqtt and mqtts mean the
	// same; without a port 1883 and 8883). User and password go into files.
	URL string
	// Insecure allows plaintext to a broker on another machine.
	Insecure bool

	CAFile       string // PEM; default: the system's certificate authorities
	CertFile     string // PEM, the client's certificate; with KeyFile
	KeyFile      string
	UserFile     string // one line
	PasswordFile string // one line

	// DialTimeout bounds each attempt: name, TCP, TLS and MQTT handshake
	// together. Default 15 s.
	DialTimeout time.Duration

	// Dial is a seam: tests put other networks here.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Credentials are read from their files at every attempt to connect, so that
// renewed ones are used without a restart.
type Credentials struct {
	TLS            *tls.Config // nil for plaintext
	User, Password string
}

// Validate checks the address and its files' presence and content. A file
// that is missing satisfies errors.Is(err, fs.ErrNotExist).
func (b Broker) Validate() error {
	_, _, err := b.address()
	if err != nil {
		return err
	}
	_, err = b.Credentials()
	return err
}

// Check wants at least one, and all of them usable.
func Check(brokers []Broker) error {
	if len(brokers) == 0 {
		return &failure.Error{Op: "use the uplink", Err: errors.New("no broker is named"), Advice: "name at least one"}
	}
	for _, b := range brokers {
		if err := b.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// Stamp tells whether a file that the credentials come from was changed.
func (b Broker) Stamp() string {
	var s strings.Builder
	for _, path := range []string{b.CAFile, b.CertFile, b.KeyFile, b.UserFile, b.PasswordFile} {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			continue // being replaced, or gone; what is in use goes on
		}
		fmt.Fprintf(&s, "%s %d %d;", path, info.ModTime().UnixNano(), info.Size())
	}
	return s.String()
}

// Reachable makes and ends a connection without a word of MQTT.
func (b Broker) Reachable(ctx context.Context) bool {
	cred, err := b.Credentials()
	if err != nil {
		return false
	}
	c, err := b.Connect(ctx, cred.TLS)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// Plaintext is true if the link is unencrypted to another machine.
func (b Broker) Plaintext() bool {
	u, secure, err := b.address()
	return err == nil && !secure && !loopback(u.Hostname())
}

// Name is the address without secrets, for logs.
func (b Broker) Name() string {
	u, err := url.Parse(b.URL)
	if err != nil {
		return "the broker"
	}
	return u.Redacted()
}

func (b Broker) address() (u *url.URL, secure bool, err error) {
	fail := func(err error, advice string) (*url.URL, bool, error) {
		return nil, false, &failure.Error{Op: "use the broker", Path: b.Name(), Err: err, Advice: advice}
	}
	const form = "write it as tls://HOST:8883, or tcp://127.0.0.1:1883 for one on this machine"
	u, err = url.Parse(b.URL)
	if err != nil {
		// url.Error quotes the whole address, which may hold a password.
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return fail(fmt.Errorf("its address is not a URL: %w", err), form)
	}
	switch u.Scheme {
	case "tcp", "mqtt":
	case "tls", "mqtts", "ssl":
		secure = true
	default:
		return fail(fmt.Errorf("its address starts with %q", u.Scheme+"://"), form)
	}
	switch {
	case u.Hostname() == "":
		return fail(errors.New("its address names no host"), form)
	case u.User != nil:
		return fail(errors.New("its address contains a user"), "put user and password into files: addresses end up in logs")
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "":
		return fail(errors.New("its address goes on after the port"), form)
	case !secure && !b.Insecure && !loopback(u.Hostname()):
		return fail(ErrPlaintext, "use tls:// and a CA file, or allow plaintext with insecure = true")
	case (b.CertFile == "") != (b.KeyFile == ""):
		return fail(errors.New("a client certificate needs both a certificate file and a key file"), "name both or neither")
	case b.PasswordFile != "" && b.UserFile == "":
		return fail(errors.New("there is a password file but no user file"), "MQTT sends no password without a user")
	case !secure && (b.CAFile != "" || b.CertFile != ""):
		return fail(errors.New("certificates are given for an address without TLS"), "use tls://")
	}
	if u.Port() == "" {
		port := "1883"
		if secure {
			port = "8883"
		}
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	return u, secure, nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (b Broker) Credentials() (Credentials, error) {
	u, secure, err := b.address()
	if err != nil {
		return Credentials{}, err
	}
	var c Credentials
	fail := func(what, path string, err error) (Credentials, error) {
		return Credentials{}, &failure.Error{Op: "use the " + what, Path: path, Err: failure.WithoutPath(err),
			Advice: "check the path, that this user may read it, and its content"}
	}
	if b.UserFile != "" {
		if c.User, err = secretLine(b.UserFile); err != nil {
			return fail("broker's user file", b.UserFile, err)
		}
	}
	if b.PasswordFile != "" {
		if c.Password, err = secretLine(b.PasswordFile); err != nil {
			return fail("broker's password file", b.PasswordFile, err)
		}
	}
	if !secure {
		return c, nil
	}
	c.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname()}
	if b.CAFile != "" {
		pem, err := os.ReadFile(b.CAFile)
		if err != nil {
			return fail("CA file", b.CAFile, err)
		}
		c.TLS.RootCAs = x509.NewCertPool()
		if !c.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return fail("CA file", b.CAFile, errors.New("there is no PEM certificate in it"))
		}
	}
	if b.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(b.CertFile, b.KeyFile)
		if err != nil {
			return fail("client certificate", b.CertFile, err)
		}
		c.TLS.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// maxSecret bounds a file that holds one line.
const maxSecret = 4096

// secretLine reads a file that holds one line. Its content never gets into
// an error.
func secretLine(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", err
	}
	s := strings.TrimRight(string(b), "\r\n")
	switch {
	case s == "":
		return "", errors.New("it is empty")
	case len(b) > maxSecret, strings.ContainsAny(s, "\r\n\x00"):
		return "", errors.New("it holds more than one line")
	}
	return s, nil
}

// Connect makes the TCP and TLS connection.
func (b Broker) Connect(ctx context.Context, tlsConfig *tls.Config) (net.Conn, error) {
	u, _, err := b.address()
	if err != nil {
		return nil, err
	}
	dial := b.Dial
	if dial == nil {
		d := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3}}
		dial = d.DialContext
	}
	nc, err := dial(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	if tcp, ok := nc.(*net.TCPConn); ok {
		// A smaller buffer is a wish; the link works without.
		_ = tcp.SetWriteBuffer(sendBuffer)
	}
	if tlsConfig == nil {
		return nc, nil
	}
	tc := tls.Client(nc, tlsConfig)
	if err := tc.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return tc, nil
}

// ErrPlaintext: a broker that is not on this machine needs TLS.
var ErrPlaintext = errors.New("a broker on another machine needs TLS")

// sendBuffer keeps little in the kernel, so that a keep-alive ping is not
// stuck behind minutes of pictures on a slow link.
const sendBuffer = 32 << 10
