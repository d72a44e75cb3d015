package observe

import (
	"flag"
	"fmt"
	"image"
	"runtime"
	"sync"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/ocr"
	"platewatch/ocr/passage"
	"platewatch/ocr/render"
)

var (
	vehicles = flag.Int("vehicles", 2, "how many rendered `vehicles` drive by (make traffic: 240)")
	only     = flag.Int("stretch", -1, "only the `n`th stretch of ten vehicles: to look into a failure")
	fps      = flag.Float64("fps", 6, "how many `frames` a second are looked at, as on a slow board (make traffic: 25)")
)

const (
	readableWidth  = 80 // pixels of a plate
	readableFrames = 3  // on which it is that wide and wholly in view
)

// tally of rendered traffic.
type tally struct {
	readable int // vehicles with a readable plate
	once     int // of those, how many gave exactly one passage, with the right text
	missed   int // of those, how many gave none
	extra    int // passages beyond one a vehicle
	frames   [3]int
	find     time.Duration
	failures []string
}

// TestTraffic holds passages to rendered traffic: each vehicle with a readable plate
// gives exactly one passage with the right text, and there are hardly any others. The
// short form has few frames, because they take long to render; the README's numbers
// come from `make traffic`.
func TestTraffic(t *testing.T) {
	all := traffic(1, *vehicles)
	if *only >= 0 && *only < len(all) {
		all = all[*only : *only+1]
	}
	var mu sync.Mutex
	var sum tally
	work := make(chan stretch)
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for s := range work {
				one, err := drive(t, s)
				mu.Lock()
				if err != nil {
					t.Error(err)
				}
				sum.readable, sum.once, sum.missed, sum.extra = sum.readable+one.readable, sum.once+one.once, sum.missed+one.missed, sum.extra+one.extra
				sum.failures = append(sum.failures, one.failures...)
				for i, n := range one.frames {
					sum.frames[i] += n
				}
				sum.find += one.find
				mu.Unlock()
			}
		})
	}
	for _, s := range all {
		work <- s
	}
	close(work)
	wg.Wait()
	looks := sum.frames[Parts] + sum.frames[Whole]
	t.Logf("%d vehicles with a readable plate: %d once and right (%.1f %%), %d missed; %d extra passages; frames still %d, looked at in parts %d, whole %d, %.1f ms a look",
		sum.readable, sum.once, 100*float64(sum.once)/float64(sum.readable), sum.missed, sum.extra,
		sum.frames[Nothing], sum.frames[Parts], sum.frames[Whole], float64(sum.find.Milliseconds())/float64(max(1, looks)))
	allowed, extra := sum.readable*2/100, sum.readable*5/1000
	if *only < 0 && sum.readable < *vehicles/2 {
		t.Errorf("only %d of %d vehicles have a readable plate: this tests little", sum.readable, *vehicles)
	}
	if sum.once < sum.readable-allowed || sum.extra > extra {
		t.Errorf("%d of %d wrong (at most %d), %d extra (at most %d)", sum.readable-sum.once, sum.readable, allowed, sum.extra, extra)
	}
	if t.Failed() || testing.Verbose() {
		for _, f := range sum.failures {
			t.Log(f)
		}
	}
}

