// Package message is what a unit and its server say to each other over MQTT:
// the types, their JSON schemas, the topics and the ids. [ONVIF] and
// [HomeAssistant] encode the same facts for programs that do not know platewatch.
package message

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// schemaVersion is the version that every message carries. Receivers ignore
// fields they do not know; only an incompatible change raises it.
const schemaVersion = 1

// Hit is one passage whose plate matched the hotlist. It is a lead, not a
// fact: it always carries "verified": false and the [Notice].
//
// The JSON field names are the contract with receivers; schema/hit.schema.json
// describes them and the tests keep both equal.
type Hit struct {
	Version  Version `json:"version"`
	ID       string  `json:"id"`                 // unit~installation-number; set by the outbox
	Number   uint64  `json:"number"`             // increases within a unit; set by the outbox
	Previous uint64  `json:"previous,omitempty"` // the number used before this one, so that a receiver can tell a lost hit from a skipped number; 0 if unknown
	Revision int     `json:"revision"`           // from 1; a higher one replaces a lower one of the same id; set by the outbox
	Unit     string  `json:"unit"`               // set by the outbox

	Passage    uint64     `json:"passage"` // the passage's number within its camera since the unit started
	Camera     string     `json:"camera"`
	Position   *Position  `json:"position,omitempty"`
	CapturedAt time.Time  `json:"captured_at"` // of the frame that the pictures show, by the unit's clock
	Clock      ClockState `json:"clock"`       // whether that clock is set

	Reader *Reader `json:"reader,omitempty"` // what read the plate

	Text       string      `json:"text"`       // the plate as read, A-Z and 0-9
	Confidence float64     `json:"confidence"` // 0-1, that Text is exactly right
	Characters []Character `json:"characters"` // one per character of Text
	Region     string      `json:"region,omitempty"`
	Issuer     *Issuer     `json:"issuer,omitempty"`    // who issued the plate, as seen; missing where unknown
	Colour     *Colour     `json:"colour,omitempty"`    // of the vehicle, as seen; missing where unknown
	Direction  string      `json:"direction,omitempty"` // towards, away, left, right, parked
	Frame      *Frame      `json:"frame,omitempty"`

	Matches []Match `json:"matches"` // most urgent first, at least one

	// Withdrawn: this revision takes the hit back, because its plate, read from
	// more frames, is on no list. It is written without text, matches and
	// pictures, whatever these fields hold; nobody may act on the hit any more.
	Withdrawn bool `json:"withdrawn,omitempty"`

	PlatePicture    *Picture `json:"plate_picture,omitempty"`
	ContextPicture  *Picture `json:"context_picture,omitempty"`  // the plate's surroundings on the vehicle, no occupants
	PicturesDropped bool     `json:"pictures_dropped,omitempty"` // there were pictures, and a bound removed them
	PicturesFollow  bool     `json:"pictures_follow,omitempty"`  // the same hit is sent again with its pictures, under the same id and revision
	// PicturesUnchanged: this revision has no pictures, because it has none that are
	// better than those sent before under its id, which still belong to the hit.
	PicturesUnchanged bool     `json:"pictures_unchanged,omitempty"`
	Historical        bool     `json:"historical"` // delivered late; set on delivery
	Verified          Verified `json:"verified"`   // always false
	Notice            Notice   `json:"notice"`     // always the same text
}

// Reader is the program and the model that read a plate.
type Reader struct {
	Model    string `json:"model"`
	Version  string `json:"version,omitempty"`  // tells one content of that model from another
	Software string `json:"software,omitempty"` // version of the daemon
}

// Issuer is who issued a plate, as the unit saw it: ISO 3166-1 alpha-2 in lower
// case, of a US state with the country before it ("us-tx").
type Issuer struct {
	Code       string  `json:"code"`
	Confidence float64 `json:"confidence"` // 0-1
}

// Colour is that of the vehicle's body, as the unit saw it: black, white, grey,
// red, blue, green, yellow, orange or brown.
type Colour struct {
	Name       string  `json:"name"`
	Confidence float64 `json:"confidence"` // 0-1
}

