package status

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
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
	s := newServer(t, newFake(), Options{Listen: *serve})
	t.Logf("http://%s/", *serve)
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// browser starts one chromium for a test, or skips it.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here: the page was not tried in a browser (apt install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(40*time.Second),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		chromedp.Cancel(ctx) // waits until it has ended
		cancel()
	})
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// complaints collects what the browser has to say against the page.
type complaints struct {
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
}

// observe listens to the page's errors and to every request it makes.
func observe(ctx context.Context, base string) *complaints {
	c := &complaints{}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			c.add("exception: %s", e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			c.add("console: %s", e.Type)
		case *log.EventEntryAdded:
			c.add("browser log: %s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL)
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, base) {
				c.add("a request to elsewhere: %s", e.Request.URL)
			}
		}
	})
	return c
}

// waitFor waits until a JavaScript expression is true.
func waitFor(expression string) chromedp.Action {
	return chromedp.Poll(expression, nil, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(20*time.Second))
}

const overflow = `document.documentElement.scrollWidth - document.documentElement.clientWidth`

func TestPageInBrowser(t *testing.T) {
	ctx := browser(t)
	u := healthy()
	base := start(t, newServer(t, u, Options{}))
	seen := observe(ctx, base)

	var title, hits, plate, overallWords string
	var wide int64
	err := chromedp.Run(ctx, log.Enable(), network.Enable(),
		chromedp.EmulateViewport(360, 740, chromedp.EmulateScale(2)),
		chromedp.Navigate(base),
		chromedp.Title(&title),
		chromedp.Text("#tile-hits .value", &hits),
		chromedp.Text("#overall", &overallWords),
		chromedp.Text("#hit-list .plate", &plate),
		waitFor(`Number(document.getElementById("picture").dataset.shown) >= 3`),
		chromedp.Evaluate(`document.querySelectorAll("details").forEach((d) => d.open = true)`, nil),
		chromedp.Evaluate(overflow, &wide),
	)
	if err != nil {
		t.Fatal(err)
	}
	if title != "gate-7 – platewatch" || hits != "3" || plate != "KL47RVX" || overallWords != "Watching, hits reach the server" {
		t.Errorf("title %q, hits %q, plate %q, overall %q", title, hits, plate, overallWords)
	}
	if wide > 0 {
		t.Errorf("at 360 px the page is %d px too wide", wide)
	}

	// A new hit comes in and a camera goes: the page shows both without a reload.
	u.change(func(d *Document) {
		d.Hits++
		d.LastHits = append([]Hit{{ID: "gate-7-000042", Camera: "front", Text: "<b>X1</b>", List: "national", Confidence: 0.9}}, d.LastHits...)
		d.Cameras[1].State, d.Cameras[1].LastError = "offline", "unplugged"
	})
	var reloads int
	err = chromedp.Run(ctx,
		waitFor(`document.querySelector("#tile-hits .value").textContent === "4"`),
		waitFor(`document.querySelector("#hit-list .plate").textContent === "<b>X1</b>"`),
		waitFor(`document.getElementById("overall").textContent === "Camera yard gives no picture"`),
		chromedp.Click(`[data-camera="yard"]`),
		waitFor(`document.getElementById("no-picture").textContent.includes("unplugged")`),
		chromedp.Click(`[data-camera="front"]`),
		waitFor(`!document.getElementById("picture").hidden`),
		chromedp.Evaluate(`performance.getEntriesByType("navigation").length`, &reloads),
		chromedp.Evaluate(overflow, &wide),
	)
	if err != nil {
		t.Fatal(err)
	}
	if reloads != 1 || wide > 0 {
		t.Errorf("%d navigations, %d px too wide", reloads, wide)
	}
	seen.check(t)
	u.change(func(d *Document) { d.LastHits = d.LastHits[1:] })
	photograph(t, ctx, u)
}

// photograph writes screenshots for people: -shots DIR.
func photograph(t *testing.T, ctx context.Context, u *fakeUnit) {
	if *shots == "" {
		return
	}
	u.change(func(d *Document) { d.Cameras[1].State, d.Cameras[1].LastError = "online", "" })
	shoot := func(name string, width, height int64, scheme string) {
		var png []byte
		err := chromedp.Run(ctx,
			chromedp.EmulateViewport(width, height),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
			chromedp.Reload(),
			waitFor(`Number(document.getElementById("picture").dataset.shown) >= 2 || !document.getElementById("no-picture").hidden`),
			chromedp.FullScreenshot(&png, 100))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shoot("phone-light", 360, 740, "light")
	shoot("desk-light", 1180, 800, "light")
	shoot("desk-dark", 1180, 800, "dark")
	trouble := newFake().doc
	u.change(func(d *Document) { *d = trouble; d.Warnings = []string{"The outbox was damaged and has been replaced: outbox.db.corrupt is kept."} })
	shoot("phone-dark-trouble", 360, 740, "dark")
	shoot("desk-light-trouble", 1180, 800, "light")
}
