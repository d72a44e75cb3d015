package journal

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLines(t *testing.T) {
	for asJSON, want := range map[bool]string{
		false: "<7>msg=a\n<6>msg=b camera=front\n<4>msg=c camera=front g.n=1\n<3>msg=\"d\\ne\"\n",
		true: "<7>{\"msg\":\"a\"}\n<6>{\"msg\":\"b\",\"camera\":\"front\"}\n" +
			"<4>{\"msg\":\"c\",\"camera\":\"front\",\"g\":{\"n\":1}}\n<3>{\"msg\":\"d\\ne\"}\n",
	} {
		var b bytes.Buffer
		log := slog.New(Handler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}, asJSON))
		log.Debug("a")
		camera := log.With("camera", "front")
		camera.Info("b")
		camera.WithGroup("g").Warn("c", "n", 1)
		log.Error("d\ne")
		if got := b.String(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// TestIs: only the stream that systemd named is the journal.
func TestIs(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	var s unix.Stat_t
	if err := unix.Fstat(int(w.Fd()), &s); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"": false, "1:2": false, fmt.Sprintf("%d:%d", s.Dev, s.Ino): true} {
		t.Setenv("JOURNAL_STREAM", name)
		if Is(w) != want {
			t.Errorf("with %q it is the journal: %t", name, !want)
		}
	}
	if Is(&bytes.Buffer{}) {
		t.Error("a buffer is taken for the journal")
	}
}
