package unit

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"platewatch/hotlist/audit"
	"platewatch/ocr/passage"
	"platewatch/ocr/text"
)

// While another process holds the audit trail, hits are made without waiting for it, as
// many as may wait. All of them are in the trail in the end.
func TestHitsDoNotWaitForAudit(t *testing.T) {
	c := unitConfig(t)
	importList(t, c, "national", twoPlates)
	u := openUnit(t, c, slog.New(slog.DiscardHandler))
	r := newRoad(t, u)
	held, err := os.OpenFile(filepath.Join(c.Hotlist.Path, "audit", "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	const hits = 5
	begun := time.Now()
	for i := range hits {
		p := passage.Passage{Number: uint64(i + 1), Reading: text.Reading{Text: "AB12CDE", Confidence: 0.8}}
		r.update(passage.Sure, p, 100)
		r.update(passage.Ended, p, 0)
	}
	// One append alone would have waited five seconds for the lock.
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("%d hits took %v", hits, took)
	}
	if n := len(u.waitingRecords()); n != hits {
		t.Fatalf("%d records wait", n)
	}

	// At the bound the pipeline appends.
	held.Close()
	record := func(i int) []audit.Record { return []audit.Record{{Kind: audit.Hit, Hit: fmt.Sprint(i)}} }
	for i := range maxUnrecorded + 3 {
		u.record(record(i))
	}
	count := func() (n int) {
		t.Helper()
		err := u.trail.Records(audit.Filter{Kinds: []audit.Kind{audit.Hit}}, func(audit.Record) error { n++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(); n != 3 {
		t.Errorf("%d records at the bound, want 3", n)
	}
	u.appendRecords(u.waitingRecords())
	if n := count(); n != maxUnrecorded+3 {
		t.Errorf("%d records in the end, want %d", n, maxUnrecorded+3)
	}
}
