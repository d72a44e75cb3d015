package capture

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"gocv.io/x/gocv"
)

const (
	// maxPart bounds one picture of an MJPEG stream, in bytes: an 8K JPEG.
	maxPart = 16 << 20
	// badPictures is how many pictures in a row cannot be decoded before the
	// stream is taken for lost.
	badPictures = 25
)

// motionJPEG is an MJPEG stream over HTTP (multipart/x-mixed-replace), read by
// Go: nothing in it can block, and no bytes reach a decoder before they are
// known to be one whole JPEG.
type motionJPEG struct {
	where  string
	ctx    context.Context
	cancel context.CancelCauseFunc
	body   io.ReadCloser
	parts  *partReader
	bound  time.Duration
	idle   *time.Timer // ends the request when a frame takes longer than bound
	late   atomic.Bool
	begin  time.Time
	frames uint64
	limits StillLimits
	closed bool
	end    error // why it was closed, if not by the reader
}

// openHTTP opens an MJPEG stream over HTTP or HTTPS.
func openHTTP(ctx context.Context, c Config) (Source, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, c.Validate()
	}
	where := u.Redacted()
	user := u.User
	u.User = nil
	if c.CredentialsFile != "" {
		if user, err = readCredentials(c.CredentialsFile); err != nil {
			return nil, err
		}
	}
	life, cancel := context.WithCancelCause(ctx)
	m := &motionJPEG{where: where, ctx: ctx, cancel: cancel, bound: c.ReadTimeout, limits: c.Stills.withDefaults()}
	m.idle = time.AfterFunc(c.OpenTimeout, func() {
		m.late.Store(true)
		cancel(ErrTimeout)
	})
	res, err := request(life, u, user, c.OpenTimeout)
	if err == nil {
		m.body = res.Body
		m.parts, err = partsOf(res)
	}
	if err != nil {
		m.Close()
		var slow net.Error
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case m.late.Load(), errors.As(err, &slow) && slow.Timeout() && !errors.As(err, new(*net.OpError)):
			return nil, &Error{Op: "open", Path: where, Err: fmt.Errorf("%w: it takes the connection and does not answer", ErrTimeout), Advice: "restart the camera"}
		}
		return nil, m.openError(err, u)
	}
	m.begin = time.Now()
	return m, nil
}

func (m *motionJPEG) openError(err error, u *url.URL) error {
	var own *Error
	if errors.As(err, &own) {
		own.Op, own.Path = "open", m.where
		return own
	}
	advice := "check the camera's address, port, power and network"
	var dns *net.DNSError
	if errors.As(err, &dns) {
		advice = "check the host name, or use the camera's IP address"
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return &Error{Op: "open", Path: m.where, Err: fmt.Errorf("%w: %w", ErrUnreachable, op.Err), Advice: advice}
	}
	return &Error{Op: "open", Path: m.where, Err: fmt.Errorf("the answer is not a camera's: %w", secret{u.String()}.scrubbed(err)), Advice: advice}
}

// request asks for the stream, a second time with credentials where the camera
// wants them.
func request(ctx context.Context, u *url.URL, user *url.Userinfo, bound time.Duration) (*http.Response, error) {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: bound}).DialContext,
		TLSHandshakeTimeout: bound, ResponseHeaderTimeout: bound, DisableKeepAlives: true, DisableCompression: true,
		MaxResponseHeaderBytes: 64 << 10,
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(authorization string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, err
		}
		if authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		return client.Do(req)
	}
	res, err := ask("")
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusUnauthorized && user != nil {
		authorization, err := authorize(res.Header.Values("WWW-Authenticate"), u, user)
		res.Body.Close()
		if err != nil {
			return nil, &Error{Err: fmt.Errorf("%w: %w", ErrCredentials, err), Advice: "switch the camera to digest or basic authentication"}
		}
		if res, err = ask(authorization); err != nil {
			return nil, err
		}
	}
	switch res.StatusCode {
	case http.StatusOK:
		return res, nil
	case http.StatusUnauthorized, http.StatusForbidden:
		err = &Error{Err: fmt.Errorf("%w (status %d)", ErrCredentials, res.StatusCode),
			Advice: "put user:password of a camera account that may view into credentials_file"}
	case http.StatusNotFound:
		err = &Error{Err: errors.New("the camera has no stream at this path (status 404)"), Advice: "look the path up in the camera's manual"}
	default:
		err = &Error{Err: fmt.Errorf("the camera answers with status %d", res.StatusCode), Advice: "look the path up in the camera's manual"}
	}
	res.Body.Close()
	return nil, err
}

// Read implements [Source].
func (m *motionJPEG) Read(out *gocv.Mat) (time.Duration, error) {
	for bad := 0; ; {
		if m.closed {
			return -1, cmp.Or(m.end, ErrClosed)
		}
		if err := m.ctx.Err(); err != nil {
			return -1, err
		}
		m.idle.Reset(m.bound)
		part, err := m.parts.next()
		m.idle.Stop()
		if err != nil {
			m.end = m.lost(err)
			return -1, m.end
		}
		still, err := DecodeStill(part, m.limits)
		if err == nil {
			out.Close()
			*out = still
			m.frames++
			return time.Since(m.begin), nil
		}
		if bad++; bad >= badPictures {
			m.Close()
			return -1, &Error{Op: "read", Path: m.where, Err: fmt.Errorf("%d pictures in a row cannot be used: %w", bad, err)}
		}
	}
}

// lost closes the stream and says why.
func (m *motionJPEG) lost(err error) error {
	late := m.late.Load()
	m.Close()
	switch {
	case m.ctx.Err() != nil:
		return m.ctx.Err()
	case late:
		return &Error{Op: "read", Path: m.where, Err: fmt.Errorf("%w (%v)", ErrTimeout, m.bound), Advice: "look at the camera's network and power"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{Op: "read", Path: m.where, Err: ErrStreamEnded}
	}
	return &Error{Op: "read", Path: m.where, Err: err}
}

// Close implements [Source].
func (m *motionJPEG) Close() error {
	if m.closed {
		return nil
	}
	m.closed = true
	m.idle.Stop()
	m.cancel(ErrClosed)
	if m.body != nil {
		m.body.Close()
	}
	return nil
}

// bufferOf reads a stream in pieces of a network packet's size.
func bufferOf(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, 32<<10) }
