package rtsptest

import (
	"strings"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
)

// handler answers the protocol's requests for a Server.
type handler Server

// OnDescribe implements gortsplib's handler.
func (h *handler) OnDescribe(c *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	p, res, err := h.find(c.Conn, c.Request, c.Path)
	if p == nil {
		return res, nil, err
	}
	return res, p.shared, nil
}

// OnSetup gives the session its player. The stream is the session's own unless
// the path is live.
func (h *handler) OnSetup(c *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	p, res, err := h.find(c.Conn, c.Request, c.Path)
	if p == nil {
		return res, nil, err
	}
	if pl, ok := c.Session.UserData().(*player); ok {
		return res, pl.stream, nil
	}
	pl, err := (*Server)(h).player(p)
	if err != nil {
		return &base.Response{StatusCode: base.StatusInternalServerError}, nil, err
	}
	c.Session.SetUserData(pl)
	return res, pl.stream, nil
}

// OnPlay notes what is to be started once the session can take packets.
func (h *handler) OnPlay(c *gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	if pl, ok := c.Session.UserData().(*player); ok {
		c.Conn.SetUserData(pl)
	}
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnResponse is the first call after OnPlay at which the session is a reader
// of its stream: a packet written in OnPlay would reach nobody.
func (h *handler) OnResponse(c *gortsplib.ServerConn, res *base.Response) {
	if pl, ok := c.UserData().(*player); ok && res.StatusCode == base.StatusOK {
		c.SetUserData(nil)
		(*Server)(h).start(pl)
	}
}

// OnSessionClose ends the session's player.
func (h *handler) OnSessionClose(c *gortsplib.ServerHandlerOnSessionCloseCtx) {
	if pl, ok := c.Session.UserData().(*player); ok && !pl.path.options.Live {
		pl.cancel()
	}
}

// OnStreamWriteError logs a reader that is too slow, or gone.
func (h *handler) OnStreamWriteError(c *gortsplib.ServerHandlerOnStreamWriteErrorCtx) {
	(*Server)(h).log().Debug("a packet was lost", "error", c.Error)
}

// find checks the credentials and looks the path up. Without a path it returns
// the answer that says why.
func (h *handler) find(c *gortsplib.ServerConn, req *base.Request, name string) (*path, *base.Response, error) {
	if h.Username != "" && !c.VerifyCredentials(req, h.Username, h.Password) {
		return nil, &base.Response{StatusCode: base.StatusUnauthorized}, liberrors.ErrServerAuth{}
	}
	if to := h.Redirects[strings.Trim(name, "/")]; to != "" {
		return nil, &base.Response{StatusCode: base.StatusFound, Header: base.Header{"Location": base.HeaderValue{to}}}, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.paths[strings.Trim(name, "/")]
	if p == nil || p.over || p.shared == nil {
		return nil, &base.Response{StatusCode: base.StatusNotFound}, nil
	}
	return p, &base.Response{StatusCode: base.StatusOK}, nil
}
