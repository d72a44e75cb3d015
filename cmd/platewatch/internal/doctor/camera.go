package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"platewatch/capture"
	"platewatch/capture/source"
	"platewatch/cmd/platewatch/internal/aim"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/observe"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/ocr"
)

const (
	openWait = 30 * time.Second // for a camera's first frame

	leastWidth = 640 // pixels of the picture
	// leastRate: a vehicle at 90 km/h is in front of the camera for about a second,
	// and a vote takes two frames or more.
	leastRate = 5.0
)

// cameras watches all cameras at the same time, as the daemon does, or asks the
// daemon what it sees.
func (x *examination) cameras(ctx context.Context, found sink) {
	if x.daemon.document != nil {
		x.daemonCameras(ctx, found)
		return
	}
	if x.daemon.running {
		found.skip("cameras", "", "the running daemon has them, and could not be asked")
		return
	}
	r, err := ocr.New(x.c.OCR)
	if err != nil {
		found.fail("cameras", "", "plates cannot be read: "+err.Error(), "a reading model", hint(err, "install the package again"))
		return
	}
	seen := make([]sighting, len(x.c.Cameras))
	var watching sync.WaitGroup
	for i, c := range x.c.Cameras {
		watching.Go(func() { x.watch(ctx, c, r, &seen[i]) })
	}
	watching.Wait()
	_ = r.Close() // nothing is lost by it
	for i, c := range x.c.Cameras {
		x.camera(found, c, &seen[i])
	}
}

// sighting is what was seen of a camera.
type sighting struct {
	err     error // why it delivered nothing
	first   time.Duration
	stats   capture.Stats
	watched time.Duration
	looks   []time.Duration // what searching and reading took
	reads   int             // plates read on single frames
	best    float64         // confidence of the best one, 0–1
	aim     aim.Watcher
}

// watch opens a camera and looks at its newest frames, as the daemon does.
func (x *examination) watch(ctx context.Context, c config.Camera, r *ocr.Recogniser, s *sighting) {
	p := c.Observe
	p.Passage = x.c.Passage
	observer, err := observe.New(r, p)
	if err != nil {
		s.err = err
		return
	}
	defer observer.Close()
	camera, err := capture.New(c.Config, x.o.Log)
	if err != nil {
		s.err = err
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = camera.Run(ctx) }) // it runs once
	defer running.Wait()
	defer cancel()
	begin := time.Now()
	for deadline := begin.Add(openWait); time.Now().Before(deadline); {
		until, stop := context.WithDeadline(ctx, deadline)
		f, err := camera.Next(until)
		stop()
		if err != nil {
			break
		}
		if s.first == 0 {
			s.first = max(time.Since(begin), 1)
			deadline = time.Now().Add(x.o.Watch)
		}
		s.take(ctx, observer, f, time.Since(begin))
	}
	s.stats, s.watched = camera.Stats(), time.Since(begin)-s.first
	if s.first == 0 && ctx.Err() == nil {
		s.err = x.whyNot(ctx, c, s.stats)
	}
}

// take looks at a frame, and closes it.
func (s *sighting) take(ctx context.Context, o *observe.Observer, f *capture.Frame, at time.Duration) {
	defer f.Close()
	result, err := o.Observe(ctx, f.Image, at, func(context.Context) (func(), error) { return func() {}, nil })
	if err != nil {
		return
	}
	s.aim.Watch()
	s.aim.See(aim.Frame{Picture: f.Image, At: at, Plates: result.Plates, Unread: result.Unread, Moved: result.Moved})
	if result.Extent == observe.Nothing {
		return
	}
	s.looks = append(s.looks, result.Find+result.Read)
	s.reads += len(result.Plates)
	for _, p := range result.Plates {
		s.best = max(s.best, p.Confidence)
	}
}

// whyNot opens the camera once more for the error with its advice.
func (x *examination) whyNot(ctx context.Context, c config.Camera, s capture.Stats) error {
	source, err := capture.Open(ctx, capture.WithDefaults(c.Config))
	if err == nil {
		err = errors.Join(errors.New("it opens and sends no picture"), source.Close())
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("it ended at once")
	}
	if err == nil && s.LastError != "" {
		err = errors.New(s.LastError)
	}
	return err
}

func (x *examination) camera(found sink, c config.Camera, s *sighting) {
	about := "camera " + c.Name
	if s.err != nil || s.first == 0 {
		err := s.err
		if err == nil {
			err = errors.New("nothing came within the time of the check")
		}
		found.fail(about, "opens", err.Error(), "pictures", hint(err, "see the camera's own page, its cable and its address "+source.Redact(c.Source)))
		return
	}
	found.grade(s.first < 10*time.Second, Warn, about, "opens", fmt.Sprintf("%s, first frame after %.1f s", source.Redact(c.Source), s.first.Seconds()),
		"within 10 s", "the camera or the way to it is slow: use a wired connection, and a keyframe each second or two")
	stream(found, about, s.stats.Video.Codec, s.stats.Video.Keyframes.Seconds(), ahead(s.stats.Video), s.watched)
	x.size(found, about, s.stats.Width, s.stats.Height)
	rate := s.stats.FPS
	if s.watched > 0 && s.stats.State == capture.StateEnded {
		rate = float64(s.stats.Frames) / (s.watched + s.first).Seconds()
	}
	found.grade(rate >= leastRate, Warn, about, "rate", fmt.Sprintf("%.1f frames a second", rate), fmt.Sprintf("at least %.0f", leastRate), rateAdvice)
	if n := s.stats.DropsByReason["stale"]; n > 0 && s.stats.Frames > 0 {
		found.grade(n*10 < s.stats.Frames, Warn, about, "delay", fmt.Sprintf("%d of %d frames came too late", n, s.stats.Frames), "none",
			"the way to the camera is slow or disturbed: use a wired connection, or a lower rate or resolution")
	}
	if s.stats.Losses > 0 {
		found.warn(about, "losses", fmt.Sprintf("lost %d times: %s", s.stats.Losses, s.stats.LastError), "none", "see the cable and the power supply of the camera")
	}
	if len(s.looks) > 0 {
		x.pace(found, about, quantile(s.looks, 0.5), quantile(s.looks, 0.95))
	}
	report := s.aim.Report()
	over := s.watched.Round(time.Second)
	found.grade(s.reads > 0, Warn, about, "plates", fmt.Sprintf("read %s in %s on %s, the best with %.0f %%", count(s.reads, "time"), over, count(report.Vehicles, "vehicle"), 100*s.best),
		"each vehicle's", "was there traffic? see the status page for how the camera must be turned, zoomed and focused")
	aimed(found, about, &report)
	confined(found, about, s.stats.Decoder)
}

