package unit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/coreos/go-systemd/v22/daemon"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/observe"
	"platewatch/ocr"
	"platewatch/uplink"
)

// whileRunning are the keys that a reload changes, and those whose names begin with
// one that ends in a dot. No frame is missed for it, and vehicles in view stay one
// passage each.
var whileRunning = []string{
	"unit.position",
	"camera.include", "camera.exclude", "camera.min_character_height", "camera.max_character_height", "camera.motion", "camera.full_look",
	"ocr.region", "ocr.min_plate_width", "passage.",
	"hotlist.trust", "hotlist.local", "hotlist.state", "hotlist.state_share", "hotlist.list",
	"uplink.brokers", "uplink.ca", "uplink.cert", "uplink.key", "uplink.user_file", "uplink.password_file", "uplink.insecure",
	"uplink.ack", "uplink.bandwidth", "uplink.onvif.", "uplink.home_assistant.", "uplink.hotlists",
	"pictures.context_sides", "pictures.context_above", "pictures.context_below",
	"status.tokens", "verdicts.", "log.level",
}

// atStart are all other keys, by the beginning of their names, and why only a new
// start changes them.
var atStart = []struct{ key, why string }{
	{"state_dir", "what the unit keeps is open there"},
	{"unit.name", "hits on their way carry it"},
	{"camera", "cameras are opened once"},
	{"ocr.", "the reading model is loaded once"},
	{"hotlist.", "the lists are open under it"},
	{"uplink.", "the outbox is open under it"},
	{"status.", "the status page listens already"},
	{"pictures.", "the outbox bounds its hits by it"},
	{"log.format", "the log is open"},
}

// changesWhileRunning reports whether a reload changes a key.
func changesWhileRunning(key string) bool {
	return slices.ContainsFunc(whileRunning, func(k string) bool {
		return k == key || strings.HasSuffix(k, ".") && strings.HasPrefix(key, k)
	})
}

// reason says why only a new start changes a key.
func reason(key string) string {
	for _, k := range atStart {
		if strings.HasPrefix(key, k.key) {
			return k.why
		}
	}
	return ""
}

// obeyHangups reloads the configuration whenever it is asked for, until ctx is done.
func (u *Unit) obeyHangups(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-u.o.Hangup:
			u.hangup(ctx)
		}
	}
}

// hangup reloads the configuration, and tells systemd when that begins and ends.
func (u *Unit) hangup(ctx context.Context) {
	u.tell(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
	defer u.tell(daemon.SdNotifyReady)
	wanted, err := u.o.Reload()
	if err == nil {
		err = u.reload(ctx, wanted)
	}
	if err != nil && ctx.Err() == nil {
		args := []any{"error", err}
		var h interface{ Hint() string }
		if errors.As(err, &h) && h.Hint() != "" {
			args = append(args, "hint", h.Hint())
		}
		u.log.Error("configuration not reloaded: the one in force stays, unchanged", args...)
	}
}

// tell sends systemd a line about the unit's state.
func (u *Unit) tell(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		u.log.Warn("state not reported to systemd", "state", state, "error", err)
	}
}

// reload takes from a configuration what can change while the unit runs, and names
// the rest in the log. It makes ready all that can fail before it changes anything: an
// error means that nothing has changed.
func (u *Unit) reload(ctx context.Context, wanted *config.Config) error {
	old := u.cfg()
	changed := config.Changed(old, wanted)
	live := func(key string) bool {
		return changesWhileRunning(key) && (key != "status.tokens" || u.page != nil && u.page.NeedsToken() && len(wanted.Status.Tokens) > 0)
	}
	next := old.With(wanted, live)
	anyOf := func(prefixes ...string) bool {
		return slices.ContainsFunc(changed, func(key string) bool {
			return live(key) && slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
		})
	}

	lists, err := next.Hotlist.Options() // its files may have changed where their names have not
	if err != nil {
		return err
	}
	renewPage := func() {}
	if u.page != nil {
		if renewPage, err = u.page.Renew(next.Status); err != nil {
			return err
		}
	}
	client, replace := (*uplink.Client)(nil), anyOf("uplink.", "unit.position")
	if replace {
		if client, err = newClient(u, next); err != nil {
			return err
		}
	}
	reader := u.recogniser()
	if anyOf("ocr.") {
		if reader, err = ocr.New(next.OCR); err != nil {
			return err
		}
		u.expectShort(reader)
	}

	u.inForce.Store(next)
	if u.o.Level != nil {
		u.o.Level.Set(next.Log.SlogLevel())
	}
	renewPage()
	if anyOf("camera.", "ocr.", "passage.") {
		u.changePipelines(ctx, next, reader)
	}
	if err := u.lists.Configure(ctx, lists); err != nil {
		u.log.Error("hotlist directory unreadable, lists unchanged", "error", err)
	}
	if replace {
		u.sender.Store(client)
		select {
		case u.replaced <- struct{}{}:
		default: // the one before was not taken up yet
		}
	}
	u.reportLists()
	u.logReload(changed, live)
	return nil
}

// logReload names what was changed, and what was not and why.
func (u *Unit) logReload(changed []string, live func(key string) bool) {
	var now []string
	for _, key := range changed {
		if live(key) {
			now = append(now, key)
			continue
		}
		u.log.Warn("setting not changed: "+reason(key), "key", key, "hint", "systemctl restart platewatch changes it; hits that wait are kept")
	}
	u.log.Info("configuration reloaded", "changed", strings.Join(now, " "), "not_changed", len(changed)-len(now))
}

// change is what a pipeline takes over between two frames.
type change struct {
	reader *ocr.Recogniser
	params observe.Params
	taken  chan struct{} // closed when the pipeline has it
}

// takeChange uses other settings from the next frame on.
func (c *cameraPipeline) takeChange() {
	select {
	case n := <-c.changes:
		defer close(n.taken)
		if err := c.observer.Change(n.reader, n.params); err != nil { // the configuration was checked
			c.log.Error("settings not changed", "error", err)
			return
		}
		c.reader = n.reader
	default:
	}
}

// changePipelines hands all cameras their settings and a recogniser, and frees the
// one before when none uses it any more.
func (u *Unit) changePipelines(ctx context.Context, next *config.Config, reader *ocr.Recogniser) {
	old := u.reader.Swap(reader)
	all := true
	for i, p := range u.pipelines {
		n := change{reader, observeParams(next, next.Cameras[i]), make(chan struct{})}
		select {
		case p.changes <- n: // empty: the one before was waited for
		case <-p.gone:
			continue
		}
		select {
		case <-n.taken:
		case <-p.gone:
		case <-ctx.Done():
			all = false // and the process ends
		}
	}
	if old == reader || !all {
		return
	}
	if err := old.Close(); err != nil {
		u.log.Error("reading model not freed", "error", err)
	}
}

// deliver runs the client, and the next one when a reload has replaced it, until ctx
// is done. Hits wait in the outbox meanwhile.
func (u *Unit) deliver(ctx context.Context) error {
	for {
		running, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() {
			client := u.client()
			if client == nil {
				<-running.Done()
				ended <- nil
				return
			}
			ended <- client.Run(running)
		}()
		select {
		case err := <-ended: // only with ctx, or broken
			stop()
			return err
		case <-u.replaced:
		}
		stop()
		if err := <-ended; err != nil {
			return fmt.Errorf("the uplink: %w", err)
		}
	}
}
