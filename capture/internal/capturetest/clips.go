// Package capturetest makes the clips, pictures and cameras that the tests of the
// capture packages run against. Only tests import it.
package capturetest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"platewatch/capture/rtsptest"
	"platewatch/deploy/tools/addrtest"
)

var encoded sync.Map // arguments to bytes: clips are made once a run

// FFmpeg makes a clip of ffmpeg's test picture in a container format.
func FFmpeg(t testing.TB, width, height, fps, frames int, container string, more ...string) []byte {
	t.Helper()
	key := fmt.Sprint(width, height, fps, frames, container, more)
	if b, ok := encoded.Load(key); ok {
		return b.([]byte)
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed: `sudo apt-get install ffmpeg`")
	}
	out := filepath.Join(t.TempDir(), "clip")
	args := []string{"-nostdin", "-loglevel", "error", "-f", "lavfi",
		"-i", fmt.Sprintf("testsrc=size=%dx%d:rate=%d", width, height, fps), "-frames:v", fmt.Sprint(frames),
		"-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "12", "-threads", "1"}
	args = append(append(args, more...), "-f", container, out)
	if complaint, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, complaint)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	encoded.Store(key, b)
	return b
}

// VideoFile makes a clip as an MP4 file.
func VideoFile(t testing.TB, width, height, fps, frames int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(path, FFmpeg(t, width, height, fps, frames, "mp4"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TurnedVideo makes an MP4 file as a telephone does: with the note that its picture,
// 160 x 120 with a bright quarter at the top left, is to be turned clockwise.
func TurnedVideo(t testing.TB, degrees, frames int) string {
	t.Helper()
	b := bytes.Clone(FFmpeg(t, 160, 120, 25, frames, "mp4", "-vf", "drawbox=color=black:t=fill,drawbox=x=0:y=0:w=80:h=60:color=white:t=fill"))
	at := bytes.Index(b, []byte("tkhd")) + len("tkhd") + 40
	const one = 1 << 16
	for i, v := range map[int][4]int32{0: {one, 0, 0, one}, 90: {0, one, -one, 0}, 180: {-one, 0, 0, -one}, 270: {0, -one, one, 0}}[degrees] {
		binary.BigEndian.PutUint32(b[at+[4]int{0, 4, 12, 16}[i]:], uint32(v))
	}
	path := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// AnnexB265 makes a clip of H.265.
func AnnexB265(t testing.TB, width, height, fps, frames int) *rtsptest.Clip {
	t.Helper()
	c, err := rtsptest.ParseAnnexB(FFmpeg(t, width, height, fps, frames, "hevc", "-c:v", "libx265",
		"-x265-params", "log-level=none:bframes=0:keyint=12:pools=1"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// AnnexB makes a clip of H.264.
func AnnexB(t testing.TB, width, height, fps, frames int) *rtsptest.Clip {
	t.Helper()
	c, err := rtsptest.ParseAnnexB(FFmpeg(t, width, height, fps, frames, "h264"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Serve starts a server with one path, "gate", and stops it with the test.
func Serve(t testing.TB, addr string, o rtsptest.Options, clips ...*rtsptest.Clip) *rtsptest.Server {
	t.Helper()
	return ServeWith(t, addr, func(*rtsptest.Server) {}, o, clips...)
}

// ServeWith is [Serve] with settings that setup makes before the start.
func ServeWith(t testing.TB, addr string, setup func(*rtsptest.Server), o rtsptest.Options, clips ...*rtsptest.Clip) *rtsptest.Server {
	t.Helper()
	s := rtsptest.New(addr)
	setup(s)
	if err := s.Add("gate", o, clips...); err != nil {
		t.Fatal(err)
	}
	if err := addrtest.Again(t, s.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// PictureFolder writes n pictures that differ in their grey.
func PictureFolder(t testing.TB, width, height, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		img := image.NewGray(image.Rect(0, 0, width, height))
		for j := range img.Pix {
			img.Pix[j] = byte(10 * i)
		}
		WriteJPEG(t, filepath.Join(dir, fmt.Sprintf("%03d.jpg", i)), img)
	}
	return dir
}

// WriteJPEG writes a picture to a file.
func WriteJPEG(t testing.TB, path string, img image.Image) {
	t.Helper()
	if err := os.WriteFile(path, EncodeJPEG(t, img), 0o600); err != nil {
		t.Fatal(err)
	}
}

// EncodeJPEG encodes a picture with a quality of 95 %.
func EncodeJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Corners is a picture whose corners tell how it was turned: red top left,
// green top right, blue bottom left, white bottom right.
func Corners(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			var c color.RGBA
			switch left, top := x < width/2, y < height/2; {
			case left && top:
				c = color.RGBA{255, 0, 0, 255}
			case top:
				c = color.RGBA{0, 255, 0, 255}
			case left:
				c = color.RGBA{0, 0, 255, 255}
			default:
				c = color.RGBA{255, 255, 255, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// Log logs to the test.
func Log(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(string(bytes.TrimSpace(p)))
	return len(p), nil
}
