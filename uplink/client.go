package uplink

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"platewatch/uplink/broker"
	"platewatch/uplink/failure"
	"platewatch/uplink/internal/link"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// clientInbound bounds what comes to the unit where it takes no hotlist
// updates: acknowledgements and verdicts.
const clientInbound = 128 << 10

// Client publishes what the outbox holds. Make one with [NewClient].
type Client struct {
	cfg    Settings
	outbox *outbox.Outbox
	log    *slog.Logger

	// What follows is only for the goroutine of Run.
	flow            *flow
	removed         map[outbox.Ref]bool // delivered, and not yet removed from the outbox: not to be sent again
	sent            map[outbox.Ref]bool // in flight, or waiting for the server, when an earlier connection ended
	withoutPictures map[outbox.Ref]bool // delivered, and their pictures are still to follow
	announced       map[uint64]bool     // numbers of hits that are not delivered, and whose ONVIF event is
	logged          link.OnceLogger

	due atomic.Int64 // when Run has to have gone round again, nanoseconds since made; 0: it does not run

	run      string // random, in the births of this run
	born     bool   // a birth of this run was acknowledged
	answered string // the run of another unit of this name whose birth was answered

	mu       sync.Mutex
	stats    Stats
	hotlists *message.HotlistReport
	drops    uint64        // control messages replaced before they were sent
	report   chan struct{} // one token: there is a new hotlist report

	healthDue chan struct{} // one token: see [Client.ReportHealth]
}

// made is the origin of the clients' own time: monotonic, whatever the clock does.
var made = time.Now()

// goesRound is called whenever Run goes round; it will again within that time.
func (c *Client) goesRound(within time.Duration) { c.due.Store(int64(time.Since(made) + within)) }

// Stuck is for how long Run has been stuck in one step, beyond the time that the step
// may wait; zero or less while it makes progress, and while it does not run. Being
// without a broker is progress: Run tries again.
func (c *Client) Stuck() time.Duration {
	due := c.due.Load()
	if due == 0 {
		return 0
	}
	return time.Since(made) - time.Duration(due)
}

// NewClient checks the configuration; it does not connect. Missing files
// satisfy errors.Is(err, fs.ErrNotExist).
func NewClient(cfg Settings, o *outbox.Outbox, log *slog.Logger) (*Client, error) {
	if err := broker.Check(cfg.Brokers); err != nil {
		return nil, err
	}
	c := &Client{
		cfg: cfg.withDefaults(), outbox: o, log: log,
		removed: map[outbox.Ref]bool{}, sent: map[outbox.Ref]bool{}, withoutPictures: map[outbox.Ref]bool{}, announced: map[uint64]bool{}, report: make(chan struct{}, 1), healthDue: make(chan struct{}, 1),
	}
	c.flow = &flow{bandwidth: float64(c.cfg.Bandwidth), maxMessages: c.cfg.Window, keepAlive: c.cfg.KeepAlive}
	c.stats.Since = time.Now()
	c.run = strings.ToLower(rand.Text()[:12])
	return c, nil
}

// ReportHotlists publishes which lists the unit holds, retained, now or once
// there is a connection. Only the latest report is kept.
func (c *Client) ReportHotlists(r message.HotlistReport) {
	r.Unit = c.outbox.Unit()
	if r.Lists == nil {
		r.Lists = []message.ListHealth{}
	}
	c.mu.Lock()
	c.hotlists = &r
	c.mu.Unlock()
	select {
	case c.report <- struct{}{}:
	default:
		c.mu.Lock()
		c.drops++
		c.mu.Unlock()
	}
}

