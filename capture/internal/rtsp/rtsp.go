// Package rtsp opens network cameras over RTSP. Go speaks to the camera: it knows
// the password, checks the certificate, and looks at the size of every picture
// before anything is decoded. The decoder gets the bare video, and has no network.
package rtsp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/url"
	"slices"
	"syscall"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"

	"platewatch/capture/fault"
	"platewatch/capture/internal/process"
	"platewatch/capture/internal/trust"
	"platewatch/capture/source"
)

// Kind is the entry of RTSP cameras in the table of kinds.
var Kind = source.Kind{
	Name:      "rtsp",
	Example:   "rtsp://192.168.1.20:554/stream1",
	Recognise: func(s string) bool { return source.HasScheme(s, schemes...) },
	Keys:      slices.Concat([]string{"transport", "credentials_file"}, trust.Keys),
	Live:      true,
	Defaults:  func(c *source.Config) { c.Transport = cmp.Or(c.Transport, transportTCP) },
	Problems:  problems,
	Open:      open,
}

var schemes = []string{"rtsp", "rtsps"}

// Values of [source.Config.Transport].
const (
	transportTCP = "tcp" // interleaved in the RTSP connection: no packet is lost
	transportUDP = "udp"
)

func problems(c source.Config) iter.Seq2[string, error] {
	return source.Failed(append(trust.Check(c),
		source.Check{Key: "source", Err: c.CheckAddress("rtsp://host:554/path", schemes...)},
		source.Check{Key: "transport", Err: source.OneOf(c.Transport, transportTCP, transportUDP)},
	)...)
}

// minDecoderOpen is the least time that a decoder has for the first picture, when
// connecting took most of the bound.
const minDecoderOpen = time.Second

// open opens a network camera. Its decoder is started when the camera has said
// what it sends.
func open(ctx context.Context, c source.Config, t *process.Tally) (_ source.Source, err error) {
	u, err := c.Address()
	if err != nil {
		return nil, err
	}
	s := &camera{c: c, where: source.Redact(c.Source), tally: t, ended: make(chan struct{})}
	s.ctx, s.stop = context.WithCancelCause(ctx)
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	deadline := time.Now().Add(c.OpenTimeout)
	if err := s.connect(ctx, u, deadline); err != nil {
		return nil, err
	}
	if err := s.play(); err != nil {
		return nil, s.explain(ctx, u, err)
	}
	bound := max(time.Until(deadline), minDecoderOpen)
	if err := s.opened(bound); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(err, fault.ErrBlocked) && s.starved() {
			return nil, &fault.Error{Op: "open", Path: s.where,
				Err:    fmt.Errorf("%w: the stream is there, and sent nothing that can be decoded within %v", fault.ErrTimeout, bound.Round(100*time.Millisecond)),
				Advice: "set the camera to H.264 or H.265; try transport tcp"}
		}
		return nil, err
	}
	return s, nil
}

