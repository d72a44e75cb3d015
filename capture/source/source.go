// Package source is what a kind of camera needs and gives: the settings of a
// camera ([Config]), the stream of pictures that it opens ([Source]), and its
// entry in the table of kinds ([Kind]). It knows no kind itself.
package source

import (
	"context"
	"iter"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/internal/process"
	"platewatch/capture/light"
)

// Source is one opened stream of pictures. It is used by one goroutine at a
// time.
type Source interface {
	// Read puts the next picture into m (rows x cols x 3, BGR, 8 bit, upright;
	// m's old content is lost, its buffer may be swapped for another) and
	// returns its own time since the stream's start, or -1 if unknown.
	//
	// [io.EOF] is the end of a file or a folder. An error that matches
	// [fault.ErrPicture] concerns one picture of a folder: Read can be called
	// again. After any other error the source is lost and can only be closed. An
	// error leaves m without meaning, but owned by the caller as before.
	Read(m *gocv.Mat) (position time.Duration, err error)
	// Close frees the source. It waits no more than a second.
	Close() error
}

// Steerable is a source whose exposure the unit can set.
type Steerable interface {
	Source
	// Controls are the camera's controls as last set.
	Controls() []ControlState
	// Steer adjusts the exposure after a plate that came out like this one. It
	// waits for 3 s at most.
	Steer(context.Context, light.Plate) error
}

// ControlState is what became of a control that the unit set.
type ControlState struct {
	Name     string `json:"name"`
	Asked    int    `json:"asked"`           // in the driver's units
	Value    int    `json:"value"`           // read back
	Min, Max int    `json:"-"`               // that the driver accepts
	Error    string `json:"error,omitempty"` // why it could not be set
}

// Kind is one kind of camera: its entry in the table of kinds.
type Kind struct {
	// Name is what [Config.Kind] says.
	Name string
	// Example shows how its source is written.
	Example string
	// Recognise tells whether a source is of this kind, from its text alone.
	Recognise func(source string) bool
	// Keys are the settings (keys of the configuration file) that this kind
	// takes and not every kind does. A setting that no kind lists belongs to
	// all of them.
	Keys []string
	// Local: the source is a path on this machine and not an address.
	Local bool
	// Live: the camera's own time tells which frames were held back on the way.
	Live bool
	// Defaults fills in the empty settings that have a default for this kind;
	// may be nil.
	Defaults func(*Config)
	// Problems yields what is wrong with the settings of this kind, as
	// [Config.Problems] does; may be nil.
	Problems func(Config) iter.Seq2[string, error]
	// Open opens a camera with valid settings, see capture.Open. Its decoders are
	// counted in t.
	Open func(ctx context.Context, c Config, t *process.Tally) (Source, error)
}
