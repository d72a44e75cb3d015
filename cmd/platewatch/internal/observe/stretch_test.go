package observe

import (
	"cmp"
	"image/color"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"platewatch/ocr/render"
	"platewatch/ocr/render/number"
	"platewatch/ocr/render/sensor"
)

// stretch is some traffic in view of one camera.
type stretch struct {
	Spec   render.ClipSpec
	Region string // of the plates that drive there
}

const (
	slowest, fastest = 25 / 3.6, 110 / 3.6 // metres a second
	perStretch       = 10                  // vehicles
)

// registered are the layouts that drive in a region: front and rear.
var registered = map[string][][2]string{
	"eu": {{"nl", "nl"}, {"de", "de"}, {"fr", "fr"}, {"es", "es"}, {"it", "it"}, {"pl", "pl"}, {"be", "be"}, {"cz", "cz"}, {"at", "at"}, {"sk", "sk"}, {"se", "se"}},
	"uk": {{"gb", "gb-rear"}, {"gb-plain", "gb-rear"}},
	"us": {{"us-ca", "us-ca"}, {"us-tx", "us-tx"}, {"us-ny", "us-ny"}, {"us-fl", "us-fl"}},
	"br": {{"br-mercosul", "br-mercosul"}, {"br", "br"}},
}

// traffic makes up stretches with so many vehicles in all: one to three lanes
// in both directions, by day, in the evening and at night, at 25 to 110 km/h,
// 25 frames of 1280 × 720 a second, with an exposure that stops the motion.
// One vehicle in five carries the number of the one before it with another
// last character. The same seed gives the same traffic.
func traffic(seed uint64, vehicles int) []stretch {
	var all []stretch
	for i := 0; vehicles > 0; i++ {
		n := min(vehicles, perStretch)
		all = append(all, newStretch(seed*1000+uint64(i), i, n))
		vehicles -= n
	}
	return all
}

func newStretch(seed uint64, i, vehicles int) stretch {
	r := rand.New(rand.NewPCG(seed, 0x7472616666))
	between := func(a, b float64) float64 { return a + (b-a)*r.Float64() }
	lanes := 1 + i%3
	region := []string{"eu", "eu", "uk", "eu", "us", "br"}[i/3%6]
	dusk := []float64{0, 0, .6, 1}[i%4]
	yaw := []float64{-11, -17, -22}[lanes-1]
	spec := render.ClipSpec{
		// A plate of 520 mm is 80 pixels wide at 16 to 19 m.
		View:  render.View{Width: 1280, Height: 720, Focal: between(2500, 2900), Rise: between(1.6, 3.2), Yaw: yaw},
		Lanes: lanes, FPS: 25, Seed: seed,
		Dusk:   func(time.Duration) float64 { return dusk },
		Sensor: sensor.Effects{Noise: between(1, 3), Defocus: between(.3, .7)},
	}
	spec.View.Pitch = []float64{5.4, 5.4, 4.6}[lanes-1] + (spec.View.Rise-1.6)*3.4
	if r.IntN(2) == 0 {
		spec.Start, spec.Camera = time.Date(2026, 6, 2, 7, 40, i%60, 0, time.UTC), "CAM 4"
	}

	d := drivers{r: r, plates: registered[region]}
	middles := []float64{render.LaneNear, render.LaneFar, render.LaneThird}[:lanes]
	type lane struct {
		middle, speed float64
		away          bool
		free          float64 // seconds, when the next vehicle may pass
	}
	var road []lane
	for k, m := range middles {
		// Nobody overtakes within a lane, so that no vehicle drives into another.
		road = append(road, lane{m, between(slowest, fastest), (k+i)%2 == 0, between(0.5, 2)})
	}
	for v := range vehicles {
		l := &road[v%lanes]
		next := d.next(l.away)
		next.Lane, next.Speed, next.Away = l.middle, l.speed, l.away
		next.Mark, next.At = 12, time.Duration(l.free*float64(time.Second))
		spec.Vehicles = append(spec.Vehicles, next)
		// Six metres of vehicle, and 0.8 to 2.3 s between two of them.
		l.free += 6/l.speed + between(0.8, 2.3)
	}
	last := slices.MaxFunc(spec.Vehicles, func(a, b render.Vehicle) int { return cmp.Compare(a.At, b.At) })
	spec.Length = last.At + time.Duration(20/slowest*float64(time.Second))/2
	return stretch{spec, region}
}

// drivers makes up vehicles.
type drivers struct {
	r      *rand.Rand
	plates [][2]string
	before string // number of the vehicle before
	layout string
}

func (d *drivers) next(away bool) render.Vehicle {
	r := d.r
	names := d.plates[r.IntN(len(d.plates))]
	name := names[0]
	if away {
		name = names[1]
	}
	l, _ := render.LayoutByName(name)
	text := numberOf(&l, r)
	if r.IntN(5) == 0 && d.layout == name {
		text = twin(d.before, r)
	}
	d.before, d.layout = text, name
	return render.Vehicle{
		Body: render.Body(r.IntN(4)), Paint: color.RGBA{uint8(r.IntN(256)), uint8(r.IntN(256)), uint8(r.IntN(256)), 255},
		Plate: render.PlateSpec{Layout: name, Text: text, Seed: r.Uint64(), Wear: .5 * r.Float64() * r.Float64()},
		Brand: pick(r, "CORVANO", "PAMPA", "NORDA", "ARDEN"), Model: pick(r, "2.0", "1.4 TS", "GT 16V", "HYBRID"),
		Sticker: pick(r, "", "", "SURF CLUB"), Lettering: pick(r, "0800 555 0147", "FRESH BREAD"),
	}
}

// numberOf returns a number of a layout that can be read from its characters alone:
// without the letters that are stamped like 0 and 1, which these series do not issue,
// or not beside figures.
func numberOf(l *render.Layout, r *rand.Rand) string {
	for {
		if text := number.Random(l.Patterns, l.Letters, l.Vanity, r); !strings.ContainsAny(text, "IOQ") && !strings.HasPrefix(text, "0") {
			return text
		}
	}
}

// twin is a number with another last character of its kind.
func twin(text string, r *rand.Rand) string {
	b := []byte(text)
	i := len(b) - 1
	first, kinds := byte('0'), 10
	if b[i] >= 'A' {
		first, kinds = 'A', 26
	}
	for {
		c := first + byte((int(b[i]-first)+1+r.IntN(kinds-1))%kinds)
		if c != 'I' && c != 'O' && c != 'Q' {
			b[i] = c
			return string(b)
		}
	}
}

func pick(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }
