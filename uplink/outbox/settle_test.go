package outbox

import (
	"testing"
	"testing/synctest"
	"time"

	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
)

// TestSettle: a hit waits for a better revision, for a bounded time and on disk; an
// alert, the most urgent hits and withdrawals do not wait.
func TestSettle(t *testing.T) {
	of := func(priority int, category string) message.Hit {
		h := uplinktest.WithPriority(uplinktest.Hit("A1"), priority)
		h.Matches[0].Category = category
		return h
	}
	for _, test := range []struct {
		name  string
		hit   message.Hit
		waits bool
	}{
		{"stolen vehicle", of(3, "stolen_vehicle"), true},
		{"most urgent", of(1, "stolen_vehicle"), false},
		{"alert", of(2, "silver_alert"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := time.Now()
			o := testOutbox(t, Settings{Settle: 2 * time.Second, Now: func() time.Time { return now }})
			id := uplinktest.MustAccept(t, o, test.hit)
			if s := o.Stats(); s.Entries != 1 || s.Unsaved != 0 {
				t.Fatalf("it is not on disk: %+v", s)
			}
			if got := o.Settling(id); got != test.waits {
				t.Fatalf("waits: %t", got)
			}
			if e, err := o.Next(nil); err != nil || (e == nil) != test.waits {
				t.Fatalf("next %+v, %v", e, err)
			}
			if !test.waits {
				return
			}
			now = now.Add(1500 * time.Millisecond)
			if err := o.Update(id, test.hit); err != nil { // it does not begin anew
				t.Fatal(err)
			}
			if now = now.Add(499 * time.Millisecond); !o.Settling(id) {
				t.Error("a revision ended the wait")
			}
			if now = now.Add(time.Millisecond); o.Settling(id) {
				t.Error("a revision prolonged the wait")
			}
			e := next(t, o)
			if e == nil || e.Revision != 2 {
				t.Fatalf("next %+v", e)
			}
			if err := o.Remove(e.Ref); err != nil {
				t.Fatal(err)
			}
			// A revision after delivery waits too, until it is settled.
			if err := o.Update(id, test.hit); err != nil {
				t.Fatal(err)
			}
			if e, err := o.Next(nil); err != nil || e != nil {
				t.Fatalf("next %+v, %v", e, err)
			}
			o.Settled("unit-7-999")
			o.Settled("nonsense")
			o.Settled(id)
			if e := next(t, o); e == nil || e.Revision != 3 {
				t.Fatalf("next %+v", e)
			}
			if err := o.Update(id, message.Hit{Camera: "north", Withdrawn: true}); err != nil {
				t.Fatal(err)
			}
			if e := next(t, o); e == nil || !e.Hit.Withdrawn {
				t.Fatalf("next %+v", e)
			}
		})
	}
}

// The end of the wait wakes the sender.
func TestSettleWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &Outbox{added: make(chan struct{}, 1), now: time.Now, opts: Settings{Settle: 2 * time.Second}}
		began := time.Now()
		h := uplinktest.WithPriority(uplinktest.Hit("A1"), 4)
		var s slot
		o.settle(&s, &h, nil)
		<-o.Added()
		if took := time.Since(began); took != 2*time.Second || o.settling(s) {
			t.Errorf("after %v, waits %t", took, o.settling(s))
		}
	})
}
