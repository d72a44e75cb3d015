package capture

import (
	"context"
	"fmt"
	"strings"
	"time"

	"platewatch/capture/internal/pace"
	"platewatch/capture/light"
	"platewatch/capture/source"
)

// steerEach is the least time between two changes of the exposure: a camera
// takes some frames to follow, and the next vehicle some time to come.
const steerEach = 2 * time.Second

// Steer tells the camera how a plate came out. Where the unit sets the exposure
// (source.ExposePlate), it follows the latest plate; otherwise nothing happens.
// It does not wait.
func (c *Camera) Steer(l light.Plate) {
	if c.config.AutoExposure != source.ExposePlate {
		return
	}
	for {
		select {
		case c.light <- l:
			return
		default:
		}
		select { // the newest plate wins
		case <-c.light:
		default:
		}
	}
}

// followPlates adjusts the exposure to the latest plate until ctx is done.
func (c *Camera) followPlates(ctx context.Context, src source.Steerable) {
	for {
		select {
		case <-ctx.Done():
			return
		case l := <-c.light:
			if err := src.Steer(ctx, l); err != nil && ctx.Err() == nil {
				c.log.Warn("cannot set the exposure; it stays as it is", "error", err)
				return
			}
			c.record.controls(src.Controls())
		}
		if !pace.Wait(ctx, steerEach) {
			return
		}
	}
}

// controlText is the controls for a log line.
func controlText(states []source.ControlState) string {
	var b strings.Builder
	for i, s := range states {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(s.Name)
		if s.Error == "" || s.Value != s.Asked {
			fmt.Fprintf(&b, " %d", s.Value)
		}
		if s.Value != s.Asked {
			fmt.Fprintf(&b, " (asked %d)", s.Asked)
		}
		if s.Error != "" {
			b.WriteString(": " + s.Error)
		}
	}
	return b.String()
}
