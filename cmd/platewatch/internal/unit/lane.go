package unit

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"platewatch/capture"
	"platewatch/capture/light"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/observe"
	"platewatch/ocr"
	"platewatch/ocr/passage"
)

// lane is one camera's way through the unit. Its run owns everything in it
// but the counters.
type lane struct {
	u       *Unit
	name    string
	log     *slog.Logger
	camera  *capture.Camera
	watcher *observe.Observer
	time    timeline
	seen    map[uint64]*sighting // by passage number, of the open passages
	preview preview
	meter   light.Meter

	beat   atomic.Int64 // nanoseconds since the unit's start when the lane last went round
	ended  atomic.Bool  // there is nothing more to look at
	mu     sync.Mutex
	counts laneCounts
	failed rateLimit
}

// laneCounts are what the status page and the health message tell.
type laneCounts struct {
	looks, plates, passages, hits uint64
	fullLooks                     uint64 // of the looks, those at the whole area
	still                         uint64 // frames on which nothing moved
	again                         uint64 // of the plates, those not read anew
	directions                    [passage.Directions]uint64
	failures                      uint64 // looks that gave an error
	timing                        timing
	lastPlates                    []ocr.Plate // boxes only: see [lane.note]
	lastPlateAt                   time.Time
}

func newLane(u *Unit, c config.Camera) (*lane, error) {
	cc, err := cameraConfig(c)
	if err != nil {
		return nil, err
	}
	log := u.log.With("camera", c.Name)
	camera, err := capture.New(cc, u.log) // it adds the name itself
	if err != nil {
		return nil, err
	}
	watcher, err := observe.New(u.recogniser, observeParams(u.cfg, c))
	if err != nil {
		return nil, err
	}
	l := &lane{u: u, name: c.Name, log: log, camera: camera, watcher: watcher,
		time: timeline{recorded: cc.Pace == capture.PaceFast}, seen: map[uint64]*sighting{}}
	l.alive()
	return l, nil
}

// run looks at the camera's frames until ctx is done or the camera has ended.
func (l *lane) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.camera.Run(ctx) })
	g.Go(func() error { return l.look(ctx) })
	return g.Wait()
}

// idleBeat is how long the lane waits for a frame before it goes round without
// one: passages end and the watchdog is fed also when the camera is gone.
const idleBeat = time.Second

// look takes the newest frame again and again.
func (l *lane) look(ctx context.Context) error {
	defer l.finish()
	for {
		l.alive()
		f, err := l.next(ctx)
		switch {
		case errors.Is(err, io.EOF) || ctx.Err() != nil:
			return nil
		case errors.Is(err, context.DeadlineExceeded):
			l.follow(l.watcher.Idle(l.time.idle()), nil, nil)
			continue
		case err != nil:
			return err
		}
		err = l.lookAt(ctx, f)
		f.Close()
		if err != nil && ctx.Err() == nil {
			l.mu.Lock()
			l.counts.failures++
			l.mu.Unlock()
			if l.failed.allow() {
				l.log.Error("a frame could not be read", "error", err)
			}
		}
	}
}

func (l *lane) next(ctx context.Context) (*capture.Frame, error) {
	ctx, cancel := context.WithTimeout(ctx, idleBeat)
	defer cancel()
	return l.camera.Next(ctx)
}

// lookAt finds and reads the plates of one frame and follows their passages.
func (l *lane) lookAt(ctx context.Context, f *capture.Frame) error {
	seen, err := l.watcher.Observe(ctx, f.Image, l.time.of(f), l.u.turn)
	if err != nil {
		return err
	}
	l.note(seen)
	l.follow(seen.Updates, f, seen.Plates)
	l.preview.show(l, f, seen.Plates)
	return nil
}

// finish ends the passages that are still open.
func (l *lane) finish() {
	l.ended.Store(true)
	l.follow(l.watcher.Flush(), nil, nil)
	l.preview.close()
}

// follow acts on what a frame did to the passages. f and plates are nil when
// there was no frame.
func (l *lane) follow(updates []passage.Update, f *capture.Frame, plates []ocr.Plate) {
	for _, u := range updates {
		s := l.seen[u.Passage.Number]
		if s == nil {
			s = &sighting{}
			l.seen[u.Passage.Number] = s
		}
		if u.Best {
			s.take(f, plates[u.Plate].Box, l.u.cfg.Pictures)
			s.measure(f, plates[u.Plate])
		}
		switch u.Event {
		case passage.Sure, passage.Corrected:
			l.decide(u.Passage, s)
		case passage.Seen:
			l.parks(u.Passage, s)
		case passage.Ended:
			l.conclude(u.Passage, s)
			s.close()
			delete(l.seen, u.Passage.Number)
			l.mu.Lock()
			if u.Passage.Sure {
				l.counts.passages++
				l.counts.directions[u.Passage.Direction]++
			}
			l.mu.Unlock()
			if u.Passage.Sure && s.lit {
				l.meter.Add(s.light)
				l.camera.Steer(s.light)
			}
		}
	}
}

// note counts a frame. Only the places of its plates are kept: what a non-hit
// reads is nobody's business.
func (l *lane) note(s observe.Sight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s.Extent {
	case observe.Nothing:
		l.counts.still++
		return
	case observe.Whole:
		l.counts.fullLooks++
	}
	l.counts.looks++
	l.counts.plates += uint64(len(s.Plates))
	l.counts.timing.add(s.Find + s.Read)
	if len(s.Plates) > 0 {
		l.counts.lastPlateAt = time.Now()
		l.counts.lastPlates = l.counts.lastPlates[:0]
		for _, p := range s.Plates {
			l.counts.lastPlates = append(l.counts.lastPlates, ocr.Plate{Box: p.Box})
			if p.Again {
				l.counts.again++
			}
		}
	}
}

// alive tells that the lane goes round.
func (l *lane) alive() { l.beat.Store(int64(time.Since(l.u.started))) }

// progressAge is how long ago that was; 0 once there is nothing left to do.
func (l *lane) progressAge() time.Duration {
	if l.ended.Load() {
		return 0
	}
	return time.Since(l.u.started) - time.Duration(l.beat.Load())
}

// timeline gives frames their place in time for the tracker, never backwards:
// arrival by the monotonic clock, or, for a recording that is read faster than
// it was filmed, the recording's own time.
type timeline struct {
	recorded bool
	start    time.Time
	base     time.Duration // recorded: where the current round began
	last     time.Duration
}

func (t *timeline) of(f *capture.Frame) time.Duration {
	if t.start.IsZero() {
		t.start = f.Arrived
	}
	at := f.Arrived.Sub(t.start)
	if t.recorded && f.Position >= 0 {
		at = t.base + f.Position
		if at < t.last { // the recording began again
			const between = 10 * time.Second
			t.base = t.last + between
			at = t.base + f.Position
		}
	}
	t.last = max(t.last, at)
	return t.last
}

// idle is now, when there is no frame.
func (t *timeline) idle() time.Duration {
	if !t.recorded && !t.start.IsZero() {
		t.last = max(t.last, time.Since(t.start))
	}
	return t.last
}

// rateLimit lets one message a minute through.
type rateLimit struct{ last time.Time }

func (r *rateLimit) allow() bool {
	if now := time.Now(); now.Sub(r.last) >= time.Minute {
		r.last = now
		return true
	}
	return false
}
