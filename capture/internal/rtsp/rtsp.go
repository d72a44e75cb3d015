// Package rtsp opens network cameras over RTSP. Go speaks to the camera: it knows
// the password, checks the certificate, and looks at the size of every picture
// before anything is decoded. The decoder gets the bare video, and has no network.
package rtsp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"

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

// open opens a network camera. Its decoder is started when the camera has said
// what it sends.
func open(ctx context.Context, c source.Config, t *process.Tally) (_ source.Source, err error) {
	u, err := c.Address()
	if err != nil {
		return nil, err
	}
	s := &camera{c: c, where: source.Redact(c.Source), tally: t, ended: make(chan struct{}), begun: make(chan struct{})}
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
		return nil, s.explain(u, err)
	}
	if err := s.opened(deadline); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
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
	dials := 0
	var raw atomic.Pointer[net.Conn] // for the library waits for a TLS handshake without end
	s.client = &gortsplib.Client{
		Scheme:       u.Scheme,
		Host:         address,
		Protocol:     &protocol,
		ReadTimeout:  max(s.c.OpenTimeout, s.c.ReadTimeout),
		WriteTimeout: s.c.OpenTimeout,
		TLSConfig:    tlsConfig,
		OnResponse: func(r *base.Response) {
			if r.StatusCode == base.StatusUnauthorized {
				s.challenge = strings.Join(r.Header["WWW-Authenticate"], ", ")
			}
		},
		DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
			// The library follows a camera's redirection, with the password.
			if to != address {
				return nil, redirected(to)
			}
			if dials++; dials > maxRedirects {
				return nil, errInCircles
			}
			conn, err := (&net.Dialer{Deadline: deadline}).DialContext(ctx, network, to)
			if err == nil {
				raw.Store(&conn)
			}
			return conn, err
		},
	}
	client := s.client
	if err := client.Start(); err != nil {
		s.client = nil
		return err
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		if conn := raw.Load(); conn != nil {
			(*conn).Close()
		}
		client.Close()
	})()
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
	return s.explain(u, err)
}

// redirected is the error of a redirection to another address.
type redirected string

func (to redirected) Error() string { return "redirected to " + string(to) }

// maxRedirects is how often a camera may redirect to another path of its own.
const maxRedirects = 5

var errInCircles = errors.New("the camera redirects in circles")

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
	var codecs []string
	for _, m := range session.Medias {
		if m.Type != description.MediaTypeVideo || m.IsBackChannel {
			continue
		}
		seen = true
		for _, f := range m.Formats {
			codecs = append(codecs, codecOf(f))
			if v, err := videoOf(f); v != nil || err != nil {
				s.media, s.format, s.video = m, f, v
				s.about.video.Codec = codecOf(f)
				return s.located(err)
			}
		}
	}
	if !seen {
		return &fault.Error{Op: "open", Path: s.where, Err: errors.New("the stream has no video"), Advice: "check the path: it may be the camera's audio"}
	}
	return &fault.Error{Op: "open", Path: s.where, Err: fmt.Errorf("the stream's video is %s, and neither H.264, H.265 nor MJPEG", strings.Join(codecs, ", ")),
		Advice: "set the camera to H.264 or H.265, or name its other stream"}
}

// codecOf is a codec's name, as RTP has it (RFC 4566, rtpmap).
func codecOf(f format.Format) string {
	name, _, _ := strings.Cut(f.RTPMap(), "/")
	if name == "MP4V-ES" {
		name = "MPEG-4" // as cameras' settings call it
	}
	return cmp.Or(name, "of an unknown codec")
}
