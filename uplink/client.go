package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"platewatch/uplink/broker"
	"platewatch/uplink/internal/failure"
	"platewatch/uplink/internal/link"
	"platewatch/uplink/internal/setting"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// Settings configures a [Client]. Zero values take the defaults.
type Settings struct {
	// Ack is whose acknowledgement removes a hit from the outbox.
	Ack Ack `toml:"ack"`

	// Bandwidth bounds what is sent, in bytes a second; 0 for no bound. On a
	// link that is bounded, or found to be slow, hits go without their pictures
	// first, and are sent again with them when no other hit waits.
	Bandwidth int64 `toml:"bandwidth" unit:"bytes"`

	// ONVIF also publishes each hit as an ONVIF Profile M event.
	ONVIF message.ONVIF `toml:"onvif"`
	// HomeAssistant also announces the unit to Home Assistant.
	HomeAssistant message.HomeAssistant `toml:"home_assistant"`

	// Brokers in order of preference. The next one is tried when one cannot be
	// reached; while connected to another one the client looks for a better one
	// every PreferEvery and returns to it.
	Brokers     []broker.Broker `toml:"-"`
	PreferEvery time.Duration   `toml:"-"` // default 5 min

	// ServerAckTimeout is how long the server may take with [AckServer]. A hit
	// that it does not acknowledge within that time (default 60 s) is sent again,
	// after twice that time once more, and so on up to 15 min; the first times as
	// soon as the server acknowledges one that the broker had seconds later.
	ServerAckTimeout time.Duration `toml:"-"`

	Software string `toml:"-"` // the daemon's version, for the birth message

	// Health gives the health message; nil for none. The client fills in
	// Unit, Outbox and Link. It is called from the client's goroutine.
	Health      func() message.Health `toml:"-"`
	HealthEvery time.Duration         `toml:"-"` // default 60 s

	// Lists takes the hotlist updates that come over MQTT; nil for none.
	Lists *ListUpdates `toml:"-"`

	// KeepAlive is after how much silence the link is probed. A dead link is
	// noticed within 2.5 times that, and the time that messages in flight need
	// on this link. Default 10 s; whole seconds. On a link that was found to be
	// slow it is as long as the largest message takes.
	KeepAlive time.Duration `toml:"-"`
	// AckTimeout is how long the broker may take to acknowledge a message
	// after it was written; then the connection is closed. Default 30 s.
	AckTimeout time.Duration `toml:"-"`
	// Window is how many messages may be in flight. Default 64.
	Window int `toml:"-"`
	// DrainTimeout bounds how long Run goes on after its context is done, to
	// deliver what is pending and to say that the unit is offline. Default 3 s.
	DrainTimeout time.Duration `toml:"-"`
	// MaxBackoff bounds the wait between attempts to connect. Default, and
	// at most, 60 s.
	MaxBackoff time.Duration `toml:"-"`
}

// Ack says whose acknowledgement removes a hit from the outbox.
type Ack string

// The acknowledgements. The zero value means [AckBroker].
const (
	AckBroker Ack = "broker" // the broker's PUBACK
	AckServer Ack = "server" // the central server's own message on the acks topic
)

// Default returns the settings that the configuration file starts from.
func Default() Settings {
	return Settings{Ack: AckBroker, HomeAssistant: message.DefaultHomeAssistant()}
}

// Problems yields what the configuration file may not set, by its key. What is
// wrong with ONVIF and HomeAssistant they say themselves.
func (c Settings) Problems() iter.Seq2[string, error] {
	return setting.Problems(func(add setting.Add) {
		add.OneOf("ack", string(c.Ack), string(AckBroker), string(AckServer))
		if c.Bandwidth != 0 {
			add.Size("bandwidth", c.Bandwidth, 256, 1<<30)
		}
	})
}

func (c Settings) withDefaults() Settings {
	def := func(p *time.Duration, v time.Duration) {
		if *p <= 0 {
			*p = v
		}
	}
	def(&c.HealthEvery, time.Minute)
	def(&c.PreferEvery, 5*time.Minute)
	def(&c.ServerAckTimeout, time.Minute)
	def(&c.KeepAlive, 10*time.Second)
	def(&c.AckTimeout, 30*time.Second)
	def(&c.DrainTimeout, 3*time.Second)
	def(&c.MaxBackoff, link.MaxBackoff)
	c.MaxBackoff = min(c.MaxBackoff, link.MaxBackoff)
	if c.Window <= 0 {
		c.Window = 64
	}
	return c
}

