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
	"platewatch/capture/source"
	"platewatch/cmd/platewatch/internal/aim"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/observe"
	"platewatch/ocr"
	"platewatch/ocr/passage"
)

// cameraPipeline takes the frames of one camera from its mailbox to the outbox.
// Its run owns everything in it but the counters.
type cameraPipeline struct {
	u        *Unit
	name     string
	log      *slog.Logger
	camera   *capture.Camera
	reader   *ocr.Recogniser // what the observer reads with
	observer *observe.Observer
	changes  chan change   // one at most: other settings, from the next frame on
	gone     chan struct{} // closed when no frame will be looked at any more
	time     timeline
	open     map[uint64]*openPassage // by passage number
	preview  preview
	meter    light.Meter
	aim      aim.Watcher

	pulse  pulse
	ended  atomic.Bool // no frame will come any more
	mu     sync.Mutex
	counts pipelineCounts
	failed rateLimit
}

// pipelineCounts count since the start, for the status page and the health
// message.
type pipelineCounts struct {
	looks, plates, passages, hits uint64
	fullLooks                     uint64 // looks at the whole area
	still                         uint64 // frames on which nothing moved
	again                         uint64 // plates taken from memory instead of being read again
	directions                    [passage.Directions]uint64
	failures                      uint64 // looks that failed
	lastFailure                   time.Time
	timing                        timing
	lastPlates                    []ocr.Plate // only their boxes: see [cameraPipeline.note]
	lastPlateAt                   time.Time
}

func newCameraPipeline(u *Unit, c config.Camera) (*cameraPipeline, error) {
	log := u.log.With("camera", c.Name)
	camera, err := capture.New(c.Config, u.log) // it adds the name itself
	if err != nil {
		return nil, err
	}
	reader := u.recogniser()
	observer, err := observe.New(reader, observeParams(u.cfg(), c))
	if err != nil {
		return nil, err
	}
	p := &cameraPipeline{u: u, name: c.Name, log: log, camera: camera, reader: reader, observer: observer,
		changes: make(chan change, 1), gone: make(chan struct{}),
		time: timeline{recorded: c.Pace == source.PaceFast}, open: map[uint64]*openPassage{}}
	p.pulse.beat(waitsForFrame)
	return p, nil
}

// run looks at the camera's frames until ctx is done or the camera has ended.
func (c *cameraPipeline) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.camera.Run(ctx) })
	g.Go(func() error { return c.look(ctx) })
	return g.Wait()
}

// frameTimeout bounds the wait for a frame, so that passages end and the
// watchdog is fed while the camera delivers nothing.
const frameTimeout = time.Second

// look processes the newest frame in a loop.
func (c *cameraPipeline) look(ctx context.Context) error {
	defer c.finish()
	for {
		c.pulse.beat(waitsForFrame)
		c.takeChange()
		f, err := c.next(ctx)
		switch {
		case errors.Is(err, io.EOF) || ctx.Err() != nil:
			return nil
		case errors.Is(err, context.DeadlineExceeded):
			c.follow(c.observer.Idle(c.time.idle()), nil, nil)
			continue
		case err != nil:
			return err
		}
		err = c.lookAt(ctx, f)
		f.Close()
		if err != nil && ctx.Err() == nil {
			c.mu.Lock()
			c.counts.failures++
			c.counts.lastFailure = time.Now()
			c.mu.Unlock()
			if c.failed.allow() {
				c.log.Error("frame not processed", "error", err)
			}
		}
	}
}

func (c *cameraPipeline) next(ctx context.Context) (*capture.Frame, error) {
	ctx, cancel := context.WithTimeout(ctx, frameTimeout)
	defer cancel()
	return c.camera.Next(ctx)
}

// lookAt finds and reads the plates of one frame and updates their passages.
func (c *cameraPipeline) lookAt(ctx context.Context, f *capture.Frame) error {
	at := c.time.of(f)
	c.pulse.does("finding and reading plates")
	r, err := c.observer.Observe(ctx, f.Image, at, c.u.turn)
	if err != nil {
		return err
	}
	c.pulse.does("following vehicles")
	if r.Undescribed != nil && ctx.Err() == nil && c.failed.allow() {
		c.log.Warn("issuer and colour of a vehicle not known", "error", r.Undescribed)
	}
	c.note(r)
	c.follow(r.Updates, f, r.Plates)
	c.aim.See(aim.Frame{Picture: f.Image, At: at, Plates: r.Plates, Unread: r.Unread, Moved: r.Moved})
	c.pulse.does("drawing the live picture")
	c.preview.show(c, f, r.Plates)
	return nil
}

