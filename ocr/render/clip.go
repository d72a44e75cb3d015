package render

import (
	"cmp"
	"fmt"
	"image"
	"image/color"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Vehicle is one vehicle that drives through a scene.
type Vehicle struct {
	Body      Body
	Paint     color.RGBA
	Plate     PlateSpec
	Lane      float64       // middle of its lane, metres (LaneNear, LaneFar)
	Speed     float64       // metres a second
	Away      bool          // drives away and shows its rear; otherwise it comes and shows its front
	At        time.Duration // when its nearer bumper is Mark metres from the camera's post
	Mark      float64       // metres along the road
	Brand     string        // lettering on the back, none of it a plate
	Model     string
	Sticker   string
	Lettering string // on the doors of a van
}

// ClipSpec describes a road-camera clip.
type ClipSpec struct {
	View     View
	FPS      float64
	Length   time.Duration
	Vehicles []Vehicle
	Seed     uint64
	Dusk     func(t time.Duration) float64 // 0 day – 1 night; nil: day
	Sensor   Sensor                        // Quality is ignored: a clip has its own compression
	Start    time.Time                     // of the clock in the picture; zero: no clock
	Camera   string                        // name beside the clock
}

// DefaultView is a camera on the pavement that looks up the road.
var DefaultView = View{Width: 1280, Height: 720, Focal: 2700, Rise: 1.6, Yaw: -17, Pitch: 5.4}

// FrameTruth is what one frame shows.
type FrameTruth struct {
	Frame  int
	Time   time.Duration
	Plates []PlateView
}

// PlateView is one plate in one frame.
type PlateView struct {
	Passage int    // index of the vehicle
	Text    string // A to Z, 0 to 9
	Layout  string
	Corners [4]Point        // pixels, clockwise from the top left of the plate's face
	Rows    [][4]Point      // the same around the ink of each row of characters
	Box     image.Rectangle // around the corners
	// Clear says that the whole plate is in the picture with nothing before it.
	Clear bool
}

// Width is the length of the plate's upper edge in pixels.
func (p PlateView) Width() float64 { return p.Corners[1].sub(p.Corners[0]).len() }

// PassageTruth sums up one vehicle over a clip.
type PassageTruth struct {
	Text        string
	Layout      string
	First, Last time.Duration // first and last frame with a clear plate at least MinWidth wide
	Frames      int           // number of those frames
}

// MinWidth is the plate width in pixels from which a frame counts for a
// passage's truth.
const MinWidth = 110

// Clip returns the frames of a clip with their truth, in order. Each picture
// is valid until the next one is asked for. An error, at the first plate that
// cannot be drawn, is yielded alone.
func Clip(spec ClipSpec) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		d, err := newDirector(spec)
		if err != nil {
			yield(Frame{}, err)
			return
		}
		n := int(spec.Length.Seconds()*spec.FPS + .5)
		for i := range n {
			t := time.Duration(float64(i) / spec.FPS * float64(time.Second))
			if !yield(d.frame(i, t), nil) {
				return
			}
		}
	}
}

// Still draws one picture of a scene: the frame at time t, taken through the
// whole Sensor, its JPEG round trip included.
func Still(spec ClipSpec, t time.Duration) (Frame, error) {
	sensor := spec.Sensor
	spec.Sensor = Sensor{}
	d, err := newDirector(spec)
	if err != nil {
		return Frame{}, err
	}
	f := d.frame(0, t)
	if err := sensor.Apply(f.Image, spec.Seed); err != nil {
		return Frame{}, err
	}
	return f, nil
}

// Frame is one picture of a clip.
type Frame struct {
	Image *image.RGBA
	Truth FrameTruth
}

// Passages sums up the truths of a clip's frames, one entry per vehicle in the
// order of the specification.
func Passages(vehicles int, frames []FrameTruth) []PassageTruth {
	out := make([]PassageTruth, vehicles)
	for _, f := range frames {
		for _, p := range f.Plates {
			if !p.Clear || p.Width() < MinWidth {
				continue
			}
			o := &out[p.Passage]
			if o.Frames == 0 {
				o.Text, o.Layout, o.First = p.Text, p.Layout, f.Time
			}
			o.Last = f.Time
			o.Frames++
		}
	}
	return out
}

