package rtsp

import (
	"math"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/sourcetest"
	"platewatch/capture/rtsptest"
	"platewatch/capture/source"
)

// TestDescribes: a stream tells its codec, how far its keyframes are apart, and by its
// sender reports what the camera's clock says.
func TestDescribes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		codec string
		clip  *rtsptest.Clip
		ahead time.Duration
	}{
		{"H264", h264Clip(t), -3 * time.Hour},
		{"H265", h265Clip(t), 90 * time.Second},
	} {
		t.Run(tt.codec, func(t *testing.T) {
			t.Parallel()
			s := capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true, Ahead: tt.ahead}, tt.clip)
			src := sourcetest.Opened(t, t.Context(), Kind, source.Config{Name: "gate", Source: s.URL("gate")})
			if got := source.VideoOf(src); got.Codec != tt.codec {
				t.Errorf("codec %q", got.Codec)
			}
			m := gocv.NewMat()
			defer m.Close()
			deadline := time.Now().Add(time.Minute)
			for v := source.VideoOf(src); !v.ClockKnown || v.Keyframes == 0; v = source.VideoOf(src) {
				if _, err := src.Read(&m); err != nil || time.Now().After(deadline) {
					t.Fatalf("%+v, %v", v, err)
				}
			}
			v := source.VideoOf(src)
			if v.Keyframes != 480*time.Millisecond { // at 0, 12 and 24 of 25 pictures
				t.Errorf("keyframes each %v", v.Keyframes)
			}
			if math.Abs((v.Ahead - tt.ahead).Seconds()) > 5 { // on a busy machine too
				t.Errorf("the clock is %v ahead, want %v", v.Ahead, tt.ahead)
			}
		})
	}
}
