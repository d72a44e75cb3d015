package unit

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"platewatch/capture/rtsptest"
	"platewatch/cmd/platewatch/internal/aim/aimtest"
	"platewatch/cmd/platewatch/internal/browsertest"
)

// TestAimingInBrowser is the technician's task: a camera with a fault, the page on a
// phone. Without a tap the page says what is wrong, within ten seconds of traffic, and
// that all is well after it was mended. By default one fault is tried; `make page`
// tries all, and keeps screenshots in build/page.
func TestAimingInBrowser(t *testing.T) {
	shots := os.Getenv("PLATEWATCH_PAGE")
	faults := aimtest.Faults
	if shots == "" {
		faults = faults[:1]
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("no ffmpeg here: no stream with faults can be made (apt install ffmpeg)")
	}
	good := streamOf(t, aimtest.Good)
	for _, fault := range faults {
		t.Run(fault.Name, func(t *testing.T) {
			ctx := browsertest.Start(t, 5*time.Minute)
			bad := streamOf(t, fault)
			// The fault stays until the page has told it, however slowly a busy machine reads.
			var mended atomic.Bool
			var began [2]atomic.Int64 // fault and mended: when that part of the stream began
			camera := rtsptest.New("127.0.0.1:0")
			choose := func() int {
				if mended.Load() {
					return 1
				}
				return 0
			}
			onClip := func(i int) { began[i].CompareAndSwap(0, time.Now().UnixNano()) }
			since := func(part int) float64 { return time.Since(time.Unix(0, began[part].Load())).Seconds() }
			if err := camera.Add("road", rtsptest.Options{FPS: aimtest.FPS, Live: true, Choose: choose, OnClip: onClip}, bad, good); err != nil {
				t.Fatal(err)
			}
			if err := camera.Start(); err != nil {
				t.Fatal(err)
			}
			defer camera.Close()
			c := unitConfig(t)
			c.Cameras[0].Source, c.Status.Listen = camera.URL("road"), "127.0.0.1:0"
			page := make(chan string, 1)
			u := openUnit(t, c, slog.New(slog.DiscardHandler))
			u.o.OnPage = func(url string) { page <- url }
			run, stop := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- u.Run(run) }()
			defer func() {
				stop()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}()

			browsertest.Do(t, ctx, chromedp.EmulateViewport(320, 640), chromedp.Navigate(<-page))
			says := fmt.Sprintf(`%s.test(document.getElementById("instruction").textContent)`, jsPattern(fault.Says))
			browsertest.WaitFor(t, ctx, 2*time.Minute, says)
			took := since(0)
			// It stands on the first screen, above the picture, without a tap.
			if bottom := browsertest.JS[float64](t, ctx, `document.getElementById("verdict").getBoundingClientRect().bottom`); bottom > 640 || browsertest.JS[bool](t, ctx, `document.getElementById("aim").hidden`) {
				t.Errorf("the instruction ends at %.0f px, of 640", bottom)
			}
			instruction := browsertest.JS[string](t, ctx, `document.getElementById("instruction").textContent`)
			photograph(t, ctx, shots, fault.Name)
			mended.Store(true)
			browsertest.WaitFor(t, ctx, 2*time.Minute, `["ok", "warn"].some((s) => document.getElementById("verdict").classList.contains(s))`)
			t.Logf("%q after %.1f s, well set %.1f s after it was mended; 0 taps", instruction, took, since(1))
			if fault.Name == aimtest.Faults[0].Name {
				photograph(t, ctx, shots, "good")
			}
		})
	}
}

// jsPattern writes a pattern as JavaScript has it.
func jsPattern(s string) string {
	return "/" + strings.ReplaceAll(regexp.MustCompile(s).String(), "/", `\/`) + "/"
}

func photograph(t *testing.T, ctx context.Context, dir, name string) {
	t.Helper()
	if dir == "" {
		return
	}
	for _, width := range []int64{320, 768, 1280} {
		browsertest.Do(t, ctx, chromedp.EmulateViewport(width, 800))
		browsertest.WaitFor(t, ctx, 20*time.Second, `!document.getElementById("picture").hidden`)
		browsertest.Screenshot(t, ctx, dir, fmt.Sprintf("aim-%s-%d", strings.ReplaceAll(name, " ", "-"), width))
	}
}

// streamOf encodes the road as a camera with a fault sends it.
func streamOf(t *testing.T, fault aimtest.Fault) *rtsptest.Clip {
	t.Helper()
	road, err := aimtest.Road()
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	for _, f := range road {
		img, err := fault.Picture(f)
		if err != nil {
			t.Fatal(err)
		}
		raw.Write(img.ToBytes())
		img.Close()
	}
	size := road[0].Image.Rect.Size()
	encode := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", fmt.Sprintf("%dx%d", size.X, size.Y),
		"-r", fmt.Sprint(aimtest.FPS), "-i", "-", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-profile:v", "main", "-bf", "0",
		"-g", fmt.Sprint(aimtest.FPS), "-x264-params", "aud=1", "-f", "h264", "-")
	encode.Stdin = &raw
	var errs bytes.Buffer
	encode.Stderr = &errs
	h264, err := encode.Output()
	if err != nil {
		t.Fatalf("ffmpeg: %v %s", err, errs.String())
	}
	clip, err := rtsptest.ParseAnnexB(h264)
	if err != nil {
		t.Fatal(err)
	}
	return clip
}
