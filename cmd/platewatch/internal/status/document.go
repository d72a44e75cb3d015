package status

import (
	"context"
	"errors"
	"time"

	"platewatch/cmd/platewatch/internal/aim"
	"platewatch/uplink/message"
)

// Unit is the source of everything the server shows. Its methods are called from
// many goroutines.
type Unit interface {
	// Status describes the unit now. It is called at most five times a second and
	// must not wait for a camera or the network.
	Status() Document
	// Picture returns the camera's newest frame, or a part of it, as a JPEG. It is
	// called only while somebody views it, at most [Options.FPS] times a second for
	// each camera, and may wait for the next frame until ctx ends.
	// Errors: [ErrUnknownCamera], [ErrNoPicture].
	Picture(ctx context.Context, camera string, cut Cut) (jpeg []byte, err error)
}

// Cut is what is wanted of a frame: the whole with its plates marked, or, with
// Part, a part at its own resolution.
type Cut struct {
	Small bool // half the width: for bad links
	Text  bool // with the text of hits beside their plates

	Part          bool
	X, Y          float64 // its middle, as shares of the frame's width and height
	Width, Height int     // in pixels
}

// aimed is implemented by a [Unit] whose cameras can be aimed.
type aimed interface {
	// PlatePicture returns the last plate on a camera's frames at its own
	// resolution, or [ErrNoPicture].
	PlatePicture(ctx context.Context, camera string) (jpeg []byte, err error)
	// AimAnew forgets where plates were read: the camera was moved.
	AimAnew(camera string) error
}

// hitPictures is implemented by a [Unit] that keeps the pictures of its last hits.
type hitPictures interface {
	// HitPicture returns the plate picture of a hit of [Document.LastHits] as
	// a JPEG, or [ErrNoPicture].
	HitPicture(ctx context.Context, id string) (jpeg []byte, err error)
}

// Errors of a [Unit].
var (
	ErrUnknownCamera = errors.New("no such camera")
	ErrNoPicture     = errors.New("no picture")
)

// Seconds is a length of time in a document: a JSON number.
type Seconds float64

// Since returns the time since t in seconds; 0 for the zero time. If t carries the
// monotonic clock, jumps of the wall clock have no effect.
func Since(t time.Time) Seconds {
	if t.IsZero() {
		return 0
	}
	return Seconds(time.Since(t).Seconds())
}

// Document is the content of the status page and of /status.json. From version
// 1.0 on, fields are only added. Durations are in seconds unless the name says
// otherwise. Ages are measured by the monotonic clock, and right even if the wall
// clock is wrong.
type Document struct {
	Unit     string    `json:"unit"`
	Position string    `json:"position,omitempty"` // where the unit stands, for people
	Version  Version   `json:"version"`
	Started  time.Time `json:"started"`
	Uptime   Seconds   `json:"uptime_s"`
	Now      time.Time `json:"now"`
	Clock    Clock     `json:"clock"`

	// ProgressAge is the time since the last loop iteration of the slowest camera
	// pipeline. A pipeline that waits for an absent camera still iterates.
	ProgressAge Seconds `json:"progress_age_s"`

	Cameras []Camera `json:"cameras"`

	Passages uint64 `json:"passages"` // passages since the start
	Hits     uint64 `json:"hits"`     // hits since the start
	LastHits []Hit  `json:"last_hits"`
	// HitCounts counts them by list and category; what is beyond [MaxHitCounts] pairs
	// counts as "other".
	HitCounts []HitCount `json:"hit_counts,omitempty"`
	// Verdicts is what persons found about hits, as in the health message; nil while
	// there are no verdicts.
	Verdicts *message.VerdictHealth `json:"verdicts,omitempty"`

	Hotlist Hotlist `json:"hotlist"`
	Outbox  Outbox  `json:"outbox"`
	Uplink  Uplink  `json:"uplink"`
	Process Process `json:"process"`

	Disk        *Disk    `json:"disk,omitempty"`          // of the outbox
	Temperature *float64 `json:"temperature_c,omitempty"` // of the board, °C

	Board *Board `json:"board,omitempty"`
	Page  *Page  `json:"page,omitempty"` // nil without TLS; the server fills it in

	// Condition is what [Judge] says of all this. The server fills it in.
	Condition Condition `json:"condition"`

	// TestDrive is set while one runs.
	TestDrive *TestDrive `json:"test_drive,omitempty"`
}

// TestDrive announces to every viewer that plates are shown as text to one of them.
type TestDrive struct {
	Who  string  `json:"who"`
	Left Seconds `json:"left_s"`
}

// Version identifies the program.
type Version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go,omitempty"`
}

// ClockState says whether the unit's clock was set from a time source.
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

