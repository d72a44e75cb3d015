package capture

import (
	"errors"
	"io"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/source"
)

// BenchmarkCamera is one 720p frame from file to reader and back: decoding
// dominates, and nothing of the frame's 2.7 MB is allocated anew.
func BenchmarkCamera(b *testing.B) {
	c, err := New(Config{Name: "x", Source: capturetest.VideoFile(b, 1280, 720, 25, 50), Pace: source.PaceFast, Loop: true}, capturetest.Log(b))
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Run(b.Context()) }()
	b.Cleanup(func() { <-done })
	b.ReportAllocs()
	for b.Loop() {
		f, err := c.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}

// BenchmarkSource is the same without a camera, copied nowhere.
func BenchmarkSource(b *testing.B) {
	src, err := Open(b.Context(), Config{Source: capturetest.VideoFile(b, 1280, 720, 25, 50), Pace: source.PaceFast, Loop: true})
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	m := gocv.NewMat()
	defer m.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := src.Read(&m); err != nil && !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
	}
}
