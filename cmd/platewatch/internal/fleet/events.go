package fleet

import (
	"fmt"
	"io"

	"platewatch/uplink/cot"
	"platewatch/uplink/message"
)

// WithEvents sends each hit as an event too. A receiver of events that is away does
// not end the watch: the first of its faults in a row is printed.
func WithEvents(events *cot.Sink, next func(*message.Hit, []byte) error, errs io.Writer) func(*message.Hit, []byte) error {
	failed := false
	return func(h *message.Hit, raw []byte) error {
		err := events.Send(h)
		if err != nil && !failed {
			fmt.Fprintf(errs, "platewatch: %s\n", Printable(err.Error()))
		}
		failed = err != nil
		return next(h, raw)
	}
}
