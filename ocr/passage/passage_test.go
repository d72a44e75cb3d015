package passage

import (
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"platewatch/ocr/text"
)

// plate is a reading with the given text, at x, 100 px wide.
func plate(read string, x, y int, confidence float64) Observation {
	p := Observation{Reading: text.Reading{Text: read, Confidence: confidence}, Height: 20, Box: image.Rect(x, y, x+100, y+25)}
	for i := range len(read) {
		p.Characters = append(p.Characters, text.Character{Text: read[i : i+1], Confidence: confidence,
			Alternatives: []text.Alternative{{Text: "8", Confidence: min(confidence, 1-confidence) / 2}}})
	}
	return p
}

// step is one frame, 100 ms after the one before it.
type step []Observation

// reported is what a user of the tracker acts on.
type reported struct {
	Number uint64
	Event  string
	Text   string
}

func run(t *testing.T, p Params, steps []step) []reported {
	t.Helper()
	tracker, err := NewTracker(p, 1)
	if err != nil {
		t.Fatal(err)
	}
	var out []reported
	note := func(updates []Update) {
		for _, u := range updates {
			if u.Event != Seen {
				out = append(out, reported{u.Passage.Number, u.Event.String(), u.Passage.Text})
			}
		}
	}
	for i, s := range steps {
		note(tracker.Observe(time.Duration(i)*100*time.Millisecond, s, nil))
	}
	note(tracker.Flush())
	if len(tracker.open) != 0 {
		t.Errorf("%d passages are open after Flush", len(tracker.open))
	}
	return out
}

