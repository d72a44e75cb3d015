package status

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"platewatch/cmd/platewatch/internal/aim"
	"platewatch/cmd/platewatch/internal/browsertest"
	"platewatch/uplink/message"
)

var (
	quietLog = slog.New(slog.DiscardHandler)
	shots    = flag.String("shots", "", "write screenshots of the page into this folder")
	serve    = flag.String("serve", "", "serve the page with an invented unit on this address until interrupted")
)

// TestServe is for looking at the page: go test -run TestServe -serve 127.0.0.1:8090
func TestServe(t *testing.T) {
	if *serve == "" {
		t.Skip("for people: needs -serve ADDRESS")
	}
	s := newServer(t, newFake(), Options{Settings: Settings{Listen: *serve}})
	t.Logf("http://%s/", *serve)
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func browser(t *testing.T) context.Context {
	t.Helper()
	return browsertest.Start(t, time.Minute)
}

// complaints collects the errors that the browser reports.
type complaints struct {
	requests atomic.Int64

	mu   sync.Mutex
	list []string
}

func (c *complaints) add(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, fmt.Sprintf(format, args...))
}

func (c *complaints) check(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.list {
		t.Error(s)
	}
	if c.requests.Load() < 5 {
		t.Errorf("only %d requests were seen: nothing was observed", c.requests.Load())
	}
}

