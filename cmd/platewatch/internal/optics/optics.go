// Package optics computes what a camera will see of plates, before it is mounted:
// from its sensor and lens, and where it stands.
//
// The camera is a pinhole that looks at the middle of the plate. x is along the road,
// y across it, z up. All lengths are metres unless the name says otherwise.
package optics

import (
	"fmt"
	"math"
	"slices"
)

// place is a camera beside or above a lane.
type place struct {
	SensorWidth, SensorHeight   float64 // of the part that the picture shows, millimetres
	PictureWidth, PictureHeight int     // pixels
	Lens                        float64 // focal length, millimetres
	Aperture                    float64 // f-number
	Distance                    float64 // along the road from below the camera to the plate
	Height                      float64 // of the camera above the road
	Offset                      float64 // across the road from below the camera to the middle of the lane
	Lane                        float64 // width of the lane
	Speed                       float64 // of the vehicles, km/h
	Shutter                     float64 // seconds
	Plate                       string  // a name of [plateKinds]
}

// defaultSetup is a common camera (1/2.8", 1080 lines) with a lens of 20 mm, 4 m above a
// city road.
func defaultSetup() place {
	return place{SensorWidth: 5.57, SensorHeight: 3.13, PictureWidth: 1920, PictureHeight: 1080, Lens: 20, Aperture: 2,
		Distance: 15, Height: 4, Offset: 2, Lane: 3.5, Speed: 50, Shutter: 0.001, Plate: "us"}
}

// plateKind is a kind of plate.
type plateKind struct {
	Name          string
	Width, Height float64 // millimetres
	Characters    float64 // height, millimetres
	Least, Moving float64 // pixels of width from which it is read, and that moving traffic needs
}

// plateKinds are the kinds: 305 × 152 mm with characters of about 70 mm (SAE J686), and
// 520 × 110 mm with 77 mm (as in the Netherlands; Germany 75, France 80). Widths
// in pixels: those of makers of such readers for US plates; for the wider European
// ones those that give characters of about the same height.
var plateKinds = []plateKind{
	{"us", 305, 152, 70, 75, 130},
	{"eu", 520, 110, 77, 100, 175},
}

// roadToPlate is the height of a plate's middle above the road.
const roadToPlate = 0.6

// sensors are the usual formats, by their name in inches, with the millimetres of the
// part that a picture of 16:9 uses.
var sensors = map[string][2]float64{
	"1/4": {3.6, 2.03}, "1/3": {4.8, 2.7}, "1/2.9": {5.5, 3.1}, "1/2.8": {5.57, 3.13}, "1/2.7": {5.76, 3.24},
	"1/2.5": {6.05, 3.4}, "1/2.3": {6.29, 3.54}, "1/2": {6.97, 3.92}, "1/1.8": {7.68, 4.32}, "1/1.2": {11.14, 6.26}, "2/3": {8.8, 4.95}, "1": {13.2, 7.43},
}

// Error is what is wrong with a setup. Text begins with the flag's name.
type Error struct{ Text, Advice string }

func (e *Error) Error() string { return e.Text }

// Hint says what to write instead.
func (e *Error) Hint() string { return e.Advice }

// limits of what is computed, by the flag: beyond them the model is wrong, or one
// unit was taken for another.
var limits = []struct {
	flag      string
	of        func(*place) float64
	low, high float64
	unit      string
}{
	{"sensor", func(s *place) float64 { return s.SensorWidth }, 1, 40, "millimetres of width"},
	{"sensor", func(s *place) float64 { return s.SensorHeight }, 1, 40, "millimetres of height"},
	{"picture", func(s *place) float64 { return float64(s.PictureWidth) }, 160, 16384, "pixels of width"},
	{"picture", func(s *place) float64 { return float64(s.PictureHeight) }, 120, 16384, "pixels of height"},
	{"lens", func(s *place) float64 { return s.Lens }, 1, 1000, "millimetres"},
	{"aperture", func(s *place) float64 { return s.Aperture }, 0.7, 32, "(the f-number)"},
	{"distance", func(s *place) float64 { return s.Distance }, 1, 200, "metres"},
	{"height", func(s *place) float64 { return s.Height }, 0.3, 30, "metres"},
	{"offset", func(s *place) float64 { return s.Offset }, 0, 50, "metres"},
	{"lane", func(s *place) float64 { return s.Lane }, 2, 6, "metres"},
	{"speed", func(s *place) float64 { return s.Speed }, 0, 300, "km/h"},
	{"shutter", func(s *place) float64 { return s.Shutter }, 1e-6, 1, "seconds"},
}

