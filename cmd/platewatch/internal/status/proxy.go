package status

import (
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"platewatch/cmd/platewatch/internal/setting"
	"platewatch/uplink/broker"
)

// A reverse proxy serves the page under another name, and often under a path: see
// deploy/proxy. The page's own addresses are relative, so that only redirects and
// the cookie need the path.

var (
	basePath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*/$`)
	hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
)

// proxyProblems checks the settings for a reverse proxy.
func (s Settings) proxyProblems() []setting.Check {
	var checks []setting.Check
	if !basePath.MatchString(s.BasePath) || strings.Contains(s.BasePath, "/../") || strings.Contains(s.BasePath, "/./") {
		checks = append(checks, setting.Check{Key: "base_path", Err: setting.Problemf(`write it with a slash at both ends: "/units/north/"`, "= %q is no path", s.BasePath)})
	}
	for _, h := range s.Hosts {
		if _, err := netip.ParseAddr(h); err != nil && !hostName.MatchString(h) {
			checks = append(checks, setting.Check{Key: "hosts", Err: setting.Problemf(`write names without scheme and port: "units.example"`, "has %q, which is no name of a host", h)})
		}
	}
	if len(s.Hosts) > 0 && s.TokenFile == "" && len(s.Tokens) == 0 {
		checks = append(checks, setting.Check{Key: "hosts", Err: setting.Problemf("add to tokens what platewatch config token -role aim -name NAME prints",
			"name who reaches the page through a proxy, where the page needs a token")})
	}
	return checks
}

// behindProxy makes requests that come through a reverse proxy look as if the client
// had asked directly: without the base path, and from the client's address. A request
// without the path is answered too, because proxies can remove it.
func (s *Server) behindProxy(next http.Handler) http.Handler {
	base := s.opt.BasePath
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if base != "/" && r.URL.Path+"/" == base {
			http.Redirect(w, r, base, http.StatusMovedPermanently)
			return
		}
		changed := *r
		if rest, ok := strings.CutPrefix(r.URL.Path, base); ok && base != "/" {
			u := *r.URL
			u.Path, u.RawPath = "/"+rest, strings.TrimPrefix(u.RawPath, strings.TrimSuffix(base, "/"))
			changed.URL = &u
		}
		if client := s.forwarded(r); client != "" {
			changed.RemoteAddr = net.JoinHostPort(client, "0")
		}
		next.ServeHTTP(w, &changed)
	})
}

// fromProxy tells whether a request comes from the proxy of this machine: the
// settings name hosts, and the request one of them.
func (s *Server) fromProxy(r *http.Request) bool {
	return s.loopback && s.isProxied(hostOf(r.Host))
}

func (s *Server) isProxied(host string) bool {
	for _, h := range s.opt.Hosts {
		if strings.EqualFold(h, host) {
			return true
		}
	}
	return false
}

// forwarded is the client's address as the proxy saw it: the last in X-Forwarded-For,
// because a client can put others before it. Empty: the request did not come through
// the proxy.
func (s *Server) forwarded(r *http.Request) string {
	values := r.Header.Values("X-Forwarded-For")
	if len(values) == 0 || !s.fromProxy(r) {
		return ""
	}
	last := values[len(values)-1]
	a, err := netip.ParseAddr(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:]))
	if err != nil {
		return ""
	}
	return a.String()
}

// overTLS tells whether the browser reaches the page through TLS, so that its cookie
// may be bound to it.
func (s *Server) overTLS(r *http.Request) bool {
	return s.certs != nil || s.fromProxy(r) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// hostOf is a Host header without its port.
func hostOf(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.Trim(host, "[]")
}

// mayAsk tells whether the page of a loopback server is served under this name.
func (s *Server) mayAsk(host string) bool { return broker.Loopback(host) || s.isProxied(host) }

// unbuffered asks proxies to pass on each part of a stream at once.
func unbuffered(w http.ResponseWriter) { w.Header().Set("X-Accel-Buffering", "no") }
