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

	"platewatch/ocr/render/paint"
	"platewatch/ocr/render/sensor"
)

// Vehicle is one vehicle that drives through a scene.
type Vehicle struct {
	Body      Body
	Paint     color.RGBA
	Plate     PlateSpec
	Lane      float64       // middle of its lane, metres (LaneNear, LaneFar, LaneThird)
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
	Lanes    int // of the street, 1 to 3; 0 means 2
	FPS      float64
	Length   time.Duration
	Vehicles []Vehicle
	Railings []Railing // behind the vehicles, the farthest first
	Before   []Obstacle
	Seed     uint64
	Dusk     func(t time.Duration) float64 // 0 day – 1 night; nil: day
	Sensor   sensor.Effects                // Quality is ignored: a clip has its own compression
	Start    time.Time                     // of the clock in the picture; zero: no clock
	Camera   string                        // name beside the clock
}

// DefaultView is a camera on the pavement that looks up the road.
var DefaultView = View{Width: 1280, Height: 720, Focal: 2700, Rise: 1.6, Yaw: -17, Pitch: 5.4}

// Shot is one frame of a clip: its truth, and its picture when it is asked for.
type Shot struct {
	Truth FrameTruth
	d     *director
}

// Draw draws the picture. It is valid, and may be asked for, until the clip
// goes on to the next frame.
func (s Shot) Draw() *image.RGBA { return s.d.draw(s.Truth) }

// Clip returns the frames of a clip in order. An error, at the first plate that
// cannot be drawn, is yielded alone.
func Clip(spec ClipSpec) iter.Seq2[Shot, error] {
	return func(yield func(Shot, error) bool) {
		d, err := newDirector(spec)
		if err != nil {
			yield(Shot{}, err)
			return
		}
		for i, t := range d.times() {
			if !yield(Shot{d.look(i, t), d}, nil) {
				return
			}
		}
	}
}

// times are the numbers and times of the clip's frames.
func (d *director) times() iter.Seq2[int, time.Duration] {
	return func(yield func(int, time.Duration) bool) {
		for i := range int(d.spec.Length.Seconds()*d.spec.FPS + .5) {
			if !yield(i, time.Duration(float64(i)/d.spec.FPS*float64(time.Second))) {
				return
			}
		}
	}
}

// Still draws one picture of a scene: the frame at time t, taken through the
// whole Sensor, its JPEG round trip included.
func Still(spec ClipSpec, t time.Duration) (Frame, error) {
	effects := spec.Sensor
	spec.Sensor = sensor.Effects{}
	d, err := newDirector(spec)
	if err != nil {
		return Frame{}, err
	}
	f := Frame{Truth: d.look(0, t)}
	f.Image = d.draw(f.Truth)
	if err := effects.Apply(f.Image, spec.Seed); err != nil {
		return Frame{}, err
	}
	return f, nil
}

// Frame is one picture with its truth.
type Frame struct {
	Image *image.RGBA
	Truth FrameTruth
}

// director keeps what stays the same from frame to frame.
type director struct {
	spec   ClipSpec
	st     stage
	back   *image.RGBA
	plates []paint.Decal
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
	spec.Lanes = cmp.Or(spec.Lanes, 2)
	if spec.Lanes < 1 || spec.Lanes > maxLanes {
		return nil, fmt.Errorf("render: a street of %d lanes cannot be drawn, only of 1 to %d", spec.Lanes, maxLanes)
	}
	d := &director{spec: spec}
	d.st.street = carriagewayOf(spec.Lanes)
	d.st.cam = spec.View.pinhole()
	d.st.Resize(spec.View.Width, spec.View.Height)
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
			d.plates, d.truth = append(d.plates, paint.NewDecal(img)), append(d.truth, t)
		}
		if int(v.Body) >= len(shapes) {
			return nil, fmt.Errorf("render: vehicle %d: there is no body %d", i, v.Body)
		}
		d.cars = append(d.cars, car{Vehicle: v, sh: &shapes[v.Body], x: v.Lane, front: !v.Away})
		d.order = append(d.order, i)
	}
	return d, nil
}

// look moves the vehicles to time t and returns the truth of the frame, its plates
// from far to near.
func (d *director) look(i int, t time.Duration) FrameTruth {
	for j := range d.cars {
		c := &d.cars[j]
		dt := (t - c.At).Seconds()
		if !c.Away {
			dt = -dt
		}
		c.z = c.Mark + c.Speed*dt
	}
	slices.SortFunc(d.order, func(a, b int) int {
		return cmp.Or(cmp.Compare(d.cars[b].z, d.cars[a].z), cmp.Compare(a, b))
	})
	truth := FrameTruth{Frame: i, Time: t}
	for _, j := range d.order {
		c := &d.cars[j]
		if !c.onStage() {
			continue
		}
		cover := d.st.extent(c)
		for k := range truth.Plates { // those before it in the order lie farther off
			truth.Plates[k].Clear = truth.Plates[k].Clear && !truth.Plates[k].Box.Overlaps(cover)
		}
		if v, ok := d.plate(j); ok {
			for _, o := range d.spec.Before {
				v.Clear = v.Clear && !v.Box.Overlaps(paint.Bounds(o.Outline))
			}
			truth.Plates = append(truth.Plates, v)
		}
	}
	return truth
}

