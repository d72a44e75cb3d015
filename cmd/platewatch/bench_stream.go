package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"platewatch/cmd/platewatch/internal/bench"
	"platewatch/cmd/platewatch/internal/demo/media"
	"platewatch/ocr"
)

// stillFrames is the length of the empty road's clip, that of the one with traffic.
const stillFrames = 700

// benchStreams measures the processor time of following video.
func benchStreams(ctx context.Context, std stdio, model, regions string, asJSON bool, videos []string) (err error) {
	params, err := readingParams(model, regions)
	if err != nil {
		return err
	}
	params.MinPlateWidth = ocr.DefaultParams().MinPlateWidth // as a unit has it
	r, err := ocr.New(params)
	if err != nil {
		return err
	}
	defer r.Close()
	names := videos
	if len(videos) == 0 {
		dir, err := os.MkdirTemp("", "platewatch-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		road, still := filepath.Join(dir, "road.h264"), filepath.Join(dir, "still.mp4")
		if err := os.WriteFile(road, media.Road, 0o600); err != nil {
			return err
		}
		if err := bench.StillClip(ctx, road, still, stillFrames); err != nil {
			return &failure{code: exitMissing, err: err, hint: "sudo apt-get install ffmpeg"}
		}
		videos, names = []string{still, road}, []string{"still road", "traffic"}
	}
	var scores []*bench.StreamScore
	for i, v := range videos {
		s, err := bench.Stream(ctx, r, names[i], v)
		if err != nil {
			return err
		}
		scores = append(scores, s)
	}
	if asJSON {
		enc := json.NewEncoder(std.out)
		enc.SetIndent("", "  ")
		return enc.Encode(scores)
	}
	_, err = fmt.Fprint(std.out, bench.StreamTable(scores))
	return err
}
