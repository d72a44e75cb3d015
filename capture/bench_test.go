package capture

import (
	"errors"
	"io"
	"testing"

	"gocv.io/x/gocv"
)

// BenchmarkCamera is one 720p frame from file to reader and back: decoding
// dominates, and nothing of the frame's 2.7 MB is allocated anew.
func BenchmarkCamera(b *testing.B) {
	c, err := New(Config{Name: "x", Kind: KindFile, Path: videoFile(b, 1280, 720, 25, 50), Pace: PaceFast, Loop: true}, testLog(b))
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
	src, err := Open(b.Context(), Config{Kind: KindFile, Path: videoFile(b, 1280, 720, 25, 50), Pace: PaceFast, Loop: true})
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

// BenchmarkDecodeStill is one 720p JPEG.
func BenchmarkDecodeStill(b *testing.B) {
	jpeg := encodeJPEG(b, corners(1280, 720))
	b.ReportAllocs()
	for b.Loop() {
		m, err := DecodeStill(jpeg, StillLimits{})
		if err != nil {
			b.Fatal(err)
		}
		m.Close()
	}
}
