package capture_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"platewatch/capture"
)

// A folder of pictures is read like a camera: Run opens and reads the source,
// Next returns its frames.
func Example() {
	camera, err := capture.New(capture.Config{Name: "front", Source: "internal/codec/testdata/"}, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- camera.Run(ctx) }()
	for {
		frame, err := camera.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			panic(err)
		}
		fmt.Println(frame.Image.Cols(), frame.Image.Rows())
		frame.Close()
	}
	if err := <-done; err != nil { // only now is every buffer of the camera freed
		panic(err)
	}
	// Output: 64 32
}
