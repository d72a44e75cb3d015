// Command tallyreads measures the errors of the votes of passages on labelled
// pictures and clips, and writes them as the table that the hotlist's
// simulation draws its reads from.
//
//	go run platewatch/ocr/passage/cmd/tallyreads -o hotlist/simulate/reader.tsv -data ROOT
//	go run platewatch/ocr/passage/cmd/tallyreads -o hotlist/simulate/reader.tsv DIR ...
//
// With -data these are the folders of folders.txt, in ROOT: what the table in
// the repository was measured on.
//
// A DIR holds pictures, or clips, and truth.tsv; DIR@us is read with the
// formats of that region. A picture is turned into the frames of an
// approaching vehicle (see frames.go). The frames of a clip are used unchanged.
// Finder, reader, judge and tracker are those of the daemon with their default
// settings. Counted are the look-ups of the daemon: the passage's characters, with
// their confidences and alternatives, when its vote becomes sure, and again at each
// change of the vote.
//
// The table has counts of single characters only. No plate can be recovered from it.
package main

import (
	"context"
	_ "embed"
	"encoding/gob"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"platewatch/ocr"
	"platewatch/ocr/truth"
)

//go:embed folders.txt
var measured string

// settings are the command's flags.
type settings struct {
	out, wrong, kept string
	frames, workers  int
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("tallyreads: ")
	var s settings
	flag.StringVar(&s.out, "o", "reader.tsv", "write the table to `file`")
	flag.IntVar(&s.frames, "frames", 6, "derive this many `frames` from a picture")
	flag.StringVar(&s.kept, "readings", "", "cache the frames' readings in this `folder`; it holds plates: delete it afterwards")
	flag.StringVar(&s.wrong, "wrong", "", "write each picture that was looked up with a wrong text to `file`, with its label: delete it afterwards")
	flag.IntVar(&s.workers, "workers", 1, "read `n` pictures at once")
	data := flag.String("data", "", "the folders of folders.txt lie in this `folder`")
	flag.Parse()
	dirs := flag.Args()
	if *data != "" {
		for _, name := range strings.Fields(measured) {
			dirs = append(dirs, filepath.Join(*data, name))
		}
	}
	if len(dirs) == 0 {
		log.Fatal("which folders? (-data ROOT, or DIR ...)")
	}
	if err := s.run(context.Background(), dirs); err != nil {
		log.Fatal(err)
	}
}

func (s *settings) run(ctx context.Context, dirs []string) error {
	var pictures, clips tally
	for _, dir := range dirs {
		set, all, err := s.folder(ctx, dir)
		if err != nil {
			return err
		}
		var here tally
		for _, seen := range all {
			contradicts, err := isDoubtful(seen.File)
			if err != nil {
				return err
			}
			if contradicts {
				here.doubtful++
				continue
			}
			if err := here.add(&seen); err != nil {
				return err
			}
		}
		fmt.Printf("%-24s %s\n", dir, here.summary())
		if set.Video {
			clips.merge(&here)
		} else {
			pictures.merge(&here)
		}
	}
	fmt.Printf("%-24s %s\n%-24s %s\n", "pictures", pictures.summary(), "clips", clips.summary())
	all := pictures
	all.merge(&clips)
	if s.wrong != "" {
		if err := os.WriteFile(s.wrong, []byte(strings.Join(all.mistakes, "\n")+"\n"), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(s.out, all.table(), 0o644)
}

// folder reads all pictures or clips of a folder, or their cached readings.
func (s *settings) folder(ctx context.Context, arg string) (*truth.Set, []Seen, error) {
	dir, regions, _ := strings.Cut(arg, "@")
	set, err := truth.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	if s.kept == "" {
		all, err := s.read(ctx, set, regions)
		return set, all, err
	}
	path := filepath.Join(s.kept, strings.ReplaceAll(strings.Trim(filepath.Clean(arg), "./"), "/", "_")+".gob")
	f, err := os.Open(path)
	if err == nil {
		defer f.Close()
		var all []Seen
		err := gob.NewDecoder(f).Decode(&all)
		return set, all, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	all, err := s.read(ctx, set, regions)
	if err != nil {
		return nil, nil, err
	}
	if f, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
		return nil, nil, err
	}
	return set, all, errors.Join(gob.NewEncoder(f).Encode(all), f.Close())
}

func (s *settings) read(ctx context.Context, set *truth.Set, regions string) ([]Seen, error) {
	var mu sync.Mutex
	found := make([][]Seen, len(set.Files))
	done := 0
	g, ctx := errgroup.WithContext(ctx)
	next := make(chan int)
	g.Go(func() error {
		defer close(next)
		for i := range set.Files {
			select {
			case next <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range s.workers {
		g.Go(func() error {
			p := ocr.PictureParams()
			p.CloseUps, p.Region = !set.Video, regions
			r, err := ocr.New(p)
			if err != nil {
				return err
			}
			defer r.Close()
			for i := range next {
				path := filepath.Join(set.Dir, set.Files[i].Name)
				if set.Video {
					found[i], err = readClip(ctx, r, path, set.Files[i])
				} else {
					found[i], err = readPicture(ctx, r, path, set.Files[i], s.frames)
				}
				if err != nil {
					return err
				}
				mu.Lock()
				if done++; done%20 == 0 {
					fmt.Fprintf(os.Stderr, "\r%s: %d of %d ", set.Dir, done, len(set.Files))
				}
				mu.Unlock()
			}
			return nil
		})
	}
	err := g.Wait()
	fmt.Fprint(os.Stderr, "\r\033[K")
	var all []Seen
	for _, f := range found {
		all = append(all, f...)
	}
	return all, err
}
