package rectify

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"platewatch/ocr/render"
	"platewatch/ocr/rendertest"
)

// lined is the line of the most plate-like candidate on a close-up, on its
// levelled picture, with what is true of it.
type lined struct {
	*Plate
	Line
	face        [4]Point // the plate's corners here
	first, last float64  // where the ink of its characters begins and ends, at the line's middle
	slant       float64  // of the row's two ends, the mean
}

// onCloseup levels and lines a close-up of a plate of one row; ok is false
// where no line of at least five letters is found.
func onCloseup(t *testing.T, c rendertest.Closeup) (l lined, ok bool) {
	t.Helper()
	f := finder(t)
	grey, views := take(t, c)
	candidates, err := f.Find(grey, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(candidates) == 0 {
		return l, false
	}
	if l.Plate, err = Level(grey, candidates[0]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Plate.Close() })
	lines, err := l.Plate.Lines()
	if err != nil {
		t.Fatal(err)
	}
	l.Line = lines[0]
	from := func(q render.Point) Point { return l.FromFrame(Point{q.X, q.Y}) }
	for k, q := range views[0].Corners {
		l.face[k] = from(q)
	}
	var row [4]Point
	for k, q := range views[0].Rows[0] {
		row[k] = from(q)
	}
	l.first, l.last = (row[0].X+row[3].X)/2, (row[1].X+row[2].X)/2
	l.slant = ((row[3].X-row[0].X)/(row[3].Y-row[0].Y) + (row[2].X-row[1].X)/(row[2].Y-row[1].Y)) / 2
	return l, len(l.Letters) >= 5
}

// TestEdges: most edges lie at the end of the plate's face or between the
// characters and it (the inner side of a band), the others further out; hardly
// one cuts a character.
func TestEdges(t *testing.T) {
	n, seen, near, cut := 0, 0, 0, 0
	for _, name := range render.LayoutNames() {
		if l, _ := render.LayoutByName(name); len(l.Rows) != 1 {
			continue
		}
		for seed := range uint64(6) {
			c := closeup(seed, rendertest.Mounted{Spec: render.PlateSpec{Layout: name}})
			c.Width, c.Margin = 1.3*c.Width, .7
			l, ok := onCloseup(t, c)
			if !ok {
				continue
			}
			e, err := l.edgesAround(l.Line)
			if err != nil {
				t.Fatal(err)
			}
			check := func(has bool, edge, ink, face float64) {
				n++
				if !has {
					return
				}
				seen++
				outside, inside := (edge-face)/l.Height, (ink-edge)/l.Height
				if face < ink { // the left one
					outside, inside = -outside, -inside
				}
				switch {
				case inside > 0.1:
					cut++
					t.Logf("%s, seed %d: an edge %.2f character heights inside the characters", name, seed, inside)
				case outside < 0.35:
					near++
				}
			}
			check(e.HasLeft, e.Left, l.first, (l.face[0].X+l.face[3].X)/2)
			check(e.HasRight, e.Right, l.last, (l.face[1].X+l.face[2].X)/2)
		}
	}
	t.Logf("of %d edges %d were seen, %d of them near; %d cut a character", n, seen, near, cut)
	if seen*100 < n*90 || near*100 < seen*85 || cut*100 > seen*2 {
		t.Errorf("of %d edges %d were seen (want 90 %%), %d of them near (85 %%); %d cut a character (at most 2 %%)", n, seen, near, cut)
	}
}

// TestEdgesOfTheFrame: a plate ends at the latest where the picture does.
func TestEdgesOfTheFrame(t *testing.T) {
	for seed := range uint64(6) {
		c := closeup(seed, rendertest.Mounted{Spec: render.PlateSpec{Layout: "us-ca"}})
		c.Yaw, c.Pitch, c.Roll, c.Margin = 0, 0, 0, -.05
		l, ok := onCloseup(t, c)
		if !ok {
			t.Errorf("seed %d: no line", seed)
			continue
		}
		e, err := l.edgesAround(l.Line)
		if err != nil {
			t.Fatal(err)
		}
		first, last := l.frameEnds()
		if !e.HasLeft || !e.HasRight || e.Left < first || e.Right > last || e.Left > l.first+0.1*l.Height || e.Right < l.last-0.1*l.Height {
			t.Errorf("seed %d: edges %+v, the frame ends at %.0f and %.0f, the characters at %.0f and %.0f", seed, e, first, last, l.first, l.last)
		}
		x0, x1, err := l.Span(l.Line, Around{Half: 0.8, Beyond: 3})
		if err != nil || x0 < first-1 || x1 > last+1 {
			t.Errorf("seed %d: %.0f to %.0f is seen, beyond the frame's ends %.0f and %.0f (%v)", seed, x0, x1, first, last, err)
		}
	}
}

// TestSlant: with the camera rolled by up to 16° the uprights' slant on the
// levelled picture is found to within 0.03 (1.7°), and taken for none only
// where there is little.
func TestSlant(t *testing.T) {
	var off []float64
	missed, n := 0, 0
	for _, name := range []string{"nl", "de", "fr", "gb", "it", "us-ca", "us-tx", "br", "br-mercosul", "tw", "dark"} {
		for seed := range uint64(8) {
			r := rand.New(rand.NewPCG(seed, 9))
			c := closeup(seed, rendertest.Mounted{Spec: render.PlateSpec{Layout: name}})
			c.Roll, c.Margin, c.Width = -16+32*r.Float64(), .8, 1.5*c.Width
			l, ok := onCloseup(t, c)
			if !ok {
				continue
			}
			got, err := l.measureSlant(l.Line)
			if err != nil {
				t.Fatal(err)
			}
			n++
			if got != 0 {
				off = append(off, math.Abs(got-l.slant))
			} else if math.Abs(l.slant) > 0.12 {
				missed++
			}
		}
	}
	slices.Sort(off)
	t.Logf("%d plates: %d slants found, nine in ten within %.3f, the worst %.3f off; %d larger than 0.12 missed", n, len(off), off[len(off)*9/10], off[len(off)-1], missed)
	if n < 70 || len(off)*2 < n || off[len(off)*9/10] > 0.03 || off[len(off)-1] > 0.07 || missed*20 > n {
		t.Errorf("%d plates: %d slants found, nine in ten within %.3f (want 0.03), the worst %.3f off (0.07); %d larger than 0.12 missed (5 %%)",
			n, len(off), off[len(off)*9/10], off[len(off)-1], missed)
	}
}
