// Package folder plays the pictures of a folder, in the order of their names.
package folder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/pace"
	"platewatch/capture/internal/process"
	"platewatch/capture/source"
	"platewatch/capture/still"
)

// Kind is the entry of folders in the table of kinds.
var Kind = source.Kind{
	Name:      "folder",
	Example:   "pictures/",
	Recognise: func(s string) bool { return !strings.Contains(s, "://") && strings.HasSuffix(s, "/") },
	Keys:      []string{"fps", "loop", "pace"},
	Local:     true,
	Defaults: func(c *source.Config) {
		c.Pace = cmp.Or(c.Pace, source.PaceReal)
		c.FPS = cmp.Or(c.FPS, defaultFPS)
	},
	Problems: func(c source.Config) iter.Seq2[string, error] {
		return source.Failed(source.Check{Key: "pace", Err: source.OneOf(string(c.Pace), string(source.PaceReal), string(source.PaceFast))})
	},
	Open: open,
}

// defaultFPS is how many pictures a second a folder plays.
const defaultFPS = 5

// maxPictures bounds a folder: the names are kept in memory while it plays.
const maxPictures = 1_000_000

// pictureNames lists the pictures in a folder, by name, without its sub-folders
// and hidden files. No picture at all is an error that matches
// [fs.ErrNotExist].
func pictureNames(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, folderError(dir, err)
	}
	defer d.Close()
	var names []string
	for {
		batch, err := d.ReadDir(1024)
		for _, e := range batch {
			if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") && still.IsName(e.Name()) {
				names = append(names, e.Name())
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, folderError(dir, err)
		}
		if len(names) > maxPictures {
			return nil, &fault.Error{Op: "open", Path: dir, Err: fmt.Errorf("holds more than %d pictures", maxPictures), Advice: "split it"}
		}
	}
	if len(names) == 0 {
		return nil, &fault.Error{Op: "open", Path: dir, Err: errors.New("holds no pictures"),
			Advice: "pictures are files ending in " + strings.Join(still.Endings, " "), Class: fs.ErrNotExist}
	}
	slices.Sort(names)
	return names, nil
}

func folderError(dir string, err error) error {
	e := &fault.Error{Op: "open", Path: dir, Err: fault.Pathless(err)}
	if errors.Is(err, fs.ErrNotExist) {
		e.Err, e.Advice = fmt.Errorf("there is no such folder: %w", fault.Pathless(err)), "check the path"
	}
	return e
}

// folder plays the pictures of a folder. It lists the folder again at the start
// of every round.
type folder struct {
	ctx    context.Context
	dir    string
	reader *still.Reader
	loop   bool
	step   time.Duration
	names  []string
	next   int
	count  int64 // pictures so far, including unusable ones
	good   bool  // at least one picture of this round was usable
	closed bool
}

func open(ctx context.Context, c source.Config, _ *process.Tally) (source.Source, error) {
	info, err := os.Stat(c.Source)
	if err != nil {
		return nil, folderError(c.Source, err)
	}
	if !info.IsDir() {
		return nil, &fault.Error{Op: "open", Path: c.Source, Err: errors.New("is a file and not a folder"),
			Advice: "a video is a camera of kind file", Class: fault.ErrConfig}
	}
	names, err := pictureNames(c.Source)
	if err != nil {
		return nil, err
	}
	f := &folder{ctx: ctx, dir: c.Source, reader: still.NewReader(c.Stills), loop: c.Loop, names: names,
		step: time.Duration(float64(time.Second) / c.FPS)}
	if c.Pace == source.PaceFast {
		return f, ctx.Err()
	}
	return pace.New(ctx, f, f.step), ctx.Err()
}

// Read implements [source.Source].
func (f *folder) Read(m *gocv.Mat) (time.Duration, error) {
	if f.closed {
		return -1, fault.ErrClosed
	}
	if f.next == len(f.names) {
		if !f.loop {
			return -1, io.EOF
		}
		if !f.good { // or the loop would spin
			return -1, &fault.Error{Op: "read", Path: f.dir, Err: errors.New("no picture in the folder can be read")}
		}
		names, err := pictureNames(f.dir)
		if err != nil {
			return -1, err
		}
		f.names, f.next, f.good = names, 0, false
	}
	name := f.names[f.next]
	f.next++
	position := time.Duration(f.count) * f.step
	f.count++
	picture, err := f.reader.Read(f.ctx, filepath.Join(f.dir, name))
	if err != nil {
		return -1, err
	}
	m.Close()
	*m = picture
	f.good = true
	return position, nil
}

// Close implements [source.Source].
func (f *folder) Close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	return f.reader.Close()
}