// Camera is one camera and what is read from it. Counters count since the start
// of the process.
type Camera struct {
	Name  string  `json:"name"`
	Kind  string  `json:"kind,omitempty"`
	State string  `json:"state"`   // "connecting", "waiting" (for a keyframe), "online", "offline", "ended"
	Since Seconds `json:"since_s"` // in this state

	FPS    float64 `json:"fps"`
	Width  int     `json:"width"`
	Height int     `json:"height"`

	Codec     string   `json:"codec,omitempty"`         // of its stream: "H264", "H265", "JPEG"
	Keyframes Seconds  `json:"keyframes_s,omitempty"`   // the longest of the last times between two; 0: not known
	Ahead     *Seconds `json:"clock_ahead_s,omitempty"` // its clock less the unit's; nil: not known

	Frames    uint64            `json:"frames"`           // delivered by the camera
	Drops     map[string]uint64 `json:"drops,omitempty"`  // frames dropped, by reason
	Lost      float64           `json:"lost"`             // share of the last minute's frames that came too late or unusable, 0–1
	Losing    string            `json:"losing,omitempty"` // what to do, when that is too many
	Opens     uint64            `json:"opens"`            // number of times it was opened
	LastFrame Seconds           `json:"last_frame_age_s"`
	LastError string            `json:"last_error,omitempty"` // redacted
	Hint      string            `json:"hint,omitempty"`       // what to do while it is not online

	Failures   uint64  `json:"failures"`                // frames that could not be processed
	FailureAge Seconds `json:"failure_age_s,omitempty"` // since the last of them
	Advice     string  `json:"advice,omitempty"`        // what would make plates easier to read

	Still     uint64 `json:"still"`      // frames on which nothing moved
	Looks     uint64 `json:"looks"`      // frames searched for plates
	FullLooks uint64 `json:"full_looks"` // frames searched completely
	Look      Timing `json:"look"`       // duration of finding and reading in one frame
	Plates    uint64 `json:"plates"`
	Again     uint64 `json:"plates_again"` // plates taken from memory: nothing had changed, or they were read moments before
	Passages  uint64 `json:"passages"`
	// Directions counts passages by the direction of the vehicle.
	Directions map[string]uint64 `json:"directions,omitempty"`

	Light    *Light    `json:"light,omitempty"`    // light on the plates; nil before the first plate
	Controls []Control `json:"controls,omitempty"` // of a V4L2 camera

	// Aim is how the camera is set: see package aim.
	Aim *aim.Report `json:"aim,omitempty"`

	// PlateBoxes are the sizes of the last plates in pixels, without their text.
	PlateBoxes []Box   `json:"plate_boxes,omitempty"`
	PlateAge   Seconds `json:"plate_age_s,omitempty"` // since the last of them
}

// Online reports whether the camera delivers frames, or its recording has been
// read to the end.
func (c Camera) Online() bool { return c.State == "online" || c.State == "ended" }

// Light describes how recent plates appear in the picture.
type Light struct {
	Plates  int     `json:"plates"`    // number of plates measured
	Bright  float64 `json:"bright"`    // median grey level of the plates' background, 0–255
	Dark    float64 `json:"dark"`      // median grey level of the characters, 0–255
	Blur    float64 `json:"blur_px"`   // median width of a stroke's edge, pixels
	Height  float64 `json:"height_px"` // median height of the characters, pixels
	Over    float64 `json:"over"`      // share of plates over-exposed, 0–1
	Under   float64 `json:"under"`     // share under-exposed
	Blurred float64 `json:"blurred"`   // share blurred by motion
	Small   float64 `json:"small"`     // share with too small characters
}

// Control is a setting of a camera.
type Control struct {
	Name  string `json:"name"`
	Asked int    `json:"asked"` // set value, in the driver's units
	Value int    `json:"value"` // value read back
	Error string `json:"error,omitempty"`
}

// Box is the size of a plate in the picture, in pixels.
type Box struct {
	Width  int `json:"w"`
	Height int `json:"h"`
}

// Timing is the distribution of recent durations.
type Timing struct {
	P50   float64   `json:"p50_ms"`
	P95   float64   `json:"p95_ms"`
	All   Histogram `json:"-"`       // since the start, for the metrics
	Total Seconds   `json:"total_s"` // sum since the start
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
	// Head names it in one line; Facts are what a person should know of it, of
	// the passage, and of the other matches.
	Head  string `json:"head"`
	Facts []Fact `json:"facts,omitempty"`

	// Withdrawn: the hit was taken back, and has no text, match or picture any more.
	Withdrawn bool `json:"withdrawn,omitempty"`

	Delivered bool `json:"delivered"` // false while a message of it waits in the outbox
	Picture   bool `json:"picture"`   // /hits/{id}/plate.jpg exists
}

