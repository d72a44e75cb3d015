// Package reach says why a camera's address cannot be reached, and what to do.
// Every kind of network camera explains its connection errors with it.
package reach

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"time"

	"platewatch/capture/fault"
	"platewatch/capture/internal/trust"
)

// Camera is what was tried: where names it for people, Address is what was dialled.
type Camera struct {
	Where    string
	Address  *url.URL
	Port     string        // that was dialled
	Protocol string        // that it should speak: "RTSP"
	Bound    time.Duration // of the connection
}

// Explain is the error of a connection that could not be made, or that broke before
// the camera answered; nil for an error of another kind.
func (c Camera) Explain(err error) error {
	if refused := trust.Refusal(c.Where, err); refused != nil {
		return refused
	}
	e := &fault.Error{Op: "open", Path: c.Where}
	host := c.Address.Hostname()
	var dns *net.DNSError
	var dial *net.OpError
	var slow net.Error
	var record tls.RecordHeaderError
	var alert tls.AlertError
	isDial := errors.As(err, &dial) && dial.Op == "dial"
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Err = fmt.Errorf("%w: the name %s is not known", fault.ErrUnreachable, host)
		e.Advice = "check the spelling, or write the camera's IP address"
	case errors.As(err, &dns):
		e.Err = fmt.Errorf("%w: no name server tells the address of %s", fault.ErrUnreachable, host)
		e.Advice = "write the camera's IP address, or check the unit's DNS with `resolvectl query " + host + "`"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Err = fmt.Errorf("%w: %s refuses connections to port %s", fault.ErrUnreachable, host, c.Port)
		e.Advice = fmt.Sprintf("check the port, and that %s is switched on in the camera's settings", c.Protocol)
	case errors.Is(err, syscall.ENETUNREACH):
		e.Err = fmt.Errorf("%w: this unit has no route to %s", fault.ErrUnreachable, host)
		e.Advice = "give the unit an address in the camera's network; `ip route` lists its routes"
	case errors.Is(err, syscall.EHOSTUNREACH):
		e.Err = fmt.Errorf("%w: nothing answers at %s", fault.ErrUnreachable, host)
		e.Advice = "check the camera's power and cable, and its address"
	case isDial && errors.Is(err, syscall.EINVAL):
		e.Err = fmt.Errorf("%w: %s cannot be reached through this interface", fault.ErrUnreachable, host)
		e.Advice = "name an interface of this unit after the %: fe80::1%eth0; `ip link` lists them"
	case isDial && (errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || dial.Timeout()):
		e.Err = fmt.Errorf("%w: no answer from %s, port %s, within %v", fault.ErrUnreachable, host, c.Port, c.Bound)
		e.Advice = "check the camera's address, power and network; a firewall may be between"
	case isDial:
		e.Err = fmt.Errorf("%w: %w", fault.ErrUnreachable, dial.Err)
		e.Advice = "check the camera's address, port, power and network"
	case errors.As(err, &record):
		e.Err, e.Class = fmt.Errorf("port %s of the camera does not speak TLS", c.Port), fault.ErrUnreachable
		e.Advice = fmt.Sprintf("name the camera's port for TLS, or write %s:// and check that nobody can listen on the way", plain(c.Address.Scheme))
	case errors.As(err, &alert):
		e.Err, e.Class = fmt.Errorf("the camera refuses the TLS connection (%w)", alert), fault.ErrUnreachable
		e.Advice = "update the camera's firmware: TLS 1.2 is the oldest that is accepted"
	case errors.As(err, &slow) && slow.Timeout(), errors.Is(err, context.DeadlineExceeded):
		e.Err, e.Class = fmt.Errorf("the camera accepts the connection, and does not answer within %v", c.Bound), fault.ErrTimeout
		e.Advice = fmt.Sprintf("restart the camera, or check that port %s is its port for %s", c.Port, c.Protocol)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		e.Err, e.Class = errors.New("the camera closes the connection without an answer"), fault.ErrUnreachable
		e.Advice = fmt.Sprintf("restart the camera, or check that port %s is its port for %s", c.Port, c.Protocol)
	default:
		return nil
	}
	return e
}

// plain is a scheme without TLS.
func plain(scheme string) string { return scheme[:len(scheme)-1] }

// NoCredentials is the error of a camera that wants a password where none is
// configured, and Refused that of one that does not accept what is.
func (c Camera) NoCredentials() error {
	return &fault.Error{Op: "open", Path: c.Where, Class: fault.ErrCredentials,
		Err:    errors.New("the camera wants a user name and a password"),
		Advice: "put user:password of a camera account that may view into a file, and name it in credentials_file"}
}

// Refused is the error of a camera that does not accept the credentials.
func (c Camera) Refused() error {
	return &fault.Error{Op: "open", Path: c.Where, Class: fault.ErrCredentials,
		Err:    errors.New("the camera refuses the user name or the password"),
		Advice: "check user:password in credentials_file; some cameras have accounts of their own for streams, and lock after wrong tries"}
}

// Forbidden is the error of an account that may not view.
func (c Camera) Forbidden() error {
	return &fault.Error{Op: "open", Path: c.Where, Class: fault.ErrCredentials,
		Err:    errors.New("the camera does not let this account view the stream (status 403)"),
		Advice: "allow the account to view in the camera's settings, or this unit's address in its filter"}
}

// NotFound is the error of a wrong path.
func (c Camera) NotFound() error {
	return &fault.Error{Op: "open", Path: c.Where,
		Err:    errors.New("the camera has no stream at this path (status 404)"),
		Advice: "look the path of the stream up in the camera's manual or its web page"}
}

// UnknownScheme is the error of a camera that authenticates in a way that is not
// known here.
func (c Camera) UnknownScheme(offered string) error {
	return &fault.Error{Op: "open", Path: c.Where, Class: fault.ErrCredentials,
		Err:    fmt.Errorf("the camera wants an authentication that is not known here (%.80q)", offered),
		Advice: "set the camera to digest authentication, MD5 or SHA-256"}
}

// Redirected is the error of a camera that sends the viewer elsewhere.
func (c Camera) Redirected(to string) error {
	return &fault.Error{Op: "open", Path: c.Where,
		Err:    fmt.Errorf("the camera redirects to %s, which is not followed: the password is for this address only", to),
		Advice: "write that address as the source, if it is the camera's"}
}