// Run connects, publishes, and connects again, until ctx is done. Then it delivers
// what is pending for at most the DrainTimeout, says that the unit is offline,
// disconnects and returns nil; the rest stays in the outbox. A broker that cannot be
// reached is not an error here: the unit runs on and keeps its hits.
func (c *Client) Run(ctx context.Context) error {
	var updates sync.WaitGroup
	defer updates.Wait()
	if c.cfg.Lists != nil {
		running, stop := context.WithCancel(ctx)
		defer stop()
		updates.Go(func() { c.cfg.Lists.run(running, c.log) })
	}
	defer c.due.Store(0)
	wait := link.Backoff{Max: c.cfg.MaxBackoff}
	for at := 0; ctx.Err() == nil; {
		b := c.cfg.Brokers[at]
		started := time.Now()
		c.goesRound(link.DialTimeout(b))
		expires := b.CertificateExpires()
		c.count(func(s *Stats) { s.Broker, s.Insecure, s.Certificate = b.Name(), b.Plaintext(), expires })
		l, err := c.connect(ctx, b)
		if err == nil {
			c.log.Info("connected to the broker", "broker", b.Name())
			c.count(func(s *Stats) {
				s.Connected, s.LastProblem, s.Since = true, "", time.Now()
				s.Connects++
			})
			err = c.serve(ctx, l, at)
			c.count(func(s *Stats) { s.Connected, s.Since, s.Awaiting, s.ServerSilent = false, time.Now(), 0, false })
			if time.Since(started) >= link.GoodSession {
				wait.Reset()
				c.logged.Reset()
			}
			at = 0 // try the preferred one again
			if errors.Is(err, errMove) {
				c.log.Info("leaving the broker", "broker", b.Name(), "reason", err)
				continue
			}
		} else {
			at = (at + 1) % len(c.cfg.Brokers)
		}
		if ctx.Err() != nil {
			return nil
		}
		c.problem(b, err, wait.Attempts)
		if at > 0 {
			continue // try the next one at once
		}
		pause := wait.Next()
		c.goesRound(pause)
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
	}
	return nil
}

// problem logs a lost or failed connection when the reason is new, not at every
// attempt.
func (c *Client) problem(b broker.Broker, err error, attempt int) {
	text := "the connection ended"
	if err != nil {
		text = err.Error()
	}
	c.count(func(s *Stats) { s.LastProblem = text })
	if !c.logged.ShouldLog(text) && attempt > 0 {
		c.log.Debug("no broker yet", "broker", b.Name(), "error", text, "attempt", attempt)
		return
	}
	args := []any{"broker", b.Name(), "error", text, "pending", c.outbox.Stats().Entries}
	var e *failure.Error
	if errors.As(err, &e) && e.Advice != "" {
		args = append(args, "hint", e.Advice)
	}
	// It needs a person only where it lasts, which is for the daemon to say.
	c.log.Info("no connection to the broker; hits are kept on disk", args...)
}

func (c *Client) connect(ctx context.Context, b broker.Broker) (*link.Link, error) {
	unit := c.outbox.Unit()
	will, err := json.Marshal(c.state(message.State{State: message.Offline, Reason: "connection lost"}))
	if err != nil {
		return nil, err
	}
	inbound := clientInbound
	if c.cfg.Lists != nil {
		inbound = max(inbound, c.cfg.Lists.maxPart()+1024)
	}
	return link.Connect(ctx, b, link.Options{
		ClientID: "platewatch-" + unit, KeepAlive: c.flow.keepAliveFor(c.outbox.Largest()), Limit: inbound, Bandwidth: int(c.cfg.Bandwidth),
		WillTopic: message.Topic(unit, message.KindState), Will: will,
	})
}

// state completes a state message with what tells this unit from another.
func (c *Client) state(s message.State) message.State {
	s.Unit, s.Software, s.Installation, s.Run = c.outbox.Unit(), c.cfg.Software, c.outbox.Installation(), c.run
	return s
}

// serve works on one connection until it ends.
func (c *Client) serve(ctx context.Context, l *link.Link, at int) error {
	// Nobody receives any more: paho must not block.
	defer l.Inbox.Close()
	s := newSession(c, l, at)
	err := s.run(ctx)
	if len(c.sent) > 16*c.cfg.Window { // some may have been evicted
		maps.DeleteFunc(c.sent, func(ref outbox.Ref, _ bool) bool {
			_, pending := c.outbox.PendingRef(ref)
			return !pending
		})
	}
	if len(c.announced) > 16*c.cfg.Window { // of hits that a bound evicted
		clear(c.announced)
	}
	for _, f := range s.inFlight {
		if f.entry {
			c.sent[f.ref] = true
		}
	}
	for ref := range s.awaiting {
		c.sent[ref] = true
	}
	size, waited := 0, time.Duration(0)
	if len(s.inFlight) > 0 {
		size, waited = s.inFlight[0].size, time.Since(s.inFlight[0].launched)
	}
	c.flow.disconnected(err, size, waited)
	return err
}
