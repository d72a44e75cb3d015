package status

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"platewatch/cmd/platewatch/internal/aim"
	"platewatch/cmd/platewatch/internal/browsertest"
	"platewatch/cmd/platewatch/internal/testdrive"
)

// axeFile is axe-core, which is not part of this project: `make page` fetches it.
var axeFile = flag.String("axe", "", "axe.min.js of axe-core, to check the page for people with a screen reader")

// TestAxeInBrowser checks every view, in light and dark, on a phone and on a desk, with
// and without trouble: axe-core finds nothing above minor.
func TestAxeInBrowser(t *testing.T) {
	if *axeFile == "" {
		t.Skip("needs -axe axe.min.js: make page fetches it")
	}
	axe, err := os.ReadFile(*axeFile)
	if err != nil {
		t.Fatal(err)
	}
	ctx := browsertest.Start(t, 10*time.Minute) // 24 looks at a page, on a busy machine too
	u := healthy()
	drive := &testdrive.Drive{}
	base := start(t, newServer(t, u, Options{Settings: Settings{Drive: testdrive.Default()}, TestDrive: drive}))
	do(t, ctx, chromedp.Navigate(base))
	check := func(name string) {
		t.Helper()
		js[chromedp.Void](t, ctx, string(axe)+";undefined")
		js[chromedp.Void](t, ctx, `window.found = null; axe.run(document, { resultTypes: ["violations"] }).then((r) => {
			window.found = r.violations.filter((v) => v.impact !== "minor").map((v) => v.impact + " " + v.id + ": " + v.help + " " + v.nodes.map((n) => n.target.join(" ") + " (" + n.any.map((a) => a.message).join("; ") + ")").slice(0, 3).join(" | "));
		}); undefined`)
		waitFor(t, ctx, `window.found !== null`)
		for _, v := range js[[]string](t, ctx, `window.found`) {
			t.Errorf("%s: %s", name, v)
		}
	}
	poor := wellAimed()
	poor.Level, poor.Verdict, poor.Instruction = aim.Poor, "Plates are lost", "Zoom in: characters are 11 px high, 20 are needed"
	poor.Quantities[0].Level, poor.Quantities[1].Level = aim.Poor, aim.Fair
	for _, state := range []string{"well", "poor", "trouble", "drive"} {
		switch state {
		case "poor":
			u.change(func(d *Document) { d.Cameras[0].Aim = poor })
		case "trouble":
			trouble := newFake().doc
			u.change(func(d *Document) { *d = trouble })
		case "drive":
			if _, ok := drive.Start("anna", time.Hour, func() {}); !ok {
				t.Fatal("no drive")
			}
			defer drive.Stop()
			drive.Add(testdrive.Read{Camera: "front", Text: "XYZ987", Confidence: 0.9, Picture: scene(3, 240, 56)})
		}
		for _, scheme := range []string{"light", "dark"} {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
			if err != nil {
				t.Fatal(err)
			}
			for _, view := range []string{"aim", "health", "hits"} {
				do(t, ctx, chromedp.EmulateViewport(360, 740))
				js[chromedp.Void](t, ctx, fmt.Sprintf(`location.hash = %q`, view))
				do(t, ctx, chromedp.Reload())
				waitFor(t, ctx, fmt.Sprintf(`!document.getElementById(%q).hidden`, view))
				js[chromedp.Void](t, ctx, `document.querySelectorAll("details").forEach((d) => d.open = true)`)
				if state == "drive" && view == "aim" {
					waitFor(t, ctx, `document.querySelector("#reads .plate")?.textContent === "XYZ987"`)
				}
				check(strings.Join([]string{state, scheme, view}, " "))
			}
		}
	}
}

