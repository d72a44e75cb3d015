package device

import (
	"cmp"
	"time"

	"platewatch/capture/internal/handover"
	"platewatch/capture/light"
)

// startExposure is where steering begins: right for a plate by day.
const startExposure = time.Millisecond

// state is a control as it is told to the unit.
type state struct {
	name                   string
	asked, value, min, max int
	wanted                 int // the nearest to asked that the driver accepts
	err                    string
}

// Controlled tells whether the job sets any control of the camera.
func Controlled(j handover.Job) bool {
	return j.FollowPlates || j.Exposure != 0 || j.Gain != nil || j.Focus != nil || j.WhiteBalance != nil || j.Format != ""
}

// Control sets the controls that the job asks for, reads them back and tells
// them; where the exposure follows the plates it goes on with each plate, until
// there are no more. A driver that hangs costs the camera its controls and not its
// pictures.
//
// done is called when they are set for the first time, or cannot be.
func Control(j handover.Job, plates <-chan handover.Message, tell func(handover.Message), done func()) {
	control(j, openControls, plates, tell, done)
}

func control(j handover.Job, open func(string) (controller, error), plates <-chan handover.Message, tell func(handover.Message), done func()) {
	d, err := open(j.Path)
	if err != nil {
		tellAll([]state{{name: "controls", err: err.Error()}}, tell)
		done()
		return
	}
	defer d.Close()
	if j.FollowPlates && j.Exposure == 0 {
		j.Exposure = startExposure
	}
	set := applyControls(d, j)
	tellAll(set, tell)
	done()
	for m := range plates {
		steer(d, &set, light.Plate{Bright: m.Bright, Clipped: m.Clipped})
		tellAll(set, tell)
	}
}

func tellAll(all []state, tell func(handover.Message)) {
	for i, s := range all {
		text := s.name
		tell(handover.Message{Kind: handover.Control, Index: i, Count: len(all), Text: text, Advice: s.err,
			Asked: s.asked, Value: s.value, Min: s.min, Max: s.max})
	}
}

// steer adjusts the exposure after a plate.
func steer(d controller, set *[]state, p light.Plate) {
	now, err := d.get(cidExposure)
	var r controlRange
	if err == nil {
		r, err = d.query(cidExposure)
	}
	next := state{name: "exposure"}
	switch {
	case err != nil:
		next.err = err.Error()
	case nextExposure(now, p, r) == now:
		return
	default:
		next = setControl(d, "exposure", cidExposure, nextExposure(now, p, r))
	}
	for i, s := range *set {
		if s.name == next.name {
			(*set)[i] = next
			return
		}
	}
	*set = append(*set, next)
}

const (
	// The background of a plate should be this bright: well below white, and as
	// far above the noise as that allows.
	brightest, darkest, wanted = 215.0, 120.0, 170.0
	// mostStep is the largest factor of one change.
	mostStep = 1.6
	// A plate must be exposed shorter than it takes to smear: at 110 km/h and
	// 200 pixels a metre 2 ms are 12 pixels across the picture, and 1 to 2 along
	// the road.
	longestExposure  = 2 * time.Millisecond
	shortestExposure = 100 * time.Microsecond
)

// nextExposure is the next exposure, in the driver's units, for plates as bright
// as the last one was with the present exposure. It does not change while plates
// come out well.
func nextExposure(now int, p light.Plate, r controlRange) int {
	factor := 1.0
	switch {
	case p.OverExposed():
		factor = 1 / mostStep // how far over white cannot be seen
	case p.Bright > brightest, p.Bright < darkest:
		factor = wanted / max(p.Bright, 1)
	}
	factor = min(max(factor, 1/mostStep), mostStep)
	next := int(float64(now)*factor + 0.5)
	if factor > 1 {
		next = max(next, now+1)
	}
	if factor < 1 {
		next = min(next, now-1)
	}
	low, high := int(shortestExposure/exposureUnit), int(longestExposure/exposureUnit)
	return r.fit(min(max(cmp.Or(next, 1), low), high))
}
