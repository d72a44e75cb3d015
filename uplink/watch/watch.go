// Package watch is the server's end: it receives what units publish, checks it,
// tells each hit once and finds holes in their numbers.
package watch

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"platewatch/uplink/broker"
	"platewatch/uplink/internal/link"
	"platewatch/uplink/message"
)

// Settings configures [Run].
type Settings struct {
	// Brokers in order of preference: the next one is tried when one cannot be
	// reached, as for the client.
	Brokers []broker.Broker
	Unit    string // "" for the whole fleet
	// Once makes Run return the error if none of the brokers answers the first
	// time. Otherwise it tells the handler and keeps trying.
	Once bool
	// MaxMessage bounds a message; a larger one ends the connection. Default
	// 2 MiB.
	MaxMessage int
	// KeepAlive is as for the client.
	KeepAlive  time.Duration
	MaxBackoff time.Duration
	// TickEvery is how often the handler's Tick is called. Default 1 s.
	TickEvery time.Duration
	// Ack makes Run acknowledge hits to each unit, on its acks topic: each hit for
	// which the handler returned nil, and repeats of those. Units with
	// uplink.ack = "server" wait for it; there must be exactly one such server.
	Ack bool
	// Remember is how many hits, over all units, are remembered to recognise
	// repeats. Default 65,536.
	Remember int
}

// Handler gets what Run receives, one call at a time. Nil functions are not
// called. An error that a function returns ends Run, which returns it.
type Handler struct {
	// Hit gets each revision of each hit once, and the message as received; one with
	// pictures_follow comes again with its pictures.
	Hit func(h *message.Hit, raw []byte) error
	// State gets which units connect and disconnect.
	State func(s *message.State, raw []byte) error
	// Health gets the units' health messages.
	Health func(h *message.Health, raw []byte) error
	// Hotlists gets which list versions the units hold.
	Hotlists func(r *message.HotlistReport, raw []byte) error
	// Gap gets gaps in a unit's numbers, once it is certain that the missing hits
	// do not arrive any more.
	Gap func(g *Gap) error
	// Suspicion gets what a unit's messages say of changes on its disk that nobody may
	// make, and of a second unit of its name: its audit trail went back, or births of two
	// runs come in turn.
	Suspicion func(s *Suspicion) error
	// Invalid gets the reason why a message is not valid.
	Invalid func(topic string, err error) error
	// Tick is called every TickEvery, between two of the others.
	Tick func() error
	// Link gets nil when a connection is made, and the reason when it is lost or
	// cannot be made: each reason once until there is a connection.
	Link func(err error) error
}

const (
	watchMessage = 2 << 20
	watchUnits   = 10_000
)

// ErrStop is returned by a handler that has processed its message and wants [Run]
// to return nil.
var ErrStop = errors.New("stop watching")

// Run subscribes to one unit or the fleet and calls the handler until ctx is
// done; then it returns nil. It reconnects when the connection is lost; hits
// published meanwhile are missing and show as a gap.
func Run(ctx context.Context, cfg Settings, handler Handler, log *slog.Logger) error {
	if cfg.Unit != "" {
		if err := message.ValidateName(cfg.Unit); err != nil {
			return err
		}
	}
	if err := broker.Check(cfg.Brokers); err != nil {
		return err
	}
	if cfg.MaxMessage <= 0 {
		cfg.MaxMessage = watchMessage
	}
	if cfg.KeepAlive <= 0 {
		cfg.KeepAlive = 10 * time.Second
	}
	if cfg.MaxBackoff <= 0 || cfg.MaxBackoff > link.MaxBackoff {
		cfg.MaxBackoff = link.MaxBackoff
	}
	if cfg.TickEvery <= 0 {
		cfg.TickEvery = time.Second
	}
	if cfg.Remember <= 0 {
		cfg.Remember = 1 << 16
	}
	w := &watcher{cfg: cfg, handler: handler, log: log, receiver: newReceiver(cfg.Unit, cfg.Remember, watchUnits)}
	err := w.run(ctx)
	if errors.Is(err, ErrStop) || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

type watcher struct {
	cfg      Settings
	handler  Handler
	log      *slog.Logger
	receiver *receiver
	problems link.OnceLogger
	served   bool // this connection was made
}

func (w *watcher) run(ctx context.Context) error {
	wait := link.Backoff{Max: w.cfg.MaxBackoff}
	ever := false // there was a connection
	for at := 0; ctx.Err() == nil; {
		started := time.Now()
		w.served = false
		err := w.session(ctx, w.cfg.Brokers[at])
		ever = ever || w.served
		if at = (at + 1) % len(w.cfg.Brokers); w.served {
			at = 0 // try the preferred one again
		}
		var h handlerError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &h):
			return h.err
		case w.cfg.Once && !ever && at == 0:
			return err
		}
		if w.problems.ShouldLog(err.Error()) {
			if err := w.link(err); err != nil {
				return err
			}
		}
		if time.Since(started) >= link.GoodSession {
			wait.Reset()
		}
		if at > 0 {
			continue // try the next one at once
		}
		t := time.NewTimer(wait.Next())
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
	}
	return ctx.Err()
}

