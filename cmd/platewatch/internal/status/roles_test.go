package status

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/cmd/platewatch/internal/access"
	"platewatch/cmd/platewatch/internal/testdrive"
)

// grantLine is the line of the configuration for a token.
func grantLine(t testing.TB, name string, roles access.Roles) string {
	t.Helper()
	return access.Of("token of "+name+" "+roles.String(), name, roles).String()
}

// TestRoles asks every endpoint with every role, with none and with a wrong token:
// what a role may not see is not sent.
func TestRoles(t *testing.T) {
	tokens := map[string]string{"none": "", "wrong": "wrong-wrong-wrong-wrong", "all": token}
	var lines []string
	for _, roles := range []access.Roles{access.View, access.View | access.Aim, access.View | access.Hits} {
		tokens[roles.String()], lines = "token of anna "+roles.String(), append(lines, grantLine(t, "anna", roles))
	}
	drive := &testdrive.Drive{}
	s := newServer(t, newFake(), Options{Settings: Settings{TokenFile: tokenFile(t, token), Tokens: lines, Drive: testdrive.Default()}, TestDrive: drive})
	s.sessions.guesses.window = 0
	h := s.handler()
	if _, ok := drive.Start("somebody", time.Hour, func() {}); !ok {
		t.Fatal("no test drive")
	}
	defer drive.Stop()
	drive.Add(testdrive.Read{Camera: "front", Text: "XYZ987", Confidence: 0.9, Picture: []byte("\xff\xd8plate")})

	const anybody, view, aim, hits = "none wrong view view+aim view+hits all", "view view+aim view+hits all", "view+aim all", "view+hits all"
	endpoints := []struct{ method, path, who string }{
		{"GET", "/healthz", anybody},
		{"GET", "/assets/page.js", anybody},
		{"GET", "/", view},
		{"GET", "/status.json", view},
		{"GET", "/readyz", view},
		{"GET", "/metrics", view},
		{"GET", "/cameras/front/frame.jpg", aim},
		{"GET", "/cameras/front/frame.jpg?size=small", aim},
		{"GET", "/cameras/front/crop.jpg?x=0.5&y=0.5&w=100&h=100", aim},
		{"GET", "/cameras/front/plate.jpg", aim},
		{"POST", "/cameras/front/aim", aim},
		{"GET", "/testdrive.json", aim},
		{"GET", "/testdrive/1", aim},
		{"POST", "/testdrive?do=start", aim},
		{"GET", "/hits/gate-7-000041/plate.jpg", hits},
	}
	for _, e := range endpoints {
		for role, secret := range tokens {
			r := httptest.NewRequest(e.method, e.path, nil)
			r.Host = "localhost"
			r.Header.Set("Accept", "text/html")
			if secret != "" {
				r.Header.Set("Authorization", "Bearer "+secret)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			may := slices.Contains(strings.Fields(e.who), role)
			refused := w.Code == http.StatusUnauthorized || w.Code == http.StatusForbidden
			if may == refused {
				t.Errorf("%s %s as %s: %d", e.method, e.path, role, w.Code)
			}
			body := w.Body.String()
			if strings.Contains(body, "KL47RVX") && !slices.Contains(strings.Fields(hits), role) {
				t.Errorf("%s %s as %s shows a hit", e.method, e.path, role)
			}
			if strings.Contains(body, "XYZ987") && !slices.Contains(strings.Fields(aim), role) {
				t.Errorf("%s %s as %s shows a read", e.method, e.path, role)
			}
			if strings.Contains(body, "\xff\xd8") && refused {
				t.Errorf("%s %s as %s shows a picture", e.method, e.path, role)
			}
		}
	}
	if body := get(h, "/status.json", "Authorization: Bearer "+tokens["view+hits"]).Body.String(); !strings.Contains(body, "KL47RVX") {
		t.Error("the role hits does not see hits")
	}
	// Streams too.
	for role, secret := range tokens {
		ctx, leave := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, "GET", "/events", nil)
		r.Host = "localhost"
		r.Header.Set("Authorization", "Bearer "+secret)
		w := httptest.NewRecorder()
		leave() // after the first event
		h.ServeHTTP(w, r)
		if strings.Contains(w.Body.String(), "KL47RVX") != slices.Contains(strings.Fields(hits), role) {
			t.Errorf("/events as %s: %.80s", role, w.Body)
		}
	}
}

