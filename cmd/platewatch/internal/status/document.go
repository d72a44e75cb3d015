package status

import (
	"context"
	"errors"
	"time"

	"platewatch/uplink/message"
)

// Unit is what the server asks. Its methods are called from many goroutines.
type Unit interface {
	// Status describes the unit now. It is called at most a few times a second
	// and must neither block on a camera nor on the network.
	Status() Document
	// Picture returns the camera's newest frame as a JPEG with what was found
	// drawn on it. It is called only while somebody watches, at most
	// [Options.FPS] times a second for each camera, and may wait for the next
	// frame until ctx ends. Errors: [ErrUnknownCamera], [ErrNoPicture].
	Picture(ctx context.Context, camera string) (jpeg []byte, err error)
}

// HitPictures is implemented by a [Unit] that still has the pictures of its
// last hits.
type HitPictures interface {
	// HitPicture returns the plate picture of a hit of [Document.LastHits] as
	// a JPEG, or [ErrNoPicture].
	HitPicture(ctx context.Context, id string) (jpeg []byte, err error)
}

// Errors of a [Unit].
var (
	ErrUnknownCamera = errors.New("there is no such camera")
	ErrNoPicture     = errors.New("there is no picture")
)

// Seconds is a length of time in a document: a JSON number.
type Seconds float64

// Since returns the time since t in seconds; 0 for the zero time. For a t that
// carries the monotonic clock, a jump of the wall clock does not show.
func Since(t time.Time) Seconds {
	if t.IsZero() {
		return 0
	}
	return Seconds(time.Since(t).Seconds())
}

// Document is everything the status page knows, and /status.json as it is.
// Fields are only ever added. Lengths of time are seconds unless the name says
// otherwise. Ages come from the monotonic clock: on a board whose clock is wrong
// they are right where times are not.
type Document struct {
	Unit     string    `json:"unit"`
	Position string    `json:"position,omitempty"` // where the unit stands, for people
	Version  Version   `json:"version"`
	Started  time.Time `json:"started"`
	Uptime   Seconds   `json:"uptime_s"`
	Now      time.Time `json:"now"`
	Clock    Clock     `json:"clock"`

	// ProgressAge is the time since the pipeline last went round. A pipeline
	// that waits for an absent camera still goes round; one that hangs does not.
	ProgressAge Seconds `json:"progress_age_s"`

	Cameras []Camera `json:"cameras"`

	Passages uint64 `json:"passages"` // vehicles that went by since the start
	Hits     uint64 `json:"hits"`     // hits since the start
	LastHits []Hit  `json:"last_hits"`

	Hotlist Hotlist `json:"hotlist"`
	Outbox  Outbox  `json:"outbox"`
	Uplink  Uplink  `json:"uplink"`
	Process Process `json:"process"`

	// Warnings are things a person should know and that stop nothing, each one
	// sentence: a plain-text broker, a damaged file that was replaced.
	Warnings []string `json:"warnings,omitempty"`
}

// Version says what runs.
type Version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go,omitempty"`
}

// ClockState says how far the unit's clock can be trusted.
type ClockState string

// The clock's states.
const (
	ClockSynchronised   ClockState = "synchronised"
	ClockUnsynchronised ClockState = "unsynchronised"
	ClockUnknown        ClockState = "unknown"
)

// Clock is the state of the unit's clock.
type Clock struct {
	State  ClockState `json:"state"`
	Source string     `json:"source,omitempty"` // "ntp", "gps", …
}

// Camera is one camera and what is read from it. Counters grow from the start
// of the process.
type Camera struct {
	Name  string  `json:"name"`
	Kind  string  `json:"kind,omitempty"`
	State string  `json:"state"`   // "connecting", "online", "offline", "ended"
	Since Seconds `json:"since_s"` // in this state

	FPS    float64 `json:"fps"`
	Width  int     `json:"width"`
	Height int     `json:"height"`

	Frames    uint64            `json:"frames"`          // delivered by the camera
	Drops     map[string]uint64 `json:"drops,omitempty"` // of these, dropped, by reason
	Opens     uint64            `json:"opens"`           // times it was opened
	LastFrame Seconds           `json:"last_frame_age_s"`
	LastError string            `json:"last_error,omitempty"` // redacted

	Still     uint64 `json:"still"`      // frames on which nothing moved
	Looks     uint64 `json:"looks"`      // frames searched for plates
	FullLooks uint64 `json:"full_looks"` // of these, searched everywhere
	Look      Timing `json:"look"`       // find and read together
	Plates    uint64 `json:"plates"`
	Again     uint64 `json:"plates_again"` // of these, not read anew, because nothing had changed
	Passages  uint64 `json:"passages"`
	// Directions counts the passages by where the vehicle went.
	Directions map[string]uint64 `json:"directions,omitempty"`

	Light    *Light    `json:"light,omitempty"`    // how plates come out; nil before the first
	Controls []Control `json:"controls,omitempty"` // of a camera on the board, as set

	// PlateBoxes are the sizes in pixels of the plates last found. Their text
	// is nobody's business.
	PlateBoxes []Box   `json:"plate_boxes,omitempty"`
	PlateAge   Seconds `json:"plate_age_s,omitempty"` // since the last of them
}