// finish ends the passages that are still open.
func (c *cameraPipeline) finish() {
	c.ended.Store(true)
	c.follow(c.observer.Flush(), nil, nil)
	c.preview.close()
	close(c.gone)
}

// follow handles the tracker's updates. f and plates are nil when the updates
// come from a timeout or the end of the stream.
func (c *cameraPipeline) follow(updates []passage.Update, f *capture.Frame, plates []ocr.Plate) {
	for _, u := range updates {
		o := c.open[u.Passage.Number]
		if o == nil {
			o = &openPassage{}
			c.open[u.Passage.Number] = o
		}
		if u.Best {
			o.take(f, plates[u.Plate].Box, c.u.cfg().Pictures)
			o.measure(f, plates[u.Plate])
		}
		switch u.Event {
		case passage.Sure, passage.Corrected:
			c.decide(u.Passage, o)
			c.settle(u.Passage, o)
		case passage.Seen:
			c.settle(u.Passage, o)
			c.resendIfParked(u.Passage, o)
		case passage.Ended:
			c.resendIfBetter(u.Passage, o)
			c.release(o)
			c.tellDriver(u.Passage, o)
			o.pictures.Close()
			delete(c.open, u.Passage.Number)
			c.mu.Lock()
			if u.Passage.Sure {
				c.counts.passages++
				c.counts.directions[u.Passage.Direction]++
			}
			c.mu.Unlock()
			if u.Passage.Sure && o.lightMeasured {
				c.meter.Add(o.light)
				c.camera.Steer(o.light)
			}
		}
	}
}

// note counts a frame. Of its plates it keeps the boxes only: the text of a
// plate that matches no list is not kept.
func (c *cameraPipeline) note(r observe.FrameResult) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.Extent {
	case observe.Nothing:
		c.counts.still++
		return
	case observe.Whole:
		c.counts.fullLooks++
	}
	c.counts.looks++
	c.counts.plates += uint64(len(r.Plates))
	c.counts.timing.add(r.Find + r.Read)
	if len(r.Plates) > 0 {
		c.counts.lastPlateAt = time.Now()
		c.counts.lastPlates = c.counts.lastPlates[:0]
		for _, p := range r.Plates {
			c.counts.lastPlates = append(c.counts.lastPlates, ocr.Plate{Box: p.Box})
			if p.Again {
				c.counts.again++
			}
		}
	}
}

// progressAge is the time since the last loop iteration; 0 after the end.
func (c *cameraPipeline) progressAge() time.Duration {
	if c.ended.Load() {
		return 0
	}
	return c.pulse.age()
}

// timeline gives the tracker the time of each frame, which never goes back: the
// arrival by the monotonic clock, or, for a recording that is read faster than
// it was filmed, the position in the recording.
type timeline struct {
	recorded bool
	start    time.Time
	base     time.Duration // recorded: start of the current playback
	last     time.Duration
}

func (t *timeline) of(f *capture.Frame) time.Duration {
	if t.start.IsZero() {
		t.start = f.Arrived
	}
	at := f.Arrived.Sub(t.start)
	if t.recorded && f.Position >= 0 {
		at = t.base + f.Position
		if at < t.last { // the recording started again
			const between = 10 * time.Second
			t.base = t.last + between
			at = t.base + f.Position
		}
	}
	t.last = max(t.last, at)
	return t.last
}

// idle is the current time while no frame comes.
func (t *timeline) idle() time.Duration {
	if !t.recorded && !t.start.IsZero() {
		t.last = max(t.last, time.Since(t.start))
	}
	return t.last
}

// rateLimit allows one log line a minute.
type rateLimit struct{ last time.Time }

func (r *rateLimit) allow() bool {
	if now := time.Now(); now.Sub(r.last) >= time.Minute {
		r.last = now
		return true
	}
	return false
}
