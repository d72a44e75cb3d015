package passage

import (
	"iter"
	"time"

	"platewatch/ocr/internal/setting"
)

// Params are a tracker's settings.
type Params struct {
	// Agree is how many frames must read the same text before a passage is
	// sure. One is for cameras that give a single frame per vehicle.
	Agree int `toml:"agree"`
	// Gap is how long a plate may go unread before its passage ends.
	Gap time.Duration `toml:"gap"`

	// MinConfidence is the vote's confidence from which a passage is sure.
	MinConfidence float64 `toml:"-"`
	// SingleConfidence takes its place where Agree is 1: no second frame
	// confirms the reading, so the confidence of the only one must do.
	SingleConfidence float64 `toml:"-"`
	// StillConfidence is the same for a plate that was never seen to move: most
	// stationary lettering in view of a camera, signs and the camera's own clock, is
	// not a plate. The default lies between the surest sign of `make traffic` (hours
	// of parking, 0.63) and the stationary cars of the Dutch clips (0.68 and more,
	// except for one of 0.56).
	StillConfidence float64 `toml:"-"`
	// Parked is how long a plate must stay in its place to count as parked.
	Parked time.Duration `toml:"-"`
	// Open bounds the passages that are open at once. When another begins, the
	// one that has not been read for the longest time ends.
	Open int `toml:"-"`
}

// DefaultParams suit a camera at 5 frames a second and more.
func DefaultParams() Params {
	return Params{Agree: 2, Gap: 2 * time.Second, MinConfidence: 0.5, SingleConfidence: 0.3, StillConfidence: 0.65,
		Parked: 10 * time.Second, Open: 64}
}

// Problems yields the keys that cannot be used, with an error that continues
// the key.
func (p Params) Problems() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		check := func(key string, err error) bool { return err == nil || yield(key, err) }
		_ = check("agree", setting.Int(p.Agree, 1, 25)) &&
			check("gap", setting.Duration(p.Gap, 100*time.Millisecond, time.Minute)) &&
			check("min_confidence", setting.Probability(p.MinConfidence)) &&
			check("single_confidence", setting.Probability(p.SingleConfidence)) &&
			check("still_confidence", setting.Probability(p.StillConfidence)) &&
			check("parked", setting.Duration(p.Parked, time.Millisecond, 24*time.Hour)) &&
			check("open", setting.Int(p.Open, 1, 1000))
	}
}
