// Package unit is the running unit: it wires cameras, recogniser, hotlist,
// outbox, uplink and status page together and keeps them going.
//
//	pipeline.go  one camera: newest frame → plates → passages (observe)
//	hit.go       passage → hotlist → outbox
//	picture.go   the pictures that go with a hit
//	updates.go   hotlist updates from the broker → hotlist
//	reload.go    a changed configuration, while the unit runs
//	settings.go  configuration → the parts' own settings
//	status.go    what the status page shows
//	health.go    what the health message says
//	host.go      what the unit takes from the board
//	notify.go    systemd: ready, watchdog, stopping
//	pulse.go     which stage makes progress, for the watchdog
//
// One goroutine per camera takes a frame from the camera's mailbox to the
// outbox's fsync and never waits for the network. The rest (uplink, status page,
// list watcher) runs in the background.
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
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/hit"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/cmd/platewatch/internal/testdrive"
	"platewatch/cmd/platewatch/internal/verdict"
	"platewatch/hotlist"
	"platewatch/hotlist/audit"
	"platewatch/hotlist/entry"
	"platewatch/ocr"
	"platewatch/uplink"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// Options make a unit.
type Options struct {
	Config  *config.Config
	Version status.Version
	Log     *slog.Logger
	// OnPage, if set, is called with the status page's address once it listens.
	OnPage func(url string)
	// Hangup asks for the configuration to be read again, with Reload, and what can
	// change meanwhile to be changed. Nil: never.
	Hangup <-chan os.Signal
	Reload func() (*config.Config, error)
	// Level, if set, is the log's level, which a reload changes.
	Level *slog.LevelVar
}

// Unit is one roadside unit.
type Unit struct {
	o       Options
	log     *slog.Logger
	started time.Time

	inForce atomic.Pointer[config.Config]
	reader  atomic.Pointer[ocr.Recogniser]
	working chan struct{} // one token per frame being processed
	lists   *hotlist.DB
	trail   *audit.Trail
	book    *verdict.Book
	// found are verdicts on their way to the book.
	found chan []message.Verdict
	// unrecorded are the records of hits on their way to the trail.
	unrecorded chan []audit.Record
	outbox     *outbox.Outbox
	sender     atomic.Pointer[uplink.Client] // nil without a broker
	replaced   chan struct{}                 // one token: there is a new sender
	page       *status.Server                // nil without one
	probes     []*probe
	line       atomic.Pointer[string] // the status line, as systemd gets it; nil until it is made
	pipelines  []*cameraPipeline
	recent     recentHits
	drive      testdrive.Drive
	counting   sync.Mutex
	counted    audit.DayCounts // hits since the last write
	hitsOf     []status.HitCount
	clock      clockReader

	stallAfter time.Duration // a stage without progress for this long is stalled
	askEvery   time.Duration // of the probes
}

// Open opens the reading model, the hotlist and the outbox, and fails if one of
// them cannot be opened. Cameras and broker may be absent; Run connects to them.
func Open(o Options) (_ *Unit, err error) {
	u := &Unit{o: o, log: o.Log, started: time.Now(), clock: readClock, replaced: make(chan struct{}, 1),
		unrecorded: make(chan []audit.Record, maxUnrecorded), found: make(chan []message.Verdict, maxFound), stallAfter: stalledAfter, askEvery: askEvery}
	u.inForce.Store(o.Config)
	defer func() {
		if err != nil {
			err = errors.Join(err, u.Close())
		}
	}()
	if err := os.MkdirAll(u.cfg().StateDir, 0o700); err != nil {
		return nil, fmt.Errorf("the state directory: %w", err)
	}
	u.working = make(chan struct{}, u.cfg().OCR.Readers())
	reader, err := ocr.New(u.cfg().OCR)
	if err != nil {
		return nil, err
	}
	u.reader.Store(reader)
	lists, err := u.cfg().Hotlist.Options()
	if err != nil {
		return nil, err
	}
	lists.Log = u.log
	if u.lists, err = hotlist.Open(u.cfg().Hotlist.Path, lists); err != nil {
		return nil, err
	}
	if u.trail, err = audit.Open(u.cfg().Hotlist.Path, u.cfg().Hotlist.KeyFile); err != nil {
		return nil, err
	}
	u.book = verdict.NewBook(u.trail)
	key, err := u.lists.DeriveKey("outbox")
	if err != nil {
		return nil, err
	}
	if u.outbox, err = outbox.Open(u.cfg().Uplink.OutboxFile, u.cfg().Unit.Name, outboxSettings(u, key), u.log); err != nil {
		return nil, err
	}
	client, err := newClient(u, u.cfg())
	if err != nil {
		return nil, err
	}
	u.sender.Store(client)
	for _, c := range u.cfg().Cameras {
		p, err := newCameraPipeline(u, c)
		if err != nil {
			return nil, err
		}
		u.pipelines = append(u.pipelines, p)
	}
	u.probes = u.newProbes()
	return u, nil
}

// Close releases what Open opened. Run must have returned.
func (u *Unit) Close() error {
	var all error
	for _, c := range u.pipelines {
		all = errors.Join(all, c.observer.Close())
	}
	u.appendRecords(u.waitingRecords())
	if u.outbox != nil {
		all = errors.Join(all, u.outbox.Close())
	}
	if u.lists != nil {
		all = errors.Join(all, u.lists.Close())
	}
	if u.recogniser() != nil {
		all = errors.Join(all, u.recogniser().Close())
	}
	return all
}

