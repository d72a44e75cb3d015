// Package unit is the running unit: it wires cameras, recogniser, hotlist,
// outbox, uplink and status page together and keeps them going.
//
//	lane.go      one camera: newest frame → plates → passages (observe)
//	hit.go       passage → hotlist → outbox
//	picture.go   the pictures that go with a hit
//	updates.go   hotlist updates from the broker → hotlist
//	settings.go  configuration → the parts' own settings
//	status.go    what the status page shows
//	health.go    what the health message says
//	host.go      clock, disk and temperature of the board
//	notify.go    systemd: ready, watchdog, stopping
//
// A frame's way is one goroutine per camera, from the camera's mailbox to the
// outbox's fsync; nothing on it waits for the network. Everything else (the
// uplink, the status page, the list watcher) runs beside it and can fail
// without stopping it.
package unit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/hotlist"
	"platewatch/ocr"
	"platewatch/ocr/read"
	"platewatch/uplink"
)

// Options make a unit.
type Options struct {
	Config  *config.Config
	Model   read.Model
	Version status.Version
	Log     *slog.Logger
	// OnPage, if set, is told the status page's address once it listens.
	OnPage func(url string)
}

// Unit is one roadside unit.
type Unit struct {
	o       Options
	cfg     *config.Config
	log     *slog.Logger
	started time.Time

	recogniser *ocr.Recogniser
	working    chan struct{} // holds a token per frame being read
	lists      *hotlist.DB
	trail      *hotlist.Trail
	outbox     *uplink.Outbox
	client     *uplink.Client // nil without a broker
	lanes      []*lane
	recent     recentHits
	counting   sync.Mutex
	counted    hotlist.DayCounts // hits since they were last written
	clock      clockReader
}

// Open opens everything that must be there: the reading model, the hotlist and
// the outbox. Cameras and broker may come later, and are opened by Run.
func Open(o Options) (_ *Unit, err error) {
	u := &Unit{o: o, cfg: o.Config, log: o.Log, started: time.Now(), clock: readKernelClock}
	defer func() {
		if err != nil {
			err = errors.Join(err, u.Close())
		}
	}()
	if err := os.MkdirAll(u.cfg.StateDir, 0o700); err != nil {
		return nil, fmt.Errorf("the state directory: %w", err)
	}
	workers := readers(u.cfg.OCR.Workers)
	u.working = make(chan struct{}, workers)
	params, err := recogniserParams(u.cfg, workers)
	if err != nil {
		return nil, err
	}
	if u.recogniser, err = ocr.New(o.Model, params); err != nil {
		return nil, err
	}
	lists, err := ListOptions(u.cfg.Hotlist)
	if err != nil {
		return nil, err
	}
	lists.Log = u.log
	if u.lists, err = hotlist.Open(u.cfg.Hotlist.Path, lists); err != nil {
		return nil, err
	}
	if u.trail, err = hotlist.OpenTrail(u.cfg.Hotlist.Path, u.cfg.Hotlist.KeyFile); err != nil {
		return nil, err
	}
	for _, d := range u.lists.Damage() {
		u.log.Error("a hotlist was damaged and set aside", "list", d.List, "reason", d.Reason, "kept", d.SetAside)
	}
	if u.outbox, err = uplink.OpenOutbox(u.cfg.Uplink.Outbox, u.cfg.Unit.Name, outboxOptions(u), u.log); err != nil {
		return nil, err
	}
	if len(u.cfg.Uplink.Brokers) > 0 {
		cfg := clientConfig(u)
		if cfg.Lists, err = listUpdates(u); err != nil {
			return nil, err
		}
		if u.client, err = uplink.NewClient(cfg, u.outbox, u.log); err != nil {
			return nil, err
		}
	}
	for _, c := range u.cfg.Cameras {
		l, err := newLane(u, c)
		if err != nil {
			return nil, err
		}
		u.lanes = append(u.lanes, l)
	}
	return u, nil
}

// Close frees what Open opened. Run must have returned.
func (u *Unit) Close() error {
	var all error
	for _, l := range u.lanes {
		all = errors.Join(all, l.watcher.Close())
	}
	if u.outbox != nil {
		all = errors.Join(all, u.outbox.Close())
	}
	if u.lists != nil {
		all = errors.Join(all, u.lists.Close())
	}
	if u.recogniser != nil {
		all = errors.Join(all, u.recogniser.Close())
	}
	return all
}