// MaxHitCounts bounds the pairs of list and category that are counted apart:
// categories come from the lists' files.
const MaxHitCounts = 64

// HitCount is the number of hits of a list's category since the start.
type HitCount struct {
	List     string `json:"list"`
	Category string `json:"category"`
	Hits     uint64 `json:"hits"`
}

// Fact is one thing to know about a hit, in words.
type Fact struct {
	Label  string `json:"label"`
	Text   string `json:"text"`
	Urgent bool   `json:"urgent,omitempty"` // to be read before acting
}

// Hotlist is the state of the hotlist.
type Hotlist struct {
	Open  bool   `json:"open"`
	Error string `json:"error,omitempty"`
	Lists []List `json:"lists"`
	// Damage are the damaged files of lists that were found.
	Damage []ListDamage `json:"damage,omitempty"`
	// AuditProblem is how the audit trail was changed.
	AuditProblem string `json:"audit_problem,omitempty"`
}

// List is one hotlist that the unit holds, or should hold.
type List struct {
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	Entries  int       `json:"entries"`
	Imported time.Time `json:"imported"`
	Expires  time.Time `json:"expires,omitzero"`   // when a newer version is due; zero for lists that are not signed
	Missing  bool      `json:"missing,omitempty"`  // not held
	Lost     bool      `json:"lost,omitempty"`     // missing, and it was held before
	Overdue  bool      `json:"overdue,omitempty"`  // its time is over, and no newer version arrived
	Fallback bool      `json:"fallback,omitempty"` // an older version is in use, because the newest is damaged
	Refused  string    `json:"refused,omitempty"`  // why the last update was refused
	// Accepted is the highest version ever accepted, where the one in use is older;
	// Unrecorded: the audit trail does not know that the one in use was accepted.
	Accepted   uint64 `json:"accepted,omitempty"`
	Unrecorded bool   `json:"unrecorded,omitempty"`
	// Forbidden are the categories of its entries that the unit may not be used for,
	// and does not match.
	Forbidden []string `json:"forbidden,omitempty"`
}

// ListDamage is a damaged file of a list.
type ListDamage struct {
	List     string `json:"list"`
	Reason   string `json:"reason"`
	SetAside bool   `json:"set_aside"` // it was replaced; otherwise the list cannot be used
}

// Disk is a file system, in bytes.
type Disk struct {
	Free  uint64 `json:"free"`
	Total uint64 `json:"total"`
}

// Outbox holds the hits that wait for the server.
type Outbox struct {
	Open      bool              `json:"open"`
	Error     string            `json:"error,omitempty"`
	Pending   int               `json:"pending"`
	Bytes     int64             `json:"bytes"`     // on disk
	MaxBytes  int64             `json:"max_bytes"` // 0: unknown
	OldestAge Seconds           `json:"oldest_age_s"`
	Dropped   map[string]uint64 `json:"dropped,omitempty"` // by reason
	Unsaved   int               `json:"unsaved"`           // pending hits held in memory only, because the disk cannot be written
	Awaiting  int               `json:"awaiting"`          // hits that the broker has and the server has not acknowledged yet

	Quarantined       int    `json:"quarantined"`                   // hits that can never be delivered
	DiskProblem       string `json:"disk_problem,omitempty"`        // why the disk cannot be written
	NumberFileProblem string `json:"number_file_problem,omitempty"` // why the side file cannot be written
	Damage            string `json:"damage,omitempty"`              // what was wrong with the file, and what became of it
}

// Uplink is the connection to the central server.
type Uplink struct {
	State     string    `json:"state"`            // "off", "connecting", "connected", "offline"
	Broker    string    `json:"broker,omitempty"` // redacted
	Since     Seconds   `json:"since_s"`
	Delivered uint64    `json:"delivered"` // acknowledged messages
	Delivery  Histogram `json:"-"`         // from a hit to its acknowledgement
	LastError string    `json:"last_error,omitempty"`

	ServerSilent   bool      `json:"server_silent,omitempty"`      // the server does not acknowledge what the broker has
	UnexpectedAcks uint64    `json:"unexpected_acks,omitempty"`    // acknowledgements that were ignored
	Namesake       string    `json:"namesake,omitempty"`           // the installation of another unit that uses this unit's name
	Insecure       bool      `json:"insecure,omitempty"`           // not encrypted, as configured
	Certificate    time.Time `json:"certificate_expires,omitzero"` // end of the unit's own certificate
}

// Process describes the process. The server fills in what the Unit leaves zero.
type Process struct {
	Memory     uint64 `json:"memory_bytes"` // resident; 0: unknown
	Heap       uint64 `json:"heap_bytes"`
	Goroutines int    `json:"goroutines"`
}