// onStage reports whether any of the vehicle can be in the picture.
func (c *car) onStage() bool { return c.z > -c.sh.length-1 && c.z < 160 }

// draw draws the scene where look left the vehicles.
func (d *director) draw(truth FrameTruth) *image.RGBA {
	t, dusk := truth.Time, 0.0
	if d.spec.Dusk != nil {
		dusk = paint.Clamp(d.spec.Dusk(t), 0, 1)
	}
	light := sky{sun: vec{.55, .75, -.5}.unit(), direct: .55}
	s := &d.st
	if d.back == nil {
		s.road(rand.New(rand.NewPCG(d.spec.Seed, 1)))
		for _, f := range d.spec.Railings {
			s.railing(f)
		}
		d.back = image.NewRGBA(s.Image.Rect)
		copy(d.back.Pix, s.Image.Pix)
	}
	copy(s.Image.Pix, d.back.Pix)
	if dusk > 0 {
		night := nightfall(dusk)
		for i := 0; i < len(s.Image.Pix); i += 4 {
			q := s.Image.Pix[i : i+3 : i+3]
			q[0], q[1], q[2] = night[0][q[0]], night[1][q[1]], night[2][q[2]]
		}
		for _, w := range s.lit {
			s.Fill(paint.Sheer(paint.RGB(0xF2C877), .75*paint.Smooth(w.from, w.from+.15, dusk)), w.p)
		}
		s.Tint = night
	}
	for _, j := range d.order {
		c := &d.cars[j]
		if !c.onStage() {
			continue
		}
		s.draw(c, light)
		for _, v := range truth.Plates {
			if v.Passage == j {
				// At night the plate throws the camera's light back.
				s.Paste(d.plates[j], v.Corners, paint.Mix(.97, .82, dusk))
			}
		}
	}
	s.Tint = nil
	if dusk > 0 {
		for _, j := range d.order {
			if c := &d.cars[j]; c.z > .5 && c.onStage() {
				s.glow(c, dusk, func(p Point) bool { return d.hidden(c, p) })
			}
		}
	}
	for _, o := range d.spec.Before {
		s.obstacle(o)
	}
	if !d.spec.Start.IsZero() {
		s.clock(d.spec.Start.Add(t), d.spec.Camera)
	}
	effects := d.spec.Sensor
	effects.Quality = 0
	effects.Noise *= 1 + dusk
	_ = effects.Apply(s.Image, d.spec.Seed+uint64(truth.Frame)*0x9E37) // only the JPEG round trip can fail
	return s.Image
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
func (d *director) plate(j int) (PlateView, bool) {
	c := &d.cars[j]
	if d.plates[j] == nil || c.z < .4 {
		return PlateView{}, false
	}
	l := layouts[c.Plate.Layout]
	var q [4]Point
	for k, p := range c.plateCorners(l.Width/1000, l.Height/1000) {
		var ok bool
		if q[k], ok = d.st.cam.project(p); !ok {
			return PlateView{}, false
		}
	}
	b := paint.Bounds(q[:])
	if !b.Overlaps(d.st.Image.Rect) {
		return PlateView{}, false
	}
	v := PlateView{Passage: j, Text: d.truth[j].Text, Layout: l.Name, Corners: q, Box: b, Clear: b.In(d.st.Image.Rect)}
	v.Windows = d.st.windows(c)
	top := d.plates[j][0].Rect
	m, err := paint.RectTo(float64(top.Dx()), float64(top.Dy()), q)
	if err != nil {
		return PlateView{}, false
	}
	for _, r := range d.truth[j].Rows {
		v.Rows = append(v.Rows, [4]Point{m.Apply(Point{X: r[0], Y: r[1]}), m.Apply(Point{X: r[2], Y: r[1]}), m.Apply(Point{X: r[2], Y: r[3]}), m.Apply(Point{X: r[0], Y: r[3]})})
	}
	return v, true
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
	return paint.Bounds(p)
}

// nightfall maps the colours of day to those of dusk: darker, blue last.
func nightfall(dusk float64) *paint.Tint {
	var n paint.Tint
	for i, low := range [3]float64{.17, .20, .29} {
		for v := range 256 {
			n[i][v] = uint8(255*math.Pow(float64(v)/255, 1+.25*dusk)*paint.Mix(1, low, dusk) + .5)
		}
	}
	return &n
}

// clock burns date, time and the camera's name into the picture.
func (s *stage) clock(t time.Time, camera string) {
	h := float64(s.Image.Rect.Dy()) * .026
	f := func(text string, x, y float64) {
		d := dies["caption"]
		w := d.textWidth(text, h, h*.16, h*.5)
		s.Fill(paint.Sheer(paint.RGB(0x000000), .45), paint.Rect(x-h*.5, y-h*.45, x+w+h*.5, y+h*1.45))
		for _, ch := range text {
			if g := d.glyph(ch); g != nil {
				s.press.c.Image = s.Image
				s.press.glyph(g, x, y, h/100, h/100, 1, paint.Solid(paint.RGB(0xF4F4F4)))
				x += g.width*h/100 + h*.16
			} else {
				x += h * .5
			}
		}
	}
	f(t.Format("2006-01-02 15:04:05"), h, h)
	if camera != "" {
		d := dies["caption"]
		f(camera, float64(s.Image.Rect.Dx())-h-d.textWidth(camera, h, h*.16, h*.5), h)
	}
}
