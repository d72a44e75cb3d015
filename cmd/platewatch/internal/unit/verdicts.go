package unit

import (
	"context"

	"platewatch/uplink/message"
)

// maxFound is how many messages with verdicts may wait for the audit trail.
const maxFound = 16

// takeVerdicts hands what persons found on to [Unit.keepVerdicts], which waits for the
// disk. It is false if there is no room for it.
func (u *Unit) takeVerdicts(v []message.Verdict) bool {
	select {
	case u.found <- v:
		return true
	default:
		return false
	}
}

// keepVerdicts reads what the audit trail has of verdicts, and records new ones, until
// ctx is done. Nobody waits for it: of a long trail reading takes seconds.
func (u *Unit) keepVerdicts(ctx context.Context) error {
	if err := u.book.Load(); err != nil {
		u.log.Error("earlier verdicts not read from the audit trail", "error", err)
	}
	for {
		select {
		case v := <-u.found:
			for _, a := range u.book.Take(context.WithoutCancel(ctx), v) {
				u.logAnswer(a)
			}
			if c := u.client(); c != nil {
				c.ReportHealth()
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (u *Unit) logAnswer(a message.VerdictAnswer) {
	if a.Answer == message.VerdictFailed {
		u.log.Error("verdict not recorded in the audit trail, and not counted", "id", a.ID)
		return
	}
	u.log.Info("verdict", "id", a.ID, "answer", a.Answer)
}

// verdicts is what the unit says of verdicts; nil while there are none.
func (u *Unit) verdicts() *message.VerdictHealth {
	h := u.book.Health(u.cfg().Verdicts)
	c := u.client()
	if c == nil {
		return h
	}
	if n := c.Stats().IgnoredVerdicts; n > 0 {
		if h == nil {
			h = &message.VerdictHealth{Counts: []message.VerdictCount{}}
		}
		h.Ignored += n
	}
	return h
}
