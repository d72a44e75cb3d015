package status

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestViews: each look at live pictures and hits is reported once when it begins,
// before anything is shown, and once when it has ended, however many requests it
// takes; requests that show neither are not reported.
func TestViews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var got []string
		begun := time.Now()
		u := healthy()
		told := 0 // reports when the last picture was taken
		u.picture = func(context.Context, string) ([]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			told = len(got)
			return []byte("jpeg"), nil
		}
		s := newServer(t, u, Options{Settings: Settings{TokenFile: tokenFile(t, token)}, OnView: func(v View) {
			mu.Lock()
			defer mu.Unlock()
			line := v.Who + " from " + v.Remote + ": " + v.What + " " + v.From.Sub(begun).String()
			if !v.Until.IsZero() {
				line += " to " + v.Until.Sub(begun).String()
			}
			got = append(got, line)
		}})
		cookie := s.cookie(httptest.NewRequest("GET", "/", nil), s.sessions.begin(allRoles, begun), 60)
		defer s.sessions.closeAll()
		name := s.sessions.find(cookie.Value, begun).name
		h := s.handler()
		ask := func(ctx context.Context, remote, path string) int {
			r := httptest.NewRequestWithContext(ctx, "GET", path, nil)
			r.Host, r.RemoteAddr = "localhost", remote
			if remote == "192.0.2.7:99" {
				r.AddCookie(cookie)
			} else {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code
		}
		for range 300 { // a minute of single pictures, and what shows neither
			for _, path := range []string{"/cameras/front/frame.jpg?viewer=a", "/metrics", "/readyz", "/healthz", "/assets/page.js", "/cameras/none/frame.jpg"} {
				ask(t.Context(), "127.0.0.1:1", path)
			}
			time.Sleep(200 * time.Millisecond)
		}
		mu.Lock()
		if told != 1 {
			t.Errorf("a picture was taken after %d reports", told)
		}
		mu.Unlock()
		ctx, leave := context.WithCancel(t.Context())
		var stream sync.WaitGroup
		stream.Go(func() { ask(ctx, "192.0.2.7:99", "/events") })
		time.Sleep(time.Hour)
		s.views.end(time.Now(), false)
		leave()
		stream.Wait()
		time.Sleep(viewBreak + time.Second)
		s.views.end(time.Now(), false)
		ask(t.Context(), "192.0.2.7:99", "/hits/gate-7-000041/plate.jpg")
		ask(t.Context(), "192.0.2.7:99", "/status.json")
		s.views.end(time.Now(), true)
		want := []string{
			"token from loopback: camera front 0s",
			name + " from 192.0.2.7: hits 1m0s",
			"token from loopback: camera front 0s to 59.8s",
			name + " from 192.0.2.7: hits 1m0s to 1h1m0s",
			name + " from 192.0.2.7: hits 1h6m1s",
			name + " from 192.0.2.7: hits 1h6m1s to 1h6m1s",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}

		// Without hits there is nothing to see on the page.
		u.change(func(d *Document) { d.LastHits = nil })
		time.Sleep(time.Second)
		ask(t.Context(), "192.0.2.7:99", "/")
		if len(got) != len(want) {
			t.Errorf("%q", got[len(want):])
		}
	})
}

// The number of looks that are followed at the same time has a bound.
func TestViewsBound(t *testing.T) {
	began, ended := 0, 0
	v := views{report: func(v View) {
		if v.Until.IsZero() {
			began++
		} else {
			ended++
		}
	}}
	now := time.Now()
	for i := range 2 * maxViews {
		r := &http.Request{RemoteAddr: "192.0.2.1:1", URL: &url.URL{}}
		v.saw(r, strings.Repeat("x", i), false, now.Add(time.Duration(i)))()
	}
	v.end(now, true)
	if began != 2*maxViews || ended != began || len(v.now) != 0 {
		t.Errorf("%d began, %d ended, %d left", began, ended, len(v.now))
	}
}
