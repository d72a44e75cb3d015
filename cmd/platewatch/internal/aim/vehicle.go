package aim

import (
	"image"
	"math"
	"slices"
	"time"

	"platewatch/capture/light"
	"platewatch/ocr/rectify"
)

// sighting is one plate on one frame, or only the vehicle where its plate was not
// found.
type sighting struct {
	At         time.Duration // position of the frame
	Size       image.Point   // of the frame, pixels
	Box        image.Rectangle
	Corners    [4]rectify.Point // zero without a plate
	Height     float64          // of the characters, pixels; 0 without a plate
	Confidence float64          // 0–1, that it was read right; 0 where it was not read
	Cut        bool             // part of the plate is outside the picture
	Light      light.Plate      // zero where it was not measured
	Across     float64          // width of upright edges on the vehicle, pixels; only without a plate
	Down       float64
}

// readWell is the confidence from which a plate counts as read.
const readWell = 0.8

// outcome is what became of a sighting, for the zone.
type outcome int

const (
	wasRead outcome = iota
	wasSmall
	wasBlurred
	wasCut
	wasMissed
	outcomes
)

// outcomeNames are those of the document, by number.
var outcomeNames = [outcomes]string{"read", "small", "blurred", "cut", "missed"}

func (s *sighting) outcome() outcome {
	across, down := s.edges()
	switch {
	case s.Cut:
		return wasCut
	case s.Confidence >= readWell:
		return wasRead
	case s.Height > 0 && s.Height < smallest:
		return wasSmall
	case max(across, down) >= softEdge(s.Height):
		return wasBlurred
	}
	return wasMissed
}

// edges are the widths of upright and level edges, on the plate or, without one, on
// the vehicle.
func (s *sighting) edges() (across, down float64) {
	if s.Height == 0 {
		return s.Across, s.Down
	}
	if s.Light.Smear == 0 {
		return 0, 0
	}
	// One that is sharper than sharp has nothing to say about motion.
	return max(s.Light.Blur, sharpPlate), max(s.Light.Blur/s.Light.Smear, sharpPlate)
}

func (s *sighting) middle() (x, y float64) {
	return float64(s.Box.Min.X+s.Box.Max.X) / 2, float64(s.Box.Min.Y+s.Box.Max.Y) / 2
}

// vehicle is what was seen of one vehicle.
type vehicle struct {
	first, last sighting
	dx, dy      float64 // its last step, pixels
	travelled   float64 // net, in widths of its box, while it went the same way
	steps       int     // that led the same way, one after the other
	frames      int
	best        sighting // the largest whole plate; the largest part where none was whole
	read        bool     // on some frame
	cut         sighting // the largest plate that was cut off; zero for none
	moved       bool
	speed       float64  // of the plate in the picture where it is largest, pixels a second
	vx, vy      float64  // pixels a second
	poses       []angles // of its plate, on the frames where it is large enough; bounded
}

// maxPoses bounds them.
const maxPoses = 32

const (
	// vehicleGap ends a vehicle of which nothing is seen any more.
	vehicleGap = 1500 * time.Millisecond
	// fewFrames: what is seen on fewer frames says nothing.
	fewFrames = 2
)

// continues tells whether a sighting can be the next of a vehicle: near the place
// where its speed has brought it.
func (v *vehicle) continues(s *sighting) (distance float64, ok bool) {
	dt := (s.At - v.last.At).Seconds()
	if dt <= 0 || s.At-v.last.At > vehicleGap {
		return 0, false
	}
	x0, y0 := v.last.middle()
	x, y := s.middle()
	distance = math.Hypot(x-x0-v.vx*dt, y-y0-v.vy*dt)
	reach := 2.5 * float64(max(v.last.Box.Dx(), s.Box.Dx()))
	if v.last.Height == 0 || s.Height == 0 { // the box is that of the vehicle
		reach = float64(max(v.last.Box.Dx(), s.Box.Dx()))
	}
	return distance, distance <= reach
}

func (v *vehicle) add(s sighting) {
	if s.Height >= smallest && !s.Cut && len(v.poses) < maxPoses && outlineSeen(s.Corners, s.Height) {
		v.poses = append(v.poses, anglesOf(s.Corners, s.Height))
	}
	if v.frames == 0 {
		v.first, v.best = s, s
	} else {
		x0, y0 := v.last.middle()
		x, y := s.middle()
		dt := (s.At - v.last.At).Seconds()
		v.vx, v.vy = (x-x0)/dt, (y-y0)/dt
		if v.best.At == v.last.At { // where it was largest
			v.speed = math.Hypot(v.vx, v.vy)
		}
		v.step(x-x0, y-y0, float64(min(v.last.Box.Dx(), s.Box.Dx())))
	}
	v.frames++
	v.last = s
	v.read = v.read || s.Confidence >= readWell
	if s.Cut && s.Height > v.cut.Height {
		v.cut = s
	}
	if v.betterThanBest(&s) {
		v.best, v.speed = s, math.Hypot(v.vx, v.vy)
	}
}

