package bench

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"time"

	"platewatch/capture"
	"platewatch/capture/source"
	"platewatch/capture/still"
	"platewatch/cmd/platewatch/internal/look"
	"platewatch/cmd/platewatch/internal/observe"
	"platewatch/ocr"
	"platewatch/ocr/passage"
	"platewatch/ocr/truth"
)

// Run measures one folder, whose pictures are read with pictures. progress is called
// after each picture or clip.
func Run(ctx context.Context, r *ocr.Recogniser, pictures *still.Reader, set *truth.Set, progress func()) (*Score, error) {
	s := &Score{Folder: set.Dir, Region: r.Regions()}
	describe, err := newDescriber(r, set.Dir)
	if err != nil {
		return nil, err
	}
	for _, file := range set.Files {
		var got []ocr.Plate
		var err error
		if set.Video {
			got, err = s.watchClip(ctx, r, filepath.Join(set.Dir, file.Name))
		} else {
			got, err = s.readPicture(ctx, r, pictures, set.Dir, file, describe)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			s.Unreadable++
			s.Failures = append(s.Failures, Failure{File: file.Name, Want: err.Error()})
		}
		s.add(file, got)
		progress()
	}
	s.Times = timesOf(s.took)
	if describe != nil {
		s.Seen = describe.scores()
	}
	return s, nil
}

func (s *Score) readPicture(ctx context.Context, r *ocr.Recogniser, pictures *still.Reader, dir string, file truth.File, describe *describer) ([]ocr.Plate, error) {
	img, err := pictures.Read(ctx, filepath.Join(dir, file.Name))
	if err != nil {
		return nil, err
	}
	defer img.Close()
	if describe == nil {
		ocr.Grey(&img)
	}
	res, err := r.Recognise(ctx, img)
	if err != nil {
		return nil, err
	}
	s.took = append(s.took, took{res.Find, res.Read})
	if describe != nil {
		err = describe.score(ctx, file, img, res.Plates)
	}
	return res.Plates, err
}

// watchClip returns a clip's passages as plates: the votes, the surest first.
func (s *Score) watchClip(ctx context.Context, r *ocr.Recogniser, path string) ([]ocr.Plate, error) {
	var got []ocr.Plate
	timed := func(find, read time.Duration) { s.took = append(s.took, took{find, read}) }
	clip := capture.Config{Name: "bench", Kind: "file", Source: path, Pace: source.PaceFast}
	err := look.Passages(ctx, r, observe.DefaultParams(), clip, timed, func(p passage.Passage) error {
		got = append(got, ocr.Plate{Reading: p.Reading, Box: p.Box})
		return nil
	})
	slices.SortStableFunc(got, func(a, b ocr.Plate) int { return cmp.Compare(b.Confidence, a.Confidence) })
	return got, err
}
