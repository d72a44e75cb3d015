package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"platewatch/capture"
	"platewatch/cmd/platewatch/internal/look"
	"platewatch/ocr"
	"platewatch/ocr/passage"
	"platewatch/ocr/truth"
)

// Run measures one folder. progress is called after each picture or clip.
func Run(ctx context.Context, r *ocr.Recogniser, set *truth.Set, progress func()) (*Score, error) {
	s := &Score{Folder: set.Dir}
	var took []time.Duration
	for _, file := range set.Files {
		var got []ocr.Plate
		var err error
		if set.Video {
			got, took, err = watchClip(ctx, r, filepath.Join(set.Dir, file.Name), took)
		} else {
			got, took, err = readPicture(ctx, r, filepath.Join(set.Dir, file.Name), took)
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
	s.MedianMS, s.P95MS = quantile(took, 0.5), quantile(took, 0.95)
	return s, nil
}

func readPicture(ctx context.Context, r *ocr.Recogniser, path string, took []time.Duration) ([]ocr.Plate, []time.Duration, error) {
	still, err := capture.ReadStill(path, capture.StillLimits{})
	if err != nil {
		return nil, took, err
	}
	defer still.Close()
	res, err := r.Recognise(ctx, still)
	if err != nil {
		return nil, took, err
	}
	return res.Plates, append(took, res.Find+res.Read), nil
}

// watchClip returns a clip's passages as plates: the votes, the surest first.
func watchClip(ctx context.Context, r *ocr.Recogniser, path string, took []time.Duration) ([]ocr.Plate, []time.Duration, error) {
	var got []ocr.Plate
	timed := func(d time.Duration) { took = append(took, d) }
	clip := capture.Config{Name: "bench", Kind: capture.KindFile, Path: path, Pace: capture.PaceFast}
	err := look.Passages(ctx, r, passage.DefaultParams(), clip, timed, func(p passage.Passage) error {
		got = append(got, ocr.Plate{Text: p.Text, Confidence: p.Confidence, Box: p.Box, Characters: p.Characters})
		return nil
	})
	slices.SortStableFunc(got, func(a, b ocr.Plate) int {
		if a.Confidence > b.Confidence {
			return -1
		}
		return 1
	})
	return got, took, err
}

func quantile(took []time.Duration, q float64) float64 {
	if len(took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(took))
	at := sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
	return float64(at.Microseconds()) / 1000
}

// PeakMemory is the most memory, in bytes, that this process ever had
// resident.
func PeakMemory() (int64, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kb), "kB")), 10, 64)
			return n << 10, err
		}
	}
	return 0, errors.New("the kernel does not tell the peak of memory")
}

// Table writes the scores as aligned text.
func Table(scores []*Score) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-28s %5s %7s %7s %7s %8s %9s %6s %11s %8s %8s\n", "folder", "n", "exact", "folded", "found", "misread", "spurious", "CER", "sure wrong", "median", "p95")
	for _, s := range scores {
		percent := func(n int) string {
			if s.Plates == 0 {
				return "–"
			}
			return fmt.Sprintf("%.1f %%", 100*share(n, s.Plates))
		}
		fmt.Fprintf(&b, "%-28s %5d %7s %7s %7s %8s %9d %6.3f %11s %5.1f ms %5.1f ms\n", short(s.Folder), s.Plates,
			percent(s.Exact), percent(s.Folded), percent(s.Found), percent(s.Misread), s.Spurious, s.CharacterErrorRate(),
			fmt.Sprintf("%d of %d", s.SureWrong, s.Sure), s.MedianMS, s.P95MS)
	}
	return b.String()
}

// short is a folder's last two names.
func short(dir string) string {
	dir = filepath.Clean(dir)
	return filepath.Join(filepath.Base(filepath.Dir(dir)), filepath.Base(dir))
}
