package status

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

// screen shares one camera's newest picture among its viewers, so that at most FPS
// pictures a second are encoded, and none without viewers.
type screen struct {
	lock  chan struct{} // a mutex that can be waited for with a context
	jpeg  []byte
	taken time.Time
	seq   uint64
}

// picture returns the camera's newest picture, at most one interval old, and its
// sequence number. It waits for other viewers and for the unit until ctx ends.
func (s *Server) picture(ctx context.Context, camera string) ([]byte, uint64, error) {
	sc := s.screen(camera)
	if sc == nil {
		return nil, 0, ErrUnknownCamera
	}
	select {
	case sc.lock <- struct{}{}:
		defer func() { <-sc.lock }()
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	if sc.jpeg != nil && time.Since(sc.taken) < s.interval() {
		return sc.jpeg, sc.seq, nil
	}
	// The age counts from the start of encoding, which keeps the rate when
	// encoding takes a large part of the interval.
	begun := time.Now()
	jpeg, err := s.unit.Picture(ctx, camera)
	if err != nil {
		sc.jpeg = nil
		return nil, 0, err
	}
	sc.jpeg, sc.taken = jpeg, begun
	sc.seq++
	return sc.jpeg, sc.seq, nil
}

// screen returns the camera's screen, or nil if there is no such camera: names
// come from clients, and only real cameras may take memory.
func (s *Server) screen(camera string) *screen {
	if v, ok := s.screens.Load(camera); ok {
		return v.(*screen)
	}
	doc, _ := s.snapshot.get()
	if !slices.ContainsFunc(doc.Cameras, func(c Camera) bool { return c.Name == camera }) {
		return nil
	}
	v, _ := s.screens.LoadOrStore(camera, &screen{lock: make(chan struct{}, 1)})
	return v.(*screen)
}

func (s *Server) interval() time.Duration { return time.Duration(float64(time.Second) / s.opt.FPS) }

// forget frees a camera's last picture when its last viewer has left.
func (s *Server) forget(camera string) {
	if v, ok := s.screens.Load(camera); ok {
		sc := v.(*screen)
		select {
		case sc.lock <- struct{}{}:
			sc.jpeg = nil
			<-sc.lock
		default: // somebody else is viewing
		}
	}
}

// frame responds with one picture. The page requests the next one when it has
// drawn the last, so that a slow link only lowers the rate.
func (s *Server) frame(w http.ResponseWriter, r *http.Request) {
	camera := r.PathValue("name")
	select {
	case s.frames <- struct{}{}:
		defer func() { <-s.frames }()
	default:
		s.tooMany(w)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), pictureWait)
	defer cancel()
	if !s.watch(w, r, camera, false) {
		return
	}
	defer s.views.saw(r, "camera "+camera, false, time.Now())()
	jpeg, _, err := s.picture(ctx, camera)
	if err != nil {
		pictureError(w, err)
		return
	}
	writeJPEG(w, jpeg)
}

// live responds with a stream of JPEGs, as network cameras do.
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	camera := r.PathValue("name")
	if !s.watch(w, r, camera, true) {
		return
	}
	defer func() {
		if s.viewers.leave(viewerKey(r), camera) {
			s.forget(camera)
		}
	}()
	defer s.views.saw(r, "camera "+camera, true, time.Now())()

	const boundary = "frame"
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary="+boundary)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var last uint64
	for started := false; ; {
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), pictureWait)
		jpeg, seq, err := s.picture(ctx, camera)
		cancel()
		if err != nil && !started {
			pictureError(w, err)
			return
		}
		if err != nil { // the camera may reconnect
			timer.Reset(time.Second)
			continue
		}
		timer.Reset(s.interval())
		if seq == last {
			continue
		}
		last = seq
		out.SetWriteDeadline(time.Now().Add(slowAfter))
		if !started {
			started = true
			fmt.Fprintf(w, "--%s\r\n", boundary)
		}
		fmt.Fprintf(w, "Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", len(jpeg))
		w.Write(jpeg)
		// The closing boundary follows its picture at once: browsers show a part
		// only after its end.
		fmt.Fprintf(w, "\r\n--%s\r\n", boundary)
		if err := out.Flush(); err != nil {
			s.countSlow(err)
			return
		}
	}
}

// hitPicture responds with the plate of one of the last hits.
func (s *Server) hitPicture(w http.ResponseWriter, r *http.Request) {
	unit, ok := s.unit.(hitPictures)
	if !ok {
		pictureError(w, ErrNoPicture)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), pictureWait)
	defer cancel()
	jpeg, err := unit.HitPicture(ctx, r.PathValue("id"))
	if err != nil {
		pictureError(w, err)
		return
	}
	writeJPEG(w, jpeg)
}

func writeJPEG(w http.ResponseWriter, jpeg []byte) {
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Content-Length", strconv.Itoa(len(jpeg)))
	w.Write(jpeg)
}

func pictureError(w http.ResponseWriter, err error) {
	code := http.StatusServiceUnavailable
	switch {
	case errors.Is(err, ErrUnknownCamera), errors.Is(err, ErrNoPicture):
		code = http.StatusNotFound
	case errors.Is(err, context.DeadlineExceeded):
		code = http.StatusGatewayTimeout
		err = errors.New("the camera delivers no picture")
	}
	http.Error(w, err.Error(), code)
}

// countSlow counts a stream that ended because its client was too slow.
func (s *Server) countSlow(err error) {
	var timeout net.Error
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		s.slowDropped.Add(1)
	}
}

func (s *Server) tooMany(w http.ResponseWriter) {
	s.refused.Add(1)
	w.Header().Set("Retry-After", "5")
	http.Error(w, fmt.Sprintf("%d people are viewing already", s.opt.Viewers), http.StatusServiceUnavailable)
}

// watch admits a viewer, or responds that there are too many. A held viewer stays
// until it leaves; others as long as they keep requesting.
func (s *Server) watch(w http.ResponseWriter, r *http.Request, camera string, held bool) bool {
	if s.screen(camera) == nil {
		pictureError(w, ErrUnknownCamera)
		return false
	}
	if !s.viewers.enter(viewerKey(r), camera, held, time.Now()) {
		s.tooMany(w)
		return false
	}
	return true
}

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
	now map[string]*viewer
}

type viewer struct {
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
		w = &viewer{seen: map[string]time.Time{}}
		if v.now == nil {
			v.now = map[string]*viewer{}
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
