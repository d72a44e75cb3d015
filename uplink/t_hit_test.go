package uplink

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"
)

// testTimeout bounds the wait for an event that should come; it is no delay.
func testTimeout(*testing.T) <-chan time.Time { return time.After(30 * time.Second) }

func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// testHit is a hit with everything in it.
func testHit(text string) Hit {
	heading := 270.0
	expires := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	h := Hit{
		Passage: 12, Camera: "north", Position: &Position{Latitude: 52.5, Longitude: 13.4, Heading: &heading, Name: "km 12"},
		CapturedAt: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), Clock: ClockSynchronised,
		Text: text, Confidence: 0.94, Region: "eu", Direction: "towards",
		Frame: &Frame{Width: 1280, Height: 720, Box: [4]int{396, 340, 203, 46}},
		Matches: []Match{{
			List: "state", Version: "41", Category: "stolen_vehicle", Priority: 3, Handling: "stop and identify", How: HowExact, Probability: 0.98,
			Caution: "the clock is not set",
			Entry: Entry{Plate: text, State: "BE", PlateType: "PC", Record: "V123", Agency: "B01", Note: "n",
				Vehicle: &Vehicle{Year: "2019", Make: "VW", Model: "GOLF", Style: "4D", Colour: "BLU"}, Effective: &expires, Expires: &expires},
		}},
	}
	for _, r := range text {
		h.Characters = append(h.Characters, Character{Text: string(r), Confidence: 0.99, Alternatives: []Alternative{{Text: "0", Confidence: 0.01}}})
	}
	return h
}

func withPictures(h Hit, plate, context int) Hit {
	h.PlatePicture = &Picture{ContentType: "image/jpeg", Width: 200, Height: 50, JPEG: make([]byte, plate)}
	h.ContextPicture = &Picture{ContentType: "image/jpeg", Width: 400, Height: 300, JPEG: make([]byte, context)}
	return h
}

func withPriority(h Hit, p int) Hit {
	h.Matches = append([]Match(nil), h.Matches...)
	h.Matches[0].Priority = p
	return h
}

var discard = slog.New(slog.DiscardHandler)

func marshal(t testing.TB, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
