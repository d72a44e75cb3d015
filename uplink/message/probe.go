package message

import (
	"encoding/json"
	"regexp"
)

// Probe is what a check of a unit publishes on the unit's topics, to learn which of
// them it may write. It lacks what every other message must have, so that no
// receiver can take it for a hit; receivers that know it ignore it. A server
// that acknowledges hits answers a probe on the hits topic with [Acks.Probe].
type Probe struct {
	Version Version `json:"version"`
	Unit    string  `json:"unit"`
	Probe   string  `json:"probe"` // random
}

// probePattern is how a probe is written: nothing else is sent back.
var probePattern = regexp.MustCompile(`^[a-z2-7]{16,32}$`)

// ParseProbe returns the probe that a payload holds, if it does.
func ParseProbe(payload []byte) (Probe, bool) {
	var p Probe
	if len(payload) > 256 || json.Unmarshal(payload, &p) != nil || ValidateName(p.Unit) != nil || !probePattern.MatchString(p.Probe) {
		return Probe{}, false
	}
	return p, true
}