// connect asks the camera what it sends, and for its video.
func (s *camera) connect(ctx context.Context, u *url.URL, deadline time.Time) error {
	tlsConfig, err := trust.Config(s.c)
	if err != nil {
		return err
	}
	bare := *u
	if host := u.Hostname(); cutZone(host) != host { // the zone is this machine's own
		bare.Host = net.JoinHostPort(cutZone(host), portOf(u))
	}
	target, err := base.ParseURL(bare.String())
	if err != nil {
		return &fault.Error{Op: "open", Path: s.where, Err: source.Scrub(err, u.String())}
	}
	protocol := gortsplib.ProtocolTCP
	if s.c.Transport == transportUDP {
		protocol = gortsplib.ProtocolUDP
	}
	address := net.JoinHostPort(u.Hostname(), portOf(u))
	s.client = &gortsplib.Client{
		Scheme:       u.Scheme,
		Host:         address,
		Protocol:     &protocol,
		ReadTimeout:  max(s.c.OpenTimeout, s.c.ReadTimeout),
		WriteTimeout: s.c.OpenTimeout,
		TLSConfig:    tlsConfig,
		DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
			// The library follows a camera's redirection, with the password.
			if to != address {
				return nil, errRedirected
			}
			return (&net.Dialer{Deadline: deadline}).DialContext(ctx, network, to)
		},
	}
	client := s.client
	if err := client.Start(); err != nil {
		s.client = nil
		return err
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	defer context.AfterFunc(ctx, client.Close)()
	session, _, err := client.Describe(target)
	if err == nil {
		err = s.choose(session)
	}
	if err == nil {
		_, err = client.Setup(session.BaseURL, s.media, 0, 0)
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return s.explain(ctx, u, err)
}

var errRedirected = errors.New("it redirects to another address, which is not followed")

// cutZone is a host without the zone of an IPv6 address: fe80::1%eth0.
func cutZone(host string) string {
	for i := range host {
		if host[i] == '%' {
			return host[:i]
		}
	}
	return host
}

func portOf(u *url.URL) string {
	standard := "554"
	if u.Scheme == "rtsps" {
		standard = "322"
	}
	return cmp.Or(u.Port(), standard)
}

// explain says what a camera did wrong, and what to do.
func (s *camera) explain(ctx context.Context, u *url.URL, err error) error {
	if err == nil {
		return nil
	}
	var own *fault.Error
	if errors.As(err, &own) {
		return err
	}
	if refused := trust.Refusal(s.where, err); refused != nil {
		return refused
	}
	e := &fault.Error{Op: "open", Path: s.where}
	var status liberrors.ErrClientBadStatusCode
	var timeout net.Error
	var dial *net.OpError
	var dns *net.DNSError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &dns):
		e.Err, e.Advice = fmt.Errorf("%w: %w", fault.ErrUnreachable, err), "check the host name, or use the camera's IP address"
	case errors.As(err, &dial) && dial.Op == "dial":
		e.Err, e.Advice = fmt.Errorf("%w: %w", fault.ErrUnreachable, err), "check the camera's address, port, power and network"
	case errors.As(err, &status):
		e.Advice, e.Err = statusError(status)
	case errors.Is(err, errRedirected):
		e.Err, e.Advice = errRedirected, "name the other address as the source, if it is the camera's"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.As(err, new(liberrors.ErrClientRequestTimedOut)), errors.Is(err, context.DeadlineExceeded):
		e.Err = fmt.Errorf("%w: it accepts the connection but does not answer RTSP", fault.ErrTimeout)
		e.Advice = "restart the camera, or check that the port is its RTSP port"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		e.Err = fmt.Errorf("%w: it closes the connection without an answer", fault.ErrUnreachable)
		e.Advice = "restart the camera, or check that the port is its RTSP port"
	default:
		e.Err = fmt.Errorf("the answer is not RTSP: %w", source.Scrub(err, u.String()))
		e.Advice = "check that the port is the camera's RTSP port"
	}
	return e
}

func statusError(s liberrors.ErrClientBadStatusCode) (advice string, err error) {
	switch s.Code {
	case base.StatusUnauthorized, base.StatusForbidden:
		return "put user:password of a camera account that may view into credentials_file",
			fmt.Errorf("%w (status %d)", fault.ErrCredentials, s.Code)
	case base.StatusNotFound:
		return "look the path up in the camera's manual", errors.New("the camera has no stream at this path (status 404)")
	}
	return "restart the camera; it may have too many viewers", fmt.Errorf("the camera answers with status %d", s.Code)
}

// located names the camera in an error that does not.
func (s *camera) located(err error) error {
	var own *fault.Error
	if errors.As(err, &own) && own.Path == "" {
		own.Path = s.where
	}
	return err
}

// choose picks the first video that can be decoded.
func (s *camera) choose(session *description.Session) error {
	seen := false
	for _, m := range session.Medias {
		if m.Type != description.MediaTypeVideo || m.IsBackChannel {
			continue
		}
		seen = true
		for _, f := range m.Formats {
			if v, err := videoOf(f); v != nil || err != nil {
				s.media, s.format, s.video = m, f, v
				return s.located(err)
			}
		}
	}
	if !seen {
		return &fault.Error{Op: "open", Path: s.where, Err: errors.New("the stream has no video"), Advice: "check the path: it may be the camera's audio"}
	}
	return &fault.Error{Op: "open", Path: s.where, Err: errors.New("the stream's video is neither H.264, H.265 nor MJPEG"), Advice: "set the camera to H.264 or H.265"}
}
