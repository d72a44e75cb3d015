package uplink

import (
	"iter"
	"time"

	"platewatch/uplink/broker"
	"platewatch/uplink/failure"
	"platewatch/uplink/internal/link"
	"platewatch/uplink/message"
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

	// Verdicts takes what persons found about hits, as it comes; nil: the unit does not
	// ask for it. It is called from the client's goroutine and must not block: false
	// means that it has no room for them now. [Client.ReportHealth] publishes the answers.
	Verdicts func([]message.Verdict) bool `toml:"-"`

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
	return failure.Problems(func(add failure.Add) {
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
