package capture

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/process"
	"platewatch/capture/rtsptest"
)

// hostile are cameras that send more than their decoder can take.
func hostile(t *testing.T) map[string]string {
	huge := capturetest.EncodeJPEG(t, image.NewGray(image.Rect(0, 0, 64, 48)))
	sof := bytes.Index(huge, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(huge[sof+5:], 7000)
	binary.BigEndian.PutUint16(huge[sof+7:], 7000)
	var small bytes.Buffer
	if err := png.Encode(&small, image.NewGray(image.Rect(0, 0, 64, 48))); err != nil {
		t.Fatal(err)
	}
	serve := func(b []byte) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=x")
			for r.Context().Err() == nil {
				if _, err := fmt.Fprintf(w, "--x\r\nContent-Length: %d\r\n\r\n%s\r\n", len(b), b); err != nil {
					return
				}
			}
		}))
		t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
		return s.URL
	}
	rtsp := func(clips ...*rtsptest.Clip) string {
		return capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Live: true}, clips...).URL("gate")
	}
	plain := capturetest.AnnexB(t, 160, 120, 25, 10)
	large := capturetest.AnnexB(t, 7680, 4320, 5, 2)
	return map[string]string{
		"JPEG of 7000 x 7000":         serve(huge),
		"PNG on an MJPEG stream":      serve(small.Bytes()),
		"H.264 of 7680 x 4320":        rtsp(large),
		"a larger size in mid-stream": rtsp(plain, large),
	}
}

// A hostile camera is refused, by its header, and costs the camera beside it no
// frame; no decoder crashes.
func TestHostileCameras(t *testing.T) {
	s := capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true}, capturetest.AnnexB(t, 160, 120, 25, 25))
	good := startFor(t, 5*time.Minute, Config{Name: "good", Source: s.URL("gate")})
	good.frames(t, 1)
	for name, address := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			bad := start(t, Config{Name: "bad", Source: address})
			deadline := time.Now().Add(time.Minute)
			last := time.Now()
			for {
				f := good.next(t)
				if gap := f.Arrived.Sub(last); gap > time.Second {
					t.Errorf("the other camera had no frame for %v", gap)
				}
				last = f.Arrived
				f.Close()
				said := bad.Stats().LastError
				if strings.Contains(said, "are accepted") || strings.Contains(said, "at most") || strings.Contains(said, "no JPEG") {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("not refused: %q", said)
				}
			}
			if st := bad.Stats(); st.Crashed != 0 {
				t.Errorf("%d decoders crashed", st.Crashed)
			}
		})
	}
}

var (
	killCycles = flag.Int("kills", 6, "how often TestKilledDecoders kills or stops a decoder (make soak: 1000)")
	killTime   = flag.Duration("killtime", 0, "end TestKilledDecoders after this `time`; 0: when all kills are done")
)

// A decoder that is killed, or stopped in the middle of its work, costs its camera
// some seconds, and leaves nothing behind.
func TestKilledDecoders(t *testing.T) {
	s := capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true}, capturetest.AnnexB(t, 160, 120, 25, 25))
	r := startFor(t, time.Duration(*killCycles)*20*time.Second+30*time.Second, Config{Name: "gate", Source: s.URL("gate")})
	starting := time.Now()
	r.frames(t, 1)
	opening := time.Since(starting)
	var before holding
	longest, sum, began, done := map[syscall.Signal]time.Duration{}, map[syscall.Signal]time.Duration{}, time.Now(), 0
	for i := range *killCycles {
		if *killTime > 0 && time.Since(began) > *killTime {
			break
		}
		done++
		signal := syscall.SIGKILL
		if i%2 == 1 {
			signal = syscall.SIGSTOP
		}
		losses := r.Stats().Losses // read before the signal, so that the loss that it causes counts even if this goroutine is late
		pids := capturetest.Decoders(t)
		if len(pids) != 1 {
			t.Fatalf("cycle %d: %d decoders", i, len(pids))
		}
		if err := syscall.Kill(pids[0], signal); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		for r.Stats().Losses == losses || r.Stats().State != StateOnline {
			r.next(t).Close()
		}
		took := time.Since(begin)
		longest[signal] = max(longest[signal], took)
		sum[signal] += took
		if i == 1 {
			before = hold(t)
		}
		for range rand.IntN(5) {
			r.next(t).Close()
		}
	}
	bound := backWithin + 2*opening // a busy machine takes that long to start a decoder, now and then longer
	if *killCycles >= 100 {
		bound = 5 * time.Second
	}
	for signal, longest := range longest {
		t.Logf("%v: back after %v at most, %v on average", signal, longest.Round(time.Millisecond), (sum[signal] / time.Duration(done/2)).Round(time.Millisecond))
		if longest > bound {
			t.Errorf("the camera was back after %v, at most %v are promised", longest, bound)
		}
	}
	t.Logf("%d decoders lost; held after the second: %v, after the last: %v", done, before, hold(t))
	hold(t).check(t, before)
	if st := r.Stats(); st.Left != 0 || st.Crashed == 0 || st.Hung == 0 {
		t.Errorf("stats %+v", st)
	}
	if !strings.Contains(r.log.String(), "the decoder crashed") {
		t.Errorf("the log does not say that a decoder crashed:\n%s", r.log)
	}
}

