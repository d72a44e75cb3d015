package status

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestPictures(t *testing.T) {
	h := newServer(t, newFake(), Options{}).handler()
	for path, want := range map[string]int{
		"/cameras/front/frame.jpg":      200,
		"/cameras/rear/frame.jpg":       404, // it has none
		"/cameras/rear/live.mjpeg":      404,
		"/cameras/none/frame.jpg":       404,
		"/cameras/none/live.mjpeg":      404,
		"/hits/gate-7-000041/plate.jpg": 200,
		"/hits/gate-7-000040/plate.jpg": 404,
	} {
		w := get(h, path)
		if w.Code != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if kind := w.Header().Get("Content-Type"); want == 200 && kind != "image/jpeg" {
			t.Errorf("%s: Content-Type %q", path, kind)
		}
	}
}

// TestPicturesAreShared: many viewers make the unit draw no more pictures than
// one, and a page without viewers makes it draw none.
func TestPicturesAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newFake()
		u.picture = func(ctx context.Context, camera string) ([]byte, error) { return []byte("picture"), nil }
		s := newServer(t, u, Options{Settings: Settings{Viewers: 20}, FPS: 10})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 100 { // two seconds, 50 requests a second each
					if _, _, err := s.picture(t.Context(), "front", Cut{}); err != nil {
						t.Error(err)
					}
					time.Sleep(20 * time.Millisecond) // the fake clock's
				}
			})
		}
		wg.Wait()
		if n := u.pictures.Load(); n < 19 || n > 21 {
			t.Errorf("%d pictures in two seconds at 10 a second", n)
		}
		time.Sleep(time.Hour)
		if n := u.pictures.Load(); n > 21 {
			t.Errorf("%d pictures were made with nobody watching", n-20)
		}
	})
}

// TestPictureWaitsForItsTurn: a viewer who leaves while the camera is slow does
// not take the picture of the others along.
func TestPictureWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newFake()
		u.picture = func(ctx context.Context, camera string) ([]byte, error) {
			select {
			case <-time.After(3 * time.Second):
				return []byte("picture"), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		s := newServer(t, u, Options{})
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		left := make(chan error)
		go func() {
			_, _, err := s.picture(impatient, "front", Cut{})
			left <- err
		}()
		synctest.Wait()
		got := make(chan error)
		go func() {
			_, _, err := s.picture(t.Context(), "front", Cut{})
			got <- err
		}()
		if err := <-left; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the impatient one got %v", err)
		}
		if err := <-got; err != nil {
			t.Errorf("the patient one got %v", err)
		}
	})
}

// TestSlowCamera: a camera that gives nothing ends the request, not the server.
func TestSlowCamera(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newFake()
		u.picture = func(ctx context.Context, camera string) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		s := newServer(t, u, Options{})
		begun := time.Now()
		w := get(s.handler(), "/cameras/front/frame.jpg")
		if w.Code != http.StatusGatewayTimeout || time.Since(begun) != pictureWait {
			t.Errorf("%d after %v", w.Code, time.Since(begun))
		}
	})
}

func TestLiveStream(t *testing.T) {
	u := newFake()
	s := newServer(t, u, Options{FPS: 50})
	base := start(t, s)
	defer http.DefaultClient.CloseIdleConnections()
	answer, err := http.Get(base + "cameras/front/live.mjpeg")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	parts(t, answer, 5)
	if n := u.pictures.Load(); n < 5 {
		t.Errorf("5 pictures from %d: one was sent twice", n)
	}
}

// TestSlowViewer: a reader who stops reading loses the stream and is counted,
// and the place is free again.
func TestSlowViewer(t *testing.T) {
	s := newServer(t, newFake(), Options{FPS: 1000})
	w := &stuckWriter{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequest("GET", "/cameras/front/live.mjpeg", nil)
	r.Host = "localhost"
	s.handler().ServeHTTP(w, r)
	if n := s.slowDropped.Load(); n != 1 {
		t.Errorf("%d slow viewers counted", n)
	}
	if n := s.viewers.count(time.Now()); n != 0 {
		t.Errorf("%d viewers are still counted", n)
	}
	if !w.deadline.After(time.Now()) || w.deadline.After(time.Now().Add(2*slowAfter)) {
		t.Errorf("the deadline of a write was %v", w.deadline)
	}
}

// stuckWriter is a connection whose third flush runs into its write deadline.
type stuckWriter struct {
	*httptest.ResponseRecorder
	flushes  int
	deadline time.Time
}

func (w *stuckWriter) SetWriteDeadline(t time.Time) error { w.deadline = t; return nil }
func (w *stuckWriter) FlushError() error {
	if w.flushes++; w.flushes == 3 {
		return timeoutError{}
	}
	return nil
}

type timeoutError struct{}

func (timeoutError) Error() string   { return "i/o timeout" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

func TestViewers(t *testing.T) {
	s := newServer(t, healthy(), Options{Settings: Settings{Viewers: 2}})
	h := s.handler()
	ask := func(viewer, camera string) int { return get(h, "/cameras/"+camera+"/frame.jpg?viewer="+viewer).Code }
	for range 3 {
		if a, b, c := ask("a", "front"), ask("b", "front"), ask("c", "front"); a != 200 || b != 200 || c != 503 {
			t.Errorf("three viewers for two places: %d %d %d", a, b, c)
		}
	}
	for range 3 { // to and fro is still one look at each
		if yard, front := ask("a", "yard"), ask("a", "front"); yard != 200 || front != 200 {
			t.Errorf("the other camera: %d, and back: %d", yard, front)
		}
	}
	if code := ask("a", "none"); code != 404 {
		t.Errorf("no camera: %d", code)
	}
	if s.refused.Load() != 3 {
		t.Errorf("%d refused", s.refused.Load())
	}

	later := time.Now().Add(viewerTime + time.Second)
	if n := s.viewers.count(later); n != 0 {
		t.Errorf("%d viewers after they have left", n)
	}
	if !s.viewers.enter("c", "front", true, later) {
		t.Error("the freed place is not given")
	}
	if n := s.viewers.count(later.Add(time.Hour)); n != 1 {
		t.Error("a stream was counted out while it runs")
	}
	if !s.viewers.leave("c", "front") || s.viewers.count(later) != 0 {
		t.Error("the end of a stream was not seen")
	}
}
