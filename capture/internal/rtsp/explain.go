package rtsp

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"

	"platewatch/capture/fault"
	"platewatch/capture/internal/reach"
	"platewatch/capture/source"
)

// explain says what a camera did wrong, and what to do.
func (s *camera) explain(u *url.URL, err error) error {
	var own *fault.Error
	if err == nil || errors.As(err, &own) || errors.Is(err, context.Canceled) {
		return err
	}
	camera := reach.Camera{Where: s.where, Address: u, Port: portOf(u), Protocol: "RTSP", Bound: s.c.OpenTimeout}
	if u.Scheme == "rtsps" {
		camera.Protocol = "RTSP over TLS"
	}
	var status liberrors.ErrClientBadStatusCode
	var to redirected
	switch {
	case errors.As(err, &status):
		return statusError(camera, status)
	case errors.As(err, new(liberrors.ErrClientAuthSetup)):
		return camera.UnknownScheme(s.challenge)
	case errors.As(err, &to):
		return camera.Redirected(string(to))
	case errors.Is(err, errInCircles):
		return &fault.Error{Op: "open", Path: s.where, Err: errInCircles, Advice: "look the path of the stream up in the camera's manual"}
	case errors.As(err, new(liberrors.ErrClientRequestTimedOut)):
		err = context.DeadlineExceeded
	}
	if reason := camera.Explain(err); reason != nil {
		return reason
	}
	return &fault.Error{Op: "open", Path: s.where, Err: fmt.Errorf("the answer is not RTSP: %w", source.Scrub(err, u.String())),
		Advice: fmt.Sprintf("check that port %s is the camera's RTSP port", portOf(u))}
}

func statusError(camera reach.Camera, s liberrors.ErrClientBadStatusCode) error {
	e := &fault.Error{Op: "open", Path: camera.Where, Err: fmt.Errorf("the camera answers with status %d (%s)", s.Code, source.Scrub(errors.New(s.Message), camera.Address.String())),
		Advice: "restart the camera; it may have too many viewers"}
	switch s.Code {
	case base.StatusUnauthorized:
		if camera.Address.User == nil {
			return camera.NoCredentials()
		}
		return camera.Refused()
	case base.StatusForbidden:
		return camera.Forbidden()
	case base.StatusNotFound:
		return camera.NotFound()
	case base.StatusUnsupportedTransport:
		e.Err, e.Advice = errors.New("the camera does not send over this transport (status 461)"), `set transport to the other one, "tcp" or "udp"`
	case base.StatusNotEnoughBandwidth, base.StatusServiceUnavailable:
		e.Advice = "close other viewers of the camera: it has no room for one more"
	}
	return e
}
