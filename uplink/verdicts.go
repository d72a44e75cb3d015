package uplink

import (
	"platewatch/uplink/internal/link"
	"platewatch/uplink/message"
)

// parseVerdicts reads a message of the verdicts topic, which may hold anything.
func parseVerdicts(unit string, payload []byte) ([]message.Verdict, error) {
	var v message.Verdicts
	err := decode(message.KindVerdicts, payload, &v, &v.Unit, unit)
	return v.Verdicts, err
}

// onVerdicts hands what persons found on. A retained message would come again with
// every connection, so it is not a verdict.
func (s *session) onVerdicts(m link.Message) {
	verdicts, err := parseVerdicts(s.client.outbox.Unit(), m.Payload)
	switch {
	case s.cfg.Verdicts == nil:
	case err != nil:
		s.client.ignoredVerdicts(1, "a message is not valid: "+err.Error())
	case m.Retained:
		s.client.ignoredVerdicts(len(verdicts), "a message is retained")
	case !s.cfg.Verdicts(verdicts):
		s.client.ignoredVerdicts(len(verdicts), "more come than can be recorded")
	}
}

// ignoredVerdicts counts verdicts that were not looked at, and logs the reason once on
// a connection.
func (c *Client) ignoredVerdicts(n int, reason string) {
	c.count(func(st *Stats) { st.IgnoredVerdicts += uint64(n) })
	if c.logged.ShouldLog("ignored verdicts") {
		c.log.Warn("verdicts ignored", "reason", reason, "count", n,
			"hint", "check who may write to the verdicts topics at the broker, and that nothing there is retained")
	}
}

// ReportHealth publishes the health message now, or once there is a connection, and
// not only at the next minute.
func (c *Client) ReportHealth() {
	select {
	case c.healthDue <- struct{}{}:
	default: // it is due already
	}
}
