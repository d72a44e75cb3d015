package uplinktest

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"platewatch/uplink/message"
)

// Timeout bounds the wait for an event that should come; it is no delay.
func Timeout(*testing.T) <-chan time.Time { return time.After(2 * time.Minute) }

// Log writes to the test's output.
func Log(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// Hit is a hit with everything in it.
func Hit(text string) message.Hit {
	heading := 270.0
	expires := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	h := message.Hit{
		Passage: 12, Camera: "north", Position: &message.Position{Latitude: 52.5, Longitude: 13.4, Heading: &heading, Name: "km 12"},
		CapturedAt: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), Clock: message.ClockSynchronised,
		Text: text, Confidence: 0.94, Region: "eu", Direction: "towards",
		Frame: &message.Frame{Width: 1280, Height: 720, Box: [4]int{396, 340, 203, 46}},
		Matches: []message.Match{{
			List: "state", Version: "41", Category: "stolen_vehicle", Priority: 3, Handling: "stop and identify", How: message.HowExact, Probability: 0.98,
			Caution: "the clock is not set",
			Entry: message.Entry{Plate: text, Written: text + " 1", State: "BE", PlateType: "PC", Record: "V123", Agency: "B01", Note: "n",
				Vehicle: &message.Vehicle{Year: "2019", Make: "VW", Model: "GOLF", Style: "4D", Colour: "BLU"}, Effective: &expires, Expires: &expires},
		}},
	}
	for _, r := range text {
		h.Characters = append(h.Characters, message.Character{Text: string(r), Confidence: 0.99, Alternatives: []message.Alternative{{Text: "0", Confidence: 0.01}}})
	}
	return h
}

// WithPictures adds pictures of so many bytes to a hit.
func WithPictures(h message.Hit, plate, context int) message.Hit {
	h.PlatePicture = &message.Picture{ContentType: "image/jpeg", Width: 200, Height: 50, JPEG: make([]byte, plate)}
	h.ContextPicture = &message.Picture{ContentType: "image/jpeg", Width: 400, Height: 300, JPEG: make([]byte, context)}
	return h
}

// WithPriority is the hit with another priority.
func WithPriority(h message.Hit, p int) message.Hit {
	h.Matches = append([]message.Match(nil), h.Matches...)
	h.Matches[0].Priority = p
	return h
}

// Discard is a logger that writes nothing.
var Discard = slog.New(slog.DiscardHandler)

// Marshal is [json.Marshal] for values that can be encoded.
func Marshal(t testing.TB, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
