package read

import (
	"platewatch/ocr/internal/ctc"
	"platewatch/ocr/internal/shape"
	"platewatch/ocr/judge"
	"platewatch/ocr/rectify"
	"platewatch/ocr/text"
)

// Engine recognises characters on pictures. A [Reader] keeps several and uses
// each on one goroutine at a time.
type Engine interface {
	// Read reads a grey picture, which stays the caller's.
	Read(picture shape.Plane) (Output, error)
	// Close frees the engine.
	Close() error
}

// Output is what an engine makes of one picture: Steps where the model reads
// whole plates ([Model.Whole]), Characters where it reads lines.
type Output struct {
	// Steps are the outputs of a network trained with connectionist temporal
	// classification: [Classes] probabilities for each time step from left to
	// right, the blank's first, then those of [text.Alphabet]. They are valid
	// until the engine's next Read or Close.
	Steps []float32
	// Characters are the likeliest reading of each character from left to
	// right, followed by its alternatives. None is empty.
	Characters [][]text.Alternative
}

// Classes is how many classes a network for whole plates has: the blank and
// [text.Alphabet].
const Classes = ctc.Classes

// Crop is one way to cut a plate out for an engine: which of its lines (0 is
// the most regular), and how: Cut takes the line's ink, for models that read
// lines; Around takes the whole plate, for models that read whole plates.
type Crop struct {
	Line   int
	Cut    rectify.Cut
	Around rectify.Around
}

// Model is a kind of engine, and what is specific to it: how it wants to see a
// plate, and how far its readings can be trusted.
type Model struct {
	Name    string       // as the configuration names it, without folders
	Version string       // tells one content of that name from another; empty if it cannot be known
	Whole   bool         // it reads whole plates, not cut-out lines
	Crops   []Crop       // tried in this order until the reading is settled
	Judge   *judge.Judge // fitted to this model's readings
	// Networks have the same outputs, and take turns with the crops of a plate, see
	// team.go.
	Networks []Network
	// Scout is a cheaper network, which looks at a plate before the others and settles
	// what is clear, see team.go; its time steps may be fewer. nil for none.
	Scout *Network
}

// Network is one of a model's networks.
type Network struct {
	Open func(n int) ([]Engine, error) // opens n engines
	Size rectify.Size                  // of the pictures of whole plates that it is shown
}

// Named is the model with a name and a version.
func (m Model) Named(name, version string) Model {
	m.Name, m.Version = name, version
	return m
}
