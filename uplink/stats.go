package uplink

import (
	"time"

	"platewatch/uplink/broker"
	"platewatch/uplink/message"
)

// Stats is what the client did since it was made.
type Stats struct {
	Connected       bool
	Broker          string    // the one connected to, or tried last
	Insecure        bool      // that one is on another machine and the link is not encrypted
	Certificate     time.Time // end of the client's certificate; zero without one
	Connects        uint64
	Delivered       uint64 // hits acknowledged
	Resent          uint64 // hits published again after a connection ended, or because the server did not acknowledge them
	Historical      uint64 // hits delivered late
	WithoutPictures uint64 // hits published without their pictures because the broker may refuse their size
	Awaiting        int    // hits that the broker acknowledged and the server did not
	UnexpectedAcks  uint64 // acknowledgements that were ignored: not valid, retained, or for hits that were not sent
	IgnoredVerdicts uint64 // verdicts that were not looked at: not valid, retained, or too many
	ServerSilent    bool   // the server does not acknowledge hits that the broker has
	Namesake        string // the installation of another unit that was seen under this unit's name
	LastProblem     string // why the last connection was lost or could not be made; "" after one was made
	Since           time.Time
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

// health completes the health message with what the client knows.
func (c *Client) health(b broker.Broker) message.Health {
	h := c.cfg.Health()
	h.Unit, h.Installation = c.outbox.Unit(), c.outbox.Installation()
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
		Insecure: b.Plaintext(), LastProblem: c.stats.LastProblem, ControlDrops: c.drops, Awaiting: c.stats.Awaiting, UnexpectedAcks: c.stats.UnexpectedAcks,
	}
	return h
}
