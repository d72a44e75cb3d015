package unit

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/uplink/message"
)

// TestTimeline: the tracker's time never goes back, whatever the camera does.
func TestTimeline(t *testing.T) {
	start := time.Now()
	frame := func(arrives, position time.Duration) *capture.Frame {
		return &capture.Frame{Arrived: start.Add(arrives), Position: position}
	}
	t.Run("live: arrival counts", func(t *testing.T) {
		var l timeline
		for i, step := range []struct{ arrives, position, want time.Duration }{
			{0, 0, 0}, {time.Second, 40, time.Second}, {2 * time.Second, -1, 2 * time.Second}, {1900 * time.Millisecond, 0, 2 * time.Second}} {
			if got := l.of(frame(step.arrives, step.position)); got != step.want {
				t.Errorf("frame %d is at %v, want %v", i, got, step.want)
			}
		}
	})
	t.Run("recorded: the recording's own time counts", func(t *testing.T) {
		l := timeline{recorded: true}
		for i, step := range []struct{ position, want time.Duration }{
			{0, 0}, {time.Second, time.Second}, {2 * time.Second, 2 * time.Second},
			{0, 12 * time.Second}, {time.Second, 13 * time.Second}} { // it began again
			if got := l.of(frame(time.Duration(i), step.position)); got != step.want {
				t.Errorf("frame %d is at %v, want %v", i, got, step.want)
			}
		}
		if got := l.idle(); got != 13*time.Second {
			t.Errorf("while nothing comes it is %v", got)
		}
	})
}

func TestTiming(t *testing.T) {
	var n timing
	if got := n.quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %v", got)
	}
	for i := range 2000 {
		n.add(time.Duration(i) * time.Millisecond)
	}
	// Only the latest count: 1488 to 1999.
	if got := n.quantile(0.5); got != 1744*time.Millisecond {
		t.Errorf("the median is %v", got)
	}
}

// TestPictures: what goes with a hit stays within its bounds in bytes and
// pixels, and shows no more than the configuration allows.
func TestPictures(t *testing.T) {
	frame := gocv.NewMatWithSize(1080, 1920, gocv.MatTypeCV8UC3)
	defer frame.Close()
	gocv.RandU(&frame, gocv.NewScalar(0, 0, 0, 0), gocv.NewScalar(255, 255, 255, 0)) // compresses worst
	c := config.Default().Pictures
	for name, box := range map[string]image.Rectangle{
		"in the middle":    image.Rect(900, 500, 1100, 550),
		"at a corner":      image.Rect(0, 0, 120, 30),
		"over the edge":    image.Rect(1850, 1060, 2050, 1110),
		"larger than sane": image.Rect(0, 0, 1920, 1080),
	} {
		t.Run(name, func(t *testing.T) {
			var s openPassage
			defer s.close()
			s.take(&capture.Frame{Image: frame, Arrived: time.Now()}, box, c)
			plate, surroundings := s.pictures(c)
			for what, p := range map[string]struct {
				picture  *message.Picture
				maxBytes int
				maxWidth int
			}{"plate": {plate, int(c.PlateBytes), maxPlateWidth}, "context": {surroundings, int(c.ContextBytes), maxContextWidth}} {
				if p.picture == nil {
					continue // noise does not fit: no picture is better than an unreadable one
				}
				if len(p.picture.JPEG) > p.maxBytes || p.picture.Width > p.maxWidth {
					t.Errorf("%s: %d bytes, %d px wide", what, len(p.picture.JPEG), p.picture.Width)
				}
				size, err := jpeg.DecodeConfig(bytes.NewReader(p.picture.JPEG))
				if err != nil || size.Width != p.picture.Width || size.Height != p.picture.Height {
					t.Errorf("%s: %v, %v", what, size, err)
				}
			}
			allowed := image.Rect(0, 0, 3*box.Dx()+2, 2*box.Dx()+box.Dy()+2) // one width background, half a width above and below
			if s.surroundings.Cols() > allowed.Dx() || s.surroundings.Rows() > allowed.Dy() {
				t.Errorf("the context is %d × %d, allowed are %v", s.surroundings.Cols(), s.surroundings.Rows(), allowed)
			}
		})
	}
}

func TestNoContextWhenItsBoundIsZero(t *testing.T) {
	frame := gocv.NewMatWithSize(400, 600, gocv.MatTypeCV8UC3)
	defer frame.Close()
	c := config.Default().Pictures
	c.ContextBytes = 0
	var s openPassage
	defer s.close()
	s.take(&capture.Frame{Image: frame}, image.Rect(200, 200, 300, 225), c)
	if plate, surroundings := s.pictures(c); plate == nil || surroundings != nil {
		t.Errorf("plate %v, context %v", plate != nil, surroundings != nil)
	}
}

func TestRecentHits(t *testing.T) {
	var r recentHits
	for i := range maxRecent + 5 {
		r.put(fmt.Sprintf("u-%d", i), message.Hit{Text: "A"})
	}
	r.put("u-24", message.Hit{Text: "B"}) // a revision
	got := r.latest()
	if len(got) != maxRecent || got[0].id != "u-24" || got[0].hit.Text != "B" || got[maxRecent-1].id != "u-5" {
		t.Errorf("%d hits, first %s %s, last %s", len(got), got[0].id, got[0].hit.Text, got[len(got)-1].id)
	}
}
