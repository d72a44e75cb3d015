package outbox_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// A hit is on the disk when Accept returns, and leaves it once its delivery is
// acknowledged.
func Example() {
	dir, err := os.MkdirTemp("", "outbox")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	o, err := outbox.Open(filepath.Join(dir, "outbox.db"), "gate-7", outbox.Default(), slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	defer o.Close()
	hit := message.Hit{Camera: "front", Passage: 12, CapturedAt: time.Now(), Text: "AB10CD", Confidence: 0.98, Matches: []message.Match{{List: "stolen", Category: "stolen vehicle", Priority: 2,
		How: message.HowExact, Probability: 0.97, Entry: message.Entry{Plate: "AB10CD", State: "NL"}}}}
	id, err := o.Accept(hit)
	if err != nil {
		panic(err)
	}
	o.Settled(id) // no better revision of it will come
	next, err := o.Next(func(outbox.Ref) bool { return false })
	if err != nil {
		panic(err)
	}
	fmt.Println("pending:", len(o.List()))
	// … publish next and wait for the acknowledgement …
	if err := o.Remove(next.Ref); err != nil {
		panic(err)
	}
	fmt.Println("pending:", len(o.List()))
	// Output:
	// pending: 1
	// pending: 0
}
