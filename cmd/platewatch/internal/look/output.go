package look

import (
	"math"
	"time"

	"platewatch/cmd/platewatch/internal/hit"
	"platewatch/hotlist/match"
	"platewatch/ocr"
	"platewatch/ocr/passage"
	"platewatch/ocr/text"
	"platewatch/ocr/vehicle"
)

// Picture is the line of JSON for one picture. The field names are a stable
// interface.
type Picture struct {
	File      string  `json:"file"`
	Frame     int     `json:"frame"`
	Width     int     `json:"width"`      // pixels, upright
	Height    int     `json:"height"`     // pixels
	ElapsedMS float64 `json:"elapsed_ms"` // find and read, without decoding
	Plates    []Plate `json:"plates"`
}

// Passage is the line of JSON for one passage of a video.
type Passage struct {
	File      string  `json:"file"`
	Passage   uint64  `json:"passage"`
	FirstMS   int64   `json:"first_ms"`
	LastMS    int64   `json:"last_ms"`
	Frames    int     `json:"frames"`
	BestMS    int64   `json:"best_ms"`   // the frame that shows the plate best
	Direction string  `json:"direction"` // towards, away, left, right, unknown
	Parked    bool    `json:"parked"`
	Plates    []Plate `json:"plates"` // one: the vote
}

// Empty is the line of JSON for a video without a passage.
type Empty struct {
	File     string  `json:"file"`
	Passages int     `json:"passages"` // 0
	Plates   []Plate `json:"plates"`   // none
}

// Failure is the line of JSON for an input that could not be read.
type Failure struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

// Plate is one plate.
type Plate struct {
	Text       string        `json:"text"`
	Confidence float64       `json:"confidence"`
	Box        [4]int        `json:"box"`               // x, y, width, height, pixels
	Corners    *[4][2]int    `json:"corners,omitempty"` // clockwise from the top left; not for a vote
	Characters []Character   `json:"characters"`
	Region     string        `json:"region"`
	Issuer     *Issuer       `json:"issuer,omitempty"` // not where it is unknown
	Colour     *Colour       `json:"colour,omitempty"`
	Matches    []match.Match `json:"matches,omitempty"` // with -hotlist
}

// Issuer is who issued a plate: ISO 3166-1 alpha-2 in lower case, of a US state
// with the country before it ("us-tx").
type Issuer struct {
	Code       string  `json:"code"`
	Confidence float64 `json:"confidence"`
}

// Colour is that of the vehicle's body.
type Colour struct {
	Name       string  `json:"name"` // black, white, grey, red, blue, green, yellow, orange, brown
	Confidence float64 `json:"confidence"`
}

// describe adds what was seen of the vehicle beside the number.
func (p *Plate) describe(seen vehicle.Seen) {
	if a, ok := vehicle.Likeliest(seen.Issuer); ok {
		p.Issuer = &Issuer{a.Text, round(a.Confidence, 1e3)}
	}
	if a, ok := vehicle.Likeliest(seen.Colour); ok {
		p.Colour = &Colour{a.Text, round(a.Confidence, 1e3)}
	}
}

// Character is one character of a plate's text.
type Character struct {
	Text         string        `json:"text"`
	Confidence   float64       `json:"confidence"`
	Alternatives []Alternative `json:"alternatives"`
}

// Alternative is another reading of a character.
type Alternative struct {
	Text       string  `json:"text"`
	Confidence float64 `json:"confidence"`
}

func plateOf(p ocr.Plate, seen vehicle.Seen) Plate {
	out := Plate{
		Text: p.Text, Confidence: round(p.Confidence, 1e3), Region: p.Region,
		Box:        [4]int{p.Box.Min.X, p.Box.Min.Y, p.Box.Dx(), p.Box.Dy()},
		Corners:    &[4][2]int{},
		Characters: charactersOf(p.Characters),
	}
	for i, c := range p.Corners {
		out.Corners[i] = [2]int{int(math.Round(c.X)), int(math.Round(c.Y))}
	}
	out.describe(seen)
	return out
}

func passageOf(file string, p passage.Passage) Passage {
	out := Passage{
		File: file, Passage: p.Number, Frames: p.Frames,
		FirstMS: p.First.Milliseconds(), LastMS: p.Last.Milliseconds(), BestMS: p.Best.Milliseconds(),
		Direction: p.Direction.String(), Parked: p.Parked,
		Plates: []Plate{{
			Text: p.Text, Confidence: round(p.Confidence, 1e3),
			Box:        [4]int{p.BestBox.Min.X, p.BestBox.Min.Y, p.BestBox.Dx(), p.BestBox.Dy()}, // on the best frame
			Characters: charactersOf(p.Characters),
		}},
	}
	out.Plates[0].describe(p.Vehicle)
	return out
}

func charactersOf(cs []text.Character) []Character {
	return hit.Characters(cs, func(char string, confidence float64) Alternative {
		return Alternative{char, round(confidence, 1e3)}
	}, func(char string, confidence float64, alternatives []Alternative) Character {
		return Character{char, round(confidence, 1e3), append([]Alternative{}, alternatives...)} // never null
	})
}

func milliseconds(d time.Duration) float64 { return round(float64(d)/float64(time.Millisecond), 10) }

func round(v, parts float64) float64 { return math.Round(v*parts) / parts }
