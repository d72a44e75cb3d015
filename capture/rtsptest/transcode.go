package rtsptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"
)

// maxStream bounds what [Transcode] keeps in memory: an hour of good 720p.
const maxStream int64 = 2 << 30

// transcoder is the program, looked up in PATH.
const transcoder = "ffmpeg"

// Transcode runs ffmpeg to turn any video file into an H.264 byte stream as
// [ParseAnnexB] takes it: of high quality, with a constant frame rate, a key
// frame at least every 25 pictures and no B pictures. An odd last row or
// column is doubled to make the size even.
//
// Without ffmpeg the error matches [fs.ErrNotExist].
func Transcode(ctx context.Context, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		return nil, &Error{Op: "transcode", Path: path, Err: err, Advice: "check the path of the video"}
	}
	if !info.Mode().IsRegular() {
		return nil, &Error{Op: "transcode", Path: path, Err: errors.New("is not a file"), Advice: "name a video file"}
	}
	// "file:" keeps names such as concat:x from being protocols.
	cmd := exec.CommandContext(ctx, transcoder, "-hide_banner", "-nostdin", "-loglevel", "error",
		"-protocol_whitelist", "file,pipe", "-i", "file:"+path, "-map", "0:v:0",
		"-vf", "scale=trunc((iw+1)/2)*2:trunc((ih+1)/2)*2:flags=neighbor,format=yuv420p", "-fps_mode", "cfr",
		"-c:v", "libx264", "-preset", "veryfast", "-crf", "12", "-bf", "0", "-g", "25", "-keyint_min", "12",
		"-x264-params", "aud=1:repeat-headers=1", "-f", "h264", "pipe:1")
	cmd.WaitDelay = time.Second
	stream := bounded{limit: maxStream}
	complaint := bounded{limit: 4096}
	cmd.Stdout, cmd.Stderr = &stream, &complaint
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return nil, &Error{Op: "transcode", Path: path, Err: fmt.Errorf("ffmpeg is needed to convert it: %w", err),
			Advice: "sudo apt-get install ffmpeg", also: fs.ErrNotExist}
	case stream.over:
		return nil, &Error{Op: "transcode", Path: path, Err: fmt.Errorf("the video is longer than %d MiB of H.264", maxStream>>20),
			Advice: "cut it into parts"}
	case err != nil:
		line, _, _ := strings.Cut(strings.TrimSpace(complaint.String()), "\n")
		return nil, &Error{Op: "transcode", Path: path, Err: fmt.Errorf("ffmpeg: %w: %s", err, line), Advice: "`ffprobe` tells what it is"}
	}
	return stream.Bytes(), nil
}

// bounded keeps what is written up to a limit. The write beyond it fails,
// which ends the program that writes.
type bounded struct {
	bytes.Buffer
	limit int64
	over  bool
}

var errOver = errors.New("more output than allowed")

func (b *bounded) Write(p []byte) (int, error) {
	if int64(b.Len())+int64(len(p)) > b.limit {
		b.over = true
		return 0, errOver
	}
	return b.Buffer.Write(p)
}