// observe listens to the page's errors and to every request it makes.
func observe(t *testing.T, ctx context.Context, base string) *complaints {
	t.Helper()
	c := &complaints{}
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			c.add("exception: %s", e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			c.add("console: %s", e.Type)
		case *log.EventEntryAdded:
			c.add("browser log: %s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL)
		case *network.EventRequestWillBeSent:
			c.requests.Add(1)
			if !strings.HasPrefix(e.Request.URL, base) {
				c.add("a request to elsewhere: %s", e.Request.URL)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, enable := range []cdp.Command[cdp.Empty, cdp.Empty]{log.Enable, runtime.Enable} {
		if _, err := chromedp.Call(ctx, enable, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	return c
}

func js[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	return browsertest.JS[T](t, ctx, expression)
}

func waitFor(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	browsertest.WaitFor(t, ctx, 20*time.Second, expression)
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	browsertest.Do(t, ctx, steps...)
}

// overflow is by how many pixels the page is wider than the screen.
const overflow = `document.documentElement.scrollWidth - document.documentElement.clientWidth`

func TestPageInBrowser(t *testing.T) {
	ctx := browser(t)
	u := healthy()
	base := start(t, newServer(t, u, Options{}))
	seen := observe(t, ctx, base)

	do(t, ctx, chromedp.EmulateViewport(360, 740), chromedp.Navigate(base+"#aim"))
	waitFor(t, ctx, `Number(document.getElementById("picture").dataset.shown) >= 3`)
	got := js[[]string](t, ctx, `["title", "#tile-hits .value", "#overall", "#hit-list .plate"].map((s) => document.querySelector(s).textContent)`)
	want := []string{"gate-7 – platewatch", "3", "Watching, hits reach the server", "KL47RVX"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	js[chromedp.Void](t, ctx, `document.querySelectorAll("details").forEach((d) => d.open = true)`)
	if wide := js[int](t, ctx, overflow); wide > 0 {
		t.Errorf("at 360 px the page is %d px too wide", wide)
	}

	if facts := js[string](t, ctx, `[...document.querySelector("#hit-list .facts").children].map((e) => e.textContent + (e.classList.contains("urgent") ? "!" : "")).join("|")`); !strings.HasPrefix(
		facts, "covert|whoever stops the vehicle must not show that it was expected!|handling|Call the control room before stopping.!|vehicle|2019 grey Volvo V60") {
		t.Errorf("the first hit's facts are %q", facts)
	}

	// A new hit comes in and a camera goes: the page shows both without a
	// reload, and takes what the hit says for text.
	js[chromedp.Void](t, ctx, `window.untouched = true`)
	u.change(func(d *Document) {
		d.Hits++
		d.LastHits = slices.Insert(slices.Clone(d.LastHits), 0, Hit{ID: "gate-7-000042", Camera: "front",
			Text: "<b>X1</b>", Confidence: 0.9, Head: strings.Repeat("W", 80), Match: message.Match{List: "national"}})
		d.Cameras = slices.Clone(d.Cameras)
		d.Cameras[1].State, d.Cameras[1].LastError, d.Cameras[1].Hint = "offline", "unplugged", "check the cable"
	})
	waitFor(t, ctx, `document.querySelector("#tile-hits .value").textContent === "4"`)
	waitFor(t, ctx, `document.querySelector("#hit-list .plate").textContent === "<b>X1</b>"`)
	waitFor(t, ctx, `document.getElementById("overall").textContent === "Camera yard is offline: unplugged"`)
	do(t, ctx, chromedp.Click(chromedp.CSS(`[data-camera="yard"]`)))
	waitFor(t, ctx, `document.getElementById("no-picture").textContent.startsWith("offline for")`)
	for _, once := range []string{"unplugged", "→ check the cable"} {
		if n := js[int](t, ctx, fmt.Sprintf(`document.body.textContent.split(%q).length - 1`, once)); n != 1 {
			t.Errorf("the page says %q %d times", once, n)
		}
	}
	do(t, ctx, chromedp.Click(chromedp.CSS(`[data-camera="front"]`)))
	waitFor(t, ctx, `!document.getElementById("picture").hidden`)
	if !js[bool](t, ctx, `window.untouched === true`) {
		t.Error("the page was loaded anew")
	}
	if wide := js[int](t, ctx, overflow); wide > 0 {
		t.Errorf("with long words the page is %d px too wide", wide)
	}

	// A hit that is withdrawn loses everything that the page showed of it.
	u.change(func(d *Document) {
		d.LastHits = slices.Clone(d.LastHits)
		d.LastHits[1] = Hit{ID: d.LastHits[1].ID, Camera: "front", Head: "withdrawn: the plate is on no list", Withdrawn: true}
	})
	waitFor(t, ctx, `document.querySelectorAll("#hit-list .plate")[1].textContent === "–"`)
	if left := js[string](t, ctx, `document.querySelectorAll("#hit-list li")[1].innerText`); strings.Contains(left, "KL47RVX") || !strings.Contains(left, "withdrawn: ") ||
		js[bool](t, ctx, `document.querySelectorAll("#hit-list li")[1].querySelector("img, .category") !== null`) {
		t.Errorf("the withdrawn hit says %q", left)
	}
	seen.check(t)

	healthyHits := healthy().doc.LastHits
	u.change(func(d *Document) { d.LastHits = healthyHits })
	photograph(t, ctx, u)
}

// TestLostInBrowser: a page whose unit is gone says so, and comes back with it.
func TestLostInBrowser(t *testing.T) {
	ctx := browser(t)
	u := healthy()
	gone := make(chan struct{})
	s := newServer(t, u, Options{})
	unit, end := context.WithCancel(t.Context())
	base, err := s.Listen(unit)
	if err != nil {
		t.Fatal(err)
	}
	go func() { defer close(gone); s.Run(unit) }()
	do(t, ctx, chromedp.Navigate(base+"#aim"))
	waitFor(t, ctx, `!document.getElementById("picture").hidden`)
	end()
	<-gone
	waitFor(t, ctx, `!document.getElementById("lost").hidden`)
	waitFor(t, ctx, `document.getElementById("overall").textContent === "No connection to the unit" && document.getElementById("overall").className === "state bad"`)
	start(t, newServer(t, u, Options{Settings: Settings{Listen: strings.TrimSuffix(strings.TrimPrefix(base, "http://"), "/")}}))
	waitFor(t, ctx, `document.getElementById("lost").hidden`)
	waitFor(t, ctx, `document.getElementById("overall").textContent === "Watching, hits reach the server"`)
}

// photograph writes screenshots of the views for people: -shots DIR.
func photograph(t *testing.T, ctx context.Context, u *fakeUnit) {
	if *shots == "" {
		return
	}
	u.change(func(d *Document) { d.Cameras[1].State, d.Cameras[1].LastError = "online", "" })
	shoot := func(name, view string, width, height int64, scheme string) {
		do(t, ctx, chromedp.EmulateViewport(width, height))
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		if err != nil {
			t.Fatal(err)
		}
		js[chromedp.Void](t, ctx, fmt.Sprintf(`location.hash = %q`, view))
		do(t, ctx, chromedp.Reload())
		waitFor(t, ctx, fmt.Sprintf(`!document.getElementById(%q).hidden`, view))
		if view == "aim" {
			waitFor(t, ctx, `Number(document.getElementById("picture").dataset.shown) >= 2`)
		}
		browsertest.Screenshot(t, ctx, *shots, name)
	}
	poor := func() *aim.Report {
		r := wellAimed()
		r.Level, r.Verdict, r.Cause = aim.Poor, "Plates are lost", "height"
		r.Instruction = "Zoom in: characters are 11 px high, 20 are needed"
		r.Quantities[0].Value, r.Quantities[0].Level = 48, aim.Poor
		r.Quantities[1].Value, r.Quantities[1].Level = 11, aim.Poor
		return r
	}()
	for _, view := range []string{"aim", "health", "hits"} {
		shoot("phone-light-"+view, view, 320, 640, "light")
		shoot("tablet-light-"+view, view, 768, 1024, "light")
		shoot("desk-dark-"+view, view, 1280, 800, "dark")
	}
	u.change(func(d *Document) { d.Cameras[0].Aim = poor })
	shoot("phone-light-aim-poor", "aim", 320, 640, "light")
	shoot("tablet-light-aim-poor", "aim", 768, 1024, "light")
	trouble := newFake().doc
	u.change(func(d *Document) {
		*d = trouble
		d.Outbox.Damage = "page 3 has no type; 12 hits were recovered, and the damaged file is kept as outbox.db.corrupt"
	})
	shoot("phone-dark-trouble", "health", 360, 740, "dark")
	shoot("desk-light-trouble", "health", 1180, 800, "light")
}
