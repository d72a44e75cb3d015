package demo

import (
	"context"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"platewatch/capture/rtsptest"
	"platewatch/cmd/platewatch/internal/demo/media"
	"platewatch/hotlist/entry"
	"platewatch/ocr/truth"
)

// show is the demo's content: clips, the hotlist, and the expected hits.
type show struct {
	title    string
	clips    []*rtsptest.Clip
	names    []string   // of the clips
	expected [][]string // plates that must arrive as hits, for each clip
	hotlist  string     // CSV
	options  rtsptest.Options
	strict   bool // every expected hit must arrive
}

// rendered is the project's own road clip with the sample hotlist.
func rendered() (*show, error) {
	clip, err := rtsptest.ParseAnnexB(media.Road)
	if err != nil {
		return nil, err
	}
	rows := csv.NewReader(strings.NewReader(string(media.Truth)))
	rows.Comma = '\t'
	table, err := rows.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("the clip's truth: %w", err)
	}
	var hot []string
	for _, row := range table[1:] { // passage, plate, first_ms, last_ms, hot
		if row[4] == "yes" {
			hot = append(hot, row[1])
		}
	}
	return &show{
		title: "a rendered road camera", clips: []*rtsptest.Clip{clip}, names: []string{"road"},
		expected: [][]string{hot}, hotlist: string(media.Hotlist),
		options: rtsptest.Options{FPS: media.RoadFPS}, strict: true,
	}, nil
}

// footage is a folder of clips with their truth.tsv, whose plates become the
// hotlist. progress is called before each clip is converted.
func footage(ctx context.Context, dir string, progress func(i, of int, name string)) (*show, error) {
	set, err := truth.Open(dir)
	if err != nil {
		return nil, &InputError{Err: err}
	}
	if !set.Video {
		return nil, &InputError{Err: fmt.Errorf("%s lists pictures, not clips", filepath.Join(dir, truth.FileName))}
	}
	s := &show{
		title: "clips from " + filepath.Base(filepath.Clean(dir)),
		// A silence longer than a passage's gap keeps the vehicles apart.
		options: rtsptest.Options{Gap: betweenClips},
	}
	listed := map[string]bool{}
	var list strings.Builder
	list.WriteString("plate,category,priority\n")
	for i, f := range set.Files {
		progress(i, len(set.Files), f.Name)
		stream, err := rtsptest.Transcode(ctx, filepath.Join(dir, f.Name))
		if err != nil {
			return nil, err
		}
		clip, err := rtsptest.ParseAnnexB(stream)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		var plates []string
		for _, p := range f.Plates {
			plate := entry.Normalize(p.Text)
			plates = append(plates, plate)
			if !listed[plate] {
				listed[plate] = true
				fmt.Fprintf(&list, "%s,stolen vehicle,2\n", plate)
			}
		}
		s.clips, s.names, s.expected = append(s.clips, clip), append(s.names, f.Name), append(s.expected, plates)
	}
	if len(s.clips) == 0 {
		return nil, &InputError{Err: fmt.Errorf("%s lists no clips", filepath.Join(dir, truth.FileName))}
	}
	s.hotlist = list.String()
	return s, nil
}

// betweenClips is the silence between two clips.
const betweenClips = 2500 * time.Millisecond

// InputError describes a fault of a folder of clips.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }
func (e *InputError) Unwrap() error { return e.Err }

// Hint names the expected content of the folder.
func (e *InputError) Hint() string {
	return "name a folder with clips and a " + truth.FileName + " whose header is file, plates"
}
