package ocr

import (
	"fmt"
	"image"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
	"platewatch/ocr/render"
	"platewatch/ocr/render/sensor"
)

// frame is a grey copy of a picture with a sensor's noise of its own.
func frame(t *testing.T, grey gocv.Mat, seed int) gocv.Mat {
	t.Helper()
	gocv.SetRNGSeed(seed)
	noise := gocv.NewMatWithSize(grey.Rows(), grey.Cols(), gocv.MatTypeCV8U)
	defer noise.Close()
	gocv.RandN(&noise, gocv.NewScalar(16, 0, 0, 0), gocv.NewScalar(4, 0, 0, 0))
	out := gocv.NewMat()
	t.Cleanup(func() { out.Close() })
	gocv.AddWeighted(grey, 1, noise, 1, -16, &out)
	return out
}

// What does not change is read three times and then once a second, and still
// reported on every frame; what changes is read at once.
func TestFollow(t *testing.T) {
	r := open(t)
	grey := gocv.NewMat()
	defer grey.Close()
	gocv.CvtColor(picture(t, "us-tx-frame.jpg"), &grey, gocv.ColorBGRToGray)
	all := image.Rect(0, 0, grey.Cols(), grey.Rows())
	var m Memory
	const each = 100 * time.Millisecond
	at := time.Duration(0)
	see := func(f gocv.Mat, place image.Rectangle) Plate {
		t.Helper()
		at += each
		res, err := r.Follow(t.Context(), f, place, at, &m)
		if err != nil {
			t.Fatal(err)
		}
		if len(res.Plates) == 0 {
			t.Fatalf("at %v no plate was reported", at)
		}
		return res.Plates[0]
	}
	first := see(frame(t, grey, 1), all)
	anew := 0
	for i := range 32 {
		p := see(frame(t, grey, i+2), all)
		if p.Text != first.Text || coverage(p.Box, first.Box) < 0.9 {
			t.Fatalf("frame %d: %s at %v, and before %s at %v", i, p.Text, p.Box, first.Text, first.Box)
		}
		if !p.Again {
			anew++
		}
	}
	if anew < 4 || anew > 6 { // two more, and then one a second
		t.Errorf("in 3.2 s what did not change was read %d times more", anew)
	}
	// A part of the picture knows of it too, and gives the same place.
	part := first.Box.Inset(-3 * first.Box.Dy()).Intersect(all)
	if p := see(frame(t, grey, 50), part); p.Text != first.Text || coverage(p.Box, first.Box) < 0.9 {
		t.Errorf("in a part of the picture: %s at %v", p.Text, p.Box)
	}
	moved := gocv.NewMat()
	defer moved.Close()
	gocv.Resize(grey, &moved, image.Point{}, 1.03, 1.03, gocv.InterpolationLinear)
	closer := moved.Region(all)
	defer closer.Close()
	for range 2 {
		if p := see(closer, all); p.Again {
			t.Error("it came closer, and was not read anew")
		}
	}
}

