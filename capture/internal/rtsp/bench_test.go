package rtsp

import (
	"slices"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/internal/process"
	"platewatch/capture/internal/videoio"
	"platewatch/capture/rtsptest"
	"platewatch/capture/source"
)

// BenchmarkHandover measures how long a picture takes from the unit, which has received
// all of it, through the decoder and back: the pictures are so far apart that only one
// is in flight. in-process-ms is the time of decoding alone.
func BenchmarkHandover(b *testing.B) {
	const fps = 10
	file := capturetest.VideoFile(b, 1280, 720, fps, 300) // takes long: a stream that nobody reads meanwhile would be given up
	clip := capturetest.AnnexB(b, 1280, 720, fps, 2*fps)
	server := capturetest.Serve(b, "127.0.0.1:0", rtsptest.Options{Loop: true}, clip)
	c := source.Config{Name: "gate", Source: server.URL("gate"), OpenTimeout: 20 * time.Second, ReadTimeout: 10 * time.Second}
	Kind.Defaults(&c)
	src, err := Kind.Open(b.Context(), c, new(process.Tally))
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	s := src.(*camera)
	m := gocv.NewMat()
	defer m.Close()
	read := func() (took time.Duration, alone bool) {
		ahead := s.ahead.Load()
		if _, err := s.Read(&m); err != nil {
			b.Fatal(err)
		}
		return time.Since(s.begin) - time.Duration(s.fed.Load()), ahead == 0
	}
	for range fps { // it has caught up
		read()
	}
	v, err := videoio.Open(file, videoio.FFmpeg)
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	own := gocv.NewMat()
	defer own.Close()
	var took, alone []time.Duration
	for b.Loop() {
		t, only := read()
		if !only {
			continue
		}
		took = append(took, t)
		begin := time.Now()
		if ok, err := v.Read(&own); err != nil || !ok {
			b.Fatal("the clip is over, run fewer: ", err)
		}
		alone = append(alone, time.Since(begin))
	}
	report(b, took, "median-ms", "p95-ms")
	report(b, alone, "in-process-ms", "in-process-p95-ms")
}

func report(b *testing.B, took []time.Duration, median, p95 string) {
	slices.Sort(took)
	for name, q := range map[string]float64{median: 0.5, p95: 0.95} {
		b.ReportMetric(float64(took[int(q*float64(len(took)-1))].Microseconds())/1000, name)
	}
}
