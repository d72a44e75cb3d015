package message

import (
	"cmp"
	"time"
)

// State is the unit's birth message and last will. Retained.
type State struct {
	Version  Version   `json:"version"`
	Unit     string    `json:"unit"`
	State    Presence  `json:"state"`
	Since    time.Time `json:"since,omitzero"`     // when the state began; absent from the last will, which is written beforehand
	Reason   string    `json:"reason,omitempty"`   // why it is offline: "stopped" or "connection lost"
	Software string    `json:"software,omitempty"` // version of the daemon
	Insecure bool      `json:"insecure,omitempty"` // the link is plaintext to another machine, as configured

	Installation string `json:"installation,omitempty"` // as in the ids of hits
	Run          string `json:"run,omitempty"`          // random, of this start of the daemon
}

// Presence is whether the unit is connected.
type Presence string

// The two presences.
const (
	Online  Presence = "online"
	Offline Presence = "offline"
)

// Health is published every minute. Retained. It carries counts and states, never
// plate text.
type Health struct {
	Version  Version        `json:"version"`
	Unit     string         `json:"unit"` // set by the client
	At       time.Time      `json:"at"`
	Clock    ClockState     `json:"clock"`
	Uptime   float64        `json:"uptime_s"`
	Software string         `json:"software,omitempty"`
	Cameras  []CameraHealth `json:"cameras"`
	Passages uint64         `json:"passages"`          // since the start
	Hits     uint64         `json:"hits"`              // since the start
	LastHit  time.Time      `json:"last_hit,omitzero"` // when the newest hit's frame was taken, since the start
	Outbox   OutboxHealth   `json:"outbox"`            // set by the client
	Link     LinkHealth     `json:"link"`              // set by the client
	Lists    []ListHealth   `json:"lists"`
	// Installation as in the ids of hits; set by the client.
	Installation string       `json:"installation,omitempty"`
	Audit        *AuditHealth `json:"audit,omitempty"`
	Disk         *DiskHealth  `json:"disk,omitempty"`
	Temperature  *float64     `json:"temperature_c,omitempty"` // °C of the board
	Level        Level        `json:"level"`                   // of the worst problem
	Headline     string       `json:"headline,omitempty"`      // the worst truth, in one line
	Problems     []string     `json:"problems,omitempty"`      // one sentence each, the worst first

	Verdicts *VerdictHealth `json:"verdicts,omitempty"` // missing while there are none
}

// Level says how bad a unit's condition is. The zero value is written as ok.
type Level string

// The levels.
const (
	LevelOK   Level = "ok"
	LevelWarn Level = "warn" // it works, and a person should look after it
	LevelBad  Level = "bad"  // it does not do its work
)

// MarshalText writes the zero value as ok.
func (l Level) MarshalText() ([]byte, error) { return []byte(cmp.Or(l, LevelOK)), nil }

// CameraHealth is the state of one camera.
type CameraHealth struct {
	Name      string            `json:"name"`
	State     string            `json:"state"` // connecting, waiting (for a keyframe), online, offline, ended
	FPS       float64           `json:"fps"`
	Frames    uint64            `json:"frames"`
	LastFrame time.Time         `json:"last_frame,omitzero"`
	Drops     map[string]uint64 `json:"drops,omitempty"` // by reason
	Opens     uint64            `json:"opens"`
	LastError string            `json:"last_error,omitempty"`
}

// LinkHealth is the state of the connection to the broker.
type LinkHealth struct {
	Broker      string `json:"broker,omitempty"` // the one connected to
	Connects    uint64 `json:"connects"`         // since the start
	Delivered   uint64 `json:"delivered"`
	Resent      uint64 `json:"resent"`
	Insecure    bool   `json:"insecure"`
	LastProblem string `json:"last_problem,omitempty"`
	Awaiting    int    `json:"awaiting_server,omitempty"` // hits that the broker acknowledged and the server did not
	// UnexpectedAcks counts acknowledgements that the unit ignored: not valid, retained,
	// or for hits that it had not sent.
	UnexpectedAcks uint64 `json:"unexpected_acks,omitempty"`
	ControlDrops   uint64 `json:"control_drops"` // health or list reports replaced before they were sent
}

// AuditHealth is where the unit's audit trail ends. Kept elsewhere, it reveals later
// that the end was cut off or an older state put back: number only ever grows.
type AuditHealth struct {
	Number  uint64 `json:"number"` // of the last record
	Hash    string `json:"hash"`   // its link, by which the trail verifies that it holds the record
	Problem string `json:"problem,omitempty"`
}

// ListHealth is one list that the unit holds, or should hold.
type ListHealth struct {
	Name     string    `json:"name"`
	Version  string    `json:"version,omitempty"`
	Entries  int       `json:"entries"`
	Imported time.Time `json:"imported,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`
	Missing  bool      `json:"missing,omitempty"` // the unit should hold it, and does not
	Overdue  bool      `json:"overdue,omitempty"` // it has expired, and no newer version arrived; it is still in use
	// Accepted is the highest version that was ever accepted, where the one in use is
	// older: older files were put back.
	Accepted string `json:"accepted,omitempty"`
}

// DiskHealth is the file system that holds the outbox, in bytes.
type DiskHealth struct {
	Free  uint64 `json:"free"`
	Total uint64 `json:"total"`
}

// HotlistReport says which list versions the unit holds, and which updates it
// refused and why. Retained.
type HotlistReport struct {
	Version Version       `json:"version"`
	Unit    string        `json:"unit"` // set by the client
	At      time.Time     `json:"at"`
	Lists   []ListHealth  `json:"lists"`
	Refused []ListRefusal `json:"refused,omitempty"`
}

// ListRefusal is one update that was not applied.
type ListRefusal struct {
	Name    string    `json:"name"`
	Version string    `json:"version,omitempty"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
}

// OutboxHealth is what the outbox holds, and what became of earlier hits.
// Counters are since the process started.
type OutboxHealth struct {
	Entries     int     `json:"entries"` // pending
	Bytes       int64   `json:"bytes"`   // of the pending records
	MaxEntries  int     `json:"max_entries"`
	MaxBytes    int64   `json:"max_bytes"`
	Oldest      float64 `json:"oldest_s"`    // age of the first pending hit in seconds
	LastNumber  uint64  `json:"last_number"` // used last
	Quarantined int     `json:"quarantined"` // held now

	Accepted        uint64 `json:"accepted"`
	Updated         uint64 `json:"updated"`
	Delivered       uint64 `json:"delivered"`
	Refused         uint64 `json:"refused"`          // not a valid hit, or too large
	DroppedEntries  uint64 `json:"dropped_entries"`  // at the bound
	DroppedPictures uint64 `json:"dropped_pictures"` // at the bound, or too large
	Expired         uint64 `json:"expired"`          // of the dropped ones: because of their age
	Salvaged        uint64 `json:"salvaged"`         // hits copied from a damaged file
	DiskFailures    uint64 `json:"disk_failures"`    // times that the disk began to refuse writes

	// Dropped hits, by priority: "p1", "p2", …
	DroppedByPriority map[string]uint64 `json:"dropped_by_priority,omitempty"`

	Unsaved      int    `json:"unsaved"`       // pending hits that are only in memory
	UnsavedBytes int64  `json:"unsaved_bytes"` // of memory that holds what the disk refused
	DiskProblem  string `json:"disk_problem,omitempty"`

	Damage            string `json:"damage,omitempty"`              // what was wrong with the file
	NumberFileProblem string `json:"number_file_problem,omitempty"` // why the side file cannot be written
}