func (s *place) check() (plateKind, error) {
	for _, l := range limits {
		v := l.of(s)
		if v >= l.low && v <= l.high { // not so for NaN
			continue
		}
		return plateKind{}, &Error{fmt.Sprintf("-%s: %v %s is out of range", l.flag, v, l.unit), fmt.Sprintf("write %v to %v %s", l.low, l.high, l.unit)}
	}
	i := slices.IndexFunc(plateKinds, func(p plateKind) bool { return p.Name == s.Plate })
	if i < 0 {
		return plateKind{}, &Error{fmt.Sprintf("-plate: there is no kind %q", s.Plate), "write us or eu"}
	}
	if r := (s.SensorWidth / s.SensorHeight) / (float64(s.PictureWidth) / float64(s.PictureHeight)); r < 0.7 || r > 1.4 {
		return plateKind{}, &Error{fmt.Sprintf("-sensor and -picture: the sensor's %.2f × %.2f mm and the picture's %d × %d pixels differ in shape",
			s.SensorWidth, s.SensorHeight, s.PictureWidth, s.PictureHeight), "give the part of the sensor that the picture shows"}
	}
	return plateKinds[i], nil
}

// result is what the camera sees.
type result struct {
	Setup           place     `json:"setup"`
	Sight           float64   `json:"sight_m"`             // from the camera to the plate
	Yaw             float64   `json:"yaw_deg"`             // from the side
	Pitch           float64   `json:"pitch_deg"`           // from above
	PlateWidth      float64   `json:"plate_width_px"`      // as it is seen
	CharacterHeight float64   `json:"character_height_px"` // as it is seen
	View            float64   `json:"view_m"`              // width of the road in the picture, at the plate
	Near            float64   `json:"near_m"`              // depth of field, from the camera
	Far             float64   `json:"far_m"`               // 0: without end
	Blur            float64   `json:"blur_px"`             // that a plate moves while the shutter is open
	BlurBound       float64   `json:"blur_bound_px"`
	Shutter         float64   `json:"longest_shutter_s"` // that keeps the bound; 0: any
	Diffraction     float64   `json:"diffraction_px"`    // spot that the aperture makes of a point
	ReadFor         float64   `json:"read_for_s"`        // how long a plate is whole and large enough; 0: never
	Lens            float64   `json:"lens_mm"`           // that gives plates of the width that moving traffic needs
	Plate           plateKind `json:"-"`
}

// Bounds of a camera that is well set.
const (
	leastCharacters, mostCharacters = 20.0, 30.0 // pixels
	mostAngle                       = 30.0       // degrees, of yaw and pitch
	// spot is the circle of confusion, in pixels: a sharp edge takes two.
	spot = 2.0
	// greenLight is the wavelength in millimetres.
	greenLight = 0.55e-3
	// blurShare is the part of a character's height that it may move: strokes are a
	// seventh of it, and gaps between them must not close.
	blurShare = 0.08
)

