package mjpeg

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"platewatch/capture/fault"
	"platewatch/capture/internal/reach"
	"platewatch/capture/source"
)

// maxRedirects is how often a camera may redirect to another address of its own.
const maxRedirects = 5

// asker asks a camera for its stream.
type asker struct {
	where string
	user  *url.Userinfo // nil: none is configured
	tls   *tls.Config
	bound time.Duration // of each step
}

// request asks for the stream at u, with credentials where the camera wants them,
// and follows redirections to the same host. The password goes to no other.
func (a *asker) request(ctx context.Context, u *url.URL) (*http.Response, error) {
	transport := &http.Transport{
		DialContext:     (&net.Dialer{Timeout: a.bound}).DialContext,
		TLSClientConfig: a.tls, TLSHandshakeTimeout: a.bound, ResponseHeaderTimeout: a.bound, DisableKeepAlives: true, DisableCompression: true,
		MaxResponseHeaderBytes: 64 << 10,
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for range maxRedirects + 1 {
		res, err := a.answer(ctx, client, u)
		if err != nil {
			return nil, err
		}
		if res.StatusCode == http.StatusOK {
			return res, nil
		}
		res.Body.Close()
		camera := cameraAt(a.where, u, a.bound)
		to, locationErr := res.Location()
		switch {
		case res.StatusCode/100 == 3 && locationErr == nil:
			if !sameCamera(u, to) {
				return nil, camera.Redirected(source.Redact(to.String()))
			}
			u = to
			continue
		case res.StatusCode == http.StatusUnauthorized && a.user == nil:
			return nil, camera.NoCredentials()
		case res.StatusCode == http.StatusUnauthorized:
			return nil, camera.Refused()
		case res.StatusCode == http.StatusForbidden:
			return nil, camera.Forbidden()
		case res.StatusCode == http.StatusNotFound:
			return nil, camera.NotFound()
		}
		advice := "look the address of the MJPEG stream up in the camera's manual"
		if res.StatusCode == http.StatusServiceUnavailable {
			advice = "close other viewers of the camera: it has no room for one more"
		}
		return nil, &fault.Error{Op: "open", Path: a.where, Err: fmt.Errorf("the camera answers with status %d", res.StatusCode), Advice: advice}
	}
	return nil, &fault.Error{Op: "open", Path: a.where, Err: errors.New("the camera redirects in circles"),
		Advice: "look the address of the MJPEG stream up in the camera's manual"}
}

// sameCamera tells whether a redirection leads to the same host and port, or from
// HTTP to HTTPS on that host.
func sameCamera(from, to *url.URL) bool {
	if from.Hostname() != to.Hostname() {
		return false
	}
	return from.Scheme == to.Scheme && portOf(from) == portOf(to) || from.Scheme == "http" && to.Scheme == "https"
}

func portOf(u *url.URL) string {
	standard := "80"
	if u.Scheme == "https" {
		standard = "443"
	}
	return cmp.Or(u.Port(), standard)
}

// answer asks once, and a second time with credentials where the camera wants them.
func (a *asker) answer(ctx context.Context, client *http.Client, u *url.URL) (*http.Response, error) {
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
	if err != nil || res.StatusCode != http.StatusUnauthorized || a.user == nil {
		return res, err
	}
	res.Body.Close()
	authorization, err := authorize(res.Header, u, a.user)
	if err != nil {
		return nil, cameraAt(a.where, u, a.bound).UnknownScheme(res.Header.Get("WWW-Authenticate"))
	}
	return ask(authorization)
}

func cameraAt(where string, u *url.URL, bound time.Duration) reach.Camera {
	return reach.Camera{Where: where, Address: u, Port: portOf(u), Protocol: strings.ToUpper(u.Scheme), Bound: bound}
}

// explain says what a camera did wrong, and what to do.
func explain(where string, u *url.URL, bound time.Duration, err error) error {
	var own *fault.Error
	if errors.As(err, &own) {
		own.Op, own.Path = "open", where
		return own
	}
	if reason := cameraAt(where, u, bound).Explain(err); reason != nil {
		return reason
	}
	var outer *url.Error
	if errors.As(err, &outer) { // it repeats the address
		err = outer.Err
	}
	return &fault.Error{Op: "open", Path: where, Err: fmt.Errorf("the answer is not HTTP: %w", source.Scrub(err, u.String())),
		Advice: fmt.Sprintf("check that port %s is the camera's HTTP port", portOf(u))}
}
