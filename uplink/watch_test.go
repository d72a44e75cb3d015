package uplink

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func numbered(unit string, number, previous uint64, revision int) Hit {
	h := testHit("M5XSX")
	h.Unit, h.Number, h.Previous, h.Revision, h.ID = unit, number, previous, revision, FormatID(unit, number)
	return h
}

// receive feeds hits to a receiver and returns what it tells.
func receive(t *testing.T, r *receiver, hits ...Hit) []string {
	t.Helper()
	var told []string
	handle := func(topic string, m any) {
		_, err := r.handle(topic, marshal(t, m), WatchHandler{
			Hit: func(h *Hit, _ []byte) error { told = append(told, fmt.Sprintf("%s/%d", h.ID, h.Revision)); return nil },
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
			handle(Topic(h.Unit, KindHealth), Health{Unit: h.Unit, At: time.Now(), Cameras: []CameraHealth{}, Lists: []ListHealth{},
				Outbox: OutboxStats{LastNumber: h.Number, Entries: h.Revision}})
			continue
		}
		handle(Topic(h.Unit, KindHits), h)
	}
	return told
}

// historical is a hit from the backlog, waiting a health message that says how
// many hits wait.
func historical(h Hit) Hit { h.Historical = true; return h }

func waiting(unit string, last uint64, n int) Hit { return Hit{Unit: unit, Number: last, Revision: n} }

func TestRepeatsAndGaps(t *testing.T) {
	for name, tc := range map[string]struct {
		hits []Hit
		want []string
	}{
		"repeat":                 {[]Hit{numbered("u", 5, 4, 1), numbered("u", 5, 4, 1)}, []string{"u-5/1"}},
		"revisions":              {[]Hit{numbered("u", 5, 4, 1), numbered("u", 5, 4, 3), numbered("u", 5, 4, 2)}, []string{"u-5/1", "u-5/3"}},
		"missing":                {[]Hit{numbered("u", 5, 4, 1), numbered("u", 8, 7, 1), waiting("u", 8, 0)}, []string{"u-5/1", "u-8/1", "gap u 5-7"}},
		"still waiting":          {[]Hit{numbered("u", 5, 4, 1), numbered("u", 8, 7, 1), waiting("u", 8, 2)}, []string{"u-5/1", "u-8/1"}},
		"missing in the backlog": {[]Hit{historical(numbered("u", 5, 4, 1)), historical(numbered("u", 8, 7, 1))}, []string{"u-5/1", "gap u 5-7", "u-8/1"}},
		"live first": {[]Hit{numbered("u", 5, 4, 1), numbered("u", 9, 8, 1), historical(numbered("u", 6, 5, 1)), numbered("u", 10, 9, 1),
			historical(numbered("u", 7, 6, 1)), historical(numbered("u", 8, 7, 1)), waiting("u", 10, 0)},
			[]string{"u-5/1", "u-9/1", "u-6/1", "u-10/1", "u-7/1", "u-8/1"}},
		"live first, one missing": {[]Hit{numbered("u", 5, 4, 1), numbered("u", 9, 8, 1), historical(numbered("u", 6, 5, 1)), historical(numbered("u", 8, 7, 1))},
			[]string{"u-5/1", "u-9/1", "u-6/1", "gap u 6-7", "u-8/1"}},
		"live first, the last missing": {[]Hit{numbered("u", 5, 4, 1), numbered("u", 9, 8, 1), historical(numbered("u", 6, 5, 1)), historical(numbered("u", 7, 6, 1)), waiting("u", 9, 0)},
			[]string{"u-5/1", "u-9/1", "u-6/1", "u-7/1", "gap u 7-8"}},
		"skipped after a crash":   {[]Hit{numbered("u", 5, 4, 1), numbered("u", 17, 5, 1)}, []string{"u-5/1", "u-17/1"}},
		"missing and skipped":     {[]Hit{numbered("u", 5, 4, 1), numbered("u", 17, 6, 1), waiting("u", 17, 0)}, []string{"u-5/1", "u-17/1", "gap u 5-6"}},
		"new numbering":           {[]Hit{numbered("u", 5, 4, 1), numbered("u", 1010, 0, 1)}, []string{"u-5/1", "gap u 5-0", "u-1010/1"}},
		"units are counted apart": {[]Hit{numbered("u", 5, 4, 1), numbered("v", 9, 8, 1), numbered("u", 6, 5, 1)}, []string{"u-5/1", "v-9/1", "u-6/1"}},
		"an old one comes late":   {[]Hit{numbered("u", 5, 4, 1), numbered("u", 7, 6, 1), numbered("u", 6, 5, 1), waiting("u", 7, 0)}, []string{"u-5/1", "u-7/1", "u-6/1"}},
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
		r.seen.add(&Hit{ID: fmt.Sprintf("u-%d", i), Revision: 1})
		h := numbered(fmt.Sprintf("u%d", i), 1, 0, 1)
		r.gaps.add(&h)
	}
	if len(r.seen.rank) != 50 || len(r.seen.order) != 50 || len(r.gaps.units) != 10 {
		t.Errorf("%d ids, %d in order, %d units", len(r.seen.rank), len(r.seen.order), len(r.gaps.units))
	}
	if r.seen.add(&Hit{ID: "u-999", Revision: 1}) || r.seen.add(&Hit{ID: "u-950", Revision: 1}) {
		t.Error("one of the latest was forgotten")
	}
	if !r.seen.add(&Hit{ID: "u-949", Revision: 1}) {
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
		"another unit's hit": {Topic("u", KindHits), marshal(t, other)},
		"another topic":      {Topic("v", KindHits), marshal(t, good)},
		"number and id":      {Topic("u", KindHits), marshal(t, wrong)},
		"not JSON":           {Topic("u", KindHits), []byte("hello")},
		"not a topic":        {"platewatch/v1/units/u/x/hits", marshal(t, good)},
		"state of another":   {Topic("u", KindState), marshal(t, State{Unit: "v", State: Online})},
	} {
		told := 0
		_, err := newReceiver("", 10, 10).handle(tc.topic, tc.payload, WatchHandler{
			Hit:     func(*Hit, []byte) error { return errors.New("was told as a hit") },
			State:   func(*State, []byte) error { return errors.New("was told as a state") },
			Invalid: func(string, error) error { told++; return nil },
		})
		if err != nil || told != 1 {
			t.Errorf("%s: %v, told %d times", name, err, told)
		}
	}
}

func FuzzReceiver(f *testing.F) {
	f.Add(Topic("u", KindHits), marshal(f, numbered("u", 5, 4, 1)))
	f.Add(Topic("u", KindState), marshal(f, State{Unit: "u", State: Online}))
	f.Add(Topic("u", KindHealth), []byte(`{}`))
	f.Add("platewatch/v1/units/+/hits", []byte(`{"id":"u-1"}`))
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		told := 0
		h := WatchHandler{
			Hit: func(h *Hit, _ []byte) error {
				told++
				// What a program may rely on after the check.
				if u, n, err := ParseID(h.ID); err != nil || u != h.Unit || n != h.Number || len(h.Matches) == 0 || h.Revision < 1 {
					t.Errorf("hit %+v", h)
				}
				return nil
			},
			State:   func(*State, []byte) error { told++; return nil },
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
	addr := freeAddr(t)
	err := Watch(t.Context(), WatchConfig{Brokers: []Broker{{URL: "tcp://" + addr}}, Once: true}, WatchHandler{}, testLog(t))
	if err == nil || !strings.Contains(err.Error(), addr) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a broker that is not there: %v", err)
	}
	if err := Watch(t.Context(), WatchConfig{Brokers: []Broker{{URL: "tcp://" + addr}}, Unit: "+"}, WatchHandler{}, testLog(t)); err == nil {
		t.Error("a wildcard as the unit is accepted")
	}
}

// Where one broker does not answer the next one is asked, at once.
func TestWatchNextBroker(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		nobody := freeAddr(t)
		var links []error
		err := Watch(t.Context(), WatchConfig{Brokers: []Broker{{URL: "tcp://" + nobody}, {URL: "tcp://" + b.addr()}}, Once: true}, WatchHandler{
			Link: func(err error) error {
				if links = append(links, err); err == nil {
					return ErrStop
				}
				return nil
			},
		}, testLog(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(links) != 2 || links[0] == nil || !strings.Contains(links[0].Error(), nobody) {
			t.Errorf("links: %v", links)
		}
	})
}

// Watch tells of a lost connection once and comes back.
func TestWatchReconnects(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		var links []bool
		err := Watch(t.Context(), WatchConfig{Brokers: []Broker{{URL: "tcp://" + b.addr()}}}, WatchHandler{
			Link: func(err error) error {
				links = append(links, err == nil)
				switch len(links) {
				case 1:
					b.kill(t)
				case 2:
					b.start(t)
				default:
					if err == nil {
						return ErrStop
					}
				}
				return nil
			},
		}, testLog(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(links) < 3 || !links[0] || links[1] {
			t.Errorf("links: %v", links)
		}
	})
}