const rateAdvice = "set the rate in the camera; a rate that falls at night comes from an exposure that is too long"

func (x *examination) size(found sink, about string, width, height int) {
	found.grade(width >= leastWidth, Warn, about, "size", fmt.Sprintf("%d × %d pixels", width, height), fmt.Sprintf("at least %d pixels wide", leastWidth),
		"set a larger picture in the camera: plates must be 130 pixels wide")
}

// pace tells how many frames the board can search.
func (x *examination) pace(found sink, about string, half, most time.Duration) {
	cameras := max(1, len(x.c.Cameras))
	rate := float64(x.c.OCR.Readers()) / max(half.Seconds(), 1e-6) / float64(cameras)
	found.grade(rate >= leastRate, Warn, about, "looks", fmt.Sprintf("one takes %.0f ms, 19 of 20 less than %.0f ms: %.0f a second for each camera",
		1000*half.Seconds(), 1000*most.Seconds(), rate), fmt.Sprintf("at least %.0f a second", leastRate),
		"limit the search with area or exclude, use a smaller picture, or fewer cameras on this board")
}

// aimed tells how the camera is set: each quantity that could be measured.
func aimed(found sink, about string, r *aim.Report) {
	for _, q := range r.Quantities {
		if !q.Known || q.Level == aim.Waiting {
			continue
		}
		value := fmt.Sprintf("%.1f %s", q.Value, q.Unit)
		if q.Unit == "" {
			value = fmt.Sprintf("%.0f", q.Value)
		}
		found.grade(q.Level == aim.Good || q.Level == aim.Fair && q.Instruction == "", Warn, about, strings.ToLower(q.Name), value, q.Range, cmp.Or(q.Instruction, r.Instruction, "see the status page"))
	}
	if r.Judged == 0 {
		found.skip(about, "aim", "no vehicle passed: plate width, angles and blur are not known")
	}
}

// quantile of durations, q from 0 to 1.
func quantile(list []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// daemonCameras asks the daemon twice, with the time of watching in between.
func (x *examination) daemonCameras(ctx context.Context, found sink) {
	before := x.daemon.document
	select {
	case <-time.After(x.o.Watch):
	case <-ctx.Done():
		return
	}
	after, err := x.statusDocument(ctx)
	if err != nil {
		found.fail("cameras", "", "the daemon does not answer any more: "+err.Error(), "an answer", "see journalctl -u platewatch")
		return
	}
	for _, c := range x.c.Cameras {
		i := slices.IndexFunc(after.Cameras, func(s status.Camera) bool { return s.Name == c.Name })
		j := slices.IndexFunc(before.Cameras, func(s status.Camera) bool { return s.Name == c.Name })
		if i < 0 || j < 0 {
			found.warn("camera "+c.Name, "", "the daemon does not know it", "as in the configuration", "the configuration was changed: systemctl restart platewatch")
			continue
		}
		x.daemonCamera(found, &before.Cameras[j], &after.Cameras[i])
	}
}

func (x *examination) daemonCamera(found sink, before, now *status.Camera) {
	about := "camera " + now.Name
	if !now.Online() {
		found.fail(about, "opens", strings.TrimSuffix(now.State+": "+now.LastError, ": "), "pictures", "see the camera's own page, its cable and its address")
		return
	}
	found.ok(about, "opens", fmt.Sprintf("%s since %s", now.State, age(now.Since)), "online")
	var off *float64
	if now.Ahead != nil {
		off = new(float64(*now.Ahead))
	}
	stream(found, about, now.Codec, float64(now.Keyframes), off, x.o.Watch)
	x.size(found, about, now.Width, now.Height)
	found.grade(now.FPS >= leastRate || now.State == "ended", Warn, about, "rate", fmt.Sprintf("%.1f frames a second", now.FPS), fmt.Sprintf("at least %.0f", leastRate), rateAdvice)
	if now.Looks > 0 {
		x.pace(found, about, time.Duration(now.Look.P50*float64(time.Millisecond)), time.Duration(now.Look.P95*float64(time.Millisecond)))
	}
	found.grade(now.Plates > before.Plates, Warn, about, "plates", fmt.Sprintf("read %s in %.0f s", count(int(now.Plates-before.Plates), "time"), x.o.Watch.Seconds()),
		"each vehicle's", "was there traffic? see the status page")
	if now.Aim != nil {
		aimed(found, about, now.Aim)
	}
}
