package message

import (
	"encoding/json"
	"time"
)

// withdrawal is what is written of a hit that is withdrawn. Its plate is on no
// list, so nothing of what was read or seen may be in it.
type withdrawal struct {
	Version    Version    `json:"version"`
	ID         string     `json:"id"`
	Number     uint64     `json:"number"`
	Previous   uint64     `json:"previous,omitempty"`
	Revision   int        `json:"revision"`
	Unit       string     `json:"unit"`
	Passage    uint64     `json:"passage"`
	Camera     string     `json:"camera"`
	CapturedAt time.Time  `json:"captured_at"`
	Clock      ClockState `json:"clock"`
	Withdrawn  bool       `json:"withdrawn"`
	Historical bool       `json:"historical"`
	Verified   Verified   `json:"verified"`
	Notice     Notice     `json:"notice"`
}

// MarshalJSON writes all fields, or, of a hit that is withdrawn, only those that
// tell nothing of the plate.
func (h Hit) MarshalJSON() ([]byte, error) {
	if h.Withdrawn {
		return json.Marshal(withdrawal{ID: h.ID, Number: h.Number, Previous: h.Previous, Revision: h.Revision, Unit: h.Unit,
			Passage: h.Passage, Camera: h.Camera, CapturedAt: h.CapturedAt, Clock: h.Clock, Withdrawn: true, Historical: h.Historical})
	}
	type plain Hit // without this method
	return json.Marshal(plain(h))
}
