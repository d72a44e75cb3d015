package rtsptest

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A real SPS (64 x 48, baseline) and PPS, and slices of which only the header
// and the first byte matter here.
var (
	testSPS = []byte{0x67, 0x42, 0xc0, 0x0a, 0xda, 0x11, 0xa2, 0x6a, 0x02, 0x02, 0x02, 0x80, 0x00, 0x00, 0x03, 0x00, 0x80, 0x00, 0x00, 0x19, 0x07, 0x89, 0x13, 0x50}
	testPPS = []byte{0x68, 0xce, 0x3c, 0x80}
	aud     = []byte{0x09, 0x10}
	sei     = []byte{0x06, 0x05, 0x01, 0x80}
	idr     = []byte{0x65, 0x88, 0x84}
	idrMore = []byte{0x65, 0x48, 0x84} // a later slice of the picture
	p1      = []byte{0x41, 0x9a, 0x01}
	p1More  = []byte{0x41, 0x4a, 0x01}
	p2      = []byte{0x41, 0x9b, 0x02}
)

func stream(code int, nals ...[]byte) []byte {
	var b []byte
	for i, n := range nals {
		zeros := code - 1
		if i == 0 {
			zeros = max(zeros, 2)
		}
		b = append(b, make([]byte, zeros)...)
		b = append(b, 1)
		b = append(b, n...)
	}
	return b
}

func TestParseAnnexB(t *testing.T) {
	key := [][]byte{testSPS, testPPS, idr}
	for _, tt := range []struct {
		name string
		nals [][]byte
		want [][][]byte
	}{
		{"one picture", [][]byte{testSPS, testPPS, idr}, [][][]byte{key}},
		{"without delimiters", [][]byte{testSPS, testPPS, idr, p1, p2}, [][][]byte{key, {p1}, {p2}}},
		{"with delimiters", [][]byte{aud, testSPS, testPPS, idr, aud, p1, aud, p2}, [][][]byte{key, {p1}, {p2}}},
		{"several slices", [][]byte{testSPS, testPPS, idr, idrMore, idrMore, p1, p1More, p2},
			[][][]byte{{testSPS, testPPS, idr, idrMore, idrMore}, {p1, p1More}, {p2}}},
		{"SEI begins a unit", [][]byte{testSPS, testPPS, sei, idr, sei, p1},
			[][][]byte{{testSPS, testPPS, sei, idr}, {sei, p1}}},
		{"sets again", [][]byte{testSPS, testPPS, idr, p1, testSPS, testPPS, idr}, [][][]byte{key, {p1}, key}},
		{"pictures before the first key frame", [][]byte{p1, p2, testSPS, testPPS, idr, p1}, [][][]byte{key, {p1}}},
		{"sets before a picture left out", [][]byte{testSPS, testPPS, p1, idr, p2}, [][][]byte{key, {p2}}},
		{"filler", [][]byte{testSPS, testPPS, idr, {0x0c, 0xff, 0x80}, p1}, [][][]byte{key, {p1}}},
	} {
		for _, code := range []int{3, 4, 6} { // 6: padding zeros before a start code
			t.Run(fmt.Sprintf("%s, code of %d", tt.name, code), func(t *testing.T) {
				if code == 6 {
					tt.nals = append([][]byte{{}}, tt.nals...)
				}
				c, err := ParseAnnexB(stream(min(code, 4), tt.nals...))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, c.Units); diff != "" {
					t.Errorf("units (-want +got):\n%s", diff)
				}
				if !bytes.Equal(c.SPS, testSPS) || !bytes.Equal(c.PPS, testPPS) {
					t.Errorf("sets are %x and %x", c.SPS, c.PPS)
				}
			})
		}
	}
}

func TestParseAnnexBRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, ErrNotAnnexB},
		{"text", []byte("this is not a video"), ErrNotAnnexB},
		{"MP4", []byte("\x00\x00\x00\x18ftypmp42"), ErrNotAnnexB},
		{"no picture", stream(4, testSPS, testPPS), ErrNoPicture},
		{"no key frame", stream(4, testSPS, testPPS, p1), ErrNoPicture},
		{"no sets", stream(4, idr, p1), ErrNoSets},
		{"no PPS", stream(4, testSPS, idr), ErrNoSets},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ParseAnnexB(tt.in); !errors.Is(err, tt.want) {
				t.Errorf("error is %v, want %v", err, tt.want)
			}
		})
	}
}

// What x264 really writes, in the ways that streams differ.
func TestParseAnnexBOfX264(t *testing.T) {
	for _, params := range []string{"aud=1", "aud=0", "aud=1:slices=4", "aud=0:slices=3", "aud=0:repeat-headers=1"} {
		t.Run(params, func(t *testing.T) {
			b := encode(t, 96, 64, 20, "-x264-params", params)
			c, err := ParseAnnexB(b)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Units) != 20 || c.Width != 96 || c.Height != 64 || c.FPS != 20 {
				t.Errorf("%d pictures of %d x %d at %g a second, want 20 of 96 x 64 at 20", len(c.Units), c.Width, c.Height, c.FPS)
			}
		})
	}
}

func FuzzParseAnnexB(f *testing.F) {
	f.Add(stream(3, testSPS, testPPS, idr, p1))
	f.Add(stream(4, aud, testSPS, testPPS, sei, idr, idrMore, aud, p1))
	f.Add([]byte{0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseAnnexB(b)
		if err != nil {
			return
		}
		if len(c.Units) == 0 || len(c.SPS) == 0 || len(c.PPS) == 0 {
			t.Fatalf("an empty clip without an error: %+v", c)
		}
		for _, u := range c.Units {
			if len(u) == 0 {
				t.Fatal("an empty access unit")
			}
			for _, nal := range u {
				if len(nal) == 0 || bytes.Contains(nal, []byte{0, 0, 1}) {
					t.Fatalf("NAL unit % x", nal)
				}
			}
		}
	})
}

// encode makes a clip of ffmpeg's test picture: one second at fps.
func encode(t *testing.T, width, height, fps int, more ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed: `sudo apt-get install ffmpeg`")
	}
	args := append([]string{"-nostdin", "-loglevel", "error", "-f", "lavfi",
		"-i", fmt.Sprintf("testsrc=size=%dx%d:rate=%d:duration=1", width, height, fps),
		"-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-threads", "1"}, more...)
	var complaint bytes.Buffer
	cmd := exec.Command("ffmpeg", append(args, "-f", "h264", "-")...)
	cmd.Stderr = &complaint
	b, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, &complaint)
	}
	return b
}
