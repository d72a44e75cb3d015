package unit

import (
	"context"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// stalledAfter is the age of a stage's last loop iteration at which it counts as
// stalled. A camera's loop iterates every second also without a frame; a look
// at a large frame on a slow board takes less than five seconds.
const stalledAfter = 15 * time.Second

// notifySystemd reports readiness to systemd, feeds its watchdog while every stage
// makes progress, and reports the stop. Without systemd it does
// nothing until ctx is done.
func (u *Unit) notifySystemd(ctx context.Context) error {
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		u.log.Warn("readiness not reported to systemd", "error", err)
	}
	defer daemon.SdNotify(false, daemon.SdNotifyStopping)
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		u.log.Warn("invalid watchdog setting of systemd", "error", err)
	}
	if every == 0 {
		every = time.Minute // for the status line of `systemctl status`
	}
	tick := time.NewTicker(every / 3)
	defer tick.Stop()
	for {
		if stage, doing, age := u.stalled(); stage != "" {
			u.log.Error("a stage of the unit is stalled; systemd will restart the unit", "stage", stage, "doing", doing, "for", age.Round(time.Second))
		} else {
			state := daemon.SdNotifyWatchdog
			if line := u.line.Load(); line != nil { // made elsewhere: what it asks may be stuck
				state += "\n" + *line
			}
			daemon.SdNotify(false, state)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// statusLine is the line that `systemctl status` shows.
func (u *Unit) statusLine() string {
	online, hits := 0, uint64(0)
	for _, c := range u.pipelines {
		if s := c.status(); s.Online() {
			online++
		}
		c.mu.Lock()
		hits += c.counts.hits
		c.mu.Unlock()
	}
	return fmt.Sprintf("STATUS=%s; %d of %d cameras online, %d hits, %d waiting", u.condition().Headline, online, len(u.pipelines), hits, u.outbox.Stats().Entries)
}
