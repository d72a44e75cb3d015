package status

import (
	"context"
	"net/http"
	"sync"
	"time"

	"platewatch/uplink/broker"
)

// View is one person's look at live pictures or hits, without a break of more than
// [viewBreak].
type View struct {
	Who    string // a login, "token" or "loopback"
	Remote string // the viewer's address; "loopback" for all of this machine
	What   string // "camera front", "hits" or "test drive"
	From   time.Time
	Until  time.Time // zero at the beginning of the look
}

const (
	viewBreak = 5 * time.Minute
	// maxViews bounds the looks at the same time; one more ends the oldest.
	maxViews = 256
	// hitsView is [View.What] of the text and pictures of hits.
	hitsView = "hits"
)

// views collapses requests to looks, and reports each when it begins and when it
// has ended.
type views struct {
	report func(View) // may be nil

	mu  sync.Mutex
	now map[View]*look // by who, remote and what
}

type look struct {
	from, last time.Time
	streams    int
}

// saw notes a request; done, that a stream of it has ended. The beginning of a look
// is reported before it returns: nobody sees anything that is not recorded.
func (v *views) saw(r *http.Request, what string, stream bool, now time.Time) (done func()) {
	if v.report == nil {
		return func() {}
	}
	key := viewBy(r, what)
	v.mu.Lock()
	var ended []View
	l := v.now[key]
	if l != nil && l.streams == 0 && now.Sub(l.last) > viewBreak {
		ended, l = append(ended, l.view(key)), nil
	}
	begins := l == nil
	if begins {
		if v.now == nil {
			v.now = map[View]*look{}
		}
		l = &look{from: now}
		v.now[key] = l
		if len(v.now) > maxViews {
			ended = append(ended, v.dropOldest(key))
		}
	}
	l.last = now
	if stream {
		l.streams++
	}
	v.mu.Unlock()
	for _, e := range ended {
		v.report(e)
	}
	if begins {
		key.From = now
		v.report(key)
	}
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		if stream {
			l.streams--
		}
		l.last = time.Now()
	}
}

// viewBy is the look of a request, without its times.
func viewBy(r *http.Request, what string) View {
	v := View{Who: whoLooks(r), Remote: host(r), What: what}
	if broker.Loopback(v.Remote) {
		v.Remote = "loopback"
	}
	return v
}

func (l *look) view(key View) View {
	key.From, key.Until = l.from, l.last
	return key
}

// dropOldest ends the look that was the longest without a request, except one.
func (v *views) dropOldest(except View) View {
	var oldest View
	for key, l := range v.now {
		if key != except && (oldest == View{} || l.last.Before(v.now[oldest].last)) {
			oldest = key
		}
	}
	ended := v.now[oldest].view(oldest)
	delete(v.now, oldest)
	return ended
}

// end reports the looks that have ended; with all, every one.
func (v *views) end(now time.Time, all bool) {
	var ended []View
	v.mu.Lock()
	for key, l := range v.now {
		if all || l.streams == 0 && now.Sub(l.last) > viewBreak {
			if l.streams > 0 {
				l.last = now
			}
			ended = append(ended, l.view(key))
			delete(v.now, key)
		}
	}
	v.mu.Unlock()
	for _, e := range ended {
		v.report(e)
	}
}

// run reports looks that have ended, until ctx is done, and then all.
func (v *views) run(ctx context.Context) {
	tick := time.NewTicker(viewBreak / 10)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			v.end(time.Now(), false)
		case <-ctx.Done():
			return
		}
	}
}

// seeHits notes a request for the text or the pictures of hits.
func (s *Server) seeHits(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if doc, _ := s.snapshot.forRoles(viewerOf(r).roles); len(doc.LastHits) > 0 {
			defer s.views.saw(r, hitsView, false, time.Now())()
		}
		next(w, r)
	}
}
