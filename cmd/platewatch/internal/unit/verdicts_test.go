package unit

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"platewatch/cmd/platewatch/internal/status"
	"platewatch/deploy/tools/addrtest"
	"platewatch/ocr/passage"
	"platewatch/ocr/text"
	"platewatch/uplink/broker"
	"platewatch/uplink/message"
	"platewatch/uplink/watch"
)

// TestVerdicts sends verdicts to a running unit over Mosquitto: they are counted by list
// and way of matching, above the bound the unit says so, and a restart changes nothing.
func TestVerdicts(t *testing.T) {
	address := addrtest.Free(t)
	startMosquitto(t, address)
	c := unitConfig(t)
	c.Uplink.Broker.Brokers = []string{"mqtt://" + address}
	c.Verdicts.Least = 2
	importList(t, c, "national", twoPlates)

	brokers := watch.Settings{Brokers: []broker.Broker{{URL: "mqtt://" + address}}}
	run := func(do func(u *Unit, r *road)) {
		u, err := Open(Options{Config: c, Version: status.Version{Version: "test"}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		u.clock = func() status.Clock { return status.Clock{State: status.ClockSynchronised} }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 3)
		go func() { done <- u.deliver(ctx) }()
		go func() { done <- u.keepVerdicts(ctx) }()
		go func() { done <- u.keepRecords(ctx) }()
		online(t, brokers, c.Unit.Name)
		r := newRoad(t, u)
		do(u, r)
		cancel()
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if err := u.Close(); err != nil {
			t.Error(err)
		}
	}
	give := func(id string, f message.Finding) message.Answer {
		t.Helper()
		answer, err := watch.SendVerdict(t.Context(), brokers, message.Verdict{ID: id, Verdict: f, Reason: "looked at it", By: "jane", At: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	want := message.VerdictCount{List: "national", How: "exact", Right: 1, Wrong: 2, TooMany: true}
	holds := func(u *Unit) {
		t.Helper()
		v := u.verdicts()
		if v == nil || len(v.Counts) != 1 || v.Counts[0] != want {
			t.Errorf("%+v", v)
		}
		if c := u.condition(); !slices.ContainsFunc(c.Problems, func(p status.Problem) bool { return strings.Contains(p.Text, "2 of the last 3 hits") }) {
			t.Errorf("%+v", c.Problems)
		}
	}
	var ids []string
	run(func(u *Unit, r *road) {
		for n := range uint64(3) {
			r.update(passage.Sure, passage.Passage{Number: n + 1, Reading: text.Reading{Text: "AB12CDE", Confidence: 0.95}}, 100)
			ids = append(ids, idOf(u, n+1))
		}
		for i, f := range []message.Finding{message.Right, message.Wrong, message.Wrong} {
			if got := give(ids[i], f); got != message.VerdictCounted {
				t.Errorf("%s: %s", ids[i], got)
			}
		}
		if got := give(idOf(u, 4), message.Wrong); got != message.VerdictUnknown {
			t.Errorf("a hit that there is not: %s", got)
		}
		holds(u)
	})
	run(func(u *Unit, _ *road) {
		if got := give(ids[1], message.Wrong); got != message.VerdictRepeated {
			t.Errorf("once more after a restart: %s", got)
		}
		holds(u)
	})
}

// online waits until the broker says that a unit is online: later than it is connected.
func online(t *testing.T, s watch.Settings, unit string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	seen := false
	err := watch.Run(ctx, s, watch.Handler{State: func(m *message.State, _ []byte) error {
		if seen = m.Unit == unit && m.State == message.Online; seen {
			return watch.ErrStop
		}
		return nil
	}}, slog.New(slog.DiscardHandler))
	if err != nil || !seen {
		t.Fatalf("%s does not come online: %v", unit, err)
	}
}

// TestSettleInUnit: a hit waits until its vehicle's direction is known, and is one
// message then.
func TestSettleInUnit(t *testing.T) {
	c := unitConfig(t)
	c.Uplink.Outbox.Settle = time.Hour
	importList(t, c, "national", "plate,category,priority\nAB12CDE,stolen vehicle,3\nXY98ZZT,stolen vehicle,1\n")
	u := openUnit(t, c, slog.New(slog.DiscardHandler))
	r := newRoad(t, u)
	of := func(n uint64, plate string, d passage.Direction) passage.Passage {
		return passage.Passage{Number: n, Reading: text.Reading{Text: plate, Confidence: 0.95}, Direction: d}
	}
	wants := func(step string, want ...string) {
		t.Helper()
		if got := r.pending(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", step, got, want)
		}
	}
	r.update(passage.Sure, of(1, "AB12CDE", passage.Unknown), 100)
	r.update(passage.Seen, of(1, "AB12CDE", passage.Unknown), 0)
	wants("while its direction is unknown")
	r.update(passage.Sure, of(2, "XY98ZZT", passage.Unknown), 100)
	wants("the most urgent", `gate-7-2.1 XY98ZZT XY98ZZT ""`)
	r.update(passage.Seen, of(1, "AB12CDE", passage.Away), 0)
	wants("the direction is known", `gate-7-1.2 AB12CDE AB12CDE "away"`, `gate-7-2.1 XY98ZZT XY98ZZT ""`)
	r.update(passage.Sure, of(3, "AB12CDE", passage.Unknown), 100)
	r.update(passage.Ended, of(3, "AB12CDE", passage.Unknown), 0)
	wants("the vehicle is gone", `gate-7-1.2 AB12CDE AB12CDE "away"`, `gate-7-2.1 XY98ZZT XY98ZZT ""`, `gate-7-3.1 AB12CDE AB12CDE ""`)
}
