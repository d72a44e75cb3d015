package aim

import (
	"image"
	"slices"
	"sync"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/light"
	"platewatch/ocr"
	"platewatch/ocr/rectify"
)

// Frame is what was seen on one frame of a camera.
type Frame struct {
	Picture gocv.Mat      // BGR or grey, stays the caller's
	At      time.Duration // since any fixed moment; never goes back
	Plates  []ocr.Plate   // that were read
	Unread  []ocr.Plate   // places that look like plates
	Moved   []image.Rectangle
}

// Zone is where in the picture plates were seen and what became of them, on a coarse
// grid.
type Zone struct {
	Columns int    `json:"columns"`
	Rows    int    `json:"rows"`
	Cells   []Cell `json:"cells"` // only those with something in them
}

// Cell is one field of a zone.
type Cell struct {
	Column int            `json:"x"`
	Row    int            `json:"y"`
	Counts map[string]int `json:"n"` // sightings by outcome: read, small, blurred, cut, missed
}

const (
	zoneColumns, zoneRows = 16, 9
	// sceneEvery is the interval of measuring the whole picture while somebody looks at
	// the report; otherwise it is measured every sceneSeldom.
	sceneEvery  = 250 * time.Millisecond
	sceneSeldom = 15 * time.Second
	watchedFor  = 15 * time.Second
	// peakHolds is for how long the best sharpness is kept.
	peakHolds = 2 * time.Minute
)

// Watcher follows how one camera is set. It is safe for concurrent use. The zero
// value is ready.
type Watcher struct {
	mu      sync.Mutex
	traffic traffic
	zone    [zoneRows][zoneColumns][outcomes]int
	now     time.Duration // position of the last frame
	scene   *scenery
	sceneAt time.Duration
	peak    float64
	peakAt  time.Duration
	watched time.Time // when somebody last looked at the report
}

// Reset forgets the zone, the vehicles and the peak: the camera was moved.
func (w *Watcher) Reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.traffic, w.zone, w.peak = traffic{}, [zoneRows][zoneColumns][outcomes]int{}, 0
}

// Watched reports whether somebody looks at the report.
func (w *Watcher) Watched() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.watched.IsZero() && time.Since(w.watched) < watchedFor
}

// Watch says that somebody looks at the report: the whole picture is then measured
// four times a second.
func (w *Watcher) Watch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched = time.Now()
}

// See takes a frame.
func (w *Watcher) See(f Frame) {
	size := image.Pt(f.Picture.Cols(), f.Picture.Rows())
	var sightings []sighting
	for _, p := range f.Plates {
		if !p.Again { // a place that has not changed
			sightings = append(sightings, sightingOf(f, size, p, p.Confidence))
		}
	}
	for _, p := range f.Unread {
		sightings = append(sightings, sightingOf(f, size, p, 0))
	}
	if len(sightings) == 0 {
		if s, ok := bareVehicle(f, size); ok {
			sightings = append(sightings, s)
		}
	}
	every := sceneSeldom
	if w.Watched() {
		every = sceneEvery
	}
	w.mu.Lock()
	due := w.scene == nil || f.At-w.sceneAt >= every
	w.mu.Unlock()
	var scene *scenery
	if due {
		grey := greyOf(f.Picture, image.Rectangle{Max: size})
		scene = new(measureScene(grey))
		grey.Close()
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = f.At
	w.traffic.see(f.At, sightings)
	for i := range sightings {
		w.mark(&sightings[i], size)
	}
	if scene != nil {
		w.scene, w.sceneAt = scene, f.At
		if v := scene.Sharpness(); v >= w.peak || f.At-w.peakAt > peakHolds {
			w.peak, w.peakAt = v, f.At
		}
	}
}

// mark counts a sighting in the zone, of vehicles that count only.
func (w *Watcher) mark(s *sighting, size image.Point) {
	for _, v := range w.traffic.open {
		if v.last.At != s.At || v.last.Box != s.Box || !v.counts() {
			continue
		}
		x, y := s.middle()
		col := min(max(int(x/float64(size.X)*zoneColumns), 0), zoneColumns-1)
		row := min(max(int(y/float64(size.Y)*zoneRows), 0), zoneRows-1)
		w.zone[row][col][s.outcome()]++
		return
	}
}

// Report judges the camera now.
func (w *Watcher) Report() Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	peak := w.peak
	if w.now-w.peakAt > peakHolds {
		peak = 0
	}
	r := judge(w.traffic.latest(w.now), w.scene, peak)
	r.Vehicles = w.traffic.seen
	r.Zone = Zone{Columns: zoneColumns, Rows: zoneRows, Cells: []Cell{}}
	for y := range w.zone {
		for x := range w.zone[y] {
			counts := map[string]int{}
			for o, n := range w.zone[y][x] {
				if n > 0 {
					counts[outcomeNames[o]] = n
				}
			}
			if len(counts) > 0 {
				r.Zone.Cells = append(r.Zone.Cells, Cell{x, y, counts})
			}
		}
	}
	return r
}

func sightingOf(f Frame, size image.Point, p ocr.Plate, confidence float64) sighting {
	const hidden = 0.3 // probability that a character lies outside
	s := sighting{At: f.At, Size: size, Box: p.Box, Corners: p.Corners, Height: p.Height, Confidence: confidence}
	edge := image.Rectangle{Max: size}.Inset(2)
	s.Cut = p.Hidden >= hidden || outside(p.Corners, edge)
	if around := p.Box.Intersect(image.Rectangle{Max: size}); !around.Empty() {
		grey := greyOf(f.Picture, around)
		defer grey.Close()
		if l, ok := light.Measure(grey, image.Rect(0, 0, grey.Cols(), grey.Rows()), p.Height); ok {
			s.Light = l
		}
	}
	return s
}

// outside tells whether a corner lies outside a rectangle.
func outside(corners [4]rectify.Point, in image.Rectangle) bool {
	return slices.ContainsFunc(corners[:], func(c rectify.Point) bool {
		return !image.Pt(int(c.X), int(c.Y)).In(in)
	})
}

// bareVehicle is the largest thing that moved on a frame without a plate, if it is
// large enough to be a vehicle: from a fifteenth of the picture's width.
func bareVehicle(f Frame, size image.Point) (sighting, bool) {
	var box image.Rectangle
	for _, m := range f.Moved {
		if m.Dx()*m.Dy() > box.Dx()*box.Dy() {
			box = m
		}
	}
	if box.Dx() < size.X/15 || box.Dy() < size.Y/15 {
		return sighting{}, false
	}
	grey := greyOf(f.Picture, image.Rectangle{Max: size})
	defer grey.Close()
	s := sighting{At: f.At, Size: size, Box: box}
	// Its middle: around it are edges that do not move.
	s.Across, s.Down = smearOf(grey, box.Inset(min(box.Dx(), box.Dy())/5))
	return s, true
}

// greyOf is a grey copy of a part of a picture. The caller closes it.
func greyOf(picture gocv.Mat, part image.Rectangle) gocv.Mat {
	region := picture.Region(part)
	defer region.Close()
	grey := gocv.NewMat()
	if region.Channels() == 3 {
		gocv.CvtColor(region, &grey, gocv.ColorBGRToGray)
	} else {
		region.CopyTo(&grey)
	}
	return grey
}
