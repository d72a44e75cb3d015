package status

import (
	"cmp"
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"platewatch/cmd/platewatch/internal/access"
)

// secureHeaders forbids loading from elsewhere, framing and caching, for every
// response.
func secureHeaders(next http.Handler) http.Handler {
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// checkHost accepts only loopback names on a loopback server: a foreign page whose
// name resolves to 127.0.0.1 (DNS rebinding) still sends its own name. On other
// addresses the token protects: its cookie is bound to the real name.
func (s *Server) checkHost(next http.Handler) http.Handler {
	if !s.loopback {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.mayAsk(hostOf(r.Host)) {
			http.Error(w, "this page is served under 127.0.0.1 and localhost only, and the names in status.hosts", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// checkSite refuses what another site's page loads, such as an <img> of the live
// picture: it could not read the answer, but would take a viewer's place. A link to
// the page itself is fine. Browsers say where a request comes from in Sec-Fetch-Site,
// old ones in Referer; programs say nothing.
func (s *Server) checkSite(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		foreign := false
		switch site := r.Header.Get("Sec-Fetch-Site"); site {
		case "same-origin", "none":
		case "":
			if referer := r.Header.Get("Referer"); referer != "" && r.URL.Path != "/" {
				u, err := url.Parse(referer)
				foreign = err != nil || u.Host != r.Host
			}
		default:
			foreign = r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document" || r.URL.Path != "/"
		}
		if foreign {
			http.Error(w, "this is not for pages of other sites", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// cookieName: browsers bind a name with the __Host- prefix to this host, to
// every path, and to TLS; with __Secure- to TLS only, so that units behind one proxy
// have a cookie each, by their paths.
func (s *Server) cookieName(r *http.Request) string {
	switch {
	case !s.overTLS(r):
		return "platewatch"
	case s.opt.BasePath == "/":
		return "__Host-platewatch"
	}
	return "__Secure-platewatch"
}

func (s *Server) cookie(r *http.Request, value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: s.cookieName(r), Value: value, Path: s.opt.BasePath, MaxAge: maxAge,
		Secure: s.overTLS(r), HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

// authenticate requires the token in the header, or a session's cookie.
func (s *Server) authenticate(next http.Handler) http.Handler {
	if s.sessions == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cookie, err := r.Cookie(s.cookieName(r)); err == nil {
			if login := s.sessions.find(cookie.Value, time.Now()); login != nil {
				// A stream ends with its session.
				ctx, cancel := context.WithCancel(context.WithValue(r.Context(), viewerContext{}, viewer{login.name, login.grant.Roles, login}))
				defer cancel()
				defer context.AfterFunc(login.ctx, cancel)()
				next.ServeHTTP(w, r.WithContext(ctx))
				return
			}
		}
		scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		hasBearer := strings.EqualFold(scheme, "Bearer")
		if hasBearer {
			g, right, limited := s.tryToken(r, strings.TrimLeft(bearer, " "))
			switch {
			case limited:
				w.Header().Set("Retry-After", "1")
				http.Error(w, tooManyTokens, http.StatusTooManyRequests)
				return
			case right:
				next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), viewerContext{}, viewer{who: cmp.Or(g.Name, "token"), roles: g.Roles})))
				return
			}
		}
		if !hasBearer && r.URL.Path == "/" && wantsHTML(r) {
			s.loginForm(w, http.StatusUnauthorized, "")
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="platewatch"`)
		http.Error(w, "the status page's token is required", http.StatusUnauthorized)
	})
}

const tooManyTokens = "Too many wrong tokens came from your address: this one was not looked at. Try again in a second."

// login checks the token from the form and starts a session.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	switch g, right, limited := s.tryToken(r, strings.TrimSpace(r.PostForm.Get("token"))); {
	case limited:
		w.Header().Set("Retry-After", "1")
		s.loginForm(w, http.StatusTooManyRequests, tooManyTokens)
	case !right:
		s.loginForm(w, http.StatusUnauthorized, "Wrong token.")
	default:
		http.SetCookie(w, s.cookie(r, s.sessions.begin(g, time.Now()), int(sessionTime.Seconds())))
		http.Redirect(w, r, s.opt.BasePath, http.StatusSeeOther)
	}
}

// logout ends the session of the request's cookie.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(s.cookieName(r)); err == nil {
		s.sessions.close(cookie.Value, time.Now())
	}
	http.SetCookie(w, s.cookie(r, "", -1))
	http.Redirect(w, r, s.opt.BasePath, http.StatusSeeOther)
}

// ownCertificate describes the server's certificate; nil without TLS.
func (s *Server) ownCertificate() *Page {
	if s.certs == nil {
		return nil
	}
	fingerprint, ends, err := access.Fingerprint(s.certs.cert)
	if err != nil { // half-written: the next look has it
		return nil
	}
	return &Page{Fingerprint: fingerprint, Expires: ends}
}

// certificate is the server's certificate. It is loaded again when its file
// changes, so that a renewal needs no restart.
type certificate struct {
	cert, key string

	mu     sync.Mutex
	loaded *tls.Certificate
	from   time.Time // modification time of the loaded file
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	file, err := os.Stat(c.cert)
	if err == nil && c.loaded != nil && file.ModTime().Equal(c.from) {
		return c.loaded, nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(c.cert, c.key)
	}
	if err != nil {
		if c.loaded != nil { // half-written: keep the old one
			return c.loaded, nil
		}
		return nil, err
	}
	c.loaded, c.from = &pair, file.ModTime()
	return c.loaded, nil
}
