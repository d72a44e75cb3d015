package aim

import (
	"fmt"
	"math"
	"slices"
)

// Level is how well a quantity, or a whole camera, is set.
type Level string

// The levels. A camera waits until a vehicle has passed.
const (
	Waiting Level = "waiting"
	Good    Level = "good"
	Fair    Level = "fair" // it works, and would work better
	Poor    Level = "poor" // plates are lost
)

// Bounds of a well set camera. Those for the size of plates stand with their shapes.
const (
	smallest     = 15.0 // pixels of a character's height below which plates are lost (see ocr's README: below 12 hardly one is read)
	wanted       = 20.0 // from which they are read reliably; 30 is better for worn plates
	largest      = 60.0 // above which a vehicle shows its plate on few frames only
	yawFair      = 35.0 // degrees: makers of readers demand 30, and it is known within 9
	yawPoor      = 45.0
	pitchFair    = 35.0
	pitchPoor    = 45.0
	rollFair     = 6.0
	rollPoor     = 15.0
	sharpPlate   = 1.6  // pixels that the edges of a sharp plate take
	smearFair    = 2.0  // pixels of motion
	smearPoor    = 2.8  // strokes of characters 20 pixels high are 3 wide
	focusFair    = 60.0 // sharpness of the scene, per cent
	focusPoor    = 45.0
	peakLost     = 0.8 // share of the peak below which the focus ring was turned too far
	plateDark    = 70.0
	plateDim     = 100.0
	clippedFair  = 0.12 // share of a plate that is white
	clippedPoor  = 0.25 // thin strokes are eaten
	sceneDark    = 60.0 // grey level of the brightest parts of a picture
	sceneDim     = 90.0
	sceneClipped = 0.3
)

// softEdge is the width of edges from which characters of a height are blurred.
func softEdge(height float64) float64 { return max(3, 0.13*height) }

// Quantity is one thing that is measured, with its range.
type Quantity struct {
	Key   string  `json:"key"`
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Known bool    `json:"known"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`  // the scale of its bar
	High  float64 `json:"high"` //
	From  float64 `json:"from"` // the good part of it
	To    float64 `json:"to"`
	Peak  float64 `json:"peak,omitempty"` // the best value lately
	Level Level   `json:"level"`
	Range string  `json:"range"` // in words: "20 to 60 px"
	// Instruction is what mends it; empty while it is good.
	Instruction string `json:"instruction,omitempty"`
}

// Report is how a camera is set.
type Report struct {
	Level       Level      `json:"level"`
	Verdict     string     `json:"verdict"`     // a few words
	Instruction string     `json:"instruction"` // one sentence
	Cause       string     `json:"cause,omitempty"`
	Vehicles    int        `json:"vehicles"` // since the start
	Judged      int        `json:"judged"`   // the last ones, which the values are taken from
	Quantities  []Quantity `json:"quantities"`
	Zone        Zone       `json:"zone"`
}

// The instructions' order: what comes first spoils what comes later, so that of two
// equally bad quantities the first is mended first.
var order = []string{"glare", "plate exposure", "scene exposure", "motion", "focus", "sharpness", "cut", "height", "width", "roll", "yaw", "pitch", "missed", "level"}

// quantity makes a quantity whose good part is from–to, and which is poor outside of
// poorFrom–poorTo.
func quantity(key, name, unit string, value, low, high, from, to, poorFrom, poorTo float64) Quantity {
	q := Quantity{Key: key, Name: name, Unit: unit, Known: true, Value: value, Low: low, High: high, From: from, To: to, Level: Good}
	switch {
	case value < poorFrom || value > poorTo:
		q.Level = Poor
	case value < from || value > to:
		q.Level = Fair
	}
	switch {
	case from <= low:
		q.Range = fmt.Sprintf("at most %g %s", tenths(to), unit)
	case to >= high:
		q.Range = fmt.Sprintf("at least %g %s", tenths(from), unit)
	default:
		q.Range = fmt.Sprintf("%g to %g %s", tenths(from), tenths(to), unit)
	}
	return q
}

func tenths(v float64) float64 { return math.Round(10*v) / 10 }

func (q *Quantity) say(format string, args ...any) {
	if q.Level != Good {
		q.Instruction = fmt.Sprintf(format, args...)
	}
}