const (
	// maxKeepAlive bounds the keep-alive on a slow link.
	maxKeepAlive = 10 * time.Minute
	// clientInbound bounds what comes to the unit where it takes no hotlist
	// updates: acknowledgements.
	clientInbound = 128 << 10
	// stubbornAfter is how many connections in a row may end without a single
	// acknowledgement before the hits are sent one at a time and without
	// pictures: a broker may close the connection over a message's size.
	stubbornAfter = 3
)

// Stats is what the client did since it was made.
type Stats struct {
	Connected       bool
	Broker          string // the one connected to, or tried last
	Insecure        bool   // that one is on another machine and the link is not encrypted
	Connects        uint64
	Delivered       uint64 // hits acknowledged
	Resent          uint64 // hits published again after a connection ended, or for want of the server's word
	Historical      uint64 // hits delivered late
	WithoutPictures uint64 // hits published without their pictures because the broker would not take them
	Awaiting        int    // hits that the broker has and the server did not acknowledge yet
	LastProblem     string // why the link was last lost or not made; "" after a connection was made
	Since           time.Time
}

// Client publishes what the outbox holds. Make one with [NewClient].
type Client struct {
	cfg    Settings
	outbox *outbox.Outbox
	log    *slog.Logger

	// removed holds entries that were delivered but could not be removed from
	// the outbox yet: they are not sent again. Only Run uses it, and all below.
	removed map[outbox.Ref]bool
	sent    map[outbox.Ref]bool // in flight when an earlier connection ended
	bare    map[outbox.Ref]bool // delivered without pictures, which are still to follow
	barren  int                 // connections in a row without an acknowledgement of a hit
	speed   float64             // of the link in bytes a second, as measured; 0 if unknown
	doubt   bool                // the last connection ended with something on its way, and no speed was measured since
	// problems are those that were logged.
	problems link.OnceLogger

	mu       sync.Mutex
	stats    Stats
	hotlists *message.HotlistReport
	drops    uint64
	report   chan struct{} // one token: there is a new hotlist report
}

// NewClient checks the configuration; it does not connect. Missing files
// satisfy errors.Is(err, fs.ErrNotExist).
func NewClient(cfg Settings, o *outbox.Outbox, log *slog.Logger) (*Client, error) {
	if err := broker.Check(cfg.Brokers); err != nil {
		return nil, err
	}
	c := &Client{
		cfg: cfg.withDefaults(), outbox: o, log: log,
		removed: map[outbox.Ref]bool{}, sent: map[outbox.Ref]bool{}, bare: map[outbox.Ref]bool{}, report: make(chan struct{}, 1),
	}
	c.stats.Since = time.Now()
	return c, nil
}

// Stats is a snapshot.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

func (c *Client) count(f func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.stats)
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

// Run connects, publishes, and connects again, until ctx is done. Then it
// delivers what is pending for at most the DrainTimeout, says that the unit is
// offline, disconnects and returns nil; the rest stays in the outbox. A broker
// that cannot be reached is never an error here: the unit runs on and keeps
// its hits.
func (c *Client) Run(ctx context.Context) error {
	var updates sync.WaitGroup
	defer updates.Wait()
	if c.cfg.Lists != nil {
		running, stop := context.WithCancel(ctx)
		defer stop()
		updates.Go(func() { c.cfg.Lists.run(running, c.log) })
	}
	wait := link.Backoff{Max: c.cfg.MaxBackoff}
	for at := 0; ctx.Err() == nil; {
		b := c.cfg.Brokers[at]
		started := time.Now()
		c.count(func(s *Stats) { s.Broker, s.Insecure = b.Name(), b.Plaintext() })
		l, err := c.connect(ctx, b)
		if err == nil {
			c.log.Info("connected to the broker", "broker", b.Name())
			c.count(func(s *Stats) {
				s.Connected, s.LastProblem, s.Since = true, "", time.Now()
				s.Connects++
			})
			err = c.serve(ctx, l, at)
			c.count(func(s *Stats) { s.Connected, s.Since, s.Awaiting = false, time.Now(), 0 })
			if time.Since(started) >= link.GoodSession {
				wait.Reset()
				c.problems.Reset()
			}
			at = 0 // the most preferred one is worth another try
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
			continue // the next one gets its try at once
		}
		t := time.NewTimer(wait.Next())
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
	}
	return nil
}

// problem logs a lost or failed connection when something changed, not at
// every attempt.
func (c *Client) problem(b broker.Broker, err error, attempt int) {
	text := "the connection ended"
	if err != nil {
		text = err.Error()
	}
	c.count(func(s *Stats) { s.LastProblem = text })
	if !c.problems.ShouldLog(text) && attempt > 0 {
		c.log.Debug("still no broker", "broker", b.Name(), "error", text, "attempt", attempt)
		return
	}
	args := []any{"broker", b.Name(), "error", text, "pending", c.outbox.Stats().Entries}
	var e *failure.Error
	if errors.As(err, &e) && e.Advice != "" {
		args = append(args, "hint", e.Advice)
	}
	c.log.Warn("no connection to the broker; hits are kept on disk", args...)
}

