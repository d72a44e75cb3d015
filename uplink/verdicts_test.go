package uplink

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"platewatch/uplink/broker"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
	"platewatch/uplink/watch"
)

// judged is a unit that answers every verdict, as the daemon does.
type judged struct {
	mu     sync.Mutex
	losing int // so many times it takes nothing
	taken  []message.Verdict
	client *Client
}

// start runs a client whose verdicts the unit takes.
func (j *judged) start(t *testing.T, o *outbox.Outbox, cfg Settings) (c *Client, stop func()) {
	cfg.Verdicts = j.take
	c, stop = startClient(t, o, cfg)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.client = c
	return c, stop
}

func (j *judged) take(v []message.Verdict) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.losing > 0 {
		j.losing--
		return true
	}
	j.taken = append(j.taken, v...)
	j.client.ReportHealth()
	return true
}

func (j *judged) health() message.Health {
	j.mu.Lock()
	defer j.mu.Unlock()
	h := message.VerdictHealth{Counts: []message.VerdictCount{}}
	for _, v := range j.taken {
		h.Latest = append(h.Latest, message.VerdictAnswer{ID: v.ID, At: v.At, Answer: message.VerdictCounted})
	}
	return message.Health{Verdicts: &h}
}

// TestVerdictsReachTheUnit: what a server sends comes to the unit, and the answer back;
// without a unit there is none, and the sender is told.
func TestVerdictsReachTheUnit(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		var unit judged
		brokers := []broker.Broker{{URL: "tcp://" + b.Addr()}}
		o := testOutbox(t, outbox.Settings{})
		c, stop := unit.start(t, o, Settings{Brokers: brokers, Health: unit.health})
		waitStats(t, c, "the connection", func(s Stats) bool { return s.Connected })
		v := message.Verdict{ID: "unit-7-42", Verdict: message.Wrong, Reason: "another vehicle", By: "jane", At: time.Now()}
		if answer, err := watch.SendVerdict(t.Context(), watch.Settings{Brokers: brokers}, v); err != nil || answer != message.VerdictCounted {
			t.Errorf("%q, %v", answer, err)
		}
		unit.mu.Lock()
		taken := slices.Clone(unit.taken)
		unit.mu.Unlock()
		for i, got := range taken { // more than once where the first answer was late
			if got.ID != v.ID || got.Reason != v.Reason || !got.At.Equal(v.At) {
				t.Errorf("taken as number %d: %+v", i+1, got)
			}
		}
		stop()
		v.At = v.At.Add(time.Second)
		_, err := watch.SendVerdict(t.Context(), watch.Settings{Brokers: brokers}, v)
		var advised interface{ Hint() string }
		if err == nil || !strings.Contains(err.Error(), "offline") || !errors.As(err, &advised) || advised.Hint() == "" {
			t.Errorf("to a unit that is away: %v", err)
		}
		v.Reason = ""
		if _, err := watch.SendVerdict(t.Context(), watch.Settings{Brokers: brokers}, v); err == nil {
			t.Error("a verdict without a reason was sent")
		}
	})
}

// TestVerdictsAreSentAgain: one that was lost on its way comes a little later.
func TestVerdictsAreSentAgain(t *testing.T) {
	b := uplinktest.NewMochi(t)
	unit := judged{losing: 1}
	brokers := []broker.Broker{{URL: "tcp://" + b.Addr()}}
	c, stop := unit.start(t, testOutbox(t, outbox.Settings{}), Settings{Brokers: brokers, Health: unit.health})
	defer stop()
	waitStats(t, c, "the connection", func(s Stats) bool { return s.Connected })
	v := message.Verdict{ID: "unit-7-42", Verdict: message.Wrong, Reason: "another vehicle", By: "jane", At: time.Now()}
	if answer, err := watch.SendVerdict(t.Context(), watch.Settings{Brokers: brokers}, v); err != nil || answer != message.VerdictCounted {
		t.Errorf("%q, %v", answer, err)
	}
}

// TestAttackForgedVerdicts: retained, invalid and foreign verdicts reach nobody, and
// none of them touches a hit.
func TestAttackForgedVerdicts(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		forger := connect(t, b.Addr())
		good := func(unit string) []byte {
			return uplinktest.Marshal(t, message.Verdicts{Unit: unit, Verdicts: []message.Verdict{{ID: "unit-7-1", Verdict: message.Wrong, Reason: "forged", At: time.Now()}}})
		}
		send := func(retained bool, payload []byte) {
			t.Helper()
			if token := forger.Publish(message.Topic("unit-7", message.KindVerdicts), 1, retained, payload); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
				t.Fatal(token.Error())
			}
		}
		send(true, good("unit-7"))
		var unit judged
		o := testOutbox(t, outbox.Settings{})
		acceptMany(t, o, 20)
		c, _ := unit.start(t, o, Settings{Brokers: []broker.Broker{{URL: "tcp://" + b.Addr()}}, Ack: AckServer, ServerAckTimeout: time.Hour})
		waitStats(t, c, "the retained one to be ignored", func(s Stats) bool { return s.IgnoredVerdicts == 1 && s.Awaiting == 20 })
		for _, bad := range [][]byte{
			good("unit-8"), []byte("{"), nil, []byte(strings.Repeat("[", 20_000)),
			[]byte(`{"version":1,"unit":"unit-7","verdicts":[]}`),
			[]byte(`{"version":1,"unit":"unit-7","verdicts":[{"id":"unit-7-1","verdict":"right","reason":"` + strings.Repeat("a", 5000) + `","at":"2026-05-04T12:00:00Z"}]}`),
			[]byte(`{"version":1,"unit":"unit-7","verdicts":[{"id":"unit-7-1","verdict":"arrest","reason":"x","at":"2026-05-04T12:00:00Z"}]}`),
		} {
			send(false, bad)
		}
		waitStats(t, c, "the bad ones to be ignored", func(s Stats) bool { return s.IgnoredVerdicts == 8 })
		for range 50 { // a replay: the unit has to know its own hits
			send(false, good("unit-7"))
		}
		waitStats(t, c, "all hits to wait for the server still", func(s Stats) bool { return s.Awaiting == 20 })
		if n := o.Stats().Entries; n != 20 || c.Stats().Delivered != 0 || !c.Stats().Connected {
			t.Errorf("%d hits are left, %+v", n, c.Stats())
		}
		t.Attr("outcome", fmt.Sprintf("20 of 20 hits as they were, %d messages ignored and counted", c.Stats().IgnoredVerdicts))
	})
}
