package device

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"platewatch/capture/internal/handover"
	"platewatch/capture/internal/videoio"
)

// recorded notes in which order a device is set up.
type recorded struct {
	sets []int
	last map[int]float64
}

func (r *recorded) Set(property int, value float64) bool {
	r.sets = append(r.sets, property)
	r.last[property] = value
	return true
}

func TestPrepare(t *testing.T) {
	r := &recorded{last: map[int]float64{}}
	Prepare(r, handover.Job{Format: "MJPG", Width: 1280, Height: 720, FPS: 25})
	want := []int{videoio.FourCC, videoio.FrameWidth, videoio.FrameHeight, videoio.FPS, videoio.BufferSize}
	if diff := cmp.Diff(want, r.sets); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if got := r.last[videoio.FourCC]; got != 0x47504a4d {
		t.Errorf("MJPG is %x", int(got))
	}
}
