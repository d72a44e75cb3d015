package unit

import (
	"fmt"
	"path/filepath"
	"time"

	"platewatch/capture"
	"platewatch/uplink"
)

// health is the message that the unit publishes every minute. Counts and
// states only.
func (u *Unit) health() uplink.Health {
	h := uplink.Health{
		At: time.Now(), Clock: uplink.ClockState(u.clock().State), Uptime: time.Since(u.started).Seconds(),
		Software: u.o.Version.Version, Lists: u.listHealth(), Cameras: []uplink.CameraHealth{},
		Disk: diskOf(filepath.Dir(u.cfg.Uplink.Outbox)), Temperature: boardTemperature(), Problems: u.problems(),
	}
	for _, l := range u.lanes {
		s := l.camera.Stats()
		h.Cameras = append(h.Cameras, uplink.CameraHealth{
			Name: l.name, State: string(s.State), FPS: s.FPS, Frames: s.Frames, LastFrame: s.LastFrame,
			Drops: s.DropsByReason, Opens: s.Opens, LastError: s.LastError,
		})
		l.mu.Lock()
		h.Passages += l.counts.passages
		h.Hits += l.counts.hits
		l.mu.Unlock()
	}
	return h
}

func (u *Unit) listHealth() []uplink.ListHealth {
	out := []uplink.ListHealth{}
	for _, l := range u.listStates() {
		if l.Missing || l.Version == "" {
			continue // nothing of it is held; the report on hotlists and the problems tell why
		}
		h := uplink.ListHealth{Name: l.Name, Version: l.Version, Entries: l.Entries, Imported: l.Imported}
		if l.Signed != nil {
			h.Expires = l.Signed.Expires
		}
		out = append(out, h)
	}
	return out
}

// problems are what a person should know, one sentence each.
func (u *Unit) problems() []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, l := range u.lanes {
		if s := l.camera.Stats(); s.State == capture.StateOffline {
			add("Camera %s gives no pictures: %s.", l.name, s.LastError)
		}
		if advice := l.meter.Guidance().Advice(); advice != "" {
			add("Camera %s: %s.", l.name, advice)
		}
		l.mu.Lock()
		if l.counts.failures > 0 {
			add("Camera %s: %d frames could not be read.", l.name, l.counts.failures)
		}
		l.mu.Unlock()
	}
	if lists := u.lists.Stats(); lists.Entries == 0 {
		add("The hotlist is empty, so nothing can match: platewatch hotlist import.")
	} else if lists.Fallback > 0 {
		add("%d hotlists are served from the version before, because the newest is damaged.", lists.Fallback)
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
			add("The signed hotlist %s is missing; a version was accepted before.", l.Name)
		case l.Overdue:
			add("Hotlist %s is overdue since %s: no newer version came. It goes on being used.", l.Name, l.Signed.Expires.Format("2006-01-02 15:04 MST"))
		}
		if l.Refused != nil {
			add("An update of hotlist %s was refused: %s.", l.Name, l.Refused.Reason)
		}
	}
	if d := u.outbox.Damage(); d != nil {
		add("The outbox was damaged (%s); %d hits were saved, the old file is %s.", d.Reason, d.Salvaged, filepath.Base(d.Kept))
	}
	if s := u.outbox.Stats(); s.DroppedEntries > 0 {
		add("%d hits were dropped because the outbox was full or they were over their age.", s.DroppedEntries)
	}
	if s := u.outbox.Stats(); s.DiskProblem != "" {
		add("The disk takes no writes (%s): %d hits are only in memory and would be lost with the power.", s.DiskProblem, s.Unsaved)
	} else if s.NumberFileProblem != "" {
		add("The outbox's number file cannot be written: %s.", s.NumberFileProblem)
	}
	if len(u.cfg.Uplink.Brokers) == 0 {
		add("No broker is configured: hits stay in the outbox.")
	}
	return out
}
