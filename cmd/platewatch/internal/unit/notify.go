package unit

import (
	"context"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// stalledAfter is how old the last progress of any camera's lane may be for
// the unit to count as alive. A lane goes round every second also without a
// camera; a look at a large frame on a slow board takes less than five.
const stalledAfter = 15 * time.Second

// notifySystemd tells systemd that the unit is ready, feeds its watchdog for
// as long as every lane goes round, and says when the unit stops. Without
// systemd it does nothing until ctx is done.
func (u *Unit) notifySystemd(ctx context.Context) error {
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		u.log.Warn("systemd could not be told that the unit is ready", "error", err)
	}
	defer daemon.SdNotify(false, daemon.SdNotifyStopping)
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		u.log.Warn("systemd's watchdog setting is not understood", "error", err)
	}
	if every == 0 {
		every = time.Minute // only the line that `systemctl status` shows
	}
	tick := time.NewTicker(every / 3)
	defer tick.Stop()
	for {
		if age := u.progressAge(); age < stalledAfter {
			daemon.SdNotify(false, daemon.SdNotifyWatchdog+"\n"+u.statusLine())
		} else {
			u.log.Error("a camera's lane hangs; systemd will restart the unit", "for", age.Round(time.Second))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (u *Unit) progressAge() time.Duration {
	var oldest time.Duration
	for _, l := range u.lanes {
		oldest = max(oldest, l.progressAge())
	}
	return oldest
}

// statusLine is what `systemctl status` shows of the unit.
func (u *Unit) statusLine() string {
	online, hits := 0, uint64(0)
	for _, l := range u.lanes {
		if s := l.status(); s.Online() {
			online++
		}
		l.mu.Lock()
		hits += l.counts.hits
		l.mu.Unlock()
	}
	return fmt.Sprintf("STATUS=%d of %d cameras online, %d hits, %d waiting", online, len(u.lanes), hits, u.outbox.Stats().Entries)
}
