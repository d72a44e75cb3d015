package uplink

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// WatchConfig configures [Watch].
type WatchConfig struct {
	Broker Broker
	Unit   string // "" for the whole fleet
	// Once makes Watch return the error when the first attempt to connect
	// fails. Otherwise it tells the handler and keeps trying.
	Once bool
	// MaxMessage bounds a message; a larger one ends the connection. Default
	// 2 MiB.
	MaxMessage int
	// KeepAlive is as in [ClientConfig].
	KeepAlive  time.Duration
	MaxBackoff time.Duration
	// Remember is how many hits, over all units, are remembered to tell
	// repeats. Default 65,536.
	Remember int
}

// WatchHandler gets what Watch sees, one call at a time. Nil functions are
// left out. An error that a function returns ends Watch, which returns it.
type WatchHandler struct {
	// Hit gets each revision of each hit once, with the message as it came.
	Hit func(h *Hit, raw []byte) error
	// State gets the units' coming and going.
	State func(s *State, raw []byte) error
	// Gap gets holes in a unit's numbers, before the hit that shows it.
	Gap func(g *Gap) error
	// Invalid gets what does not follow the schema.
	Invalid func(topic string, err error) error
	// Link gets nil when there is a connection and the reason when there is
	// none, once for each change.
	Link func(err error) error
}

const (
	watchMessage = 2 << 20
	watchUnits   = 10_000
)

// ErrStop, returned by a handler, makes [Watch] return nil.
var ErrStop = errors.New("stop watching")

// Watch subscribes to one unit or the fleet and calls the handler until ctx is
// done, in which case it returns nil. It connects again when the connection is
// lost; what was published meanwhile is missing and shows as a gap.
func Watch(ctx context.Context, cfg WatchConfig, handler WatchHandler, log *slog.Logger) error {
	if cfg.Unit != "" {
		if err := ValidateUnit(cfg.Unit); err != nil {
			return err
		}
	}
	if err := cfg.Broker.Validate(); err != nil {
		return err
	}
	if cfg.MaxMessage <= 0 {
		cfg.MaxMessage = watchMessage
	}
	if cfg.KeepAlive <= 0 {
		cfg.KeepAlive = 10 * time.Second
	}
	if cfg.MaxBackoff <= 0 || cfg.MaxBackoff > maxBackoff {
		cfg.MaxBackoff = maxBackoff
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
	cfg      WatchConfig
	handler  WatchHandler
	log      *slog.Logger
	receiver *receiver
	problems told
	worked   bool // there was a connection
}

func (w *watcher) run(ctx context.Context) error {
	wait := backoff{max: w.cfg.MaxBackoff}
	for first := true; ctx.Err() == nil; first = false {
		started := time.Now()
		err := w.session(ctx)
		var h handlerError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &h):
			return h.err
		case first && w.cfg.Once && !w.worked:
			return err
		}
		if w.problems.first(err.Error()) {
			if err := w.link(err); err != nil {
				return err
			}
		}
		if time.Since(started) >= goodSession {
			wait.reset()
		}
		t := time.NewTimer(wait.next())
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

// handlerError keeps the handler's errors apart from the network's.
type handlerError struct{ err error }

func (h handlerError) Error() string { return h.err.Error() }

// session watches over one connection.
func (w *watcher) session(ctx context.Context) error {
	// paho must not be kept waiting in its own goroutine once nobody receives.
	in := newInbox()
	defer in.close()
	l, err := connect(ctx, w.cfg.Broker, linkOptions{
		clientID: "platewatch-watch-" + rand.Text()[:12], keepAlive: w.cfg.KeepAlive, limit: w.cfg.MaxMessage + 1024,
		onMessage: in.put,
	})
	if err != nil {
		return err
	}
	ended := false
	defer func() {
		if ended {
			l.cut()
		} else {
			l.close()
		}
	}()
	unit := w.cfg.Unit
	if unit == "" {
		unit = "+"
	}
	token := l.client.SubscribeMultiple(map[string]byte{Topic(unit, KindHits): 1, Topic(unit, KindState): 1}, nil)
	subscribed := token.Done()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-l.lost:
			ended = true
			return brokerError(w.cfg.Broker, errors.Join(errLost, err))
		case <-subscribed:
			subscribed = nil
			if err := subscriptionError(token); err != nil {
				return brokerError(w.cfg.Broker, err)
			}
			w.problems.reset()
			w.worked = true
			if err := w.link(nil); err != nil {
				return handlerError{err}
			}
		case m := <-in.messages:
			if err := w.receiver.handle(m.topic, m.payload, w.handler); err != nil {
				return handlerError{err}
			}
		}
	}
}

// receiver checks messages and tells repeats and gaps. It does not know where
// messages come from.
type receiver struct {
	unit string // "" for all
	seen *seen
	gaps *gaps
}

func newReceiver(unit string, remember, units int) *receiver {
	return &receiver{unit: unit, seen: newSeen(remember), gaps: newGaps(units)}
}

// handle takes one message, which can be anything at all.
func (r *receiver) handle(topic string, payload []byte, to WatchHandler) error {
	invalid := func(err error) error {
		if to.Invalid == nil {
			return nil
		}
		return to.Invalid(topic, err)
	}
	unit, kind, ok := ParseTopic(topic)
	if !ok || r.unit != "" && unit != r.unit {
		return invalid(errors.New("it is not a topic of a unit that is watched"))
	}
	if kind != KindHits && kind != KindState {
		return nil
	}
	if err := Validate(kind, payload); err != nil {
		return invalid(err)
	}
	if kind == KindState {
		var s State
		if err := json.Unmarshal(payload, &s); err != nil {
			return invalid(err)
		}
		if s.Unit != unit {
			return invalid(fmt.Errorf("it says it is from unit %q", s.Unit))
		}
		if to.State == nil {
			return nil
		}
		return to.State(&s, payload)
	}
	var h Hit
	if err := json.Unmarshal(payload, &h); err != nil {
		return invalid(err)
	}
	idUnit, number, err := ParseID(h.ID)
	switch {
	case err != nil:
		return invalid(err)
	case h.Unit != unit || idUnit != unit:
		return invalid(fmt.Errorf("it says it is from unit %q under id %q", h.Unit, h.ID))
	case number != h.Number:
		return invalid(fmt.Errorf("its id %q and its number %d differ", h.ID, h.Number))
	}
	if !r.seen.add(h.ID, h.Revision) {
		return nil
	}
	if g := r.gaps.add(&h); g != nil && to.Gap != nil {
		if err := to.Gap(g); err != nil {
			return err
		}
	}
	if to.Hit == nil {
		return nil
	}
	return to.Hit(&h, payload)
}