// Online reports whether frames come in, or everything there was has been read.
func (c Camera) Online() bool { return c.State == "online" || c.State == "ended" }

// Light is how the plates read lately came out.
type Light struct {
	Plates  int     `json:"plates"`    // that it is taken from
	Bright  float64 `json:"bright"`    // median grey level of their ground, 0–255
	Dark    float64 `json:"dark"`      // of their ink
	Blur    float64 `json:"blur_px"`   // median width of a stroke's edge, pixels
	Height  float64 `json:"height_px"` // median height of the characters, pixels
	Over    float64 `json:"over"`      // share that is over-exposed, 0–1
	Under   float64 `json:"under"`     // under-exposed
	Blurred float64 `json:"blurred"`   // blurred by motion
	Small   float64 `json:"small"`     // too small
}

// Control is a setting of a camera.
type Control struct {
	Name  string `json:"name"`
	Asked int    `json:"asked"` // in the driver's units
	Value int    `json:"value"` // read back
	Error string `json:"error,omitempty"`
}

// Box is the size of a plate in the picture, in pixels.
type Box struct {
	Width  int `json:"w"`
	Height int `json:"h"`
}

// Timing is how long something took, over the last minutes.
type Timing struct {
	P50   float64 `json:"p50_ms"`
	P95   float64 `json:"p95_ms"`
	Total Seconds `json:"total_s"` // all of them since the start
}

// Hit is a passage that matched the hotlist.
type Hit struct {
	ID         string    `json:"id"`
	Time       time.Time `json:"time"`
	Age        Seconds   `json:"age_s"`
	Camera     string    `json:"camera"`
	Text       string    `json:"text"`
	Region     string    `json:"region,omitempty"`
	Confidence float64   `json:"confidence"` // 0–1, that the text is exactly right

	// Match is the most urgent match, as in the message.
	message.Match
	// Head names it in one line; Facts are what a person should know of it, and
	// of the other matches after it.
	Head  string `json:"head"`
	Facts []Fact `json:"facts,omitempty"`

	Delivered bool `json:"delivered"` // the server side has it; else it waits in the outbox
	Picture   bool `json:"picture"`   // /hits/{id}/plate.jpg exists
}

// Fact is one thing to know about a hit, in words.
type Fact struct {
	Label  string `json:"label"`
	Text   string `json:"text"`
	Urgent bool   `json:"urgent,omitempty"` // to be read before acting
}

// Hotlist is what the unit compares with.
type Hotlist struct {
	Open  bool   `json:"open"`
	Error string `json:"error,omitempty"`
	Lists []List `json:"lists"`
}

// List is one hotlist.
type List struct {
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	Entries  int       `json:"entries"`
	Imported time.Time `json:"imported"`
}

// Outbox is where hits wait for the server.
type Outbox struct {
	Open      bool              `json:"open"`
	Error     string            `json:"error,omitempty"`
	Pending   int               `json:"pending"`
	Bytes     int64             `json:"bytes"`     // on disk
	MaxBytes  int64             `json:"max_bytes"` // its bound; 0: unknown
	OldestAge Seconds           `json:"oldest_age_s"`
	Dropped   map[string]uint64 `json:"dropped,omitempty"` // by reason
	Unsaved   int               `json:"unsaved"`           // pending hits that are only in memory, because the disk takes no writes
	Awaiting  int               `json:"awaiting"`          // hits that the broker has and the server did not acknowledge yet
}

// Uplink is the way to the central server.
type Uplink struct {
	State     string  `json:"state"`            // "off", "connecting", "connected", "offline"
	Broker    string  `json:"broker,omitempty"` // redacted
	Since     Seconds `json:"since_s"`
	Delivered uint64  `json:"delivered"` // acknowledged messages
	LastError string  `json:"last_error,omitempty"`
}

// Process is the program itself. The server fills it in where the Unit leaves
// it empty.
type Process struct {
	Memory     uint64 `json:"memory_bytes"` // resident; 0: unknown
	Heap       uint64 `json:"heap_bytes"`
	Goroutines int    `json:"goroutines"`
}
