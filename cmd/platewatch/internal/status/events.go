package status

import (
	"fmt"
	"net/http"
	"time"
)

// stream sends the document once a second until the client disconnects or the
// server stops.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	select {
	case s.events <- struct{}{}:
		defer func() { <-s.events }()
	default:
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many viewers", http.StatusServiceUnavailable)
		return
	}
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	unbuffered(w)
	// Browsers wait this long before they reconnect.
	fmt.Fprint(w, "retry: 2000\n\n")
	ticker := time.NewTicker(s.every)
	defer ticker.Stop()
	var see func() // once there were hits to be seen
	defer func() {
		if see != nil {
			see()
		}
	}()
	for {
		doc, text := s.snapshot.forRoles(viewerOf(r).roles)
		if see == nil && len(doc.LastHits) > 0 {
			see = s.views.saw(r, hitsView, true, time.Now())
		}
		out.SetWriteDeadline(time.Now().Add(slowAfter))
		// The JSON is one line: json.Marshal escapes line breaks.
		fmt.Fprintf(w, "data: %s\n\n", text)
		if err := out.Flush(); err != nil {
			s.countSlow(err)
			return
		}
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		}
	}
}
