package message

// Acks is how a server acknowledges hits to a unit that waits for it: each hit that
// it stored durably, with the revision. A hit that came with pictures_follow is
// acknowledged again when its pictures are stored.
type Acks struct {
	Version Version `json:"version"`
	Unit    string  `json:"unit"`
	Stored  []Ack   `json:"stored"`
	Probe   string  `json:"probe,omitempty"` // answers a [Probe]
}

// Ack is one revision of a hit that the server stored durably.
type Ack struct {
	ID       string `json:"id"`
	Revision int    `json:"revision"`
}
