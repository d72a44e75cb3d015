package capturetest

import (
	"fmt"
	"image"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// MJPEG serves an MJPEG stream of n pictures at /video, 50 a second; without end
// if n is negative.
func MJPEG(t testing.TB, width, height, n int) *httptest.Server {
	t.Helper()
	picture := EncodeJPEG(t, image.NewGray(image.Rect(0, 0, width, height)))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/video" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", `multipart/x-mixed-replace; boundary="frame"`)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := 0; i < n || n < 0; i++ {
			fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", len(picture), picture)
			if http.NewResponseController(w).Flush() != nil {
				return
			}
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
		}
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}
