package demo

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/cmd/platewatch/internal/demo/media"
	"platewatch/uplink/message"
)

// TestDemo is the whole system on the rendered clip: every expected hit must
// arrive at the subscriber, and nothing else. The clip has its own pace; where the
// machine was too busy to look at enough of it, it is played again.
func TestDemo(t *testing.T) {
	const times, enough = 6, 150 // of 700 frames; 500 and more are read where nothing else runs
	for range times {
		var out bytes.Buffer
		err := Run(t.Context(), Options{Listen: "127.0.0.1:0", Model: "plate", Out: &out, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
		t.Logf("%s", out.String())
		if m := regexp.MustCompile(`(\d+) read \(the newest`).FindStringSubmatch(out.String()); errors.Is(err, ErrMissing) && m != nil {
			if n, _ := strconv.Atoi(m[1]); n < enough {
				t.Logf("only %d frames were read, want at least %d", n, enough)
				continue
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`hits +5 expected, 5 delivered, 0 wrong`).MatchString(out.String()) {
			t.Error("the summary does not count 5 of 5 hits")
		}
		return
	}
	t.Fatalf("the machine was too busy %d times", times)
}

// TestFootage makes clips of a folder ready: a second of the rendered one,
// twice.
func TestFootage(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed: apt-get install ffmpeg")
	}
	dir := t.TempDir()
	road := filepath.Join(dir, "road.h264")
	for name, content := range map[string]string{road: string(media.Road), filepath.Join(dir, "truth.tsv"): "file\tplates\na.mp4\tTX-083-R\nb.mp4\tKR64 VHT,AB12\n"} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a.mp4", "b.mp4"} {
		if out, err := exec.Command("ffmpeg", "-v", "error", "-r", "25", "-i", road, "-t", "1", "-c", "copy", filepath.Join(dir, name)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	s, err := footage(t.Context(), dir, func(int, int, string) {})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]string{{"TX083R"}, {"KR64VHT", "AB12"}}, s.expected); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if len(s.clips) != 2 || len(s.clips[1].Units) < 24 {
		t.Errorf("%d clips", len(s.clips))
	}
}

func TestFootageRefuses(t *testing.T) {
	var input *InputError
	if _, err := footage(t.Context(), t.TempDir(), func(int, int, string) {}); !errors.As(err, &input) || input.Hint() == "" {
		t.Errorf("a folder without truth gives %v", err)
	}
}

func TestLedger(t *testing.T) {
	var l ledger
	hit := func(id, plate string, at time.Time) *message.Hit {
		return &message.Hit{ID: id, CapturedAt: at, Matches: []message.Match{{Entry: message.Entry{Plate: plate}}}}
	}
	l.clipBegins()
	first := time.Now()
	l.clipBegins()
	second := time.Now()
	for _, step := range []struct {
		hit  *message.Hit
		news bool
	}{
		{hit("u-1", "AB1O2", first), true},
		{hit("u-1", "AB1O2", first), false}, // a revision
		{hit("u-2", "CD3", second), true},
		{hit("u-3", "AB1O2", second), true}, // under another clip
	} {
		if got := l.hit(step.hit); got != step.news {
			t.Errorf("hit %s is news: %v", step.hit.ID, got)
		}
	}
	delivered, missing, wrong := l.outcome([][]string{{"AB102", "EF4"}, {"CD3"}})
	if d := cmp.Diff([][]string{{"AB102", "CD3"}, {"EF4"}, {"AB1O2"}}, [][]string{delivered, missing, wrong}); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}
