package hit

import (
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/uplink/message"
)

// Page makes the row of the status page for a hit. age is the time since it was
// accepted; delivered tells that no message of it waits in the outbox.
func Page(id string, h *message.Hit, age status.Seconds, delivered bool) status.Hit {
	if h.Withdrawn {
		return status.Hit{ID: id, Time: h.CapturedAt, Age: age, Camera: h.Camera, Head: Withdrawn, Withdrawn: true, Delivered: delivered}
	}
	row := status.Hit{
		ID: id, Time: h.CapturedAt, Age: age, Camera: h.Camera, Text: h.Text, Region: h.Region, Confidence: h.Confidence,
		Match: h.Matches[0], Head: Head(&h.Matches[0]), Facts: append(Facts(&h.Matches[0]), PassageFacts(h)...),
		Delivered: delivered, Picture: h.PlatePicture != nil,
	}
	for i := range h.Matches[1:] {
		m := &h.Matches[i+1]
		row.Facts = append(row.Facts, status.Fact{Label: "also matches", Text: Head(m)})
		row.Facts = append(row.Facts, Facts(m)...)
	}
	return row
}
