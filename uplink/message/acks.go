package message

// Acks is what a server that stores hits for good tells a unit whose
// configuration waits for it: each hit that it stored, with the revision. A hit
// that came with pictures_follow is told again when its pictures were stored.
type Acks struct {
	Version Version `json:"version"`
	Unit    string  `json:"unit"`
	Stored  []Ack   `json:"stored"`
}

// Ack is one revision of a hit that the server has for good.
type Ack struct {
	ID       string `json:"id"`
	Revision int    `json:"revision"`
}
