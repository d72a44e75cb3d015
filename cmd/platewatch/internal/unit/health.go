package unit

import (
	"fmt"
	"path/filepath"
	"time"

	"platewatch/capture"
	"platewatch/uplink/message"
)

// health makes the health message: counts and states, never plate text.
func (u *Unit) health() message.Health {
	h := message.Health{
		At: time.Now(), Clock: message.ClockState(u.clock().State), Uptime: time.Since(u.started).Seconds(),
		Software: u.o.Version.Version, Lists: u.listHealth(), Cameras: []message.CameraHealth{},
		Disk: diskOf(filepath.Dir(u.cfg.Uplink.OutboxFile)), Temperature: boardTemperature(), Problems: u.problems(),
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
	return h
}

func (u *Unit) listHealth() []message.ListHealth {
	out := []message.ListHealth{}
	for _, l := range u.listStates() {
		if l.Missing || l.Version == "" {
			continue // not held; hotlist report and problems say why
		}
		h := message.ListHealth{Name: l.Name, Version: l.Version, Entries: l.Entries, Imported: l.Imported}
		if l.Signed != nil {
			h.Expires = l.Signed.Expires
		}
		out = append(out, h)
	}
	return out
}

// problems are the faults that a person should know of, one sentence each.
func (u *Unit) problems() []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, c := range u.pipelines {
		if s := c.camera.Stats(); s.State == capture.StateOffline {
			add("Camera %s is offline: %s.", c.name, s.LastError)
		}
		if advice := c.meter.Guidance().Advice(); advice != "" {
			add("Camera %s: %s.", c.name, advice)
		}
		c.mu.Lock()
		if c.counts.failures > 0 {
			add("Camera %s: %d frames could not be processed.", c.name, c.counts.failures)
		}
		c.mu.Unlock()
	}
	if lists := u.lists.Stats(); lists.Entries == 0 {
		add("The hotlist is empty, so nothing can match: run platewatch hotlist import.")
	} else if lists.Fallback > 0 {
		add("%d hotlists: using the previous version, because the newest is damaged.", lists.Fallback)
	}
	for _, d := range u.lists.Damage() {
		if d.SetAside == "" {
			add("Hotlist %s cannot be used: %s.", d.List, d.Reason)
			continue
		}
		add("Hotlist %s was damaged and set aside: %s.", d.List, d.Reason)
	}
	for _, l := range u.listStates() {
		switch {
		case l.Missing:
			add("The signed hotlist %s is missing, although a version of it was accepted.", l.Name)
		case l.Overdue:
			add("Hotlist %s is overdue since %s: no newer version arrived. It is still in use.", l.Name, l.Signed.Expires.Format("2006-01-02 15:04 MST"))
		}
		if l.Refused != nil {
			add("An update of hotlist %s was refused: %s.", l.Name, l.Refused.Reason)
		}
	}
	if d := u.outbox.Damage(); d != nil {
		add("The outbox was damaged (%s): %d hits were recovered, the damaged file is kept as %s.", d.Reason, d.Salvaged, filepath.Base(d.Kept))
	}
	if s := u.outbox.Stats(); s.DroppedEntries > 0 {
		add("%d hits were dropped: the outbox was full, or they were older than allowed.", s.DroppedEntries)
	}
	if s := u.outbox.Stats(); s.DiskProblem != "" {
		add("Cannot write to disk (%s): %d hits are held in memory only and would be lost in a power cut.", s.DiskProblem, s.Unsaved)
	} else if s.NumberFileProblem != "" {
		add("Cannot write the outbox's number file: %s.", s.NumberFileProblem)
	}
	if len(u.cfg.Uplink.Broker.Brokers) == 0 {
		add("No broker is configured: hits stay in the outbox.")
	}
	return out
}
