package status

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"platewatch/uplink/broker"
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
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !broker.Loopback(strings.Trim(host, "[]")) {
			http.Error(w, "this page is served under 127.0.0.1 and localhost only", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// sessionTime is the lifetime of a login: a working day.
const sessionTime = 12 * time.Hour

// sessions issues and checks session cookies. It stores nothing: a cookie is its
// own expiry, signed with a key derived from the token. Sessions survive a restart
// of the unit and end when the token changes.
type sessions struct {
	token [sha256.Size]byte
	key   []byte
	// failing limits guessing: each wrong token holds a slot for the penalty.
	failing chan struct{}
	penalty time.Duration
}

func newSessions(token string) *sessions {
	key := hmac.New(sha256.New, []byte(token))
	key.Write([]byte("platewatch status session"))
	return &sessions{
		token: sha256.Sum256([]byte(token)), key: key.Sum(nil),
		failing: make(chan struct{}, 4), penalty: 500 * time.Millisecond,
	}
}

// isToken compares in constant time, independent of the lengths.
func (s *sessions) isToken(candidate string) bool {
	sum := sha256.Sum256([]byte(candidate))
	return subtle.ConstantTimeCompare(sum[:], s.token[:]) == 1
}

// issue returns the value of a new session's cookie.
func (s *sessions) issue(now time.Time) string {
	value := binary.BigEndian.AppendUint64(nil, uint64(now.Add(sessionTime).Unix()))
	return base64.RawURLEncoding.EncodeToString(append(value, s.sign(value)...))
}

// valid reports whether a cookie was issued here and has not expired. A clock that
// jumps back does not extend a session beyond [sessionTime].
func (s *sessions) valid(cookie string, now time.Time) bool {
	value, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil || len(value) != 8+sha256.Size {
		return false
	}
	end := time.Unix(int64(binary.BigEndian.Uint64(value)), 0)
	return hmac.Equal(value[8:], s.sign(value[:8])) && now.Before(end) && end.Before(now.Add(sessionTime+time.Minute))
}

func (s *sessions) sign(value []byte) []byte {
	m := hmac.New(sha256.New, s.key)
	m.Write(value)
	return m.Sum(nil)
}

// cookieName: browsers bind a name with the __Host- prefix to this host, to
// every path, and to TLS.
func (s *Server) cookieName() string {
	if s.certs != nil {
		return "__Host-platewatch"
	}
	return "platewatch"
}

func (s *Server) cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: s.cookieName(), Value: value, Path: "/", MaxAge: maxAge,
		Secure: s.certs != nil, HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

// authenticate requires the token in the header, or a session cookie.
func (s *Server) authenticate(next http.Handler) http.Handler {
	if s.sessions == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cookie, err := r.Cookie(s.cookieName()); err == nil && s.sessions.valid(cookie.Value, time.Now()) {
			next.ServeHTTP(w, r)
			return
		}
		bearer, hasBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if hasBearer {
			if s.sessions.isToken(bearer) {
				next.ServeHTTP(w, r)
				return
			}
			if !s.punish(w, r) {
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

// login checks the token from the form and starts a session.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	if !s.sessions.isToken(strings.TrimSpace(r.PostForm.Get("token"))) {
		s.log.Warn("wrong token on the status page", "remote", r.RemoteAddr)
		if s.punish(w, r) {
			s.loginForm(w, http.StatusUnauthorized, "Wrong token.")
		}
		return
	}
	http.SetCookie(w, s.cookie(s.sessions.issue(time.Now()), int(sessionTime.Seconds())))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, s.cookie("", -1))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// punish delays the response to a wrong token. It returns false if it has
// responded already, because too many are delayed.
func (s *Server) punish(w http.ResponseWriter, r *http.Request) bool {
	select {
	case s.sessions.failing <- struct{}{}:
		defer func() { <-s.sessions.failing }()
	default:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many wrong tokens: try again in a second", http.StatusTooManyRequests)
		return false
	}
	timer := time.NewTimer(s.sessions.penalty)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
	return true
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