// Position is where the unit is, from its configuration: degrees in WGS 84, and
// the direction of the camera in degrees clockwise from north.
type Position struct {
	Latitude  float64  `json:"latitude"`
	Longitude float64  `json:"longitude"`
	Heading   *float64 `json:"heading,omitempty"`
	Name      string   `json:"name,omitempty"` // "B27 km 12.3, northbound"
}

// Frame is where the plate is in the camera's picture.
type Frame struct {
	Width  int    `json:"width"`  // pixels
	Height int    `json:"height"` // pixels
	Box    [4]int `json:"box"`    // x, y, width, height of the plate in pixels
}

// Character is one position of the plate, with the alternatives.
type Character struct {
	Text         string        `json:"text"`
	Confidence   float64       `json:"confidence"` // 0-1
	Alternatives []Alternative `json:"alternatives,omitempty"`
}

// Alternative is another reading of one character, most likely first.
type Alternative struct {
	Text       string  `json:"text"`
	Confidence float64 `json:"confidence"` // 0-1
}

// Match is one hotlist entry that the plate matched.
type Match struct {
	List    string `json:"list"`
	Version string `json:"version,omitempty"` // the list's version
	// ListDated is when that version was signed or, without a signature, imported;
	// ListAge is how old it was then in seconds, 0 while the clock was not set.
	ListDated   time.Time `json:"list_dated,omitzero"`
	ListAge     float64   `json:"list_age_s,omitempty"`
	ListOverdue bool      `json:"list_overdue,omitempty"` // a newer version was due and had not arrived
	Category    string    `json:"category"`               // stolen_vehicle, amber_alert, ...
	Priority    int       `json:"priority"`               // 1 is the most urgent; 0 is unknown and counts as 5
	// Covert: whoever stops the vehicle must not show that it was expected.
	Covert   bool   `json:"covert,omitempty"`
	Handling string `json:"handling,omitempty"` // what to do, in the list's own words
	How      How    `json:"how"`
	// Probability (0-1) that the plate on the road is the entry's, given what the
	// reader saw; 0 where the unit did not say.
	Probability float64 `json:"probability,omitempty"`
	Entry       Entry   `json:"entry"`
	Caution     string  `json:"caution,omitempty"` // what makes this match less sure: "the entry may have expired, the clock is not set"
}

// Entry is what the hotlist says of the vehicle, to be compared with what is on
// the road.
type Entry struct {
	Plate     string     `json:"plate"`
	Written   string     `json:"written,omitempty"` // as the list writes it, with spaces, hyphens and diacritics, if that is not Plate itself
	State     string     `json:"state,omitempty"`   // issuing state or country
	PlateType string     `json:"plate_type,omitempty"`
	Vehicle   *Vehicle   `json:"vehicle,omitempty"`
	Record    string     `json:"record,omitempty"`
	Agency    string     `json:"agency,omitempty"`
	Note      string     `json:"note,omitempty"`
	Effective *time.Time `json:"effective,omitempty"`
	Expires   *time.Time `json:"expires,omitempty"`
}

// Vehicle describes the wanted vehicle.
type Vehicle struct {
	Year   string `json:"year,omitempty"`
	Make   string `json:"make,omitempty"`
	Model  string `json:"model,omitempty"`
	Style  string `json:"style,omitempty"`
	Colour string `json:"colour,omitempty"`
}

// Largest pictures of a hit, in bytes of JPEG. With both, and base64, a message
// stays below 300 KiB.
const (
	MaxPlateBytes   = 48 << 10
	MaxContextBytes = 160 << 10
)

// Picture is a JPEG; JSON carries it in base64.
type Picture struct {
	ContentType string `json:"content_type"` // image/jpeg
	Width       int    `json:"width"`        // pixels
	Height      int    `json:"height"`       // pixels
	JPEG        []byte `json:"jpeg"`
}

// How says in which way the plate matched the entry.
type How string