// cfg is the configuration in force. A reload replaces it.
func (u *Unit) cfg() *config.Config { return u.inForce.Load() }

// recogniser is what pipelines read with from their next frame on.
func (u *Unit) recogniser() *ocr.Recogniser { return u.reader.Load() }

// client sends the hits; nil without a broker.
func (u *Unit) client() *uplink.Client { return u.sender.Load() }

// turn waits until a frame may be processed: at most as many at once as there
// are readers.
func (u *Unit) turn(ctx context.Context) (done func(), err error) {
	select {
	case u.working <- struct{}{}:
		return func() { <-u.working }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Run runs the unit until ctx is done or every camera has ended, as files do.
// Cameras stop first and their last passages are decided; then the uplink
// delivers for at most [drainTimeout]. The rest stays in the outbox.
func (u *Unit) Run(ctx context.Context) error {
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBackground()
	g, background := errgroup.WithContext(background)
	// Cameras stop with ctx, and when a background task fails.
	watching, stopWatching := context.WithCancel(background)
	defer stopWatching()
	defer context.AfterFunc(ctx, stopWatching)()

	g.Go(func() error { return u.deliver(background) })
	g.Go(func() error { return u.keepLists(background) })
	g.Go(func() error { return u.keepCounts(background) })
	g.Go(func() error { return u.keepRecords(background) })
	g.Go(func() error { return u.keepVerdicts(background) })
	g.Go(func() error { return u.logCondition(background) })
	if u.cfg().Status.Listen != status.Off {
		var err error
		if u.page, err = u.statusPage(); err != nil {
			return err
		}
		url, err := u.page.Listen(watching)
		if err != nil {
			return err
		}
		if u.o.OnPage != nil {
			u.o.OnPage(url)
		}
		g.Go(func() error { return u.page.Run(background) })
	}
	g.Go(func() error { return u.notifySystemd(watching) })
	g.Go(func() error { u.askProbes(watching); return nil })
	g.Go(func() error { return u.obeyHangups(watching) })
	g.Go(func() error {
		defer stopBackground()
		cameras, watching := errgroup.WithContext(watching)
		for _, c := range u.pipelines {
			cameras.Go(func() error { return c.run(watching) })
		}
		return cameras.Wait()
	})
	u.log.Info("running", "unit", u.cfg().Unit.Name, "cameras", len(u.pipelines), "version", u.o.Version.Version)
	err := g.Wait()
	stats := u.outbox.Stats()
	u.log.Info("stopped", "waiting_hits", stats.Entries)
	return err
}

// keepLists reloads lists that were imported, and reports the held versions to
// the server.
func (u *Unit) keepLists(ctx context.Context) error {
	const every = 2 * time.Second
	u.expectShort(u.recogniser())
	u.reportLists()
	reported := u.listStates()
	u.lists.Watch(ctx, every, func(changed bool) {
		if changed {
			u.expectShort(u.recogniser())
			u.log.Info("hotlists changed", "lists", u.lists.Stats().Lists, "entries", u.lists.Stats().Entries)
		}
		// A refusal and the passing of a list's expiry change no file of a list.
		if now := u.listStates(); changed || !slices.EqualFunc(now, reported, sameState) {
			reported = now
			u.reportLists()
		}
	})
	return nil
}

// expectShort tells a recogniser how short the plates of the lists are.
func (u *Unit) expectShort(r *ocr.Recogniser) {
	lists, err := u.lists.Lists()
	if err != nil { // Watch logs it
		return
	}
	r.ExpectShort(hit.Shortest(lists))
}

// listStates is the state of each list that is held or was, and of those that the
// unit follows: they are missing until they have come.
func (u *Unit) listStates() []hotlist.ListState {
	states, err := u.lists.States(time.Now(), u.clock().State == status.ClockSynchronised)
	if err != nil {
		u.log.Error("hotlists not listed", "error", err)
	}
	for _, name := range u.cfg().Uplink.Lists.Lists {
		i := slices.IndexFunc(states, func(s hotlist.ListState) bool { return s.Name == name })
		if i < 0 {
			i = len(states)
			states = append(states, hotlist.ListState{List: entry.List{Name: name}})
		}
		states[i].Missing = states[i].Missing || states[i].Version == ""
	}
	return states
}

// sameState tells whether two states give the same report.
func sameState(a, b hotlist.ListState) bool {
	same := a.Name == b.Name && a.Version == b.Version && a.Imported.Equal(b.Imported) && a.Overdue == b.Overdue && a.Missing == b.Missing &&
		a.Accepted == b.Accepted && a.Unrecorded == b.Unrecorded
	if a.Refused == nil || b.Refused == nil {
		return same && a.Refused == b.Refused
	}
	return same && *a.Refused == *b.Refused
}

// reportLists reports to the server which lists are held, and which updates were
// refused and why.
func (u *Unit) reportLists() {
	client := u.client()
	if client == nil {
		return
	}
	r := message.HotlistReport{At: time.Now(), Lists: u.listHealth()}
	for _, s := range u.listStates() {
		if s.Refused == nil {
			continue
		}
		version := ""
		if s.Refused.Version > 0 {
			version = strconv.FormatUint(s.Refused.Version, 10)
		}
		r.Refused = append(r.Refused, message.ListRefusal{Name: s.Name, Version: version, Reason: s.Refused.Reason, At: s.Refused.At})
	}
	client.ReportHotlists(r)
}