func TestTracker(t *testing.T) {
	gap := make([]step, 20) // two seconds without a plate
	tests := []struct {
		name  string
		steps []step
		want  []reported
	}{
		{"one vehicle", []step{{plate("AB123C", 100, 100, 0.9)}, {plate("AB123C", 130, 110, 0.9)}, {plate("AB123C", 160, 120, 0.9)}},
			[]reported{{1, "sure", "AB123C"}, {1, "ended", "AB123C"}}},
		{"a single frame is not sure", []step{{plate("AB123C", 100, 100, 0.9)}},
			[]reported{{1, "ended", "AB123C"}}},
		{"a distant first misread is outvoted before it is sure",
			[]step{{plate("A8123C", 100, 100, 0.4)}, {plate("AB123C", 130, 100, 0.9)}, {plate("AB123C", 160, 100, 0.9)}},
			[]reported{{1, "sure", "AB123C"}, {1, "ended", "AB123C"}}},
		{"corrected under the same number",
			[]step{{plate("A8123C", 100, 100, 0.6)}, {plate("A8123C", 150, 100, 0.6)}, {plate("AB123C", 200, 100, 0.95)}, {plate("AB123C", 250, 100, 0.95)}, {plate("AB123C", 300, 100, 0.95)}},
			[]reported{{1, "sure", "A8123C"}, {1, "corrected", "AB123C"}, {1, "ended", "AB123C"}}},
		{"two vehicles with similar plates in the same frames stay two",
			[]step{{plate("AB123C", 100, 100, 0.9), plate("AB128C", 500, 100, 0.9)}, {plate("AB123C", 110, 100, 0.9), plate("AB128C", 510, 100, 0.9)}},
			[]reported{{1, "sure", "AB123C"}, {2, "sure", "AB128C"}, {1, "ended", "AB123C"}, {2, "ended", "AB128C"}}},
		{"a gap ends a passage", append(append([]step{{plate("AB123C", 100, 100, 0.9)}, {plate("AB123C", 110, 100, 0.9)}}, gap...), step{plate("AB123C", 120, 100, 0.9)}, step{plate("AB123C", 130, 100, 0.9)}),
			[]reported{{1, "sure", "AB123C"}, {1, "ended", "AB123C"}, {2, "sure", "AB123C"}, {2, "ended", "AB123C"}}},
		{"a misread of another length stays the same vehicle",
			[]step{{plate("AB123C", 100, 100, 0.9)}, {plate("AB123", 110, 100, 0.5)}, {plate("AB123C", 120, 100, 0.9)}},
			[]reported{{1, "sure", "AB123C"}, {1, "ended", "AB123C"}}},
		{"the next vehicle at the same place is another one",
			[]step{{plate("AB123C", 100, 100, 0.9)}, {plate("AB123C", 100, 100, 0.9)}, {plate("XY987Z", 400, 100, 0.9)}, {plate("XY987Z", 400, 100, 0.9)}},
			[]reported{{1, "sure", "AB123C"}, {2, "sure", "XY987Z"}, {1, "ended", "AB123C"}, {2, "ended", "XY987Z"}}},
		{"unsure readings never make a passage sure",
			[]step{{plate("AB123C", 100, 100, 0.1)}, {plate("AB123C", 100, 100, 0.1)}, {plate("AB123C", 100, 100, 0.1)}},
			[]reported{{1, "ended", "AB123C"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if d := cmp.Diff(test.want, run(t, DefaultParams(), test.steps)); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

// Views that may be cut off make no passage sure, however many there are, and do
// not outvote a complete one.
func TestCutOffViews(t *testing.T) {
	cut := func(read string, x int) step {
		p := plate(read, x, 100, 0.6)
		p.Hidden = 0.7
		return step{p}
	}
	whole := func(x int) step { return step{plate("PP587AO", x, 100, 0.9)} }
	var standing, passing []step
	for i := range 50 {
		standing = append(standing, cut("PP587A", 100))
		passing = append(passing, cut("PP587A", 100+10*i))
	}
	for _, test := range []struct {
		name  string
		steps []step
		want  []reported
	}{
		{"one that stands at the picture's edge", standing, []reported{{1, "ended", "PP587A"}}},
		{"one that passes along it", passing, []reported{{1, "ended", "PP587A"}}},
		{"it comes into full view", append(passing[:20:20], whole(310), whole(320)), []reported{{1, "sure", "PP587AO"}, {1, "ended", "PP587AO"}}},
		{"it leaves", append([]step{whole(80), whole(90)}, passing...), []reported{{1, "sure", "PP587AO"}, {1, "ended", "PP587AO"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if d := cmp.Diff(test.want, run(t, DefaultParams(), test.steps)); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
	once := DefaultParams()
	once.Agree = 1
	if d := cmp.Diff([]reported{{1, "ended", "PP587A"}}, run(t, once, standing)); d != "" {
		t.Errorf("a camera that gives one frame: -want +got\n%s", d)
	}
}

// A passage is not sure of a text while other frames read a character more at one of its
// ends, and not kept back by a single faint one.
func TestLostCharacter(t *testing.T) {
	const rest = "VCR183"
	reads := func(texts ...string) (steps []step) {
		for i, s := range append(texts, rest, rest, rest, rest) {
			steps = append(steps, step{plate(s, 100+20*i, 100, 0.7)})
		}
		return steps
	}
	sure := []reported{{1, "sure", rest}, {1, "ended", rest}}
	faint := plate("4"+rest, 140, 100, 0.2)
	for _, test := range []struct {
		name  string
		steps []step
		want  []reported
	}{
		{"the first one", reads(rest, "4"+rest, rest), []reported{{1, "ended", rest}}},
		{"the last one", reads(rest, rest+"4", rest), []reported{{1, "ended", rest}}},
		{"most see it", reads("4"+rest, rest, "4"+rest, "4"+rest, "4"+rest, "4"+rest, "4"+rest), []reported{{1, "sure", "4" + rest}, {1, "ended", "4" + rest}}},
		{"one inside is another text", reads(rest, "VC4R183", rest), sure},
		{"a faint one", append([]step{{faint}}, reads(rest, rest)...), sure},
	} {
		t.Run(test.name, func(t *testing.T) {
			if d := cmp.Diff(test.want, run(t, DefaultParams(), test.steps)); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

func TestOneFrameIsEnoughWhereTheCameraGivesOne(t *testing.T) {
	p := DefaultParams()
	p.Agree = 1
	got := run(t, p, []step{{plate("AB123C", 100, 100, 0.9)}})
	if d := cmp.Diff([]reported{{1, "sure", "AB123C"}, {1, "ended", "AB123C"}}, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// TestBounds: whatever a camera shows, the passages that are open and the
// texts that are remembered stay bounded, and every passage that began ends
// exactly once.
func TestBounds(t *testing.T) {
	p := DefaultParams()
	p.Open = 5
	tracker, err := NewTracker(p, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	begun, ended := map[uint64]bool{}, map[uint64]bool{}
	note := func(updates []Update) {
		for _, u := range updates {
			begun[u.Passage.Number] = true
			if u.Event == Ended {
				if ended[u.Passage.Number] {
					t.Fatalf("passage %d ended twice", u.Passage.Number)
				}
				ended[u.Passage.Number] = true
			}
		}
	}
	for i := range 2000 {
		var plates []Observation
		for range r.IntN(4) {
			read := make([]byte, 3+r.IntN(8))
			for j := range read {
				read[j] = text.Alphabet[r.IntN(len(text.Alphabet))]
			}
			plates = append(plates, plate(string(read), r.IntN(1000), r.IntN(600), r.Float64()))
		}
		note(tracker.Observe(time.Duration(i)*50*time.Millisecond, plates, nil))
		if len(tracker.open) > p.Open {
			t.Fatalf("%d passages are open, at most %d may be", len(tracker.open), p.Open)
		}
		for _, k := range tracker.open {
			if len(k.texts) > maxTexts {
				t.Fatalf("%d texts are remembered", len(k.texts))
			}
		}
	}
	note(tracker.Flush())
	if len(begun) != len(ended) {
		t.Errorf("%d passages began, %d ended", len(begun), len(ended))
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"ABC", "", 3}, {"", "AB", 2}, {"ABC", "ABC", 0}, {"ABC", "ABD", 1}, {"ABC", "AC", 1}, {"ABC", "XABC", 1}, {"KITTEN", "SITTING", 3}} {
		if got := Distance(test.a, test.b); got != test.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	tracker, err := NewTracker(DefaultParams(), 1)
	if err != nil {
		b.Fatal(err)
	}
	plates := []Observation{plate("AB123C", 100, 100, 0.9), plate("XY987Z", 500, 100, 0.9)}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		tracker.Observe(time.Duration(i)*40*time.Millisecond, plates, nil)
	}
}

// drive makes the frames of one vehicle: from one box to another, 100 ms apart.
func drive(read string, from, to image.Rectangle, frames int) []step {
	var out []step
	for i := range frames {
		f := float64(i) / float64(frames-1)
		at := func(a, b int) int { return a + int(f*float64(b-a)) }
		p := plate(read, 0, 0, 0.9)
		p.Box = image.Rect(at(from.Min.X, to.Min.X), at(from.Min.Y, to.Min.Y), at(from.Max.X, to.Max.X), at(from.Max.Y, to.Max.Y))
		p.Height = float64(p.Box.Dy()) * 0.7
		out = append(out, step{p})
	}
	return out
}

// last is the last passage that a tracker reports.
func last(t *testing.T, steps []step) Passage {
	t.Helper()
	tracker, err := NewTracker(DefaultParams(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range steps {
		tracker.Observe(time.Duration(i)*100*time.Millisecond, s, nil)
	}
	updates := tracker.Flush()
	if len(updates) != 1 {
		t.Fatalf("%d passages, want 1", len(updates))
	}
	return updates[0].Passage
}

func TestDirection(t *testing.T) {
	box := func(x, y, w int) image.Rectangle { return image.Rect(x, y, x+w, y+w/4) }
	for _, test := range []struct {
		from, to image.Rectangle
		want     Direction
	}{
		{box(600, 100, 60), box(300, 500, 180), Towards},
		{box(300, 500, 180), box(600, 100, 60), Away},
		{box(100, 300, 100), box(900, 320, 102), Right},
		{box(900, 300, 100), box(100, 320, 98), Left},
		{box(500, 300, 100), box(505, 301, 101), Unknown},
	} {
		if got := last(t, drive("AB123C", test.from, test.to, 12)).Direction; got != test.want {
			t.Errorf("from %v to %v: %v, want %v", test.from, test.to, got, test.want)
		}
	}
}

func TestBestFrame(t *testing.T) {
	p := last(t, drive("AB123C", image.Rect(600, 100, 640, 110), image.Rect(300, 500, 500, 550), 10))
	if p.Best < 600*time.Millisecond || p.BestBox.Dx() < 120 {
		t.Errorf("the best frame is the one at %v, with a plate of %d pixels", p.Best, p.BestBox.Dx())
	}
}

// TestNextVehicleInTheLane: the vehicle behind, with one other character, comes
// into view where the first one came from while that one leaves.
func TestNextVehicleInTheLane(t *testing.T) {
	first := drive("AB123C", image.Rect(600, 100, 660, 115), image.Rect(300, 500, 480, 545), 8)
	second := drive("AB123D", image.Rect(600, 100, 660, 115), image.Rect(300, 500, 480, 545), 8)
	got := run(t, DefaultParams(), append(first, second...))
	want := []reported{{1, "sure", "AB123C"}, {2, "sure", "AB123D"}, {1, "ended", "AB123C"}, {2, "ended", "AB123D"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// TestParked: a car that stands still is one passage for as long as nothing
// moves in its place, whether or not it is read again; others that go by before
// it change nothing; and when it leaves, it is gone.
func TestParked(t *testing.T) {
	tracker, err := NewTracker(DefaultParams(), 1)
	if err != nil {
		t.Fatal(err)
	}
	parked := image.Rect(200, 300, 300, 325)
	moving := false
	still := func(place image.Rectangle) bool { return !(moving && place.Overlaps(parked)) }
	var got []reported
	at := time.Duration(0)
	observe := func(plates []Observation, dt time.Duration) {
		at += dt
		for _, u := range tracker.Observe(at, plates, still) {
			if u.Event != Seen {
				got = append(got, reported{u.Passage.Number, u.Event.String(), u.Passage.Text})
			}
		}
	}
	car := []Observation{plate("AB123C", 200, 300, 0.9)}
	for range 6 {
		observe(car, 100*time.Millisecond)
	}
	if len(tracker.Expected(at)) != 0 {
		t.Error("a car that stands and was read well is looked at again and again")
	}
	for range 36000 { // an hour, a look in ten seconds
		observe(nil, 100*time.Millisecond)
		if at%(10*time.Second) == 0 {
			observe(car, 0)
		}
	}
	if d := cmp.Diff([]reported{{1, "sure", "AB123C"}}, got); d != "" {
		t.Fatalf("an hour later (-want +got):\n%s", d)
	}
	moving = true // a pedestrian walks by
	for range 50 {
		observe(nil, 100*time.Millisecond)
	}
	moving = false
	observe(car, 100*time.Millisecond)
	if p := tracker.open[0].passage(tracker.p); !p.Parked || p.Number != 1 {
		t.Errorf("the passage after a pedestrian walked by: %+v", p)
	}
	moving = true // it leaves
	for range 200 {
		observe(nil, 100*time.Millisecond)
	}
	want := []reported{{1, "sure", "AB123C"}, {1, "ended", "AB123C"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("at the end (-want +got):\n%s", d)
	}
}

// TestAgain: a reading that is repeated from memory shows that the vehicle is there,
// and has no second vote: neither for the text nor for how many frames agree.
func TestAgain(t *testing.T) {
	tracker, err := NewTracker(DefaultParams(), 1)
	if err != nil {
		t.Fatal(err)
	}
	still := func(image.Rectangle) bool { return true }
	at := time.Duration(0)
	observe := func(p Observation) Passage {
		at += 100 * time.Millisecond
		return tracker.Observe(at, []Observation{p}, still)[0].Passage
	}
	wrong, right := plate("A8123C", 200, 300, 0.7), plate("AB123C", 200, 300, 0.9)
	again := wrong
	again.Again = true
	observe(wrong)
	if len(tracker.Expected(at)) != 1 {
		t.Error("a plate that was read once is not looked at again")
	}
	for range 30 {
		if p := observe(again); p.Sure || p.Agreeing != 1 || p.Frames != 1 || p.Last != at {
			t.Fatalf("one reading, and what it was again: %+v", p)
		}
	}
	if len(tracker.Expected(at)) != 0 {
		t.Error("what has not changed is looked at again and again")
	}
	observe(right)
	if p := observe(right); !p.Sure || p.Text != "AB123C" || p.Frames != 3 || p.Number != 1 {
		t.Errorf("read right twice in the end: %+v", p)
	}
	// It may be the first that is seen of a passage: then it is all there is.
	other, err := NewTracker(DefaultParams(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if p := other.Observe(0, []Observation{again}, still)[0].Passage; p.Text != "A8123C" || p.Frames != 1 || p.Sure {
		t.Errorf("a passage that begins with it: %+v", p)
	}
}

// TestLettering: lettering beside a plate is not a vehicle of its own, nor is a sign
// that never moves and is read badly.
func TestLettering(t *testing.T) {
	var steps []step
	for i := range 10 {
		s := step{plate("AB123C", 100+20*i, 300, 0.95), plate("GT16V", 230+20*i, 300, 0.7), plate("CAM4", 900, 10, 0.5)}
		s[1].Height = 8
		steps = append(steps, s)
	}
	for _, r := range run(t, DefaultParams(), steps) {
		if r.Event == "sure" && r.Number != 1 {
			t.Errorf("%s is a vehicle", r.Text)
		}
	}
}

// A character that every frame reads alone, but doubtfully, is not certain: the
// passage's characters have the frames' mean confidences, and leave over what
// the frames left over.
func TestPassageKeepsWhatItsFramesLeaveOver(t *testing.T) {
	tracker, err := NewTracker(DefaultParams(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var last Passage
	for i, read := range []string{"AB1", "AB7"} { // at equal weights
		p := plate(read, 100, 100, 0.9)
		p.Characters = []text.Character{{Text: "A", Confidence: 1}, {Text: "B", Confidence: 0.4}, {Text: read[2:], Confidence: 0.6 - 0.2*float64(i)}}
		last = tracker.Observe(time.Duration(i)*100*time.Millisecond, []Observation{p}, nil)[0].Passage
	}
	want := []text.Character{
		{Text: "A", Confidence: 1, Alternatives: []text.Alternative{}},
		{Text: "B", Confidence: 0.4, Alternatives: []text.Alternative{}},
		{Text: "1", Confidence: 0.3, Alternatives: []text.Alternative{{Text: "7", Confidence: 0.2}}},
	}
	if d := cmp.Diff(want, last.Characters, cmpopts.EquateApprox(0, 1e-9)); d != "" {
		t.Error(d)
	}
}
