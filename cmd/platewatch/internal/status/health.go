package status

import (
	"fmt"
	"net/http"
	"time"
)

// healthz reports whether the camera pipelines make progress. An absent camera or
// broker is not a reason to restart the process.
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

// readyz reports whether the unit does its work, and what is wrong with it, one
// problem a line, the worst first.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	doc, _ := s.snapshot.get()
	if !doc.Condition.ready() {
		w.WriteHeader(http.StatusServiceUnavailable)
	} else {
		fmt.Fprintln(w, "ready")
	}
	for _, p := range doc.Condition.needing() {
		fmt.Fprintf(w, "%s: %s\n", p.Level, p.Text)
	}
}