// TestTestDrive: a role that may aim starts a test drive, which is announced to every
// role; its reads are shown to that role only, and are deleted when it expires, when
// its session ends, or when it is stopped. The audit trail records the beginning and
// the end.
func TestTestDrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var got []string
		begun := time.Now()
		drive := &testdrive.Drive{}
		settings := Settings{TokenFile: tokenFile(t, token), Drive: testdrive.Default()}
		s := newServer(t, healthy(), Options{Settings: settings, TestDrive: drive, OnView: func(v View) {
			if v.What != driveView {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			line := v.Who[:5] + " " + v.From.Sub(begun).String()
			if !v.Until.IsZero() {
				line += " to " + v.Until.Sub(begun).String()
			}
			got = append(got, line)
		}})
		h := s.handler()
		cookie := s.cookie(httptest.NewRequest("GET", "/", nil), s.sessions.begin(allRoles, begun), 60)
		defer s.sessions.closeAll()
		ask := func(method, path string, form url.Values) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
			r.Host = "localhost"
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.AddCookie(cookie)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w
		}
		read := func() {
			drive.Add(testdrive.Read{Camera: "front", Text: "XYZ987", Confidence: 0.9, Picture: []byte("\xff\xd8")})
		}
		start, stop := url.Values{"do": {"start"}}, url.Values{"do": {"stop"}}
		read()
		if w := ask("GET", "/testdrive.json", nil); strings.Contains(w.Body.String(), "XYZ987") {
			t.Error("without a drive a read is shown")
		}
		if w := ask("POST", "/testdrive", start); w.Code != 204 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if w := ask("POST", "/testdrive", start); w.Code != 409 {
			t.Errorf("a second one: %d", w.Code)
		}
		read()
		time.Sleep(time.Minute)
		body := ask("GET", "/testdrive.json", nil).Body.String()
		if diff := cmp.Diff(`{"left_s":540,"reads":[{"number":1,"age_s":60,"camera":"front","text":"XYZ987","confidence":0.9,"picture":true}]}`+"\n", body); diff != "" {
			t.Error(diff)
		}
		if w := ask("GET", "/testdrive/1", nil); w.Code != 200 || w.Header().Get("Content-Type") != "image/jpeg" {
			t.Errorf("the picture: %d", w.Code)
		}
		if body := ask("GET", "/status.json", nil).Body.String(); !strings.Contains(body, `"test_drive":{"who":"login`) || strings.Contains(body, "XYZ987") {
			t.Error("the drive is not announced, or the document holds what was read")
		}
		time.Sleep(10 * time.Minute) // it ends by itself
		for _, path := range []string{"/testdrive.json", "/status.json"} {
			if body := ask("GET", path, nil).Body.String(); strings.Contains(body, "XYZ987") || strings.Contains(body, "test_drive\":{") {
				t.Errorf("after its time %s says %s", path, body)
			}
		}
		if w := ask("GET", "/testdrive/1", nil); w.Code != 404 {
			t.Errorf("after its time the picture: %d", w.Code)
		}
		ask("POST", "/testdrive", start)
		ask("POST", "/testdrive", stop)
		ask("POST", "/testdrive", start)
		read()
		ask("POST", "/logout", nil) // and with the session
		synctest.Wait()
		if drive.Running() || drive.Reads() != nil {
			t.Error("the drive outlives its session")
		}
		want := []string{"login 0s", "login 0s to 10m0s", "login 11m0s", "login 11m0s to 11m0s", "login 11m0s", "login 11m0s to 11m0s"}
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if w := ask("POST", "/testdrive", start); w.Code != 401 {
			t.Errorf("after the logout: %d", w.Code)
		}
	})
}

func TestNoTestDrives(t *testing.T) {
	s := newServer(t, newFake(), Options{TestDrive: &testdrive.Drive{}}) // test_drive = "0s"
	r := httptest.NewRequest("POST", "/testdrive?do=start", nil)
	r.Host = "localhost"
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, r)
	if w.Code != 404 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
