package audit

import (
	"errors"
	"strings"
	"testing"

	"platewatch/hotlist/entry"
)

// TestNewerIsRefused: a trail of a later version is refused with advice.
func TestNewerIsRefused(t *testing.T) {
	dir := t.TempDir()
	trail, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := trail.Append(t.Context(), Record{Kind: Import, List: "gate"}); err != nil {
		t.Fatal(err)
	}
	h, _, err := trail.readHead()
	if err != nil || h.Format != format {
		t.Fatalf("the head has format %d: %v", h.Format, err)
	}
	h.Format = format + 1
	if err := trail.writeSealed(trail.headPath(), h); err != nil {
		t.Fatal(err)
	}
	_, err = Open(dir, "")
	var e *entry.Error
	if !errors.Is(err, entry.ErrNewer) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "install that version again") {
		t.Errorf("the error is %v", err)
	}
	if err := trail.Append(t.Context(), Record{Kind: Import, List: "gate"}); err == nil {
		t.Error("a record was appended to a trail of a later version")
	}
}

// TestFieldsOfALaterVersion: a record with a field that is not known here belongs to
// the chain, so that a step back to an earlier version finds no damage.
func TestFieldsOfALaterVersion(t *testing.T) {
	trail, err := Open(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	record := []byte(`{"seq":1,"at":"2026-11-28T00:00:00Z","kind":"import","list":"gate","weather":"rain"}`)
	line := string(record) + "\t" + trail.hash("", record)
	r, hash, err := splitLine([]byte(line))
	if err != nil || r.List != "gate" || hash != trail.hash("", record) {
		t.Errorf("%+v, %s, %v", r, hash, err)
	}
}
