package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/internal/videoio"
)

// file is a video file played once or again and again.
type file struct {
	open   func() (*stream, error)
	stream *stream
	loop   bool
	base   time.Duration // position at which the current round began
	last   time.Duration // of the last frame, -1 before the first
	step   time.Duration // between two frames, as the file announces it
	frames uint64        // of the current round
	path   string
}

// fallbackFPS paces a file that does not say how fast it plays.
const fallbackFPS = 25

func openFile(ctx context.Context, c Config, b *blockedCalls) (Source, error) {
	path, err := regularFile(c.Path, "a folder of pictures is a camera of kind folder")
	if err != nil {
		return nil, err
	}
	// An absolute path cannot be taken for a URL or a pattern of names.
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, &Error{Op: "open", Path: path, Err: err}
	}
	f := &file{loop: c.Loop, last: -1, path: path}
	fps := 0.0
	f.open = func() (*stream, error) {
		return openStream(ctx, streamSpec{
			uri:       absolute,
			where:     path,
			backend:   videoio.FFmpeg,
			options:   optionsFile,
			prepare:   func(d device) { fps = d.Get(videoio.FPS) },
			openBound: c.OpenTimeout,
			readBound: c.ReadTimeout,
			end:       io.EOF,
			misses:    1,
		}, openVideoio, b)
	}
	f.stream, err = f.open()
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, videoio.ErrRefused):
		return nil, &Error{Op: "open", Path: path, Err: errors.New("is not a video that can be decoded"),
			Advice: "`ffprobe` tells what it is; MP4, MKV, AVI and MPEG with H.264, H.265 or MJPEG are known to work"}
	default:
		return nil, &Error{Op: "open", Path: path, Err: err}
	}
	if !(fps >= 0.1 && fps <= 1000) {
		fps = fallbackFPS
	}
	f.step = time.Duration(float64(time.Second) / fps)
	if c.Pace == PaceFast {
		return f, nil
	}
	return &paced{Source: f, ctx: ctx, step: f.step}, nil
}

// regularFile checks a path that should be a file that can be read.
func regularFile(path, folderAdvice string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", &Error{Op: "open", Path: path, Err: fmt.Errorf("there is no such file: %w", pathless(err)), Advice: "check the path"}
	case err != nil:
		return "", &Error{Op: "open", Path: path, Err: pathless(err)}
	case info.IsDir():
		return "", &Error{Op: "open", Path: path, Err: errors.New("is a folder and not a file"), Advice: folderAdvice, also: ErrConfig}
	case !info.Mode().IsRegular():
		return "", &Error{Op: "open", Path: path, Err: errors.New("is not a regular file"), Advice: "a camera's device is a camera of kind v4l2", also: ErrConfig}
	}
	f, err := os.Open(path)
	if err != nil {
		return "", &Error{Op: "open", Path: path, Err: pathless(err), Advice: "check the file's permissions"}
	}
	f.Close()
	return path, nil
}

// Read implements [Source].
func (f *file) Read(m *gocv.Mat) (time.Duration, error) {
	if f.stream == nil {
		return -1, ErrClosed
	}
	for {
		position, err := f.stream.Read(m)
		switch {
		case err == nil:
			f.frames++
			return f.place(position), nil
		case !errors.Is(err, io.EOF):
			return -1, err
		case f.frames == 0:
			return -1, &Error{Op: "read", Path: f.path, Err: errors.New("no frame of the video can be decoded"),
				Advice: "`ffprobe` tells what it is"}
		case !f.loop:
			return -1, io.EOF
		}
		if err := f.rewind(); err != nil {
			return -1, err
		}
	}
}

// place is the position over all rounds. It grows with every frame.
func (f *file) place(position time.Duration) time.Duration {
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

// rewind opens the file again: not every format can be played backwards.
func (f *file) rewind() error {
	f.stream.Close()
	f.stream = nil
	s, err := f.open()
	if err != nil {
		return &Error{Op: "open", Path: f.path, Err: err}
	}
	f.stream = s
	f.base, f.frames = f.last+f.step, 0
	return nil
}

// Close implements [Source].
func (f *file) Close() error {
	if f.stream == nil {
		return nil
	}
	err := f.stream.Close()
	f.stream = nil
	return err
}
