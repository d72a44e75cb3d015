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
	"time"

	"platewatch/cmd/platewatch/internal/access"
)

// screen shares one camera's newest picture among its viewers, so that at most FPS
// pictures a second are encoded, and none without viewers.
type screen struct {
	lock  chan struct{} // a mutex that can be waited for with a context
	jpeg  []byte
	taken time.Time
	seq   uint64
}

// screenKey tells the pictures of a camera apart that are shared.
type screenKey struct {
	camera      string
	small, text bool
}

// cutOf is the whole picture that a viewer may see.
func cutOf(r *http.Request) Cut {
	return Cut{Small: r.URL.Query().Get("size") == "small", Text: viewerOf(r).roles.Has(access.Hits)}
}

// picture returns the camera's newest picture, at most one interval old, and its
// sequence number. It waits for other viewers and for the unit until ctx ends.
func (s *Server) picture(ctx context.Context, camera string, cut Cut) ([]byte, uint64, error) {
	sc := s.screen(camera, cut)
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
	jpeg, err := s.unit.Picture(ctx, camera, cut)
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
func (s *Server) screen(camera string, cut Cut) *screen {
	key := screenKey{camera, cut.Small, cut.Text}
	if v, ok := s.screens.Load(key); ok {
		return v.(*screen)
	}
	doc, _ := s.snapshot.get()
	if !slices.ContainsFunc(doc.Cameras, func(c Camera) bool { return c.Name == camera }) {
		return nil
	}
	v, _ := s.screens.LoadOrStore(key, &screen{lock: make(chan struct{}, 1)})
	return v.(*screen)
}

func (s *Server) interval() time.Duration { return time.Duration(float64(time.Second) / s.opt.FPS) }

// forget frees a camera's last pictures when its last viewer has left.
func (s *Server) forget(camera string) {
	s.screens.Range(func(key, v any) bool {
		if sc := v.(*screen); key.(screenKey).camera == camera {
			select {
			case sc.lock <- struct{}{}:
				sc.jpeg = nil
				<-sc.lock
			default: // somebody else is viewing
			}
		}
		return true
	})
}

// frame responds with one picture. The page requests the next one when it has
// drawn the last, so that a slow link only lowers the rate.
func (s *Server) frame(w http.ResponseWriter, r *http.Request) {
	camera := r.PathValue("name")
	s.onePicture(w, r, camera, func(ctx context.Context) ([]byte, error) {
		jpeg, _, err := s.picture(ctx, camera, cutOf(r))
		return jpeg, err
	})
}

// onePicture responds with a picture of a camera, if the client may have one now.
func (s *Server) onePicture(w http.ResponseWriter, r *http.Request, camera string, take func(context.Context) ([]byte, error)) {
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
	jpeg, err := take(ctx)
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
	unbuffered(w)
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
		jpeg, seq, err := s.picture(ctx, camera, cutOf(r))
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
	if s.screen(camera, cutOf(r)) == nil {
		pictureError(w, ErrUnknownCamera)
		return false
	}
	if !s.viewers.enter(viewerKey(r), camera, held, time.Now()) {
		s.tooMany(w)
		return false
	}
	return true
}
