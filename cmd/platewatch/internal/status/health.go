package status

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// healthz reports whether the camera pipelines make progress. An absent camera or
// broker is no reason to restart the process.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	doc, _ := s.snapshot.get()
	if stalled(doc, s.opt.StallAfter) {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, "stalled")
		return
	}
	fmt.Fprintln(w, "ok")
}

func stalled(doc Document, after time.Duration) bool {
	return float64(doc.ProgressAge) > after.Seconds()
}

// readyz reports whether the unit is fully at work, and if not, what is missing,
// one item a line.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	doc, _ := s.snapshot.get()
	missing := lacking(doc)
	if len(missing) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, strings.Join(missing, "\n"))
		return
	}
	fmt.Fprintln(w, "ready")
}

// lacking lists what a unit lacks to do its work, one sentence each. A missing
// broker is not listed: hits are safe in the outbox.
func lacking(doc Document) []string {
	var missing []string
	if len(doc.Cameras) == 0 {
		missing = append(missing, "no camera is configured")
	}
	for _, c := range doc.Cameras {
		if !c.Online() {
			line := fmt.Sprintf("camera %s is %s", c.Name, c.State)
			if c.LastError != "" {
				line += ": " + oneLine(c.LastError)
			}
			missing = append(missing, line)
		}
	}
	entries := 0
	for _, l := range doc.Hotlist.Lists {
		entries += l.Entries
	}
	switch {
	case !doc.Hotlist.Open:
		missing = append(missing, "the hotlist is not open"+because(doc.Hotlist.Error))
	case entries == 0:
		missing = append(missing, "the hotlist is empty: platewatch hotlist import")
	}
	if !doc.Outbox.Open {
		missing = append(missing, "the outbox is not open"+because(doc.Outbox.Error))
	}
	return missing
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + oneLine(reason)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
