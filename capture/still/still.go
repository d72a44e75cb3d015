// Package still reads single pictures: whatever a file holds, the result is upright
// 8-bit BGR, or an error that says why not. They are decoded in a process of their
// own, see capture/README.md.
package still

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/handover"
	"platewatch/capture/internal/process"
)

// Endings are the file names that count as pictures, in lower case.
var Endings = []string{".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"}

// IsName tells from a file's name whether it should be a picture.
func IsName(name string) bool {
	return slices.Contains(Endings, strings.ToLower(filepath.Ext(name)))
}

// Limits says which pictures are refused before any of their pixels are
// decoded. Zero fields have the defaults. At the default number of pixels,
// decoding and reading one takes up to 1 GB of memory.
type Limits struct {
	MaxPixels int   // width x height; default 50 million
	MaxSide   int   // width and height, pixels; default 20,000
	MaxBytes  int64 // of the file; default 256 MiB
}

// withDefaults returns l with the empty fields filled in.
func (l Limits) withDefaults() Limits {
	return Limits{
		MaxPixels: cmp.Or(l.MaxPixels, 50_000_000),
		MaxSide:   cmp.Or(l.MaxSide, 20_000),
		MaxBytes:  cmp.Or(l.MaxBytes, 256<<20),
	}
}

const (
	// decoderMemory is what decoding a picture within the default limits may take:
	// 16 bits of four channels, the same in 8 bits, and the result.
	decoderMemory = 1536 << 20
	// pictureBound is how long decoding one may take.
	pictureBound = time.Minute
)

// Reader reads pictures with a decoder that it starts for the first of them, and
// starts anew when a picture has killed it. It is for one goroutine at a time.
type Reader struct {
	limits  Limits
	tally   process.Tally
	start   sync.Once
	started chan struct{}
	process *process.Process
	err     error // of the start
}

// NewReader makes a reader. Close ends its decoder.
func NewReader(l Limits) *Reader {
	return &Reader{limits: l.withDefaults(), started: make(chan struct{})}
}

// Prepare starts the decoder, and does not wait for it.
func (r *Reader) Prepare() {
	r.start.Do(func() {
		go func() {
			defer close(r.started)
			r.process, r.err = r.open(context.Background())
		}()
	})
}

func (r *Reader) open(ctx context.Context) (*process.Process, error) {
	j := handover.Job{Mode: handover.Pictures, Slots: 1, Input: int(r.limits.MaxBytes),
		MaxSide: r.limits.MaxSide, MaxPixels: r.limits.MaxPixels, Memory: decoderMemory}
	return process.Start(ctx, j, false, "", &r.tally)
}

// decoder is the running decoder.
func (r *Reader) decoder(ctx context.Context) (*process.Process, error) {
	r.Prepare()
	<-r.started
	if r.process == nil {
		r.process, r.err = r.open(ctx)
	}
	return r.process, r.err
}

// Read decodes the picture in a file: JPEG, PNG, BMP, WebP, TIFF or GIF, told by its
// content. The result is upright (EXIF and TIFF orientation applied) and 8-bit BGR;
// the caller closes it. A file that does not exist matches [io/fs.ErrNotExist]. Every
// error about the picture is a [*fault.Error] that matches [fault.ErrPicture] and,
// where the cause is known, one of [fault.ErrNotPicture], [fault.ErrTruncated],
// [fault.ErrDamaged], [fault.ErrTooLarge]. A picture that kills the decoder is damaged.
func (r *Reader) Read(ctx context.Context, path string) (gocv.Mat, error) {
	r.Prepare()
	b, err := readPicture(path, r.limits)
	if err != nil {
		return gocv.Mat{}, err
	}
	return r.named(ctx, path, b)
}

// ReadFrom decodes the picture that in holds, as [Reader.Read] does; name stands for
// it in errors.
func (r *Reader) ReadFrom(ctx context.Context, name string, in io.Reader) (gocv.Mat, error) {
	r.Prepare()
	b, err := io.ReadAll(io.LimitReader(in, r.limits.MaxBytes+1))
	if err != nil {
		return gocv.Mat{}, &fault.Error{Op: "read", Path: name, Err: err, Class: fault.ErrPicture}
	}
	return r.named(ctx, name, b)
}

// named decodes a picture, and names it in errors about it.
func (r *Reader) named(ctx context.Context, path string, b []byte) (gocv.Mat, error) {
	m, err := r.decode(ctx, b)
	var e *fault.Error
	if errors.As(err, &e) && errors.Is(err, fault.ErrPicture) {
		e.Path = path
	}
	return m, err
}

// decode decodes one picture, see [Reader.Read].
func (r *Reader) decode(ctx context.Context, b []byte) (gocv.Mat, error) {
	if int64(len(b)) > r.limits.MaxBytes {
		return gocv.Mat{}, tooLarge("", r.limits)
	}
	p, err := r.decoder(ctx)
	if err != nil {
		return gocv.Mat{}, err
	}
	m := gocv.NewMat()
	if err = p.Picture(ctx, pictureBound, pictureBound, b, false, &m); err == nil {
		return m, nil
	}
	m.Close()
	if errors.Is(err, fault.ErrPicture) {
		return gocv.Mat{}, err
	}
	p.Close()
	r.process = nil
	if ctx.Err() != nil {
		return gocv.Mat{}, ctx.Err()
	}
	return gocv.Mat{}, &fault.Error{Op: "decode", Err: fmt.Errorf("%w, or not to be decoded in time and memory: %w", fault.ErrDamaged, err),
		Advice: "open it in a picture viewer and save it again as JPEG or PNG", Class: fault.ErrPicture}
}

// Close ends the decoder.
func (r *Reader) Close() error {
	r.start.Do(func() { close(r.started) })
	<-r.started
	if r.process != nil {
		r.process.Close()
	}
	return nil
}

func tooLarge(path string, l Limits) error {
	return &fault.Error{Op: "read", Path: path, Err: fmt.Errorf("%w: more than %d MiB", fault.ErrTooLarge, l.MaxBytes>>20),
		Advice: "make the picture smaller", Class: fault.ErrPicture}
}

func readPicture(path string, limits Limits) ([]byte, error) {
	if err := fault.CheckFile(path, "name a picture in it"); err != nil {
		var e *fault.Error
		if errors.As(err, &e) {
			e.Class = fault.ErrPicture
		}
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &fault.Error{Op: "open", Path: path, Err: fault.Pathless(err), Class: fault.ErrPicture}
	}
	defer f.Close()
	var b bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Size() <= limits.MaxBytes {
		b.Grow(int(info.Size()) + bytes.MinRead)
	}
	n, err := b.ReadFrom(io.LimitReader(f, limits.MaxBytes+1))
	if err != nil {
		return nil, &fault.Error{Op: "read", Path: path, Err: fault.Pathless(err), Class: fault.ErrPicture}
	}
	if n > limits.MaxBytes {
		return nil, tooLarge(path, limits)
	}
	return b.Bytes(), nil
}