// drive observes one stretch.
func drive(t *testing.T, s stretch) (tally, error) {
	var sum tally
	p := ocr.DefaultParams()
	p.Workers, p.Region = 1, s.Region
	r, err := ocr.New(p)
	if err != nil {
		return sum, err
	}
	defer r.Close()
	o, err := New(r, DefaultParams())
	if err != nil {
		return sum, err
	}
	defer o.Close()
	var ended []passage.Passage
	on := map[uint64]map[int]int{} // frames by passage and vehicle
	note := func(updates []passage.Update, f *render.Shot) {
		for _, u := range updates {
			switch {
			case u.Event == passage.Ended && u.Passage.Sure:
				ended = append(ended, u.Passage)
			case f != nil && u.Plate >= 0:
				for _, v := range f.Truth.Plates {
					if centre(u.Passage.Box).In(v.Box.Inset(-v.Box.Dy())) {
						if on[u.Passage.Number] == nil {
							on[u.Passage.Number] = map[int]int{}
						}
						on[u.Passage.Number][v.Passage]++
					}
				}
			}
		}
	}
	var truths []render.FrameTruth // of the 25 frames a second of the camera
	for f, err := range render.Clip(s.Spec) {
		if err != nil {
			return sum, err
		}
		truths = append(truths, f.Truth)
	}
	s.Spec.FPS = *fps
	for f, err := range render.Clip(s.Spec) {
		if err != nil {
			return sum, err
		}
		seen, err := observeFrame(t, o, f)
		if err != nil {
			return sum, err
		}
		sum.frames[seen.Extent]++
		sum.find += seen.Find + seen.Read + seen.Gate
		note(seen.Updates, &f)
	}
	note(o.Flush(), nil)
	sum.score(s, truths, ended, on)
	return sum, nil
}

func observeFrame(t *testing.T, o *Observer, f render.Shot) (FrameResult, error) {
	img := f.Draw()
	m, err := gocv.NewMatFromBytes(img.Rect.Dy(), img.Rect.Dx(), gocv.MatTypeCV8UC4, img.Pix)
	if err != nil {
		return FrameResult{}, err
	}
	defer m.Close()
	bgr := gocv.NewMat()
	defer bgr.Close()
	gocv.CvtColor(m, &bgr, gocv.ColorRGBAToBGR)
	return o.Observe(t.Context(), bgr, f.Truth.Time, nil)
}

// score compares passages with the vehicles that they belong to: those on
// whose plate most of their frames lie.
func (sum *tally) score(s stretch, truths []render.FrameTruth, ended []passage.Passage, on map[uint64]map[int]int) {
	readable, text := map[int]int{}, map[int]string{}
	for _, f := range truths {
		for _, v := range f.Plates {
			text[v.Passage] = v.Text
			if v.Clear && v.Width() >= readableWidth {
				readable[v.Passage]++
			}
		}
	}
	of := map[int][]passage.Passage{}
	for _, p := range ended {
		vehicle, most := -1, 0
		for v, n := range on[p.Number] {
			if n > most {
				vehicle, most = v, n
			}
		}
		of[vehicle] = append(of[vehicle], p)
	}
	for v := -1; v < len(s.Spec.Vehicles); v++ {
		ps := of[v]
		right := 0
		said := ""
		for _, p := range ps {
			if v >= 0 && p.Text == text[v] {
				right++
			}
			said += fmt.Sprintf(" %d:%s %.2f (%d of %d frames, %d–%d ms, %v)", p.Number, p.Text, p.Confidence, p.Agreeing, p.Frames, p.First.Milliseconds(), p.Last.Milliseconds(), p.Box)
		}
		name := fmt.Sprintf("stretch %d (%s), vehicle %d, %s, %d readable frames:%s", s.Spec.Seed, s.Region, v, text[v], readable[v], said)
		if v < 0 {
			if len(ps) > 0 {
				sum.extra += len(ps)
				sum.failures = append(sum.failures, name)
			}
			continue
		}
		sum.extra += max(0, len(ps)-1)
		if readable[v] >= readableFrames {
			sum.readable++
			switch {
			case len(ps) == 1 && right == 1:
				sum.once++
			case len(ps) == 0:
				sum.missed++
			}
		}
		if len(ps) > 1 || readable[v] >= readableFrames && right != 1 {
			sum.failures = append(sum.failures, name)
		}
	}
}

func centre(r image.Rectangle) image.Point {
	return image.Pt((r.Min.X+r.Max.X)/2, (r.Min.Y+r.Max.Y)/2)
}