// director keeps what stays the same from frame to frame.
type director struct {
	spec   ClipSpec
	st     stage
	back   *image.RGBA
	plates []decal
	truth  []PlateTruth
	order  []int
	cars   []car
}

func newDirector(spec ClipSpec) (*director, error) {
	if spec.View == (View{}) {
		spec.View = DefaultView
	}
	if spec.View.Width < 16 || spec.View.Height < 16 || spec.View.Width > 8192 || spec.View.Height > 8192 || !(spec.View.Focal > 0) {
		return nil, fmt.Errorf("render: a view of %d × %d pixels with focal length %g cannot be drawn", spec.View.Width, spec.View.Height, spec.View.Focal)
	}
	if spec.FPS == 0 {
		spec.FPS = 25
	}
	d := &director{spec: spec}
	d.st.cam = spec.View.pinhole()
	d.st.resize(spec.View.Width, spec.View.Height)
	d.st.road(rand.New(rand.NewPCG(spec.Seed, 1)))
	d.back = image.NewRGBA(d.st.img.Rect)
	copy(d.back.Pix, d.st.img.Pix)
	for i, v := range spec.Vehicles {
		ps := v.Plate
		if ps.Layout == "" {
			d.plates, d.truth = append(d.plates, nil), append(d.truth, PlateTruth{})
		} else {
			if ps.Scale == 0 {
				ps.Scale = 1.2
			}
			img, t, err := Plate(ps)
			if err != nil {
				return nil, fmt.Errorf("render: vehicle %d: %w", i, err)
			}
			d.plates, d.truth = append(d.plates, newDecal(img)), append(d.truth, t)
		}
		if int(v.Body) >= len(shapes) {
			return nil, fmt.Errorf("render: vehicle %d: there is no body %d", i, v.Body)
		}
		d.cars = append(d.cars, car{Vehicle: v, sh: &shapes[v.Body], x: v.Lane, front: !v.Away})
		d.order = append(d.order, i)
	}
	return d, nil
}

// frame draws the scene at time t.
func (d *director) frame(i int, t time.Duration) Frame {
	dusk := 0.0
	if d.spec.Dusk != nil {
		dusk = clamp(d.spec.Dusk(t), 0, 1)
	}
	light := sky{sun: vec{.55, .75, -.5}.unit(), direct: .55, dusk: dusk}
	s := &d.st
	s.copyFrom(d.back)
	for j := range d.cars {
		c := &d.cars[j]
		dt := (t - c.At).Seconds()
		if c.Away {
			c.z = c.Mark + c.Speed*dt
		} else {
			c.z = c.Mark - c.Speed*dt
		}
	}
	slices.SortFunc(d.order, func(a, b int) int { return cmp.Compare(d.cars[b].z, d.cars[a].z) })
	truth := FrameTruth{Frame: i, Time: t}
	var corners []([4]Point)
	for _, j := range d.order {
		c := &d.cars[j]
		if c.z < -c.sh.length-1 || c.z > 160 {
			continue
		}
		s.draw(c, light)
		q, v, ok := d.plate(j)
		if !ok {
			continue
		}
		s.paste(d.plates[j], q, [3]float64{.97, .97, .97})
		corners = append(corners, q)
		for k := range truth.Plates { // what was drawn before lies farther off
			truth.Plates[k].Clear = truth.Plates[k].Clear && !truth.Plates[k].Box.Overlaps(s.extent(c))
		}
		truth.Plates = append(truth.Plates, v)
	}
	if dusk > 0 {
		s.nightfall(dusk)
		for k, v := range truth.Plates {
			if v.Clear && dusk > .05 { // the plate throws the camera's light back
				g := mix(.97, .82, dusk)
				s.paste(d.plates[v.Passage], corners[k], [3]float64{g, g, g})
			}
		}
		for _, j := range d.order {
			if c := &d.cars[j]; c.z > .5 && c.z < 160 {
				s.glow(c, dusk, func(p Point) bool { return d.hidden(c, p) })
			}
		}
	}
	if !d.spec.Start.IsZero() {
		s.clock(d.spec.Start.Add(t), d.spec.Camera)
	}
	sensor := d.spec.Sensor
	sensor.Quality = 0
	sensor.Noise *= 1 + dusk
	_ = sensor.Apply(s.img, d.spec.Seed+uint64(i)*0x9E37) // only the JPEG round trip can fail
	return Frame{s.img, truth}
}

