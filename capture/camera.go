package capture

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"platewatch/capture/fault"
	"platewatch/capture/internal/pace"
	"platewatch/capture/internal/process"
	"platewatch/capture/internal/rtsp"
	"platewatch/capture/light"
	"platewatch/capture/source"
)

// Config describes one camera, see [source.Config].
type Config = source.Config

// Source is one opened stream of pictures, see [source.Source].
type Source = source.Source

// Camera keeps one source open for as long as its Run runs, drains it and
// offers the newest frame. Next and Stats are safe for concurrent use.
type Camera struct {
	config   Config
	live     bool // the kind's source is live, see [source.Kind]
	log      *slog.Logger
	box      *mailbox
	pool     matPool
	record   *recorder
	decoders process.Tally
	started  atomic.Bool
	confined sync.Once        // how its decoders are confined was logged
	light    chan light.Plate // how the latest plate came out

	open func(context.Context, Config, *process.Tally) (Source, error) // a seam for tests
}

// New checks the configuration and makes a camera; nothing is opened before
// Run. The error matches [fault.ErrConfig].
func New(c Config, log *slog.Logger) (*Camera, error) {
	c, k, err := valid(c)
	if err != nil {
		return nil, err
	}
	return &Camera{
		config: c,
		live:   k.Live,
		log:    log.With("camera", c.Name),
		box:    newMailbox(),
		record: newRecorder(c),
		light:  make(chan light.Plate, 1),
		open:   open,
	}, nil
}

// Run opens the source and reads it until ctx is done or a file or folder has
// ended; it opens it again whenever it is lost or cannot be opened. Run returns
// nil, or an error if it is called a second time.
//
// At the end of a file or folder it waits until the last frame has been taken.
// When ctx is done it returns within 2.5 s whatever the camera does, and the
// frame that nobody took is dropped.
func (c *Camera) Run(ctx context.Context) error {
	if c.started.Swap(true) {
		return errors.New("a camera runs only once")
	}
	defer c.finish()
	var retry backoff
	for {
		begin := time.Now()
		err := c.session(ctx, &retry)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, io.EOF):
			c.ended()
			c.box.empty(ctx)
			return nil
		}
		c.offline(err)
		if !pace.Wait(ctx, retry.after(time.Since(begin), err)) {
			return nil
		}
	}
}

// finish ends Next and frees every frame that is left.
func (c *Camera) finish() {
	c.ended()
	if f := c.box.remove(); f != nil {
		f.Close()
		c.record.drop(dropStopped)
	}
	c.pool.close()
}

func (c *Camera) ended() {
	c.box.end()
	if c.record.enter(StateEnded, nil) {
		s := c.record.snapshot()
		c.log.Info("camera ended", "frames", s.Frames, "dropped", s.DropsByReason)
	}
}

// session reads one source from its opening to its loss, without ever waiting
// for a reader: a camera that is not drained falls behind without bound.
func (c *Camera) session(ctx context.Context, retry *backoff) error {
	c.record.opening()
	src, err := c.open(ctx, c.config, &c.decoders)
	if err != nil {
		return err
	}
	defer src.Close()
	c.record.opened(src)
	defer c.control(ctx, src)()
	var online time.Time
	var fresh freshness
	for {
		f, err := c.read(src)
		switch {
		case errors.Is(err, fault.ErrPicture):
			if n := c.lost(dropUnreadable); n == 1 {
				c.log.Info("skipped a picture that cannot be used; later ones are only counted", "error", err)
			}
			continue
		case err != nil:
			return err
		}
		if online.IsZero() {
			online = f.Arrived
			c.online(f.Image.Cols(), f.Image.Rows())
		} else if f.Arrived.Sub(online) > steadyAfter {
			retry.reset()
		}
		f.Seq = c.record.frame(f.Arrived, f.Image.Cols(), f.Image.Rows())
		if c.live && fresh.stale(f.Arrived, f.Position) {
			f.Close()
			c.lost(dropStale)
			continue
		}
		if old := c.box.put(f); old != nil {
			old.Close()
			c.record.drop(dropNewer)
		}
		if c.config.Pace == source.PaceFast && !c.box.empty(ctx) {
			return ctx.Err()
		}
	}
}

// lost counts a frame that the camera sent in vain, and warns once when there are
// too many of them.
func (c *Camera) lost(reason string) (n uint64) {
	n = c.record.drop(reason)
	if c.record.warn() {
		s := c.record.snapshot()
		c.log.Warn("the camera's frames are lost", "share", math.Round(100*s.Lost)/100, "dropped", s.DropsByReason, "hint", LostAdvice)
	}
	return n
}

// read returns the source's next frame.
func (c *Camera) read(src Source) (*Frame, error) {
	m := c.pool.get()
	position, err := src.Read(&m)
	if err != nil {
		c.pool.put(m)
		return nil, err
	}
	return &Frame{Camera: c.config.Name, Image: m, Arrived: time.Now(), Position: position, pool: &c.pool}, nil
}

// control reports the controls of a source that has some and, where the unit
// sets the exposure, adjusts it to the plates until the returned function is
// called.
func (c *Camera) control(ctx context.Context, src Source) (end func()) {
	s, ok := src.(source.Steerable)
	if !ok {
		return func() {}
	}
	states := s.Controls()
	c.record.controls(states)
	c.log.Info("camera controls", "set", controlText(states))
	if c.config.AutoExposure != source.ExposePlate {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.followPlates(ctx, s)
	}()
	return func() { cancel(); <-done }
}

func (c *Camera) online(width, height int) {
	if !c.record.enter(StateOnline, nil) {
		return
	}
	log := c.log.With("where", c.config.Where(), "width", width, "height", height)
	asked, askedHeight := c.config.Width, c.config.Height
	if c.config.Rotate%180 != 0 {
		asked, askedHeight = askedHeight, asked
	}
	if asked != 0 && (width != asked || height != askedHeight) {
		log = log.With("asked_width", asked, "asked_height", askedHeight)
	}
	c.confined.Do(func() { log = log.With("decoder", c.decoders.Report()) })
	log.Info("camera online")
}

// offline logs the change and not every retry: an unplugged camera fails for
// weeks.
func (c *Camera) offline(err error) {
	if !c.record.enter(StateOffline, err) {
		return
	}
	log := c.log.With("where", c.config.Where(), "error", err)
	if hint := hintOf(err); hint != "" {
		log = log.With("hint", hint)
	}
	log.Info("camera offline; retrying until it is back")
}

// Next returns the newest frame that was not taken yet, waiting for one. The
// caller owns it and must close it. It returns [io.EOF] after the last frame
// of a file or folder and when Run has stopped, or ctx's error.
func (c *Camera) Next(ctx context.Context) (*Frame, error) {
	return c.box.take(ctx)
}

// Stats is a snapshot of the camera's state and counters.
func (c *Camera) Stats() Stats {
	s := c.record.snapshot()
	s.Decoder = c.decoders.Report()
	s.Crashed, s.Hung, s.Left = c.decoders.Crashed(), c.decoders.Hung(), c.decoders.Left()
	if since := c.decoders.Waiting(); !since.IsZero() && s.State != StateOnline && s.State != StateEnded {
		s.State, s.Since, s.Hint = StateWaiting, since, rtsp.KeyframeAdvice
	}
	return s
}
