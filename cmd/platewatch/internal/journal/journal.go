// Package journal writes log lines as systemd's journal takes them from a service's
// standard error: each line begins with its priority (sd-daemon(3)), and the journal
// adds the time.
package journal

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Is tells whether w is connected to the journal: systemd names device and inode of
// that stream in JOURNAL_STREAM (systemd.exec(5)).
func Is(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	var s unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &s); err != nil {
		return false
	}
	return os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", s.Dev, s.Ino)
}

// Handler writes records as text or JSON, without time and level, behind their
// priority.
func Handler(w io.Writer, o *slog.HandlerOptions, asJSON bool) slog.Handler {
	out := &output{w: w}
	options := *o
	options.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
			return slog.Attr{}
		}
		return a
	}
	if asJSON {
		return &handler{out, slog.NewJSONHandler(&out.line, &options)}
	}
	return &handler{out, slog.NewTextHandler(&out.line, &options)}
}

// output is shared by all handlers of one writer.
type output struct {
	mu   sync.Mutex
	w    io.Writer
	line bytes.Buffer
}

type handler struct {
	out   *output
	lines slog.Handler // writes to out.line
}

func (h *handler) Enabled(ctx context.Context, l slog.Level) bool { return h.lines.Enabled(ctx, l) }
func (h *handler) WithAttrs(a []slog.Attr) slog.Handler {
	return &handler{h.out, h.lines.WithAttrs(a)}
}
func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.out, h.lines.WithGroup(name)}
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	h.out.line.Reset()
	fmt.Fprintf(&h.out.line, "<%d>", priority(r.Level))
	if err := h.lines.Handle(ctx, r); err != nil {
		return err
	}
	_, err := h.out.w.Write(h.out.line.Bytes())
	return err
}

// priority is a level as syslog(3) numbers it: err, warning, info, debug.
func priority(l slog.Level) int {
	switch {
	case l >= slog.LevelError:
		return 3
	case l >= slog.LevelWarn:
		return 4
	case l >= slog.LevelInfo:
		return 6
	}
	return 7
}
