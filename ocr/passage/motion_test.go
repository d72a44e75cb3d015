package passage

import (
	"image"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"platewatch/ocr/rendertest"
	"platewatch/ocr/scenes"
)

// TestShift: a plate moves when both its ends do.
func TestShift(t *testing.T) {
	at := image.Rect(100, 50, 260, 90)
	for _, test := range []struct {
		name string
		to   image.Rectangle
		want float64
	}{
		{"still", at, 0},
		{"to the right", at.Add(image.Pt(80, 0)), 80},
		{"up and to the left", at.Add(image.Pt(-30, -40)), 50},
		{"only its left half was read", image.Rect(100, 50, 180, 90), 0},
		{"nearer", at.Inset(-20), 0},
		{"nearer, and to the right", image.Rect(110, 40, 310, 100), 10},
	} {
		if got := shift(at, test.to); got != test.want {
			t.Errorf("%s: %g, want %g", test.name, got, test.want)
		}
	}
}

// TestDirectionOfFewFrames: the vehicles of the road clip approach or move away. However
// few of their frames are read, as on a busy machine, the direction is right or
// unknown: no vehicle crosses the picture or goes the other way.
func TestDirectionOfFewFrames(t *testing.T) {
	spec, _ := scenes.Road()
	truths := rendertest.Truths(t, spec)
	type view struct {
		at    time.Duration
		plate Observation
	}
	views := make([][]view, len(spec.Vehicles))
	for _, f := range truths {
		for _, p := range f.Plates {
			const readable = 48 // pixels
			if p.Clear && p.Width() >= readable {
				row := p.Rows[0]
				views[p.Passage] = append(views[p.Passage], view{f.Time, Observation{Box: p.Box, Height: row[3].Y - row[0].Y}})
			}
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	const heightError = 0.05 // of a reading: see grownBy
	right := 0
	for vehicle, all := range views {
		want := Towards
		if spec.Vehicles[vehicle].Away {
			want = Away
		}
		for range 2000 {
			chosen := random.Perm(len(all))[:2+random.IntN(6)]
			slices.Sort(chosen)
			var w trajectory
			for _, i := range chosen {
				p := all[i].plate
				p.Height *= 1 + heightError*(2*random.Float64()-1)
				w.add(p, all[i].at)
			}
			switch got := w.direction(); got {
			case want:
				right++
			case Unknown:
			default:
				t.Fatalf("vehicle %d on frames %v of %d: %v, want %v", vehicle, chosen, len(all), got, want)
			}
		}
	}
	if right < 2000*len(views)/2 {
		t.Errorf("only %d of %d directions are known: this tests little", right, 2000*len(views))
	}
}
