package demo

import (
	"fmt"
	"strings"
	"time"

	"platewatch/cmd/platewatch/internal/status"
	"platewatch/uplink/message"
)

func (o Options) introduce(s *show, camera, broker string, entries int) {
	fmt.Fprintf(o.Out, `
platewatch demo: everything runs in this process, and nothing leaves this machine

  camera        %s, over RTSP at %s
  broker        MQTT at %s
  hotlist       %d entries
`, s.title, camera, broker, entries)
}

// announce formats a hit as the server's subscriber receives it.
func (o Options) announce(h *message.Hit, after time.Duration) {
	m := h.Matches[0]
	vehicle := ""
	if v := m.Entry.Vehicle; v != nil {
		vehicle = strings.TrimSpace(v.Colour + " " + v.Make)
	}
	fmt.Fprintf(o.Out, "  %6.1f s  %-8s read %-9s %3.0f %%  %-11s %s %s\n", after.Seconds(), h.ID, h.Text, 100*h.Confidence, m.How,
		strings.ReplaceAll(m.Category, "_", " "), strings.TrimSpace(m.Entry.State+" "+m.Entry.Plate+" "+vehicle))
}

// conclude prints the summary, and returns an error if a hit is missing or wrong.
func (o Options) conclude(s *show, d status.Document, book *ledger) error {
	delivered, missing, wrong := book.outcome(s.expected)
	cam := d.Cameras[0]
	expected := 0
	for _, plates := range s.expected {
		expected += len(plates)
	}
	fmt.Fprintf(o.Out, `
  frames        %d delivered by the camera, %d read (the newest wins)
  find + read   median %.0f ms, p95 %.0f ms a frame
  passages      %d
  hits          %d expected, %d delivered, %d wrong
`, cam.Frames, cam.Looks, cam.Look.P50, cam.Look.P95, d.Passages, expected, len(delivered), len(wrong))
	if len(s.clips) > 1 {
		fmt.Fprintf(o.Out, "\n%d of the %d arrived as hits under their own plate; %d hits were wrong\n", len(delivered), expected, len(wrong))
	}
	if len(missing) > 0 {
		fmt.Fprintf(o.Out, "  missing       %s\n", strings.Join(missing, " "))
	}
	if len(wrong) > 0 {
		fmt.Fprintf(o.Out, "  wrong         %s\n", strings.Join(wrong, " "))
	}
	fmt.Fprintln(o.Out, "\nA hit is a lead: a person compares plate and issuing state before acting.")
	if s.strict && len(missing) > 0 {
		return fmt.Errorf("%w: %d of %d", ErrMissing, len(delivered), expected)
	}
	return nil
}
