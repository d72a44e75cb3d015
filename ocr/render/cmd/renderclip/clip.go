package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"platewatch/ocr/render"
	"platewatch/ocr/scenes"
)

// writeClip renders the clip, has ffmpeg compress it, and writes its truth.
func writeClip(ctx context.Context, dir string, log io.Writer) error {
	spec, hot := scenes.Road()
	view := render.DefaultView
	// The old clip stays until the new one is whole: it is embedded in builds.
	whole, out := filepath.Join(dir, "road.h264"), filepath.Join(dir, "road.h264.part")
	defer os.Remove(out)
	// One thread: x264 then writes the same bytes every time. Access unit
	// delimiters and a key frame a second let the RTSP server cut anywhere.
	cmd := exec.CommandContext(ctx, "ffmpeg", "-loglevel", "error", "-y",
		"-f", "rawvideo", "-pix_fmt", "rgba", "-video_size", fmt.Sprintf("%dx%d", view.Width, view.Height), "-framerate", fmt.Sprint(spec.FPS), "-i", "-",
		"-c:v", "libx264", "-profile:v", "main", "-pix_fmt", "yuv420p", "-preset", "slow", "-tune", "film", "-threads", "1", "-bf", "0", "-g", "25", "-keyint_min", "25",
		"-sc_threshold", "0", "-crf", "27", "-x264-params", "aud=1:repeat-headers=1", "-bsf:v", "filter_units=remove_types=6", "-f", "h264", out)
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("open a pipe to ffmpeg: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start ffmpeg (apt-get install ffmpeg): %w", err)
	}
	var truths []render.FrameTruth
	for f, err := range render.Clip(spec) {
		if err == nil {
			truths = append(truths, f.Truth)
			_, err = in.Write(f.Draw().Pix)
		}
		if err != nil {
			in.Close()
			_ = cmd.Wait() // the first error is the one to report
			return err
		}
	}
	if err := in.Close(); err != nil {
		return fmt.Errorf("close the pipe to ffmpeg: %w", err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("ffmpeg: %w", err)
	}
	if err := os.Rename(out, whole); err != nil {
		return err
	}
	for i, p := range render.Passages(len(spec.Vehicles), truths) {
		fmt.Fprintf(log, "passage %d %-8s %-8s %3d frames with a plate of %d pixels or more\n", i+1, p.Text, p.Layout, p.Frames, render.MinWidth)
	}
	return os.WriteFile(filepath.Join(dir, "road.tsv"), scenes.RoadTruth(spec, hot, truths), 0o644)
}
