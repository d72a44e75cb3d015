package oversight

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/setting"
	"platewatch/hotlist/audit"
	"platewatch/uplink/outbox"
)

// Retained is what a unit still holds of hits, by the bytes of its files.
type Retained struct {
	Unit  string        `json:"unit"`
	At    time.Time     `json:"at"`
	Limit time.Duration `json:"limit_ns"`
	Files []File        `json:"files"` // with hits in them
	Read  int           `json:"read"`  // files that were looked at
	// Deleted is how many hits the audit trail says were deleted in time, and Last when
	// the last of them was.
	Deleted int       `json:"deleted"`
	Last    time.Time `json:"last_deleted,omitzero"`
	Kept    bool      `json:"kept"` // nothing is older than the limit
}

// File is a file that holds hits.
type File struct {
	Path string `json:"path"`
	outbox.Held
	Over bool `json:"over"` // something in it is older than the limit
}

// tolerance is how much later than the limit a hit may be found: deletion looks every
// few seconds, and ages of earlier runs are known to the minute.
const tolerance = 2 * time.Minute

// Retention looks at the bytes of every file in the unit's state folder for hits, in
// use or in freed pages, also in copies of the outbox. It changes nothing, and works
// beside the daemon. trail may be nil.
func Retention(c *config.Config, trail *audit.Trail, now time.Time) (*Retained, error) {
	r := &Retained{Unit: c.Unit.Name, At: now.UTC(), Limit: c.Uplink.Outbox.Retention, Files: []File{}, Kept: true}
	look := func(path string) error {
		h, err := outbox.Examine(path, c.Uplink.OutboxFile, now)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil {
			return err
		}
		r.Read++
		if h.Hits == 0 {
			return nil
		}
		f := File{Path: path, Held: h, Over: h.Oldest > r.Limit+tolerance}
		r.Kept = r.Kept && !f.Over
		r.Files = append(r.Files, f)
		return nil
	}
	err := filepath.WalkDir(c.StateDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.Type().IsRegular() {
			return nil
		}
		return look(path)
	})
	if err != nil {
		return nil, err
	}
	if rel, err := filepath.Rel(c.StateDir, c.Uplink.OutboxFile); err != nil || strings.HasPrefix(rel, "..") {
		for _, suffix := range []string{"", ".corrupt", ".salvage"} {
			if err := look(c.Uplink.OutboxFile + suffix); err != nil {
				return nil, err
			}
		}
	}
	if trail == nil {
		return r, nil
	}
	err = trail.Records(audit.Filter{Kinds: []audit.Kind{audit.Delete}}, func(d audit.Record) error {
		r.Deleted += d.Removed
		r.Last = d.At
		return nil
	})
	return r, err
}

// Write prints it for people.
func (r *Retained) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "unit %s: hits and their pictures may stay for %s\n", r.Unit, setting.FormatDuration(r.Limit))
	for _, f := range r.Files {
		over := "within the limit"
		if f.Over {
			over = "OLDER THAN ALLOWED"
		}
		fmt.Fprintf(&b, "%s: %d hits, the oldest %s: %s\n", f.Path, f.Hits, setting.FormatDuration(f.Oldest.Round(time.Minute)), over)
	}
	fmt.Fprintf(&b, "all bytes of %d files were read; ", r.Read)
	if len(r.Files) == 0 {
		b.WriteString("none holds a hit\n")
	} else {
		fmt.Fprintf(&b, "%d of them hold hits\n", len(r.Files))
	}
	if r.Deleted > 0 {
		fmt.Fprintf(&b, "the audit trail records %d hits that were deleted in time, the last on %s\n", r.Deleted, r.Last.Format(time.RFC3339))
	}
	verdict := "ok: nothing is older than allowed"
	if !r.Kept {
		verdict = "failed: something is older than allowed"
	}
	fmt.Fprintln(&b, verdict)
	_, err := io.WriteString(w, b.String())
	return err
}