func (c *Client) connect(ctx context.Context, b broker.Broker) (*link.Link, error) {
	unit := c.outbox.Unit()
	will, err := json.Marshal(message.State{Unit: unit, State: message.Offline, Reason: "connection lost", Software: c.cfg.Software})
	if err != nil {
		return nil, err
	}
	inbound := clientInbound
	if c.cfg.Lists != nil {
		inbound = max(inbound, c.cfg.Lists.maxPart()+1024)
	}
	in := link.NewInbox()
	l, err := link.Connect(ctx, b, link.Options{
		ClientID: "platewatch-" + unit, KeepAlive: c.keepAlive(), Limit: inbound, Bandwidth: int(c.cfg.Bandwidth),
		WillTopic: message.Topic(unit, message.KindState), Will: will, OnMessage: in.Put,
	})
	if err != nil {
		in.Close()
		return nil, err
	}
	l.Inbox = in
	return l, nil
}

// serve runs one connection until it ends.
func (c *Client) serve(ctx context.Context, l *link.Link, at int) error {
	// Nobody receives any more: paho must not be kept waiting.
	defer l.Inbox.Close()
	s := newSession(c, l, at)
	err := s.run(ctx)
	if len(c.sent) > 16*c.cfg.Window { // only counts depend on it
		clear(c.sent)
	}
	for _, f := range s.inFlight {
		if f.entry {
			c.sent[f.ref] = true
		}
	}
	for ref := range s.awaiting {
		c.sent[ref] = true
	}
	if s.acked > 0 {
		c.barren = 0
	} else if s.published > 0 {
		c.barren++
	}
	c.learn(s, err)
	return err
}

// learn draws what can be drawn from the end of a connection with something on
// its way. If the broker ended it after a while, because nothing came through in one and a
// half keep-alives, the link is slow; if it went silent, it may just be dead.
func (c *Client) learn(s *session, err error) {
	if len(s.inFlight) == 0 {
		return
	}
	took := time.Since(s.inFlight[0].launched)
	switch {
	case errors.Is(err, errSilent), errors.Is(err, errAckTimeout):
		c.doubt = true
	case errors.Is(err, link.ErrLost) && took >= c.cfg.KeepAlive:
		c.doubt = true
		speed := float64(s.inFlight[0].size) / took.Seconds() // at most
		if c.speed == 0 || speed < c.speed {
			c.speed = speed
		}
	}
}

// keepAlive is what the broker is told. It ends a connection over which no
// whole packet comes for one and a half times as long, so on a slow link the
// largest message has to get through in that time.
func (c *Client) keepAlive() time.Duration {
	speed := c.speed
	if b := float64(c.cfg.Bandwidth); b > 0 && (speed == 0 || b < speed) {
		speed = b
	}
	if speed == 0 {
		return c.cfg.KeepAlive
	}
	largest := 2 * float64(c.outbox.Largest()) * 4 / 3 // as base64, and there is more than that on the way
	return max(c.cfg.KeepAlive, min(time.Duration(largest/speed*float64(time.Second)), maxKeepAlive))
}

// health fills in the message that is due every minute.
func (c *Client) health(b broker.Broker) message.Health {
	h := c.cfg.Health()
	h.Unit = c.outbox.Unit()
	h.Outbox = c.outbox.Stats()
	if h.At.IsZero() {
		h.At = time.Now()
	}
	if h.Cameras == nil {
		h.Cameras = []message.CameraHealth{}
	}
	if h.Lists == nil {
		h.Lists = []message.ListHealth{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h.Link = message.LinkHealth{
		Broker: b.Name(), Connects: c.stats.Connects, Delivered: c.stats.Delivered, Resent: c.stats.Resent,
		Insecure: b.Plaintext(), LastProblem: c.stats.LastProblem, ControlDrops: c.drops, Awaiting: c.stats.Awaiting,
	}
	h.Problems = append(h.Problems, c.stats.problems()...)
	return h
}

// Problems are what a person should know of the link while it is there, one
// sentence each.
func (c *Client) Problems() []string { return c.Stats().problems() }

func (s Stats) problems() (out []string) {
	if s.Insecure {
		out = append(out, fmt.Sprintf("The link to %s is not encrypted, as configured.", s.Broker))
	}
	if s.LastProblem == serverSilent {
		out = append(out, fmt.Sprintf("The server does not acknowledge hits: %d are kept, and sent again from time to time.", s.Awaiting))
	}
	return out
}