// turn waits until a frame may be read: so many at once as there are readers.
func (u *Unit) turn(ctx context.Context) (done func(), err error) {
	select {
	case u.working <- struct{}{}:
		return func() { <-u.working }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Run runs the unit until ctx is done or every camera has ended, as files do.
// Then the cameras stop first, the last passages are decided, and the uplink
// delivers for up to [drainTimeout] what it can; the rest stays in the outbox.
func (u *Unit) Run(ctx context.Context) error {
	beside, stopBeside := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBeside()
	g, beside := errgroup.WithContext(beside)
	// Cameras stop with ctx, and when something beside them cannot go on.
	watching, stopWatching := context.WithCancel(beside)
	defer stopWatching()
	defer context.AfterFunc(ctx, stopWatching)()

	if u.client != nil {
		g.Go(func() error { return u.client.Run(beside) })
	} else {
		u.log.Warn("no broker is configured: hits stay in the outbox")
	}
	g.Go(func() error { return u.keepLists(beside) })
	g.Go(func() error { return u.keepCounts(beside) })
	if u.cfg.Status.Listen != config.StatusOff {
		page, err := u.statusPage()
		if err != nil {
			return err
		}
		url, err := page.Listen(watching)
		if err != nil {
			return err
		}
		if u.o.OnPage != nil {
			u.o.OnPage(url)
		}
		g.Go(func() error { return page.Run(beside) })
	}
	g.Go(func() error { return u.notifySystemd(watching) })
	g.Go(func() error {
		defer stopBeside()
		cameras, watching := errgroup.WithContext(watching)
		for _, l := range u.lanes {
			cameras.Go(func() error { return l.run(watching) })
		}
		return cameras.Wait()
	})
	u.log.Info("running", "unit", u.cfg.Unit.Name, "cameras", len(u.lanes), "version", u.o.Version.Version)
	err := g.Wait()
	stats := u.outbox.Stats()
	u.log.Info("stopped", "waiting_hits", stats.Entries)
	return err
}

// keepLists takes over lists that were imported meanwhile, and tells the
// server which are held.
func (u *Unit) keepLists(ctx context.Context) error {
	const every = 2 * time.Second
	tick := time.NewTicker(every)
	defer tick.Stop()
	u.reportLists()
	told := u.listStates()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		changed, err := u.lists.Refresh(ctx)
		if err != nil && ctx.Err() == nil {
			u.log.Error("the hotlists could not be looked through", "error", err)
		}
		if changed {
			u.log.Info("hotlists changed", "lists", u.lists.Stats().Lists, "entries", u.lists.Stats().Entries)
		}
		// A refusal, and a list that became overdue, change no file of a list.
		if now := u.listStates(); changed || !slices.EqualFunc(now, told, sameState) {
			told = now
			u.reportLists()
		}
	}
}

// listStates says where each list stands.
func (u *Unit) listStates() []hotlist.ListState {
	states, err := u.lists.States(time.Now(), u.clock().State == status.ClockSynchronised)
	if err != nil {
		u.log.Error("the hotlists could not be listed", "error", err)
	}
	return states
}

// sameState tells whether the server would be told the same.
func sameState(a, b hotlist.ListState) bool {
	same := a.Name == b.Name && a.Version == b.Version && a.Imported.Equal(b.Imported) && a.Overdue == b.Overdue && a.Missing == b.Missing
	if a.Refused == nil || b.Refused == nil {
		return same && a.Refused == b.Refused
	}
	return same && *a.Refused == *b.Refused
}

// reportLists tells the server which lists are held, and which updates were
// refused and why.
func (u *Unit) reportLists() {
	if u.client == nil {
		return
	}
	r := uplink.HotlistReport{At: time.Now(), Lists: u.listHealth()}
	for _, s := range u.listStates() {
		if s.Refused == nil {
			continue
		}
		version := ""
		if s.Refused.Version > 0 {
			version = strconv.FormatUint(s.Refused.Version, 10)
		}
		r.Refused = append(r.Refused, uplink.ListRefusal{Name: s.Name, Version: version, Reason: s.Refused.Reason, At: s.Refused.At})
	}
	u.client.ReportHotlists(r)
}