// judge makes the report of the last vehicles and of the scene. peak is the best
// sharpness lately.
func judge(vehicles []*vehicle, scene *scenery, peak float64) Report {
	r := Report{Judged: len(vehicles)}
	var withPlate []*vehicle
	for _, v := range vehicles {
		if v.best.Height > 0 {
			withPlate = append(withPlate, v)
		}
	}
	if len(withPlate) > 0 && 2*len(withPlate) >= len(vehicles) {
		r.Quantities = judgePlates(withPlate, scene)
	}
	missed := len(vehicles) > 0 && r.Quantities == nil
	if missed {
		r.Quantities = judgeMissed(vehicles, scene)
	}
	r.Quantities = append(r.Quantities, judgeScene(scene, peak, len(withPlate) > 0)...)
	r.decide(len(vehicles))
	return r
}

func median(vehicles []*vehicle, of func(*vehicle) float64) float64 {
	values := make([]float64, 0, len(vehicles))
	for _, v := range vehicles {
		values = append(values, of(v))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func judgePlates(vehicles []*vehicle, scene *scenery) []Quantity {
	newest := vehicles[len(vehicles)-1]
	kind := kindOf(newest.best.Corners, newest.best.Height)
	height := median(vehicles, func(v *vehicle) float64 { return v.best.Height })
	width := median(vehicles, func(v *vehicle) float64 {
		along, _ := sides(v.best.Corners)
		return math.Hypot(along.X, along.Y)
	})
	h := quantity("height", "Character height", "px", height, 0, 80, wanted, largest, smallest, 4*largest)
	if height < wanted {
		h.say("Zoom in: characters are %.0f px high, %.0f are needed", height, wanted)
	} else {
		h.say("Zoom out: characters are %.0f px high, and a vehicle shows its plate on few frames only", height)
	}
	w := quantity("width", "Plate width", "px", width, 0, 2*kind.moving, kind.moving, 2*kind.moving, kind.least, 8*kind.moving)
	w.say("Zoom in: plates are %.0f px wide, %.0f are wanted for moving traffic and %.0f at least", width, kind.moving, kind.least)

	bright := quantity("plate exposure", "Brightness of plates", "of 255", median(vehicles, func(v *vehicle) float64 { return v.best.Light.Bright }),
		0, 255, plateDim, 255, plateDark, 255)
	bright.say("Plates are too dark: %.0f of 255, %.0f are needed. Add light, or open the iris", bright.Value, plateDim)
	clipped := quantity("glare", "Glare", "%", 100*median(vehicles, func(v *vehicle) float64 { return v.best.Light.Clipped }),
		0, 100, 0, 100*clippedFair, 0, 100*clippedPoor)
	clipped.say("Plates glare: %.0f %% of them is white, %.0f %% at most. Shorten the shutter, or turn the lamp down", clipped.Value, 100*clippedFair)
	return slices.Concat([]Quantity{w, h}, judgeAngles(vehicles),
		[]Quantity{focusOf(vehicles, scene), motionOf(vehicles, scene), bright, clipped, cutOf(vehicles)})
}

// judgeAngles judges from where plates are seen, as far as their outlines tell.
func judgeAngles(vehicles []*vehicle) []Quantity {
	seen := slices.DeleteFunc(slices.Clone(vehicles), func(v *vehicle) bool { return len(v.poses) == 0 })
	all := []Quantity{
		{Key: "yaw", Name: "Angle from the side", Unit: "°", High: 70, To: yawFair},
		{Key: "pitch", Name: "Angle from above", Unit: "°", High: 70, To: pitchFair},
		{Key: "roll", Name: "Level", Unit: "°", Low: -30, High: 30, From: -rollFair, To: rollFair},
	}
	if len(seen) == 0 {
		for i := range all {
			all[i].Level, all[i].Range = Waiting, "no plate showed its edges yet"
		}
		return all
	}
	of := func(angle func(angles) float64) float64 {
		return median(seen, func(v *vehicle) float64 { return v.pose(angle) })
	}
	yaw := quantity("yaw", all[0].Name, "°", of(func(p angles) float64 { return p.Yaw }), 0, 70, 0, yawFair, 0, yawPoor)
	yaw.say("Plates are seen %.0f° from the side, %.0f° at most: aim farther down the road, or bring the camera nearer to the lane", yaw.Value, yawFair)
	pitch := quantity("pitch", all[1].Name, "°", of(func(p angles) float64 { return p.Pitch }), 0, 70, 0, pitchFair, 0, pitchPoor)
	pitch.say("Plates are seen %.0f° from above, %.0f° at most: aim farther down the road, or mount the camera lower", pitch.Value, pitchFair)
	roll := quantity("roll", all[2].Name, "°", of(func(p angles) float64 { return p.Roll }), -30, 30, -rollFair, rollFair, -rollPoor, rollPoor)
	roll.say("Level the camera: turn it %.0f° %s", math.Abs(roll.Value), clockwise(-roll.Value))
	return []Quantity{yaw, pitch, roll}
}

// resting is how wide edges are that do not move: a picture that is soft everywhere
// is out of focus, and not smeared.
func resting(scene *scenery) float64 {
	if scene == nil || scene.Edge == 0 {
		return 0
	}
	return scene.Edge
}

// motionOf tells by how many pixels vehicles smear: what their edges are wider than
// those that do not move, or than those across the motion.
func motionOf(vehicles []*vehicle, scene *scenery) Quantity {
	smear := median(vehicles, func(v *vehicle) float64 { return smearIn(&v.best, scene) })
	speed := median(vehicles, func(v *vehicle) float64 { return v.speed })
	q := quantity("motion", "Motion blur", "px", smear, 0, 8, 0, smearFair, 0, smearPoor)
	q.say("Shutter: plates smear by %.0f px at this speed, %s", smear, shutterFor(speed, smear))
	return q
}

func smearIn(s *sighting, scene *scenery) float64 {
	const apart = 1.4 // ratio of the edges from which one direction is smeared
	across, down := s.edges()
	wide, narrow := max(across, down), min(across, down)
	if narrow == 0 {
		return 0
	}
	if wide < apart*narrow {
		rest := resting(scene)
		if rest == 0 || rest > focusEdge || narrow < 1.5*rest {
			return 0
		}
		narrow = rest
	}
	return math.Sqrt(max(0, wide*wide-narrow*narrow))
}

// focusEdge is the width of edges from which a scene is out of focus.
const focusEdge = 100 * sharpEdge / focusFair

// shutters are the usual exposure times, as one over them.
var shutters = []float64{60, 125, 250, 500, 1000, 2000, 4000, 8000}

// shutterFor is the exposure time at which a plate that moves at a speed (pixels a
// second) smears by one pixel.
func shutterFor(speed, smear float64) string {
	if speed < 20 {
		return fmt.Sprintf("shorten it to a %s of what it is", map[bool]string{true: "quarter", false: "half"}[smear > 4])
	}
	for _, s := range shutters {
		if s >= speed {
			return fmt.Sprintf("try 1/%.0f s", s)
		}
	}
	return fmt.Sprintf("try 1/%.0f s", shutters[len(shutters)-1])
}

// focusOf tells how wide the edges of plates are in the direction in which they do
// not smear.
func focusOf(vehicles []*vehicle, scene *scenery) Quantity {
	soft := median(vehicles, func(v *vehicle) float64 {
		across, down := v.best.edges()
		edge := min(across, down)
		if smear := smearIn(&v.best, scene); smear >= smearPoor && resting(scene) > 0 && resting(scene) < focusEdge {
			edge = min(edge, resting(scene)) // it is the motion
		}
		return edge
	})
	height := median(vehicles, func(v *vehicle) float64 { return v.best.Height })
	q := quantity("focus", "Edges on plates", "px", soft, 0, 8, 0, 0.8*softEdge(height), 0, softEdge(height))
	q.say("Focus: edges on plates are %.1f px wide, %.1f at most. Turn the focus ring until the sharpness is at its peak", soft, 0.8*softEdge(height))
	return q
}

// cutOf tells the share of vehicles whose plate was large enough only where the
// picture cut it off.
func cutOf(vehicles []*vehicle) Quantity {
	var cut []*vehicle
	for _, v := range vehicles {
		if v.cut.Height > 0 && (v.best.Cut || !v.read && v.best.Height < v.cut.Height) {
			cut = append(cut, v)
		}
	}
	q := quantity("cut", "Cut off", "%", 100*float64(len(cut))/float64(len(vehicles)), 0, 100, 0, 10, 0, 50)
	if len(cut) > 0 {
		q.say("%s", turnTowards(cut[len(cut)-1].cut))
	}
	return q
}

// turnTowards says how to turn the camera so that a place comes to the middle, where
// it is cut off.
func turnTowards(s sighting) string {
	x, y := s.middle()
	w, h := float64(s.Size.X), float64(s.Size.Y)
	right, down := turnFor(x/w, y/h, w/h)
	left, top := float64(s.Box.Min.X), float64(s.Box.Min.Y)
	rest := min(w-float64(s.Box.Max.X), left)
	if min(h-float64(s.Box.Max.Y), top) < rest {
		if down > 0 {
			return fmt.Sprintf("Tilt the camera %.0f° down: plates are cut off at the lower edge", down)
		}
		return fmt.Sprintf("Tilt the camera %.0f° up: plates are cut off at the upper edge", -down)
	}
	if right > 0 {
		return fmt.Sprintf("Turn the camera %.0f° to the right: plates are cut off at the right edge", right)
	}
	return fmt.Sprintf("Turn the camera %.0f° to the left: plates are cut off at the left edge", -right)
}

func clockwise(degrees float64) string {
	if degrees > 0 {
		return "clockwise"
	}
	return "anticlockwise"
}

// judgeMissed says why no plate was found on vehicles.
func judgeMissed(vehicles []*vehicle, scene *scenery) []Quantity {
	motion := motionOf(vehicles, scene)
	q := Quantity{Key: "missed", Name: "Vehicles without a plate", Unit: "", Known: true, Value: float64(len(vehicles)), High: lastVehicles, Level: Poor, Range: "none"}
	q.Instruction = "Vehicles pass, and no plate is found on them: zoom in where they pass, or turn the camera until their plates are in the picture"
	return []Quantity{motion, q}
}

// judgeScene judges a whole picture. Where plates are seen they count instead: at
// night all but the plates may be black.
func judgeScene(s *scenery, peak float64, plates bool) []Quantity {
	sharp := Quantity{Key: "sharpness", Name: "Sharpness of the scene", Unit: "%", High: 100, From: focusFair, To: 100, Level: Waiting, Range: fmt.Sprintf("at least %.0f %%", focusFair)}
	exposure := Quantity{Key: "scene exposure", Name: "Brightness of the scene", Unit: "of 255", High: 255, From: sceneDim, To: 255, Level: Waiting, Range: fmt.Sprintf("at least %.0f of 255", sceneDim)}
	level := Quantity{Key: "level", Name: "Upright lines", Unit: "°", Low: -15, High: 15, From: -rollFair, To: rollFair, Level: Waiting, Range: fmt.Sprintf("%.0f to %.0f °", -rollFair, rollFair)}
	if s == nil {
		return []Quantity{sharp, exposure, level}
	}
	if v := s.Sharpness(); v > 0 {
		sharp = quantity("sharpness", sharp.Name, "%", v, 0, 100, focusFair, 100, focusPoor, 100)
		if plates {
			sharp.Level = Good
		}
		if peak > 0 && v < peakLost*peak && !plates {
			sharp.Level = Poor
			sharp.say("Focus: sharpness is %.0f %%, and was %.0f %%. Turn the focus ring back to the peak", v, peak)
		} else {
			sharp.say("Focus: sharpness is %.0f %%, %.0f %% are needed. Turn the focus ring until it is at its peak", v, focusFair)
		}
		sharp.Peak = peak
	}
	exposure = quantity("scene exposure", exposure.Name, "of 255", s.Bright, 0, 255, sceneDim, 255, sceneDark, 255)
	exposure.say("The picture is too dark: its brightest parts have %.0f of 255. Open the iris, or add light", s.Bright)
	if s.Clipped >= sceneClipped {
		exposure.Level = Poor
		exposure.say("The picture is too bright: %.0f %% of it is white. Shorten the shutter, or close the iris", 100*s.Clipped)
	}
	if plates {
		exposure.Level, exposure.Instruction = Good, ""
	}
	if s.Upright {
		level = quantity("level", level.Name, "°", s.Tilt, -15, 15, -rollFair, rollFair, -rollPoor, rollPoor)
		level.say("Level the camera: turn it %.0f° %s", math.Abs(s.Tilt), clockwise(s.Tilt))
		if plates {
			level.Level, level.Instruction = Good, ""
		}
	}
	return []Quantity{sharp, exposure, level}
}

// decide chooses the verdict and the one instruction.
func (r *Report) decide(vehicles int) {
	worst := Good
	var cause *Quantity
	rank := map[Level]int{Fair: 1, Poor: 2}
	for _, key := range order {
		i := slices.IndexFunc(r.Quantities, func(q Quantity) bool { return q.Key == key })
		if i < 0 {
			continue
		}
		if q := &r.Quantities[i]; q.Instruction != "" && rank[q.Level] > rank[worst] {
			worst, cause = q.Level, q
		}
	}
	// That no plate is found has a reason, if one of the others is poor.
	r.Level = worst
	switch {
	case cause != nil && worst == Poor && vehicles == 0:
		r.Verdict = "Not well set yet"
	case cause != nil && worst == Poor:
		r.Verdict = "Plates are lost"
	case vehicles == 0:
		r.Level, r.Verdict = Waiting, "No vehicle has passed yet"
	case worst == Fair:
		r.Verdict = "Works, and can be better"
	default:
		r.Verdict = "Well set"
	}
	switch {
	case cause != nil:
		r.Cause, r.Instruction = cause.Key, cause.Instruction
	case vehicles == 0:
		r.Instruction = "Picture and focus are good: wait for a vehicle, or drive one past"
	default:
		r.Instruction = "Nothing to do: plates are large, sharp and bright enough"
	}
}
