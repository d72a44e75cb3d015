// Package broker says where an MQTT broker is, what makes an address acceptable,
// and with which certificates and passwords it is reached.
package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"platewatch/uplink/failure"
)

// Broker says how to reach the MQTT broker.
type Broker struct {
	// URL is mqtt://host:port or mqtts://host:port (tcp, and tls or ssl, mean the
	// same; without a port 1883 and 8883), or for MQTT over WebSockets
	// ws://host/path or wss://host/path (without a port 80 and 443, without a path
	// /mqtt). User and password go into files.
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

// check checks the address, and that the files exist and can be used. For a
// missing file errors.Is(err, fs.ErrNotExist) is true.
func (b Broker) check() error {
	_, _, err := b.address()
	if err != nil {
		return err
	}
	_, err = b.Credentials()
	return err
}

// CheckAddress checks the address alone, and not what the files hold.
func (b Broker) CheckAddress() error {
	_, _, err := b.address()
	return err
}

// Check demands at least one broker, and validates all of them.
func Check(brokers []Broker) error {
	if len(brokers) == 0 {
		return &failure.Error{Op: "use the uplink", Err: errors.New("no broker is given"), Advice: "name at least one"}
	}
	for _, b := range brokers {
		if err := b.check(); err != nil {
			return err
		}
	}
	return nil
}

// Stamp differs after a file that the credentials come from was changed.
func (b Broker) Stamp() string {
	var s strings.Builder
	for _, path := range []string{b.CAFile, b.CertFile, b.KeyFile, b.UserFile, b.PasswordFile} {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			continue // being replaced, or missing: keep what is in use
		}
		fmt.Fprintf(&s, "%s %d %d;", path, info.ModTime().UnixNano(), info.Size())
	}
	return s.String()
}

// Reachable makes and closes a connection without speaking MQTT.
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

// Plaintext is true if the connection is unencrypted to another machine.
func (b Broker) Plaintext() bool {
	u, secure, err := b.address()
	return err == nil && !secure && !Loopback(u.Hostname())
}

// Name is the address without secrets, for logs.
func (b Broker) Name() string { return Redact(b.URL) }

// address parses the URL, and checks that the files fit together.
func (b Broker) address() (u *url.URL, secure bool, err error) {
	fail := func(err error, advice string) (*url.URL, bool, error) {
		return nil, false, &failure.Error{Op: "use the broker", Path: b.Name(), Err: err, Advice: advice}
	}
	u, secure, bad := parseAddress(b.URL, b.Insecure)
	switch {
	case bad != nil:
		return fail(fmt.Errorf("its address %w", bad.err), bad.advice)
	case (b.CertFile == "") != (b.KeyFile == ""):
		return fail(errors.New("a client certificate needs both a certificate file and a key file"), "name both or neither")
	case b.PasswordFile != "" && b.UserFile == "":
		return fail(errors.New("there is a password file but no user file"), "MQTT sends no password without a user")
	case !secure && (b.CAFile != "" || b.CertFile != ""):
		return fail(errors.New("certificates are given for an address without TLS"), "use mqtts://")
	}
	return u, secure, nil
}

// Credentials reads the files.
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
		if c.User, err = ReadSecret(b.UserFile); err != nil {
			return Credentials{}, err
		}
	}
	if b.PasswordFile != "" {
		if c.Password, err = ReadSecret(b.PasswordFile); err != nil {
			return Credentials{}, err
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
			return fail("CA file", b.CAFile, errors.New("it contains no PEM certificate"))
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

// CertificateExpires is the end of the client's certificate; zero if there is none,
// or if it cannot be read.
func (b Broker) CertificateExpires() time.Time {
	c, err := b.Credentials()
	if err != nil || c.TLS == nil || len(c.TLS.Certificates) == 0 || c.TLS.Certificates[0].Leaf == nil {
		return time.Time{}
	}
	return c.TLS.Certificates[0].Leaf.NotAfter
}

// Connect makes the TCP connection, unless tlsConfig is nil the TLS connection, and
// that of WebSockets where the address wants them.
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
		// The link works with a larger buffer too.
		_ = tcp.SetWriteBuffer(sendBuffer)
	}
	if tlsConfig != nil {
		tc := tls.Client(nc, tlsConfig)
		if err := tc.HandshakeContext(ctx); err != nil {
			nc.Close()
			return nil, fmt.Errorf("TLS: %w", err)
		}
		nc = tc
	}
	if isWebSocket(u) {
		return overWebSocket(ctx, nc, u)
	}
	return nc, nil
}

// sendBuffer keeps little in the kernel, so that a keep-alive ping is not
// stuck behind minutes of pictures on a slow link.
const sendBuffer = 32 << 10
