package unit

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"platewatch/cmd/platewatch/internal/status"
)

// TestConditionLog: a problem is logged once when it lasts, and once when it is over;
// a short one is not logged.
func TestConditionLog(t *testing.T) {
	var b bytes.Buffer
	l := conditionLog{log: slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))}
	camera := status.Problem{Key: "camera front offline", Level: status.Bad, Text: "Camera front is offline."}
	list := status.Problem{Key: "list a missing", Level: status.Warn, Text: "Hotlist a is missing."}
	link := status.Problem{Key: "plaintext", Level: status.Note, Text: "The link is not encrypted."}
	for _, found := range [][]status.Problem{{camera}, {}, {list}, {camera, list, link}, {list, camera, link}, {list, camera, link}, {list, link}, {camera, list, link}, {list}, {list}, {}, {}, {}} {
		l.look(found)
	}
	want := []string{
		`level=WARN msg="Hotlist a is missing." problem="list a missing"`,
		`level=ERROR msg="Camera front is offline." problem="camera front offline"`,
		`level=INFO msg="The link is not encrypted." problem=plaintext`,
		`level=INFO msg="problem is over" problem="camera front offline"`,
		`level=INFO msg="problem is over" problem=plaintext`,
		`level=INFO msg="problem is over" problem="list a missing"`,
	}
	got := strings.Split(strings.TrimSpace(b.String()), "\n")
	// Problems that end at the same look end in any order.
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
