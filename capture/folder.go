package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gocv.io/x/gocv"
)

// maxPictures bounds a folder: the names are kept in memory while it plays.
const maxPictures = 1_000_000

// pictureExtensions are the file names that count as pictures, in lower case.
var pictureExtensions = []string{".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"}

// IsPictureName tells from a file's name whether it should be a picture that
// [ReadStill] reads.
func IsPictureName(name string) bool {
	return slices.Contains(pictureExtensions, strings.ToLower(filepath.Ext(name)))
}

// PictureNames lists the pictures in a folder, by name, without its
// sub-folders and hidden files. No picture at all is an error that matches
// [fs.ErrNotExist].
func PictureNames(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, folderError(dir, err)
	}
	defer d.Close()
	var names []string
	for {
		batch, err := d.ReadDir(1024)
		for _, e := range batch {
			if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") && IsPictureName(e.Name()) {
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
			return nil, &Error{Op: "open", Path: dir, Err: fmt.Errorf("holds more than %d pictures", maxPictures), Advice: "split it"}
		}
	}
	if len(names) == 0 {
		return nil, &Error{Op: "open", Path: dir, Err: errors.New("holds no pictures"),
			Advice: "pictures are files ending in " + strings.Join(pictureExtensions, " "), also: fs.ErrNotExist}
	}
	slices.Sort(names)
	return names, nil
}

func folderError(dir string, err error) error {
	e := &Error{Op: "open", Path: dir, Err: pathless(err)}
	if errors.Is(err, fs.ErrNotExist) {
		e.Err, e.Advice = fmt.Errorf("there is no such folder: %w", pathless(err)), "check the path"
	}
	return e
}

// folder plays the pictures of a folder. It looks into the folder again at the
// start of every round.
type folder struct {
	dir    string
	limits StillLimits
	loop   bool
	step   time.Duration
	names  []string
	next   int
	count  int64 // pictures so far, unusable ones included
	good   bool  // one of this round was usable
	closed bool
}

func openFolder(ctx context.Context, c Config) (Source, error) {
	info, err := os.Stat(c.Path)
	if err != nil {
		return nil, folderError(c.Path, err)
	}
	if !info.IsDir() {
		return nil, &Error{Op: "open", Path: c.Path, Err: errors.New("is a file and not a folder"),
			Advice: "a video is a camera of kind file", also: ErrConfig}
	}
	names, err := PictureNames(c.Path)
	if err != nil {
		return nil, err
	}
	f := &folder{dir: c.Path, limits: c.Stills, loop: c.Loop, names: names,
		step: time.Duration(float64(time.Second) / c.FPS)}
	if c.Pace == PaceFast {
		return f, ctx.Err()
	}
	return &paced{Source: f, ctx: ctx, step: f.step}, ctx.Err()
}

// Read implements [Source].
func (f *folder) Read(m *gocv.Mat) (time.Duration, error) {
	if f.closed {
		return -1, ErrClosed
	}
	if f.next == len(f.names) {
		if !f.loop {
			return -1, io.EOF
		}
		if !f.good { // or the loop would spin through rubbish
			return -1, &Error{Op: "read", Path: f.dir, Err: errors.New("not one picture in the folder can be read")}
		}
		names, err := PictureNames(f.dir)
		if err != nil {
			return -1, err
		}
		f.names, f.next, f.good = names, 0, false
	}
	name := f.names[f.next]
	f.next++
	position := time.Duration(f.count) * f.step
	f.count++
	still, err := ReadStill(filepath.Join(f.dir, name), f.limits)
	if err != nil {
		return -1, err
	}
	m.Close()
	*m = still
	f.good = true
	return position, nil
}

// Close implements [Source].
func (f *folder) Close() error {
	f.closed = true
	return nil
}
