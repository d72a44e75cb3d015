package status

import (
	"net/http"
	"sync"
	"time"
)

// viewerKey identifies a viewer by address and, because several may share a
// tunnel, by the random mark that the page sends.
func viewerKey(r *http.Request) string {
	mark := r.URL.Query().Get("viewer")
	return host(r) + " " + mark[:min(len(mark), 32)]
}

// viewerTime is the time after the last single picture for which a client counts
// as a viewer.
const viewerTime = 10 * time.Second

// viewers are the clients that view live pictures now.
type viewers struct {
	limit int

	mu  sync.Mutex
	now map[string]*watching
}

type watching struct {
	streams int
	seen    map[string]time.Time // camera → last request
}

// enter admits a viewer, if there is room.
func (v *viewers) enter(key, camera string, held bool, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.expire(now)
	w := v.now[key]
	switch {
	case w == nil && len(v.now) >= v.limit, w != nil && held && w.streams >= v.limit:
		return false
	case w == nil:
		w = &watching{seen: map[string]time.Time{}}
		if v.now == nil {
			v.now = map[string]*watching{}
		}
		v.now[key] = w
	}
	if held {
		w.streams++
	}
	w.seen[camera] = now
	return true
}

// leave ends a stream. last is true when nobody views the camera any more.
func (v *viewers) leave(key, camera string) (last bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if w := v.now[key]; w != nil {
		if w.streams--; w.streams == 0 {
			delete(v.now, key)
		}
	}
	for _, w := range v.now {
		if _, watches := w.seen[camera]; watches {
			return false
		}
	}
	return true
}

// count is the number of viewers.
func (v *viewers) count(now time.Time) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.expire(now)
	return len(v.now)
}

func (v *viewers) expire(now time.Time) {
	for key, w := range v.now {
		gone := w.streams == 0
		for _, seen := range w.seen {
			gone = gone && now.Sub(seen) > viewerTime
		}
		if gone {
			delete(v.now, key)
		}
	}
}
