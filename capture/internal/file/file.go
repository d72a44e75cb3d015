// Package file plays video files.
package file

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/handover"
	"platewatch/capture/internal/pace"
	"platewatch/capture/internal/process"
	"platewatch/capture/source"
)

// Kind is the entry of video files in the table of kinds.
var Kind = source.Kind{
	Name:      "file",
	Example:   "clip.mp4",
	Recognise: IsName,
	Keys:      []string{"loop", "pace"},
	Local:     true,
	Defaults:  func(c *source.Config) { c.Pace = cmp.Or(c.Pace, source.PaceReal) },
	Problems: func(c source.Config) iter.Seq2[string, error] {
		return source.Failed(source.Check{Key: "pace", Err: source.OneOf(string(c.Pace), string(source.PaceReal), string(source.PaceFast))})
	},
	Open: open,
}

// endings are the file names that count as videos, in lower case. Others can be
// played too, with kind = "file".
var endings = []string{".mp4", ".m4v", ".mov", ".mkv", ".avi", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".wmv", ".flv",
	".h264", ".264", ".h265", ".265", ".hevc", ".mjpeg", ".mjpg"}

// IsName tells from a file's name whether it should be a video.
func IsName(name string) bool {
	return !strings.Contains(name, "://") && slices.Contains(endings, strings.ToLower(filepath.Ext(name)))
}

// video is a video file, played once or in a loop.
type video struct {
	open   func() (*process.Process, error)
	ctx    context.Context
	bound  time.Duration
	stream *process.Process // nil after Close
	loop   bool
	base   time.Duration // position at which the current round began
	last   time.Duration // of the last frame, -1 before the first
	step   time.Duration // between two frames, as the file announces it
	frames uint64        // of the current round
	path   string
}

// fallbackFPS is the pace of a file that does not name its own.
const fallbackFPS = 25

func open(ctx context.Context, c source.Config, t *process.Tally) (source.Source, error) {
	path := c.Source
	if err := fault.CheckFile(path, "a folder of pictures is a camera of kind folder"); err != nil {
		return nil, err
	}
	// FFmpeg takes no absolute path for an address or a pattern of names.
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, &fault.Error{Op: "open", Path: path, Err: err}
	}
	job := handover.StreamJob(handover.Video)
	job.Path = absolute
	f := &video{ctx: ctx, bound: c.ReadTimeout, loop: c.Loop, last: -1, path: path}
	fps := 0.0
	f.open = func() (*process.Process, error) {
		p, err := process.Start(ctx, job, false, path, t)
		if err != nil {
			return nil, err
		}
		if fps, err = p.Opened(ctx, c.OpenTimeout, c.OpenTimeout); err != nil {
			p.Close()
			return nil, err
		}
		return p, nil
	}
	if f.stream, err = f.open(); err != nil {
		return nil, err
	}
	if !(fps >= 0.1 && fps <= 1000) {
		fps = fallbackFPS
	}
	f.step = time.Duration(float64(time.Second) / fps)
	if c.Pace == source.PaceFast {
		return f, nil
	}
	return pace.New(ctx, f, f.step), nil
}

// Read implements [source.Source].
func (f *video) Read(m *gocv.Mat) (time.Duration, error) {
	if f.stream == nil {
		return -1, fault.ErrClosed
	}
	for {
		position, err := f.stream.Next(f.ctx, f.bound, m)
		switch {
		case err == nil:
			f.frames++
			return f.place(position), nil
		case !errors.Is(err, io.EOF):
			return -1, err
		case f.frames == 0:
			return -1, &fault.Error{Op: "read", Path: f.path, Err: errors.New("no frame of the video can be decoded"),
				Advice: "`ffprobe` shows its format"}
		case !f.loop:
			return -1, io.EOF
		}
		if err := f.rewind(); err != nil {
			return -1, err
		}
	}
}

// ProcessorTime is what the file's decoder has used, of all threads together.
func (f *video) ProcessorTime() (time.Duration, error) {
	if f.stream == nil {
		return 0, fault.ErrClosed
	}
	return f.stream.ProcessorTime()
}

// place is the position since the first round began. It grows with every frame.
func (f *video) place(position time.Duration) time.Duration {
	p := f.base + position
	if position < 0 || p <= f.last {
		p = f.last + f.step
		if f.last < 0 {
			p = 0
		}
	}
	f.last = p
	return p
}

// rewind opens the file again: not every format can seek to its start.
func (f *video) rewind() error {
	f.stream.Close()
	f.stream = nil
	s, err := f.open()
	if err != nil {
		return &fault.Error{Op: "open", Path: f.path, Err: err}
	}
	f.stream = s
	f.base, f.frames = f.last+f.step, 0
	return nil
}

// Close implements [source.Source].
func (f *video) Close() error {
	if f.stream == nil {
		return nil
	}
	f.stream.Close()
	f.stream = nil
	return nil
}