// TestWidthsInBrowser: from 320 to 1920 pixels nothing is wider than the screen, every
// button is large enough for a glove, and each can be reached with the keyboard.
func TestWidthsInBrowser(t *testing.T) {
	ctx := browser(t)
	trouble := newFake()
	trouble.doc.Cameras[0].Aim.Instruction = "Plates are seen 52° from the side, 35° at most: aim farther down the road, or bring the camera nearer to the lane"
	base := start(t, newServer(t, trouble, Options{Settings: Settings{Drive: testdrive.Default()}, TestDrive: &testdrive.Drive{}}))
	do(t, ctx, chromedp.Navigate(base))
	for _, width := range []int64{320, 360, 640, 768, 1000, 1280, 1920} {
		do(t, ctx, chromedp.EmulateViewport(width, 800))
		for _, view := range []string{"aim", "health", "hits"} {
			js[chromedp.Void](t, ctx, fmt.Sprintf(`location.hash = %q`, view))
			waitFor(t, ctx, fmt.Sprintf(`!document.getElementById(%q).hidden`, view))
			if wide := js[int](t, ctx, overflow); wide > 0 {
				t.Errorf("%s at %d px is %d px too wide", view, width, wide)
			}
			if small := js[[]string](t, ctx, `[...document.querySelectorAll("button, #views a, summary")].filter((e) => e.offsetParent && (e.getBoundingClientRect().height < 44 || e.getBoundingClientRect().width < 44)).map((e) => e.textContent)`); len(small) > 0 {
				t.Errorf("%s at %d px: too small to hit: %q", view, width, small)
			}
			if lost := js[[]string](t, ctx, `[...document.querySelectorAll("button, #views a, summary")].filter((e) => { if (!e.offsetParent) return false; e.focus(); return document.activeElement !== e; }).map((e) => e.textContent)`); len(lost) > 0 {
				t.Errorf("%s at %d px: not reached with the keyboard: %q", view, width, lost)
			}
		}
	}
}

// TestPartsInBrowser: a tap on the picture shows that point at its own resolution, the
// arrow keys move it, and full screen has picture and instruction.
func TestPartsInBrowser(t *testing.T) {
	ctx := browser(t)
	base := start(t, newServer(t, healthy(), Options{}))
	do(t, ctx, chromedp.EmulateViewport(360, 740), chromedp.Navigate(base+"#aim"))
	waitFor(t, ctx, `!document.getElementById("picture").hidden`)
	js[chromedp.Void](t, ctx, `{ const b = document.getElementById("screen").getBoundingClientRect();
		document.getElementById("screen").dispatchEvent(new MouseEvent("click", { clientX: b.left + b.width / 4, clientY: b.top + b.height / 2 })); }`)
	waitFor(t, ctx, `document.getElementById("part-words").textContent === "1:1 at 25 % across, 50 % down" && document.getElementById("part-picture").naturalWidth > 0`)
	js[chromedp.Void](t, ctx, `document.getElementById("part").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }))`)
	waitFor(t, ctx, `document.getElementById("part-words").textContent === "1:1 at 30 % across, 50 % down"`)
	do(t, ctx, chromedp.Click(chromedp.CSS(`#part-plate`)))
	waitFor(t, ctx, `document.getElementById("part-words").textContent === "Last plate, 1:1" && document.getElementById("part-picture").src.includes("plate.jpg")`)
	do(t, ctx, chromedp.Click(chromedp.CSS(`#part-close`)))
	waitFor(t, ctx, `document.getElementById("part").hidden`)
	do(t, ctx, chromedp.Click(chromedp.CSS(`#full`)))
	waitFor(t, ctx, `document.body.classList.contains("full") && document.getElementById("screen").getBoundingClientRect().height > 300 && document.getElementById("verdict").getBoundingClientRect().top < 20`)
	do(t, ctx, chromedp.Click(chromedp.CSS(`#full`)))
	waitFor(t, ctx, `!document.body.classList.contains("full")`)
}

// TestBadLinkInBrowser: on a slow link the page asks for small pictures, and for none
// while the numbers are late; what was received is shown.
func TestBadLinkInBrowser(t *testing.T) {
	ctx := browser(t)
	u := healthy()
	var small atomic.Int64
	u.picture = func(ctx context.Context, camera string) ([]byte, error) {
		select {
		case <-time.After(1700 * time.Millisecond):
		case <-ctx.Done():
		}
		return scene(1, 64, 36), nil
	}
	u.onCut = func(c Cut) {
		if c.Small {
			small.Add(1)
		}
	}
	s := newServer(t, u, Options{})
	s.every = 200 * time.Millisecond
	do(t, ctx, chromedp.Navigate(start(t, s)+"#aim"))
	waitFor(t, ctx, `document.getElementById("caption").textContent.includes("the link is slow") && /^received [1-9]/.test(document.getElementById("received").textContent)`)
	for deadline := time.Now().Add(20 * time.Second); small.Load() == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no small picture was asked for")
		}
	}

	late := healthy()
	s = newServer(t, late, Options{})
	s.every = time.Hour // after the first numbers none come
	do(t, ctx, chromedp.Navigate(start(t, s)+"#aim"))
	waitFor(t, ctx, `!document.getElementById("lost").hidden`) // five seconds
	before := late.pictures.Load()
	waitFor(t, ctx, `document.getElementById("lost").textContent.includes("this page is 7 s old")`)
	if after := late.pictures.Load(); before == 0 || after != before {
		t.Errorf("while the numbers were late %d pictures came, after %d", after-before, before)
	}
}