func (w *watcher) link(err error) error {
	if w.handler.Link == nil {
		return nil
	}
	return w.handler.Link(err)
}

// handlerError tells the handler's errors from the network's.
type handlerError struct{ err error }

func (h handlerError) Error() string { return h.err.Error() }

// session receives over one connection.
func (w *watcher) session(ctx context.Context, b broker.Broker) error {
	l, err := link.Connect(ctx, b, link.Options{
		ClientID: "platewatch-watch-" + rand.Text()[:12], KeepAlive: w.cfg.KeepAlive, Limit: w.cfg.MaxMessage + 1024,
	})
	if err != nil {
		return err
	}
	// Once nobody receives, paho's goroutine must not block.
	defer l.Inbox.Close()
	ended := false
	unit := w.cfg.Unit
	if unit == "" {
		unit = "+"
	}
	// Retained messages come again with the next minute or connection, so QoS 0 is
	// enough: a cluster replicates a consumer for every subscription with QoS 1.
	filters := map[string]byte{message.Topic(unit, message.KindHits): 1}
	for _, kind := range []message.Kind{message.KindState, message.KindHealth, message.KindHotlists} {
		filters[message.Topic(unit, kind)] = 0
	}
	defer func() {
		if ended {
			l.Cut()
			return
		}
		l.Inbox.Close()
		if w.cfg.Ack {
			w.leave(l, filters)
		}
		l.Close()
	}()
	token := l.Subscribe(filters)
	var acks ackBook
	ticker := time.NewTicker(w.cfg.TickEvery)
	defer ticker.Stop()
	subscribed := token.Done()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-l.Lost:
			ended = true
			return link.Failure(b, errors.Join(link.ErrLost, err))
		case <-subscribed:
			subscribed = nil
			if err := link.SubscriptionError(token); err != nil {
				return link.Failure(b, err)
			}
			w.problems.Reset()
			w.served = true
			if err := w.link(nil); err != nil {
				return handlerError{err}
			}
		case <-ticker.C:
			if w.handler.Tick != nil {
				if err := w.handler.Tick(); err != nil {
					return handlerError{err}
				}
			}
		case m := <-l.Inbox.Messages:
			if p, ok := message.ParseProbe(m.Payload); ok {
				if err := w.answer(l, m.Topic, p); err != nil {
					return link.Failure(b, err)
				}
				continue
			}
			hit, err := w.receiver.handle(m.Topic, m.Payload, w.handler)
			if (err == nil || errors.Is(err, ErrStop)) && w.cfg.Ack && hit != nil {
				acks.add(hit)
			}
			// Acknowledge together with hits that arrived already, and before the end.
			if len(l.Inbox.Messages) == 0 || acks.n >= ackBatch || err != nil {
				if aerr := acks.send(l); err == nil && aerr != nil { // the units resend
					return link.Failure(b, aerr)
				}
			}
			if err != nil {
				return handlerError{err}
			}
		}
	}
}

// answer answers a probe on a unit's hits topic, if hits are acknowledged. Probes are
// not messages: the handler does not get them.
func (w *watcher) answer(l *link.Link, topic string, p message.Probe) error {
	if !w.cfg.Ack || topic != message.Topic(p.Unit, message.KindHits) {
		return nil
	}
	return sendAcks(l, message.Acks{Unit: p.Unit, Stored: []message.Ack{}, Probe: p.Probe})
}

// leaveWait bounds how long a broker may take to end the subscriptions.
const leaveWait = 2 * time.Second

// leave ends the subscriptions and waits for the broker to confirm that: by then it
// has read the acknowledgements sent before. A connection that is closed while hits
// still arrive is reset, and what the broker had not read yet is lost.
func (w *watcher) leave(l *link.Link, filters map[string]byte) {
	token := l.Unsubscribe(slices.Collect(maps.Keys(filters))...)
	timeout := time.NewTimer(leaveWait)
	defer timeout.Stop()
	select {
	case <-token.Done():
	case <-l.Lost:
	case <-timeout.C:
	}
}

// receiver checks messages and recognises repeats and gaps. It does not know where
// messages come from.
type receiver struct {
	unit   string // "" for all
	seen   *seen
	gaps   *gaps
	trails *trails
	runs   *runs
}

func newReceiver(unit string, remember, units int) *receiver {
	return &receiver{unit: unit, seen: newSeen(remember), gaps: newGaps(units), trails: newTrails(units), runs: newRuns(units)}
}

