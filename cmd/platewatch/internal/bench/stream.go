package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"gocv.io/x/gocv"
	"golang.org/x/sys/unix"

	"platewatch/capture"
	"platewatch/capture/motion"
	"platewatch/capture/source"
	"platewatch/cmd/platewatch/internal/observe"
	"platewatch/ocr"
)

// StreamScore is the processor time of following a stream, of all threads together,
// so that a busy machine gives the same figures.
type StreamScore struct {
	Name   string  `json:"name"`
	Width  int     `json:"width"`
	Height int     `json:"height"`
	FPS    float64 `json:"fps"`
	Frames int     `json:"frames"`

	FFmpegMS float64 `json:"ffmpeg_ms"` // a frame, by `ffmpeg -i … -f null -` on one thread
	DecodeMS float64 `json:"decode_ms"` // a frame, decoded as the camera decodes it
	GateMS   float64 `json:"gate_ms"`   // a frame, of the motion gate
	// Share of one core at FPS: decoding and the gate alone, and all that the
	// unit does with the stream.
	GatedShare float64 `json:"gated_share"`
	Share      float64 `json:"share"`
	// Frames by the area that the motion gate let pass.
	Still int `json:"still"`
	Parts int `json:"parts"`
	Whole int `json:"whole"`
	// LooksPerSecond is how many frames per second one core decodes, searches and
	// reads if every frame is searched completely.
	LooksPerSecond float64 `json:"full_looks_per_second"`
}

// Stream measures a video file: as ffmpeg decodes it, as it is read and gated,
// as it is observed, and with a full look at every frame.
func Stream(ctx context.Context, r *ocr.Recogniser, name, path string) (*StreamScore, error) {
	s := &StreamScore{Name: name}
	var err error
	none := func(gocv.Mat, time.Duration) error { return nil }
	decode, err := s.pass(ctx, path, none)
	if err != nil {
		return nil, err
	}
	if s.Frames == 0 {
		return nil, fmt.Errorf("%s has no frames", name)
	}
	if s.FFmpegMS, err = ffmpegDecode(ctx, path, s.Frames); err != nil {
		return nil, err
	}
	gate := motion.NewGate(motion.Area{})
	gated, err := s.pass(ctx, path, func(m gocv.Mat, at time.Duration) error {
		_, err := gate.Watch(m, at)
		return err
	})
	if err != nil {
		return nil, err
	}
	observed, err := s.observe(ctx, r, path, true)
	if err != nil {
		return nil, err
	}
	looked, err := s.observe(ctx, r, path, false)
	if err != nil {
		return nil, err
	}
	n := float64(s.Frames)
	s.DecodeMS = 1000 * decode.Seconds() / n
	s.GateMS = max(0, 1000*(gated-decode).Seconds()/n)
	s.GatedShare = gated.Seconds() / n * s.FPS
	s.Share = observed.Seconds() / n * s.FPS
	s.LooksPerSecond = n / looked.Seconds()
	return s, nil
}

// observe runs the observer over the file, with or without its gate.
func (s *StreamScore) observe(ctx context.Context, r *ocr.Recogniser, path string, gate bool) (time.Duration, error) {
	p := observe.DefaultParams()
	p.Gate = gate
	o, err := observe.New(r, p)
	if err != nil {
		return 0, err
	}
	defer o.Close()
	return s.pass(ctx, path, func(m gocv.Mat, at time.Duration) error {
		seen, err := o.Observe(ctx, m, at, nil)
		if gate {
			switch seen.Extent {
			case observe.Nothing:
				s.Still++
			case observe.Parts:
				s.Parts++
			case observe.Whole:
				s.Whole++
			}
		}
		return err
	})
}

// pass reads a file as fast as possible and returns the processor time used.
func (s *StreamScore) pass(ctx context.Context, path string, each func(gocv.Mat, time.Duration) error) (time.Duration, error) {
	src, err := capture.Open(ctx, capture.Config{Name: "bench", Kind: "file", Source: path, Pace: source.PaceFast})
	if err != nil {
		return 0, err
	}
	defer src.Close()
	m := gocv.NewMat()
	defer m.Close()
	// Loading the decoder's libraries, once a camera, does not count.
	begin, err := processorTime(src)
	if err != nil {
		return 0, err
	}
	frames, last := 0, time.Duration(0)
	for {
		at, err := src.Read(&m)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		frames++
		last = at
		if err := each(m, at); err != nil {
			return 0, err
		}
		s.Width, s.Height = m.Cols(), m.Rows()
	}
	end, err := processorTime(src)
	s.Frames = frames
	if last > 0 {
		s.FPS = float64(frames-1) / last.Seconds()
	}
	return end - begin, err
}

// processorTime is what all threads of this process and of the source's decoder
// have used.
func processorTime(src capture.Source) (time.Duration, error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	own := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	decoder, ok := src.(interface {
		ProcessorTime() (time.Duration, error)
	})
	if !ok {
		return own, nil
	}
	decoding, err := decoder.ProcessorTime()
	return own + decoding, err
}

// ffmpegDecode is the ffmpeg program's processor time per frame, in milliseconds.
func ffmpegDecode(ctx context.Context, path string, frames int) (float64, error) {
	cmd := exec.CommandContext(ctx, "ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-i", "file:"+path, "-f", "null", "-")
	if complaint, err := cmd.CombinedOutput(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return 0, fmt.Errorf("ffmpeg is needed for the comparison: sudo apt-get install ffmpeg: %w", err)
		}
		return 0, fmt.Errorf("ffmpeg: %w: %s", err, strings.TrimSpace(string(complaint)))
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return 1000 * used.Seconds() / float64(frames), nil
}

// StillClip makes a clip of n frames from the first frame of another one: a road
// without motion, with sensor noise.
func StillClip(ctx context.Context, from, to string, frames int) error {
	cmd := exec.CommandContext(ctx, "ffmpeg", "-nostdin", "-v", "error", "-y", "-i", "file:"+from,
		"-vf", fmt.Sprintf(`select=eq(n\,0),loop=%d:1:0,setpts=N/25/TB,noise=alls=5:allf=t,format=yuv420p`, frames-1), "-r", "25", "-frames:v", fmt.Sprint(frames),
		"-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-bf", "0", "-f", "mp4", to)
	if complaint, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ffmpeg: %w: %s", err, strings.TrimSpace(string(complaint)))
	}
	return nil
}

// StreamTable formats the scores for people.
func StreamTable(scores []*StreamScore) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-14s %11s %6s | %9s %9s %7s | %12s %9s | %19s | %s\n", "stream", "size", "fps", "ffmpeg", "decode", "gate",
		"decode+gate", "unit", "still/parts/whole", "full looks/s")
	for _, s := range scores {
		fmt.Fprintf(&b, "%-14s %4d × %4d %6.1f | %6.2f ms %6.2f ms %4.2f ms | %10.1f %% %7.1f %% | %7d/%5d/%5d | %.1f\n", s.Name, s.Width, s.Height, s.FPS,
			s.FFmpegMS, s.DecodeMS, s.GateMS, 100*s.GatedShare, 100*s.Share, s.Still, s.Parts, s.Whole, s.LooksPerSecond)
	}
	b.WriteString("processor time per frame; % of one core at the stream's frame rate; full looks on one core, decoding included\n")
	return b.String()
}
