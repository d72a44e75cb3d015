// Package importbar shows the progress of an import on a terminal.
package importbar

import (
	"io"

	"github.com/schollz/progressbar/v3"

	"platewatch/hotlist"
)

// Bar shows an import's progress, on a terminal only.
type Bar struct {
	w     io.Writer
	size  int64 // of the input in bytes, -1 if unknown
	bar   *progressbar.ProgressBar
	stage hotlist.Stage
}

// New makes a bar for an input of size bytes, -1 if that is not known. Where w is no
// terminal nothing is shown.
func New(w io.Writer, terminal bool, size int64) *Bar {
	b := &Bar{size: size}
	if terminal {
		b.w = w
	}
	return b
}

// Show draws the progress.
func (b *Bar) Show(p hotlist.Progress) {
	if b.w == nil {
		return
	}
	if b.bar == nil || b.stage != p.Stage {
		b.Clear()
		b.stage = p.Stage
		most := int64(-1)
		switch {
		case p.Stage == hotlist.StageReading:
			most = b.size
		case p.Total > 0:
			most = int64(p.Total)
		}
		b.bar = progressbar.NewOptions64(most, progressbar.OptionSetWriter(b.w), progressbar.OptionSetDescription(string(p.Stage)),
			progressbar.OptionShowBytes(p.Stage == hotlist.StageReading), progressbar.OptionSetWidth(30),
			progressbar.OptionClearOnFinish(), progressbar.OptionUseANSICodes(true))
	}
	// An import must not fail because its progress bar cannot be drawn.
	if p.Stage == hotlist.StageReading {
		_ = b.bar.Set64(p.Bytes)
	} else {
		_ = b.bar.Set64(int64(p.Done))
	}
}

// Clear removes the bar; the next Show draws it again.
func (b *Bar) Clear() {
	if b.bar != nil {
		_ = b.bar.Clear()
		b.bar = nil
	}
}