// A place that moves is read on the first frames and then a few times a second, and
// given on each frame where it is; one that comes closer is read at once.
func TestFollowMoving(t *testing.T) {
	r := open(t)
	grey := gocv.NewMat()
	defer grey.Close()
	gocv.CvtColor(picture(t, "us-tx-frame.jpg"), &grey, gocv.ColorBGRToGray)
	const step, frames, each = 4, 20, 40 * time.Millisecond
	size := image.Pt(grey.Cols()-step*frames, grey.Rows()-step*frames)
	all := image.Rectangle{Max: size}
	var m Memory
	var first, last Plate
	anew := 0
	for i := range frames {
		window := all.Add(image.Pt(step*i, step*i/2)) // the camera pans, so that all of the picture moves
		part := grey.Region(window)
		moved := part.Clone()
		res, err := r.Follow(t.Context(), moved, all, time.Duration(i+1)*each, &m)
		moved.Close()
		part.Close()
		if err != nil {
			t.Fatal(err)
		}
		if len(res.Plates) == 0 {
			t.Fatalf("frame %d has no plate", i)
		}
		last = res.Plates[0]
		if i == 0 {
			first = last
		}
		if want := first.Box.Sub(image.Pt(step*i, step*i/2)); last.Text != first.Text || coverage(last.Box, want) < 0.8 {
			t.Fatalf("frame %d: %s at %v, want %s at %v", i, last.Text, last.Box, first.Text, want)
		}
		if !last.Again {
			anew++
		}
	}
	if anew < 6 || anew > 9 {
		t.Errorf("of %d frames %d were read", frames, anew)
	}
	closer := gocv.NewMat()
	defer closer.Close()
	part := grey.Region(all.Add(image.Pt(step*frames, step*frames/2)))
	defer part.Close()
	gocv.Resize(part, &closer, image.Point{}, 1.15, 1.15, gocv.InterpolationLinear)
	near := closer.Region(all)
	defer near.Close()
	res, err := r.Follow(t.Context(), near, all, (frames+1)*each, &m)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Plates) == 0 || res.Plates[0].Again {
		t.Errorf("it came closer, and was not read anew: %v", res.Plates)
	}
}

// One figure that becomes another is seen, also where the characters are small:
// the camera's clock is such a place. Noise alone is no change.
func TestChanges(t *testing.T) {
	still := func(text string, noise float64, seed uint64) (gocv.Mat, image.Rectangle) {
		f, err := render.Still(render.ClipSpec{Seed: seed, Sensor: sensor.Effects{Noise: noise}, Vehicles: []render.Vehicle{{
			Body: render.Hatch, Plate: render.PlateSpec{Layout: "nl", Text: text}, Lane: render.LaneNear, Away: true, Mark: 14}}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		rgba, err := gocv.NewMatFromBytes(f.Image.Rect.Dy(), f.Image.Rect.Dx(), gocv.MatTypeCV8UC4, f.Image.Pix)
		if err != nil {
			t.Fatal(err)
		}
		defer rgba.Close()
		grey := gocv.NewMat()
		t.Cleanup(func() { grey.Close() })
		gocv.CvtColor(rgba, &grey, gocv.ColorRGBAToGray)
		return grey, f.Truth.Plates[0].Box
	}
	look := func(m gocv.Mat, box image.Rectangle) patch {
		p, err := patchOf(m, box.Inset(-box.Dy()/2))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, d := range []int{5, 8, 9} { // what differs least from the next
		was, box := still(fmt.Sprintf("HX-27%d-K", d), 2, 5)
		is, _ := still(fmt.Sprintf("HX-27%d-K", (d+1)%10), 2, 5)
		before, after := look(was, box), look(is, box)
		if before.like(after, before.contrast()) {
			t.Errorf("%d became %d unseen, on a plate of %d pixels", d, (d+1)%10, box.Dx())
		}
		if same := look(frame(t, was, d), box); !before.like(same, before.contrast()) {
			t.Errorf("noise of four grey levels counts as a change")
		}
	}
}

// The memory is bounded; what was unseen for the longest is forgotten.
func TestMemoryIsBounded(t *testing.T) {
	grey := gocv.NewMatWithSize(2000, 2000, gocv.MatTypeCV8U)
	defer grey.Close()
	var m Memory
	place := image.Rect(0, 0, 2000, 2000)
	for i := range 3 * mostRemembered {
		v := &view{memory: &m, frame: grey, place: place, at: time.Duration(i) * time.Millisecond}
		a := Attempt{Candidate: find.Candidate{Line: find.Line{Height: 4}, Box: find.Box{X: float64(10 + i%12*150), Y: float64(10 + i/12*50), W: 100, H: 20}}}
		if err := v.note(a, demand{}, true); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.places) != mostRemembered {
		t.Fatalf("%d places, at most %d", len(m.places), mostRemembered)
	}
	for _, p := range m.places {
		if p.seen < 2*mostRemembered*time.Millisecond {
			t.Errorf("a place of %v is kept, and later ones are not", p.seen)
		}
	}
}