// A decoder that gets little of the processor, as on a busy board, is late with its first
// picture of 4K, and its camera is not lost for that. All the while more pictures come
// than a decoder may hold back.
func TestStarvedCamera(t *testing.T) {
	clip := capturetest.AnnexB(t, 3840, 2160, 5, 5)
	// first is how long the first picture takes, and how much of the decoder's time, from
	// the moment on when the camera sends it.
	first := func(starve func(pid int) (end func())) (cost, took time.Duration) {
		asked, sent := make(chan struct{}), make(chan struct{})
		begin := sync.OnceFunc(func() { close(asked); <-sent })
		s := capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true, FPS: 25, OnClip: func(int) { begin() }}, clip)
		r := startFor(t, 3*time.Minute, Config{Name: "4K", Source: s.URL("gate"), OpenTimeout: time.Minute, ReadTimeout: time.Minute})
		defer r.stop()
		send := sync.OnceFunc(func() { close(sent) })
		defer send()
		select {
		case <-asked:
		case <-r.ctx.Done():
			t.Fatalf("the camera is not asked for its video; log:\n%s", r.log)
		}
		pids := capturetest.Decoders(t)
		if len(pids) != 1 {
			t.Fatalf("%d decoders", len(pids))
		}
		defer starve(pids[0])()
		before, err := capturetest.ProcessorTime(pids[0])
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		send()
		f := r.next(t)
		defer f.Close()
		after, err := capturetest.ProcessorTime(pids[0])
		if st := r.Stats(); err != nil || st.Hung != 0 || st.Losses != 0 || st.Opens != 1 {
			t.Fatalf("%v, stats %+v; log:\n%s", err, st, r.log)
		}
		return after - before, f.Arrived.Sub(begun)
	}
	cost, quick := first(func(int) func() { return func() {} })
	const pause = 100 * time.Millisecond
	slice := cost * time.Duration(pause) / time.Duration(2*process.HangBound)
	for took := time.Duration(0); took < process.HangBound+process.LookEach; { // until it was looked at when it was late
		_, took = first(func(pid int) func() { return capturetest.Starve(t, pid, slice, pause) })
		t.Logf("the first picture came after %v of processor time, or %v; in turns of %v after %v", cost, quick, slice, took)
	}
}

// 4K fits the bounds of size and memory.
func TestLargestPicture(t *testing.T) {
	s := capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true}, capturetest.AnnexB(t, 3840, 2160, 5, 5))
	r := start(t, Config{Name: "4K", Source: s.URL("gate")})
	f := r.next(t)
	defer f.Close()
	if f.Image.Cols() != 3840 || f.Image.Rows() != 2160 {
		t.Errorf("the picture is %d x %d", f.Image.Cols(), f.Image.Rows())
	}
	if st := r.Stats(); strings.Contains(st.Decoder, "without") {
		t.Logf("confined: %s", st.Decoder)
	}
}
