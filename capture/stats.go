package capture

import (
	"errors"
	"maps"
	"sync"
	"time"

	"platewatch/capture/source"
)

// State of a camera.
type State string

const (
	StateConnecting State = "connecting" // no frame yet, and no failure either
	StateWaiting    State = "waiting"    // it sends, and its next keyframe is waited for
	StateOnline     State = "online"     // sends frames
	StateOffline    State = "offline"    // lost or not there; being retried
	StateEnded      State = "ended"      // a file or folder reached its end, or Run stopped
)

// Reasons for which a frame is dropped.
const (
	dropNewer      = "newer"      // a newer frame came before anybody took it
	dropUnreadable = "unreadable" // a picture of a folder that cannot be used
	dropStale      = "stale"      // a live stream's frame that was held back on the way: it shows the past
	dropStopped    = "stopped"    // the camera was stopped before anybody took it
)

// Stats is a snapshot of a camera. Counters only grow.
type Stats struct {
	Name          string                `json:"name"`
	Kind          string                `json:"kind"`
	Where         string                `json:"where"` // device, file or URL without password
	State         State                 `json:"state"`
	Since         time.Time             `json:"since"` // of State
	Frames        uint64                `json:"frames"`
	DropsByReason map[string]uint64     `json:"drops_by_reason"`
	FPS           float64               `json:"fps"`             // frames delivered a second, over the last seconds
	Lost          float64               `json:"lost"`            // share of the last minute's frames that were dropped as stale or unreadable, 0–1
	LastFrame     time.Time             `json:"last_frame"`      // zero before the first
	Opens         uint64                `json:"opens"`           // attempts to open
	Losses        uint64                `json:"losses"`          // changes from online to offline
	Crashed       uint64                `json:"decoder_crashes"` // decoders that ended in the middle of their work
	Hung          uint64                `json:"decoder_hangs"`   // decoders that did not answer and were killed
	Decoder       string                `json:"decoder"`         // how its decoders are confined
	Left          int                   `json:"decoders_left"`   // killed ones that have not ended yet
	LastError     string                `json:"last_error"`      // without password; stays after recovery
	Hint          string                `json:"hint"`            // what to do about the present state; empty: nothing, or nothing is known
	Width         int                   `json:"width"`           // of the last frame, pixels
	Height        int                   `json:"height"`
	Controls      []source.ControlState `json:"controls,omitempty"` // of a V4L2 camera, as last set
	Video         source.Video          `json:"-"`                  // what the stream announces
}

const (
	rateFrames = 128             // frames that the rate is measured over at most
	rateWindow = 5 * time.Second // and how far back
)

// recorder keeps a camera's numbers. It is safe for concurrent use.
type recorder struct {
	mu       sync.Mutex
	s        Stats
	arrivals [rateFrames]time.Time // a ring
	losses   losses
	source   Source // the open one, or the last
	now      func() time.Time
}

func newRecorder(c Config) *recorder {
	now := time.Now
	return &recorder{now: now, s: Stats{Name: c.Name, Kind: c.Kind, Where: c.Where(),
		State: StateConnecting, Since: now(), DropsByReason: map[string]uint64{}}}
}

// snapshot copies the numbers.
func (r *recorder) snapshot() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.s
	s.DropsByReason = maps.Clone(s.DropsByReason)
	s.FPS = r.rate()
	s.Lost = r.losses.share(r.now())
	s.Video = source.VideoOf(r.source)
	return s
}

// rate is the number of intervals between the arrivals of the last seconds,
// divided by the time from the oldest of them to now: it falls while no frame
// arrives.
func (r *recorder) rate() float64 {
	now, n, oldest := r.now(), 0, time.Time{}
	for _, t := range r.arrivals {
		if t.IsZero() || now.Sub(t) > rateWindow {
			continue
		}
		n++
		if oldest.IsZero() || t.Before(oldest) {
			oldest = t
		}
	}
	newest := r.s.LastFrame
	if n < 2 {
		return 0
	}
	interval := newest.Sub(oldest) / time.Duration(n-1)
	span := newest.Sub(oldest)
	if silence := now.Sub(newest); silence > 2*interval {
		span += silence
	}
	if span <= 0 {
		return 0
	}
	return float64(n-1) / span.Seconds()
}

// frame counts one and returns its number.
func (r *recorder) frame(arrived time.Time, width, height int) (seq uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.s.Frames++
	r.arrivals[r.s.Frames%rateFrames] = arrived
	r.losses.turn(arrived)
	r.losses.now.frames++
	r.s.LastFrame, r.s.Width, r.s.Height = arrived, width, height
	return r.s.Frames
}

func (r *recorder) drop(reason string) (n uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.s.DropsByReason[reason]++
	if reason == dropStale || reason == dropUnreadable {
		r.losses.turn(r.now())
		r.losses.now.lost++
	}
	return r.s.DropsByReason[reason]
}

func (r *recorder) opened(s Source) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.source = s
}

func (r *recorder) controls(states []source.ControlState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.s.Controls = states
}

func (r *recorder) opening() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.s.Opens++
}

// enter changes the state and reports whether it is another one.
func (r *recorder) enter(s State, err error) (changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.s.LastError = err.Error()
		r.s.Hint = hintOf(err)
	}
	if s == StateOnline {
		r.s.Hint = ""
	}
	if r.s.State == s {
		return false
	}
	if r.s.State == StateOnline && s == StateOffline {
		r.s.Losses++
	}
	r.s.State, r.s.Since = s, r.now()
	return true
}

// hintOf is what an error advises; empty if it advises nothing.
func hintOf(err error) string {
	var hint interface{ Hint() string }
	if errors.As(err, &hint) {
		return hint.Hint()
	}
	return ""
}
