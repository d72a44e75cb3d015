// Package rtsp opens network cameras over RTSP.
package rtsp

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/url"
	"syscall"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"

	"platewatch/capture/fault"
	"platewatch/capture/internal/stream"
	"platewatch/capture/internal/videoio"
	"platewatch/capture/internal/worker"
	"platewatch/capture/source"
)

// Kind is the entry of RTSP cameras in the table of kinds.
var Kind = source.Kind{
	Name:      "rtsp",
	Example:   "rtsp://192.168.1.20:554/stream1",
	Recognise: func(s string) bool { return source.HasScheme(s, schemes...) },
	Keys:      []string{"transport", "credentials_file"},
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
	return source.Failed(
		source.Check{Key: "source", Err: c.CheckAddress("rtsp://host:554/path", schemes...)},
		source.Check{Key: "transport", Err: source.OneOf(c.Transport, transportTCP, transportUDP)},
	)
}

// ffmpegOptions precede the transport. Key and value are separated by ";",
// pairs by "|". A camera says what it sends in its first packets; half of
// FFmpeg's usual second and a half of opening is spent looking for more.
const ffmpegOptions = "analyzeduration;200000|probesize;100000|rtsp_transport;"

// The video library gets at most libraryShare of the time for opening, and
// minLibraryOpen at least when connecting took most of it. A camera that answered
// begins to send within a few hundred milliseconds; one that has stopped sending
// must not keep others from opening for long: two such cameras before a third
// would delay that one by more than ten seconds.
const (
	libraryShare   = 0.5
	minLibraryOpen = time.Second
)

// open opens a network camera. The host is dialled first, by Go: that can be
// cancelled at any time and tells why it failed, so that the library, which can
// do neither, never sees a host that is not there.
func open(ctx context.Context, c source.Config, a *worker.Abandoned) (source.Source, error) {
	u, err := c.Address()
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(c.OpenTimeout)
	where := source.Redact(u.String())
	if err := dial(ctx, deadline, u); err != nil {
		return nil, unreachable(ctx, where, err)
	}
	if err := answers(ctx, u, time.Until(deadline)); err != nil {
		return nil, err
	}
	share := time.Duration(libraryShare * float64(c.OpenTimeout))
	bound := max(min(time.Until(deadline), share), minLibraryOpen)
	s, err := stream.Open(ctx, stream.Spec{
		URI:     u.String(),
		Where:   where,
		Backend: videoio.FFmpeg,
		Options: ffmpegOptions + c.Transport,
		Params: []videoio.Param{
			{Property: videoio.OpenTimeoutMsec, Value: int(bound.Milliseconds())},
			{Property: videoio.ReadTimeoutMsec, Value: int(c.ReadTimeout.Milliseconds())},
		},
		OpenBound: bound,
		ReadBound: c.ReadTimeout,
		End:       fault.ErrStreamEnded,
		Misses:    1,
	}, stream.Videoio, a)
	switch {
	case err == nil:
		return watchSize(ctx, s, where, func(ctx context.Context) (int, int, error) {
			d, err := describe(ctx, u, diagnoseBound)
			if err != nil {
				return 0, 0, err
			}
			width, height := announcedSize(d)
			return width, height, nil
		}), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, videoio.ErrRefused):
		return nil, &fault.Error{Op: "open", Path: where,
			Err:    fmt.Errorf("%w: the stream is there, and sent nothing that can be decoded within %v", fault.ErrTimeout, bound.Round(100*time.Millisecond)),
			Advice: "set the camera to H.264 or H.265; try transport tcp"}
	}
	return nil, &fault.Error{Op: "open", Path: where, Err: scrubOwn(err, u.String())}
}

// scrubOwn keeps this package's own errors, which [errors.Is] has to see, and
// rewrites the library's.
func scrubOwn(err error, uri string) error {
	if errors.Is(err, fault.ErrBlocked) || errors.Is(err, fault.ErrFrame) {
		return err
	}
	return source.Scrub(err, uri)
}

func rtspAddress(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "rtsps":
		port = "322"
	default:
		port = "554"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func dial(ctx context.Context, deadline time.Time, u *url.URL) error {
	d := net.Dialer{Deadline: deadline}
	conn, err := d.DialContext(ctx, "tcp", rtspAddress(u))
	if err != nil {
		return err
	}
	return conn.Close()
}

func unreachable(ctx context.Context, where string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	advice := "check the camera's address, port, power and network"
	var dns *net.DNSError
	if errors.As(err, &dns) {
		advice = "check the host name, or use the camera's IP address"
	}
	return &fault.Error{Op: "open", Path: where, Err: fmt.Errorf("%w: %w", fault.ErrUnreachable, err), Advice: advice}
}

// diagnoseBound is how long a camera may take to say what it sends.
const diagnoseBound = 2 * time.Second

// answers checks that a camera speaks RTSP, accepts the credentials and has a
// video at its path: OpenCV would not tell, and would hold up every other
// camera's opening meanwhile.
func answers(ctx context.Context, u *url.URL, bound time.Duration) error {
	e := &fault.Error{Op: "open", Path: source.Redact(u.String())}
	session, err := describe(ctx, u, max(bound, diagnoseBound/2))
	var status liberrors.ErrClientBadStatusCode
	var timeout net.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &status):
		e.Advice, e.Err = statusError(status)
	case errors.As(err, &timeout) && timeout.Timeout(), errors.As(err, new(liberrors.ErrClientRequestTimedOut)), errors.Is(err, context.DeadlineExceeded):
		e.Err = fmt.Errorf("%w: it accepts the connection but does not answer RTSP", fault.ErrTimeout)
		e.Advice = "restart the camera, or check that the port is its RTSP port"
	case errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET):
		e.Err = fmt.Errorf("%w: it closes the connection without an answer", fault.ErrUnreachable)
		e.Advice = "restart the camera, or check that the port is its RTSP port"
	case err != nil:
		e.Err = fmt.Errorf("the answer is not RTSP: %w", source.Scrub(err, u.String()))
		e.Advice = "check that the port is the camera's RTSP port"
	case !hasVideo(session):
		e.Err, e.Advice = errors.New("the stream has no video"), "check the path: it may be the camera's audio"
	default:
		return nil
	}
	return e
}

func hasVideo(s *description.Session) bool {
	for _, m := range s.Medias {
		if m.Type == description.MediaTypeVideo {
			return true
		}
	}
	return false
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

// describe asks a camera what it sends.
func describe(ctx context.Context, u *url.URL, bound time.Duration) (*description.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	target, err := base.ParseURL(u.String())
	if err != nil {
		return nil, err
	}
	client := &gortsplib.Client{
		Scheme:       u.Scheme,
		Host:         rtspAddress(u),
		ReadTimeout:  bound,
		WriteTimeout: bound,
		// As FFmpeg does: cameras sign their own certificates.
		TLSConfig: &tls.Config{InsecureSkipVerify: true},
	}
	if err := client.Start(); err != nil {
		return nil, err
	}
	defer client.Close()
	defer context.AfterFunc(ctx, client.Close)()
	session, _, err := client.Describe(target)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return session, err
}