// step takes a step of the plate. It is a vehicle's if it goes on and on the same way:
// the camera's own clock is read here and there, and a sign stays where it is.
func (v *vehicle) step(dx, dy, width float64) {
	const (
		least       = 0.08 // of the width: what is less is noise
		enough, far = 2, 0.5
	)
	length := math.Hypot(dx, dy)
	if length < least*width {
		return
	}
	if v.dx*dx+v.dy*dy <= 0.7*length*math.Hypot(v.dx, v.dy) { // it turned by more than 45°
		v.steps, v.travelled = 0, 0
	}
	v.dx, v.dy = dx, dy
	v.steps++
	v.travelled += length / width
	if v.steps >= enough && v.travelled >= far {
		v.moved = true
	}
}

// pose is one of the angles from which a vehicle's plate was seen: the median. It has
// been seen from some.
func (v *vehicle) pose(of func(angles) float64) float64 {
	values := make([]float64, 0, len(v.poses))
	for _, p := range v.poses {
		values = append(values, of(p))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// betterThanBest prefers plates to bare vehicles, whole ones to parts, and of those
// the largest.
func (v *vehicle) betterThanBest(s *sighting) bool {
	b := &v.best
	switch {
	case (s.Height > 0) != (b.Height > 0):
		return s.Height > 0
	case s.Cut != b.Cut:
		return !s.Cut
	case s.Height == 0:
		return s.Box.Dx()*s.Box.Dy() > b.Box.Dx()*b.Box.Dy()
	}
	return s.Height > b.Height
}

// counts tells whether a vehicle says something about the camera.
func (v *vehicle) counts() bool { return v.moved && v.frames >= fewFrames }

// traffic are the vehicles in front of a camera.
type traffic struct {
	open  []*vehicle
	ended []*vehicle // those that counted, oldest first; bounded
	seen  int        // vehicles that counted, since the start
}

const (
	maxOpen  = 16
	maxEnded = 8
	// lastVehicles are those that are judged, none of them older than staleAfter.
	lastVehicles = 3
	staleAfter   = 10 * time.Minute
)

// see takes the sightings of one frame. Plates come before bare vehicles: what moved
// around a plate is its vehicle.
func (t *traffic) see(at time.Duration, sightings []sighting) {
	t.expire(at)
	for _, s := range sightings {
		var to *vehicle
		nearest := math.Inf(1)
		for _, v := range t.open {
			if d, ok := v.continues(&s); ok && d < nearest {
				to, nearest = v, d
			}
		}
		if to == nil {
			if len(t.open) == maxOpen {
				t.open = slices.Delete(t.open, 0, 1)
			}
			to = &vehicle{}
			t.open = append(t.open, to)
		}
		to.add(s)
	}
}

// expire ends vehicles of which nothing was seen for a while. A bare one whose plate
// another has does not count: what moves around a plate is one vehicle with it.
func (t *traffic) expire(at time.Duration) {
	t.open = slices.DeleteFunc(t.open, func(v *vehicle) bool {
		if at-v.last.At <= vehicleGap && at >= v.last.At {
			return false
		}
		if v.counts() && !(v.best.Height == 0 && t.plateWithin(v)) {
			t.seen++
			t.ended = append(t.ended, v)
			if len(t.ended) > maxEnded {
				t.ended = slices.Delete(t.ended, 0, 1)
			}
		}
		return true
	})
}

// plateWithin tells whether a plate was seen while a bare vehicle was.
func (t *traffic) plateWithin(bare *vehicle) bool {
	for _, all := range [][]*vehicle{t.open, t.ended} {
		for _, v := range all {
			if v.best.Height > 0 && v.counts() && v.last.At+vehicleGap >= bare.first.At && v.first.At <= bare.last.At+vehicleGap {
				return true
			}
		}
	}
	return false
}

// latest are the last vehicles that count, those in view among them, newest last.
func (t *traffic) latest(at time.Duration) []*vehicle {
	var all []*vehicle
	for _, v := range slices.Concat(t.ended, t.open) {
		if v.counts() && at-v.last.At <= staleAfter && !(v.best.Height == 0 && t.plateWithin(v)) {
			all = append(all, v)
		}
	}
	slices.SortStableFunc(all, func(a, b *vehicle) int { return int(a.last.At - b.last.At) })
	return all[max(0, len(all)-lastVehicles):]
}