// The ways to match, strictest first.
const (
	HowExact        How = "exact"
	HowConfusable   How = "confusable"    // equal after folding characters that are easily confused
	HowOneCharacter How = "one_character" // one character wrong, missing or added
	HowWildcard     How = "wildcard"
)

// ClockState says whether the unit's wall clock was set from a time source.
type ClockState string

// The states of the clock. The zero value is written as unsynchronised: a clock
// without a time source is not trusted.
const (
	ClockSynchronised   ClockState = "synchronised"
	ClockUnsynchronised ClockState = "unsynchronised"
)

// MarshalText writes anything but [ClockSynchronised] as unsynchronised.
func (c ClockState) MarshalText() ([]byte, error) {
	if c == ClockSynchronised {
		return []byte(ClockSynchronised), nil
	}
	return []byte(ClockUnsynchronised), nil
}

// Version is always written as 1, see schemaVersion.
type Version struct{}

// MarshalJSON writes the version.
func (Version) MarshalJSON() ([]byte, error) { return strconv.AppendInt(nil, schemaVersion, 10), nil }

// UnmarshalJSON refuses any other version.
func (*Version) UnmarshalJSON(b []byte) error {
	if n, err := strconv.Atoi(string(b)); err != nil || n != schemaVersion {
		return fmt.Errorf("the message has schema version %.20s, this program knows %d", b, schemaVersion)
	}
	return nil
}

// Verified is always written as false: no machine verifies a hit. As a type without
// values it cannot be forgotten or set.
type Verified struct{}

// MarshalJSON writes false.
func (Verified) MarshalJSON() ([]byte, error) { return []byte("false"), nil }

// UnmarshalJSON refuses anything but false.
func (*Verified) UnmarshalJSON(b []byte) error {
	if !bytes.Equal(b, []byte("false")) {
		return errors.New(`a hit from a unit can only say "verified": false`)
	}
	return nil
}

// noticeText is what every hit tells the person who receives it.
const noticeText = "A lead, not a fact: before acting, a person must compare the plate and its issuing state with the pictures and the vehicle, and confirm that the entry is still current."

// Notice is always written as the same sentence, noticeText.
type Notice struct{}

// MarshalJSON writes the sentence.
func (Notice) MarshalJSON() ([]byte, error) { return []byte(strconv.Quote(noticeText)), nil }

// UnmarshalJSON accepts any string: receivers show a notice of their own.
func (*Notice) UnmarshalJSON(b []byte) error {
	if len(b) < 2 || b[0] != '"' {
		return errors.New("the notice must be a string")
	}
	return nil
}

// defaultPriority is the priority of a match without one.
const defaultPriority = 5

// Urgency is the most urgent priority among the matches; 1 is the most urgent.
func (h *Hit) Urgency() int {
	best := 255
	for _, m := range h.Matches {
		p := m.Priority
		if p <= 0 {
			p = defaultPriority
		}
		best = min(best, p)
	}
	if len(h.Matches) == 0 {
		best = defaultPriority
	}
	return best
}

// Validate refuses a hit that no receiver could use: without text, match or camera,
// or with a confidence that is not from 0 to 1. A withdrawal needs only the camera.
func (h *Hit) Validate() error {
	switch {
	case h.Withdrawn && h.Camera != "":
		return nil
	case h.Text == "":
		return errors.New("the hit has no plate text")
	case len(h.Matches) == 0:
		return errors.New("the hit matches no entry, and only matches may leave the unit")
	case !(h.Confidence >= 0 && h.Confidence <= 1):
		return fmt.Errorf("the hit's confidence is %v, not between 0 and 1", h.Confidence)
	case h.Camera == "":
		return errors.New("the hit names no camera")
	}
	for i, c := range h.Characters {
		if !(c.Confidence >= 0 && c.Confidence <= 1) {
			return fmt.Errorf("the confidence of character %d is %v, not between 0 and 1", i+1, c.Confidence)
		}
	}
	return nil
}
