package unit

import (
	"path/filepath"
	"strconv"
	"time"

	"platewatch/cmd/platewatch/internal/status"
	"platewatch/uplink/message"
)

// health makes the health message: counts and states, never plate text.
func (u *Unit) health() message.Health {
	condition := u.condition()
	h := message.Health{
		At: time.Now(), Clock: message.ClockState(u.clock().State), Uptime: time.Since(u.started).Seconds(),
		Software: u.o.Version.Version, Lists: u.listHealth(), Audit: u.auditHealth(), Cameras: []message.CameraHealth{},
		Disk: diskOf(filepath.Dir(u.cfg().Uplink.OutboxFile)), Temperature: boardTemperature(),
		Verdicts: u.verdicts(),
		Level:    message.Level(condition.Level), Headline: condition.Headline, Problems: condition.Sentences(),
	}
	for _, c := range u.pipelines {
		s := c.camera.Stats()
		h.Cameras = append(h.Cameras, message.CameraHealth{
			Name: c.name, State: string(s.State), FPS: s.FPS, Frames: s.Frames, LastFrame: s.LastFrame,
			Drops: s.DropsByReason, Opens: s.Opens, LastError: s.LastError,
		})
		c.mu.Lock()
		h.Passages += c.counts.passages
		h.Hits += c.counts.hits
		c.mu.Unlock()
	}
	if latest := u.recent.latest(); len(latest) > 0 {
		h.LastHit = latest[0].hit.CapturedAt
	}
	return h
}

// listHealth is what health message and hotlist report say of each list: those that
// are held, and those that should be.
func (u *Unit) listHealth() []message.ListHealth {
	out := []message.ListHealth{}
	for _, l := range u.listStates() {
		if l.Version == "" && !l.Missing {
			continue // its first update was refused
		}
		h := message.ListHealth{Name: l.Name, Imported: l.Imported, Missing: l.Missing, Overdue: l.Overdue}
		if !l.Missing {
			h.Version, h.Entries = l.Version, l.Entries
		}
		if l.Signed != nil {
			h.Expires = l.Signed.Expires
		}
		if l.Accepted > 0 {
			h.Accepted = strconv.FormatUint(l.Accepted, 10)
		}
		out = append(out, h)
	}
	return out
}

// condition is what the unit says of itself.
func (u *Unit) condition() status.Condition {
	d := u.Status()
	return status.Judge(&d)
}

// auditHealth is where the audit trail ends.
func (u *Unit) auditHealth() *message.AuditHealth {
	head, err := u.trail.Head()
	h := &message.AuditHealth{Number: head.Seq, Hash: head.Hash}
	if err != nil {
		h.Problem = err.Error()
	}
	return h
}
