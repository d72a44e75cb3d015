package status

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"platewatch/cmd/platewatch/internal/access"
)

const (
	// sessionTime is the lifetime of a login: a working day.
	sessionTime = 12 * time.Hour
	// maxSessions bounds the logins; one more ends the oldest.
	maxSessions = 64
)

// sessions are the logins of the status page. They are kept here and not in the
// cookie, so that a logout ends one for good; they end when the unit stops.
type sessions struct {
	grants  access.Grants
	guesses guesses

	mu   sync.Mutex
	open []*session // oldest first
}

// session is one login.
type session struct {
	cookie string
	grant  access.Grant
	name   string    // for the audit trail; does not give the cookie away
	until  time.Time // carries the monotonic clock
	ctx    context.Context
	end    context.CancelFunc // ends the session's streams
}

func newSessions(grants access.Grants) *sessions {
	return &sessions{grants: grants, guesses: guesses{window: time.Second}}
}

// renew replaces the grants. Others end all logins.
func (s *sessions) renew(grants access.Grants) {
	s.mu.Lock()
	same := slices.Equal(s.grants, grants)
	s.grants = grants
	s.mu.Unlock()
	if !same {
		s.closeAll()
	}
}

// grantOf is what a token gives. It is called by [guesses.try] only.
func (s *sessions) grantOf(token string) (access.Grant, bool) {
	s.mu.Lock()
	grants := s.grants
	s.mu.Unlock()
	return grants.Find(token)
}

// begin starts a session and returns its cookie.
func (s *sessions) begin(g access.Grant, now time.Time) string {
	n := &session{cookie: rand.Text(), grant: g, name: "login " + rand.Text()[:6], until: now.Add(sessionTime)}
	if g.Name != "" {
		n.name = g.Name + ", " + n.name
	}
	n.ctx, n.end = context.WithCancel(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = append(s.open, n)
	if len(s.open) > maxSessions {
		s.open[0].end()
		s.open = slices.Delete(s.open, 0, 1)
	}
	return n.cookie
}

// find returns the session of a cookie; nil if there is none, or if it has expired.
func (s *sessions) find(cookie string, now time.Time) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = slices.DeleteFunc(s.open, func(n *session) bool {
		if now.Before(n.until) {
			return false
		}
		n.end()
		return true
	})
	for _, n := range s.open {
		if subtle.ConstantTimeCompare([]byte(cookie), []byte(n.cookie)) == 1 {
			return n
		}
	}
	return nil
}

// close ends a session, and its streams.
func (s *sessions) close(cookie string, now time.Time) {
	n := s.find(cookie, now)
	if n == nil {
		return
	}
	n.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = slices.DeleteFunc(s.open, func(o *session) bool { return o == n })
}

// closeAll ends all sessions.
func (s *sessions) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.open {
		n.end()
	}
	s.open = nil
}

// Bounds of guessing within [guesses.window].
const (
	guessesEach = 2  // wrong tokens from one address
	guessesAll  = 32 // and from all: at a token of 16 characters, nothing
)

// guesses bounds how many wrong tokens are compared. Once the bound is reached, no
// token is compared, not even the right one: else guessing would have no bound.
// One address cannot use up what is left to the others.
type guesses struct {
	window time.Duration

	mu     sync.Mutex
	recent []guess // wrong ones within the window
	untold int     // wrong ones since the last line in the log
	told   time.Time
}

type guess struct {
	from string
	at   time.Time
}

// try compares a token, unless too many wrong ones came: limited. tell is above
// zero once a minute at most, and is then the number of wrong tokens to be logged.
func (g *guesses) try(from string, now time.Time, isToken func() bool) (right, limited bool, tell int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.recent = slices.DeleteFunc(g.recent, func(r guess) bool { return now.Sub(r.at) >= g.window })
	here := 0
	for _, r := range g.recent {
		if r.from == from {
			here++
		}
	}
	if limited = here >= guessesEach || len(g.recent) >= guessesAll; !limited {
		if right = isToken(); right {
			return true, false, 0
		}
		g.recent = append(g.recent, guess{from, now})
	}
	g.untold++
	if g.told.IsZero() || now.Sub(g.told) >= time.Minute {
		tell, g.untold, g.told = g.untold, 0, now
	}
	return false, limited, tell
}

// tryToken compares a token from a request, and logs what must be known of wrong
// ones.
func (s *Server) tryToken(r *http.Request, token string) (g access.Grant, right, limited bool) {
	right, limited, tell := s.sessions.guesses.try(clientNetwork(r), time.Now(), func() bool {
		var ok bool
		g, ok = s.sessions.grantOf(token)
		return ok
	})
	if tell > 0 {
		s.log.Warn("wrong tokens on the status page", "count", tell, "last_from", host(r))
	}
	return g, right, limited
}

// host is the address of a client, without its port.
func host(r *http.Request) string {
	h, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return h
}

// clientNetwork is the address of a client as far as it says who it is: of IPv6, one
// customer has at least all that begin with the same 64 bits.
func clientNetwork(r *http.Request) string { return networkOf(host(r)) }

func networkOf(host string) string {
	a, err := netip.ParseAddr(host)
	if err != nil || a.Unmap().Is4() {
		return strings.TrimPrefix(host, "::ffff:")
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return host
	}
	return p.String()
}

type viewerContext struct{}

// viewer is who makes an admitted request.
type viewer struct {
	who     string // a login, a token's name, "token", or "loopback" where none is needed
	roles   access.Roles
	session *session // nil without a login
}

func viewerOf(r *http.Request) viewer {
	if v, ok := r.Context().Value(viewerContext{}).(viewer); ok {
		return v
	}
	return viewer{who: "loopback", roles: access.All}
}

// whoLooks names the viewer of an admitted request.
func whoLooks(r *http.Request) string { return viewerOf(r).who }

// need refuses those who lack a role: what a role may not see is not sent.
func need(role access.Roles, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !viewerOf(r).roles.Has(role) {
			http.Error(w, fmt.Sprintf("this needs a token with the role %s", strings.TrimPrefix(role.String(), "view+")), http.StatusForbidden)
			return
		}
		next(w, r)
	}
}