// compute computes what a setup sees. Errors are of the type [*Error].
//
//   - The line of sight from the camera to the plate has the length
//     D = √(distance² + (height − 0.6 m)² + offset²). Yaw is atan(offset/distance), pitch
//     asin((height − 0.6 m)/D).
//   - Scale: a lens of focal length f images at the magnification m = f/(D − f), so
//     that 1 mm across the line of sight has m/p pixels, p being the sensor's width over
//     the picture's (thin lens: Hecht, Optics, 5.2.3). The plate stands upright across
//     the road: yaw shortens its width by the cosine, pitch its height.
//   - Depth of field, with the circle of confusion c = 2p, the f-number N and the
//     hyperfocal distance H = f²/(N·c) + f: from D·(H − f)/(H + D − 2f) to
//     D·(H − f)/(H − D) (Ray, Applied Photographic Optics, chapter 22).
//   - Blur: of the vehicle's way v·t along the road only the part across the line of
//     sight shows: v·t·sin(θ), cos(θ) = distance/D.
//   - Diffraction: the Airy disk has the diameter 2.44·λ·N (Hecht 10.2.5).
func compute(s place) (*result, error) {
	plate, err := s.check()
	if err != nil {
		return nil, err
	}
	r := &result{Setup: s, Plate: plate}
	above := s.Height - roadToPlate
	r.Sight = math.Sqrt(s.Distance*s.Distance + above*above + s.Offset*s.Offset)
	r.Yaw = degrees(math.Atan(s.Offset / s.Distance))
	r.Pitch = degrees(math.Asin(above / r.Sight))
	pitch := s.SensorWidth / float64(s.PictureWidth) // millimetres between pixels
	perMM := s.scale(r.Sight) / pitch
	r.PlateWidth = plate.Width * math.Cos(radians(r.Yaw)) * perMM
	r.CharacterHeight = plate.Characters * math.Cos(radians(r.Pitch)) * perMM
	r.View = float64(s.PictureWidth) / perMM / 1000

	sight := r.Sight * 1000
	h := s.Lens*s.Lens/(s.Aperture*spot*pitch) + s.Lens
	r.Near = sight * (h - s.Lens) / (h + sight - 2*s.Lens) / 1000
	if sight < h {
		r.Far = sight * (h - s.Lens) / (h - sight) / 1000
	}
	r.Diffraction = 2.44 * greenLight * s.Aperture / pitch

	across := math.Sqrt(1 - s.Distance*s.Distance/(r.Sight*r.Sight))
	pixelsPerSecond := s.Speed / 3.6 * 1000 * across * perMM
	r.Blur = pixelsPerSecond * s.Shutter
	r.BlurBound = max(1, blurShare*r.CharacterHeight)
	if pixelsPerSecond > 0 {
		r.Shutter = r.BlurBound / pixelsPerSecond
	}
	r.Lens = s.Lens * max(plate.Moving/r.PlateWidth, leastCharacters/r.CharacterHeight)
	r.ReadFor = s.readFor(plate)
	return r, nil
}

// scale is the magnification at a distance.
func (s *place) scale(distance float64) float64 { return s.Lens / (distance*1000 - s.Lens) }

// readFor is for how long a plate that comes along the road is whole in the picture
// and its characters are at least [leastCharacters] high, in seconds; for one that
// stands, as at 1 km/h. The camera keeps looking at the middle of the plate's place.
func (s *place) readFor(p plateKind) float64 {
	const step = 0.05 // metres
	pitch := s.SensorWidth / float64(s.PictureWidth)
	focal := s.Lens / pitch // pixels
	above := s.Height - roadToPlate
	// The camera's axes.
	d := math.Sqrt(s.Distance*s.Distance + above*above + s.Offset*s.Offset)
	ahead := [3]float64{s.Distance / d, s.Offset / d, -above / d}
	n := math.Hypot(ahead[0], ahead[1])
	right := [3]float64{-ahead[1] / n, ahead[0] / n, 0}
	down := [3]float64{ahead[2] * ahead[0] / n, ahead[2] * ahead[1] / n, -n}
	dot := func(a [3]float64, x, y, z float64) float64 { return a[0]*x + a[1]*y + a[2]*z }
	way := 0.0
	for x := 0.5; x < 300; x += step {
		depth := dot(ahead, x, s.Offset, -above)
		if depth < 0.5 {
			continue
		}
		u, v := focal*dot(right, x, s.Offset, -above)/depth, focal*dot(down, x, s.Offset, -above)/depth
		halfWidth, halfHeight := focal*p.Width/2000/depth, focal*p.Height/2000/depth
		height := focal * p.Characters / 1000 / depth * math.Hypot(x, s.Offset) / math.Sqrt(x*x+s.Offset*s.Offset+above*above)
		if math.Abs(u)+halfWidth <= float64(s.PictureWidth)/2 && math.Abs(v)+halfHeight <= float64(s.PictureHeight)/2 && height >= leastCharacters {
			way += step
		}
	}
	return way / (max(s.Speed, 1) / 3.6)
}

func degrees(r float64) float64 { return r * 180 / math.Pi }
func radians(d float64) float64 { return d * math.Pi / 180 }
