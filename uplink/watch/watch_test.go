package watch

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/deploy/tools/addrtest"
	"platewatch/uplink/broker"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
)

func TestMain(m *testing.M) { os.Exit(uplinktest.Main(m)) }

func numbered(unit string, number, previous uint64, revision int) message.Hit {
	h := uplinktest.Hit("M5XSX")
	h.Unit, h.Number, h.Previous, h.Revision, h.ID = unit, number, previous, revision, message.FormatID(unit, number)
	return h
}

// receive feeds hits to a receiver and returns what it tells.
func receive(t *testing.T, r *receiver, hits ...message.Hit) []string {
	t.Helper()
	var told []string
	handle := func(topic string, m any) {
		_, err := r.handle(topic, uplinktest.Marshal(t, m), Handler{
			Hit: func(h *message.Hit, _ []byte) error {
				told = append(told, fmt.Sprintf("%s/%d", h.ID, h.Revision))
				return nil
			},
			Gap: func(g *Gap) error {
				told = append(told, fmt.Sprintf("gap %s %d-%d", g.Unit, g.After, g.Until))
				return nil
			},
			Invalid: func(_ string, err error) error { told = append(told, "invalid: "+err.Error()); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range hits {
		if h.Text == "" { // a health message: nothing waits any more
			handle(message.Topic(h.Unit, message.KindHealth), message.Health{Unit: h.Unit, At: time.Now(), Cameras: []message.CameraHealth{}, Lists: []message.ListHealth{},
				Outbox: message.OutboxHealth{LastNumber: h.Number, Entries: h.Revision}})
			continue
		}
		handle(message.Topic(h.Unit, message.KindHits), h)
	}
	return told
}

// historical is a hit from the backlog, waiting a health message that says how
// many hits wait.
func historical(h message.Hit) message.Hit { h.Historical = true; return h }

func waiting(unit string, last uint64, n int) message.Hit {
	return message.Hit{Unit: unit, Number: last, Revision: n}
}

func TestRepeatsAndGaps(t *testing.T) {
	for name, tc := range map[string]struct {
		hits []message.Hit
		want []string
	}{
		"repeat":                 {[]message.Hit{numbered("u", 5, 4, 1), numbered("u", 5, 4, 1)}, []string{"u-5/1"}},
		"revisions":              {[]message.Hit{numbered("u", 5, 4, 1), numbered("u", 5, 4, 3), numbered("u", 5, 4, 2)}, []string{"u-5/1", "u-5/3"}},
		"missing":                {[]message.Hit{numbered("u", 5, 4, 1), numbered("u", 8, 7, 1), waiting("u", 8, 0)}, []string{"u-5/1", "u-8/1", "gap u 5-7"}},
		"still waiting":          {[]message.Hit{numbered("u", 5, 4, 1), numbered("u", 8, 7, 1), waiting("u", 8, 2)}, []string{"u-5/1", "u-8/1"}},
		"missing in the backlog": {[]message.Hit{historical(numbered("u", 5, 4, 1)), historical(numbered("u", 8, 7, 1))}, []string{"u-5/1", "gap u 5-7", "u-8/1"}},
		"live first": {[]message.Hit{numbered("u", 5, 4, 1), numbered("u", 9, 8, 1), historical(numbered("u", 6, 5, 1)), numbered("u", 10, 9, 1),
			historical(numbered("u", 7, 6, 1)), historical(numbered("u", 8, 7, 1)), waiting("u", 10, 0)},
			[]string{"u-5/1", "u-9/1", "u-6/1", "u-10/1", "u-7/1", "u-8/1"}},
		"live first, one missing": {[]message.Hit{numbered("u", 5, 4, 1), numbered("u", 9, 8, 1), historical(numbered("u", 6, 5, 1)), historical(numbered("u", 8, 7, 1))},
			[]string{"u-5/1", "u-9/1", "u-6/1", "gap u 6-7", "u-8/1"}},
		"live first, the last missing": {[]message.Hit{numbered("u", 5, 4, 1), numbered("u", 9, 8, 1), historical(numbered("u", 6, 5, 1)), historical(numbered("u", 7, 6, 1)), waiting("u", 9, 0)},
			[]string{"u-5/1", "u-9/1", "u-6/1", "u-7/1", "gap u 7-8"}},
		"skipped after a crash":   {[]message.Hit{numbered("u", 5, 4, 1), numbered("u", 17, 5, 1)}, []string{"u-5/1", "u-17/1"}},
		"missing and skipped":     {[]message.Hit{numbered("u", 5, 4, 1), numbered("u", 17, 6, 1), waiting("u", 17, 0)}, []string{"u-5/1", "u-17/1", "gap u 5-6"}},
		"new numbering":           {[]message.Hit{numbered("u", 5, 4, 1), numbered("u", 1010, 0, 1)}, []string{"u-5/1", "gap u 5-0", "u-1010/1"}},
		"units are counted apart": {[]message.Hit{numbered("u", 5, 4, 1), numbered("v", 9, 8, 1), numbered("u", 6, 5, 1)}, []string{"u-5/1", "v-9/1", "u-6/1"}},
		"an old one comes late":   {[]message.Hit{numbered("u", 5, 4, 1), numbered("u", 7, 6, 1), numbered("u", 6, 5, 1), waiting("u", 7, 0)}, []string{"u-5/1", "u-7/1", "u-6/1"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, receive(t, newReceiver("", 100, 100), tc.hits...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMemoryOfReceiverIsBounded(t *testing.T) {
	r := newReceiver("", 50, 10)
	for i := range 1000 {
		r.seen.add(&message.Hit{ID: fmt.Sprintf("u-%d", i), Revision: 1})
		h := numbered(fmt.Sprintf("u%d", i), 1, 0, 1)
		r.gaps.add(&h)
	}
	if len(r.seen.rank) != 50 || len(r.seen.order) != 50 || len(r.gaps.units) != 10 {
		t.Errorf("%d ids, %d in order, %d units", len(r.seen.rank), len(r.seen.order), len(r.gaps.units))
	}
	if r.seen.add(&message.Hit{ID: "u-999", Revision: 1}) || r.seen.add(&message.Hit{ID: "u-950", Revision: 1}) {
		t.Error("one of the latest was forgotten")
	}
	if !r.seen.add(&message.Hit{ID: "u-949", Revision: 1}) {
		t.Error("one that is over the bound is remembered")
	}
	for i := range uint64(2 * maxMissing) {
		h := numbered("u", 10*i+10, 10*i+9, 1)
		r.gaps.add(&h)
	}
	if n := len(r.gaps.units["u"].missing); n > maxMissing {
		t.Errorf("%d missing ranges are remembered", n)
	}
}

// A unit sends hits in another's name, under another topic, with a number that is not its
// id's, and something that is not a hit: none is handed over.
func TestInvalidMessages(t *testing.T) {
	good := numbered("u", 5, 4, 1)
	other := good
	other.Unit = "v"
	wrong := good
	wrong.Number = 6
	for name, tc := range map[string]struct {
		topic   string
		payload []byte
	}{
		"another unit's hit": {message.Topic("u", message.KindHits), uplinktest.Marshal(t, other)},
		"another topic":      {message.Topic("v", message.KindHits), uplinktest.Marshal(t, good)},
		"number and id":      {message.Topic("u", message.KindHits), uplinktest.Marshal(t, wrong)},
		"not JSON":           {message.Topic("u", message.KindHits), []byte("hello")},
		"not a topic":        {"platewatch/v1/units/u/x/hits", uplinktest.Marshal(t, good)},
		"state of another":   {message.Topic("u", message.KindState), uplinktest.Marshal(t, message.State{Unit: "v", State: message.Online})},
	} {
		told := 0
		_, err := newReceiver("", 10, 10).handle(tc.topic, tc.payload, Handler{
			Hit:     func(*message.Hit, []byte) error { return errors.New("was told as a hit") },
			State:   func(*message.State, []byte) error { return errors.New("was told as a state") },
			Invalid: func(string, error) error { told++; return nil },
		})
		if err != nil || told != 1 {
			t.Errorf("%s: %v, told %d times", name, err, told)
		}
	}
}

func FuzzReceiver(f *testing.F) {
	f.Add(message.Topic("u", message.KindHits), uplinktest.Marshal(f, numbered("u", 5, 4, 1)))
	f.Add(message.Topic("u", message.KindState), uplinktest.Marshal(f, message.State{Unit: "u", State: message.Online}))
	f.Add(message.Topic("u", message.KindHealth), []byte(`{}`))
	f.Add("platewatch/v1/units/+/hits", []byte(`{"id":"u-1"}`))
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		told := 0
		h := Handler{
			Hit: func(h *message.Hit, _ []byte) error {
				told++
				// What a program may rely on after the check.
				if u, n, err := message.ParseID(h.ID); err != nil || u != h.Unit || n != h.Number || len(h.Matches) == 0 || h.Revision < 1 {
					t.Errorf("hit %+v", h)
				}
				return nil
			},
			State:   func(*message.State, []byte) error { told++; return nil },
			Invalid: func(string, error) error { told++; return nil },
		}
		r := newReceiver("", 10, 10)
		if _, err := r.handle(topic, payload, h); err != nil {
			t.Fatal(err)
		}
		if told > 1 {
			t.Errorf("told %d times", told)
		}
	})
}

func TestWatchOnce(t *testing.T) {
	addr := addrtest.Free(t)
	err := Run(t.Context(), Settings{Brokers: []broker.Broker{{URL: "tcp://" + addr}}, Once: true}, Handler{}, uplinktest.Log(t))
	if err == nil || !strings.Contains(err.Error(), addr) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a broker that is not there: %v", err)
	}
	if err := Run(t.Context(), Settings{Brokers: []broker.Broker{{URL: "tcp://" + addr}}, Unit: "+"}, Handler{}, uplinktest.Log(t)); err == nil {
		t.Error("a wildcard as the unit is accepted")
	}
}

// Where one broker does not answer the next one is asked, at once.
func TestWatchNextBroker(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		nobody := addrtest.Free(t)
		var links []error
		err := Run(t.Context(), Settings{Brokers: []broker.Broker{{URL: "tcp://" + nobody}, {URL: "tcp://" + b.Addr()}}, Once: true}, Handler{
			Link: func(err error) error {
				if links = append(links, err); err == nil {
					return ErrStop
				}
				return nil
			},
		}, uplinktest.Log(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(links) != 2 || links[0] == nil || !strings.Contains(links[0].Error(), nobody) {
			t.Errorf("links: %v", links)
		}
	})
}

// Watch reports a lost connection once and comes back.
func TestWatchReconnects(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		var links []bool
		err := Run(t.Context(), Settings{Brokers: []broker.Broker{{URL: "tcp://" + b.Addr()}}}, Handler{
			Link: func(err error) error {
				links = append(links, err == nil)
				switch len(links) {
				case 1:
					b.Kill(t)
				case 2:
					b.Start(t)
				default:
					if err == nil {
						return ErrStop
					}
				}
				return nil
			},
		}, uplinktest.Log(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(links) < 3 || !links[0] || links[1] {
			t.Errorf("links: %v", links)
		}
	})
}

// A unit's audit trail goes back, or ends in another record than before, as its health
// messages say.
func TestAttackAuditGoesBack(t *testing.T) {
	r := newReceiver("", 10, 3)
	var told []string
	health := func(unit string, number uint64, hash, problem string) {
		t.Helper()
		h := message.Health{Unit: unit, Cameras: []message.CameraHealth{}, Lists: []message.ListHealth{}, At: time.Now(), Clock: message.ClockSynchronised,
			Audit: &message.AuditHealth{Number: number, Hash: hash, Problem: problem}}
		_, err := r.handle(message.Topic(unit, message.KindHealth), uplinktest.Marshal(t, h), Handler{
			Suspicion: func(s *Suspicion) error { told = append(told, s.Unit+": "+s.What); return nil },
			Invalid:   func(topic string, err error) error { return err },
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	health("a", 5, "h5", "")
	health("b", 3, "h3", "")
	health("a", 5, "h5", "")
	health("a", 9, "h9", "")
	if len(told) > 0 {
		t.Errorf("a trail that grows: %v", told)
	}
	health("a", 4, "h4", "")
	health("a", 4, "h4", "")
	health("b", 3, "other", "")
	health("b", 4, "h4", "its end is unknown")
	health("b", 4, "h4", "its end is unknown")
	want := []string{"a: the audit trail went back from record 9 to 4: it was removed, or an older state put back",
		"b: record 3 of the audit trail is another one than before", "b: its end is unknown"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Lists, trust files and audit trail of an older state are put back together, and the
// trail has grown beyond its old end before the next message: the list's version tells.
func TestAttackListGoesBack(t *testing.T) {
	r := newReceiver("", 10, 3)
	var told []string
	health := func(number uint64, lists ...message.ListHealth) {
		t.Helper()
		h := message.Health{Unit: "a", Cameras: []message.CameraHealth{}, Lists: lists, At: time.Now(), Clock: message.ClockSynchronised,
			Audit: &message.AuditHealth{Number: number, Hash: fmt.Sprint(number)}}
		_, err := r.handle(message.Topic("a", message.KindHealth), uplinktest.Marshal(t, h), Handler{
			Suspicion: func(s *Suspicion) error { told = append(told, s.What); return nil },
			Invalid:   func(topic string, err error) error { return err },
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	list := func(name, version string) message.ListHealth {
		return message.ListHealth{Name: name, Version: version, Missing: version == ""}
	}
	health(5, list("stolen", "8"), list("own", "20261127T234015Z"))
	health(6, list("stolen", ""), list("own", "20261101T000000Z"))
	health(7, list("stolen", "10"), list("own", "20261127T234015Z"))
	if len(told) > 0 {
		t.Errorf("versions that grow: %q", told)
	}
	health(9, list("stolen", "8"), list("own", "20261127T234015Z"))
	health(10, list("stolen", "8"), list("own", "20261127T234015Z"))
	if diff := cmp.Diff([]string{"list stolen went back from version 10 to 8: an older state was put back"}, told); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Births of two runs in turn mean two units of one name; a restart does not.
func TestAttackTwoRuns(t *testing.T) {
	r := newRuns(2)
	var told []string
	for _, run := range []string{"a", "a", "b", "c", "b", "c", "b"} {
		if what := r.add(&message.State{Unit: "u", State: message.Online, Run: run, Installation: "i" + run}); what != "" {
			told = append(told, what)
		}
	}
	if len(told) != 1 || !strings.Contains(told[0], `installation "ic", run c, and installation "ib", run b`) {
		t.Errorf("%q", told)
	}
}