// handle processes one message, which may hold anything. It returns the hit if the
// handler has it, from now or before.
func (r *receiver) handle(topic string, payload []byte, to Handler) (*message.Hit, error) {
	invalid := func(err error) (*message.Hit, error) {
		if to.Invalid == nil {
			return nil, nil
		}
		return nil, to.Invalid(topic, err)
	}
	unit, kind, ok := message.ParseTopic(topic)
	if !ok || r.unit != "" && unit != r.unit {
		return invalid(errors.New("not a topic of a watched unit"))
	}
	if kind == message.KindAcks || kind == message.KindVerdicts { // to units
		return nil, nil
	}
	if err := message.Validate(kind, payload); err != nil {
		return invalid(err)
	}
	switch kind {
	case message.KindState:
		s, err := decodeFrom(unit, payload, func(s *message.State) string { return s.Unit })
		if err != nil {
			return invalid(err)
		}
		if what := r.runs.add(s); what != "" && to.Suspicion != nil {
			if err := to.Suspicion(&Suspicion{Unit: unit, What: what}); err != nil {
				return nil, err
			}
		}
		if to.State != nil {
			return nil, to.State(s, payload)
		}
	case message.KindHealth:
		h, err := decodeFrom(unit, payload, func(h *message.Health) string { return h.Unit })
		if err != nil {
			return invalid(err)
		}
		if h.Outbox.Entries == 0 {
			if err := r.reportGaps(r.gaps.outboxEmpty(unit, h.Installation, h.Outbox.LastNumber), to); err != nil {
				return nil, err
			}
		}
		if to.Suspicion != nil {
			wrong := r.trails.addLists(unit, h.Lists)
			if h.Audit != nil {
				if what := r.trails.add(unit, *h.Audit); what != "" {
					wrong = append(wrong, what)
				}
			}
			for _, what := range wrong {
				if err := to.Suspicion(&Suspicion{Unit: unit, What: what}); err != nil {
					return nil, err
				}
			}
		}
		if to.Health != nil {
			return nil, to.Health(h, payload)
		}
	case message.KindHotlists:
		l, err := decodeFrom(unit, payload, func(l *message.HotlistReport) string { return l.Unit })
		if err != nil {
			return invalid(err)
		}
		if to.Hotlists != nil {
			return nil, to.Hotlists(l, payload)
		}
	case message.KindHits:
		h, err := decodeFrom(unit, payload, func(h *message.Hit) string { return h.Unit })
		if err != nil {
			return invalid(err)
		}
		switch idUnit, number, err := message.ParseID(h.ID); {
		case err != nil:
			return invalid(err)
		case idUnit != unit:
			return invalid(fmt.Errorf("it says it is from unit %q under id %q", h.Unit, h.ID))
		case number != h.Number:
			return invalid(fmt.Errorf("its id %q and its number %d differ", h.ID, h.Number))
		}
		return h, r.hit(h, payload, to)
	}
	return nil, nil
}

func (r *receiver) hit(h *message.Hit, payload []byte, to Handler) error {
	if !r.seen.add(h) {
		return nil
	}
	if err := r.reportGaps(r.gaps.add(h), to); err != nil {
		return err
	}
	if to.Hit == nil {
		return nil
	}
	return to.Hit(h, payload)
}

func (r *receiver) reportGaps(found []Gap, to Handler) error {
	for i := range found {
		if to.Gap == nil {
			return nil
		}
		if err := to.Gap(&found[i]); err != nil {
			return err
		}
	}
	return nil
}

// decodeFrom decodes a message and checks that it comes from the unit that its
// topic names.
func decodeFrom[T any](unit string, payload []byte, says func(*T) string) (*T, error) {
	var v T
	if err := json.Unmarshal(payload, &v); err != nil {
		return nil, err
	}
	if from := says(&v); from != unit {
		return nil, fmt.Errorf("it says it is from unit %.80q", from)
	}
	return &v, nil
}

// ackBatch bounds the hits of one acknowledgement.
const ackBatch = 500

// ackBook collects acknowledgements by unit.
type ackBook struct {
	units map[string][]message.Ack
	n     int
}

func (b *ackBook) add(h *message.Hit) {
	if b.units == nil {
		b.units = map[string][]message.Ack{}
	}
	b.units[h.Unit] = append(b.units[h.Unit], message.Ack{ID: h.ID, Revision: h.Revision})
	b.n++
}

// send publishes them with QoS 0: if an acknowledgement gets lost the unit resends
// the hit, and a cluster need not replicate each.
func (b *ackBook) send(l *link.Link) error {
	for unit, stored := range b.units {
		if err := sendAcks(l, message.Acks{Unit: unit, Stored: stored}); err != nil {
			return err
		}
	}
	b.units, b.n = nil, 0
	return nil
}

func sendAcks(l *link.Link, a message.Acks) error {
	payload, err := json.Marshal(a)
	if err != nil {
		return err
	}
	t := l.Send(message.Topic(a.Unit, message.KindAcks), payload)
	select {
	case <-t.Done():
		return t.Error()
	case <-l.Closed():
		return link.ErrLost
	}
}