// hidden reports whether a vehicle nearer than c covers the pixel p.
func (d *director) hidden(c *car, p Point) bool {
	at := image.Pt(int(p.X), int(p.Y))
	for j := range d.cars {
		if o := &d.cars[j]; o.z < c.z-1 && o.z > -o.sh.length && at.In(d.st.extent(o)) {
			return true
		}
	}
	return false
}

// plate projects the plate of vehicle j.
func (d *director) plate(j int) ([4]Point, PlateView, bool) {
	c := &d.cars[j]
	if d.plates[j] == nil || c.z < .4 {
		return [4]Point{}, PlateView{}, false
	}
	l := layouts[c.Plate.Layout]
	var q [4]Point
	for k, p := range c.plateCorners(l.Width/1000, l.Height/1000) {
		var ok bool
		if q[k], ok = d.st.cam.project(p); !ok {
			return q, PlateView{}, false
		}
	}
	b := bounds(q[:])
	if !b.Overlaps(d.st.img.Rect) {
		return q, PlateView{}, false
	}
	v := PlateView{Passage: j, Text: d.truth[j].Text, Layout: l.Name, Corners: q, Box: b, Clear: b.In(d.st.img.Rect)}
	top := d.plates[j][0].Rect
	m, err := RectTo(float64(top.Dx()), float64(top.Dy()), q)
	if err != nil {
		return q, PlateView{}, false
	}
	for _, r := range d.truth[j].Rows() {
		v.Rows = append(v.Rows, [4]Point{m.Apply(Point{r[0], r[1]}), m.Apply(Point{r[2], r[1]}), m.Apply(Point{r[2], r[3]}), m.Apply(Point{r[0], r[3]})})
	}
	return q, v, true
}

// extent is the rectangle that a vehicle covers on the screen.
func (s *stage) extent(c *car) image.Rectangle {
	var p []Point
	for _, x := range [2]float64{-1, 1} {
		for _, y := range [2]float64{0, 1.75} {
			for _, l := range [2]float64{-.1, c.sh.length} {
				if q, ok := s.cam.project(c.at(x*c.sh.half, y, l)); ok {
					p = append(p, q)
				}
			}
		}
	}
	return bounds(p)
}

// nightfall darkens the picture, blue last.
func (s *stage) nightfall(dusk float64) {
	var lut [3][256]uint8
	for i, low := range [3]float64{.17, .20, .29} {
		for v := range 256 {
			lut[i][v] = uint8(255*math.Pow(float64(v)/255, 1+.25*dusk)*mix(1, low, dusk) + .5)
		}
	}
	p := s.img.Pix
	for i := 0; i < len(p); i += 4 {
		q := p[i : i+3 : i+3]
		q[0], q[1], q[2] = lut[0][q[0]], lut[1][q[1]], lut[2][q[2]]
	}
}

// clock burns date, time and the camera's name into the picture.
func (s *stage) clock(t time.Time, camera string) {
	h := float64(s.img.Rect.Dy()) * .026
	f := func(text string, x, y float64) {
		d := dies["caption"]
		w := d.textWidth(text, h, h*.16, h*.5)
		s.fill(sheer(rgb(0x000000), .45), rect(x-h*.5, y-h*.45, x+w+h*.5, y+h*1.45))
		for _, ch := range text {
			if g := d.glyph(ch); g != nil {
				s.press.c.img = s.img
				s.press.glyph(g, x, y, h/100, h/100, 1, solid(rgb(0xF4F4F4)))
				x += g.width*h/100 + h*.16
			} else {
				x += h * .5
			}
		}
	}
	f(t.Format("2006-01-02 15:04:05"), h, h)
	if camera != "" {
		d := dies["caption"]
		f(camera, float64(s.img.Rect.Dx())-h-d.textWidth(camera, h, h*.16, h*.5), h)
	}
}
