package hotlist

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"platewatch/hotlist/audit"
	"platewatch/hotlist/entry"
)

// copyFiles copies the files of a directory that match, over those that are there.
func copyFiles(t *testing.T, from, to, pattern string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(from, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, filepath.Base(path)), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func stateOf(t *testing.T, db *DB, list string) ListState {
	t.Helper()
	states, err := db.States(time.Now(), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		if s.Name == list {
			return s
		}
	}
	return ListState{}
}

// An older list and its trust file are put back, or both removed, while the unit is
// off: the audit trail still knows the version, and nothing older is accepted.
func TestAttackOlderListPutBack(t *testing.T) {
	s := newSigner(t)
	v8, v9, v10 := s.sign("l", "plate\nAAA1111\n", 8), s.sign("l", "plate\nBBB2222\n", 9), s.sign("l", "plate\nCCC3333\n", 10)
	db, older := s.unit(), t.TempDir()
	if _, err := s.apply(db, "l", v8); err != nil {
		t.Fatal(err)
	}
	copyFiles(t, db.dir, older, "l.*")
	if _, err := s.apply(db, "l", v10); err != nil {
		t.Fatal(err)
	}
	if st := stateOf(t, db, "l"); st.Accepted != 0 || st.Unrecorded {
		t.Errorf("as it should be: %+v", st)
	}
	restart := func() *DB {
		t.Helper()
		again, err := Open(db.dir, Options{Trust: s.keys, RulesOf: strictly.RulesOf})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { again.Close() })
		return again
	}
	copyFiles(t, older, db.dir, "l.*")
	back := restart()
	if st := stateOf(t, back, "l"); st.Version != "8" || st.Accepted != 10 {
		t.Errorf("older files put back: %+v", st)
	}
	if _, err := s.apply(back, "l", v9); !errors.Is(err, entry.ErrRollback) {
		t.Errorf("a version between: %v", err)
	}
	if _, err := s.apply(back, "l", v10); err != nil || stateOf(t, back, "l").Accepted != 0 {
		t.Errorf("the newest again: %v, %+v", err, stateOf(t, back, "l"))
	}

	paths, err := filepath.Glob(filepath.Join(db.dir, "l.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	gone := restart()
	if st := stateOf(t, gone, "l"); !st.Missing || st.Accepted != 10 {
		t.Errorf("list and trust file removed: %+v", st)
	}
	if _, err := s.apply(gone, "l", v9); !errors.Is(err, entry.ErrRollback) {
		t.Errorf("an older version into the empty place: %v", err)
	}

	// The other way round: the trail is removed, and the list reveals that.
	if _, err := s.apply(gone, "l", v10); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(db.dir, "audit")), os.Remove(filepath.Join(db.dir, "audit.head"))); err != nil {
		t.Fatal(err)
	}
	if st := stateOf(t, restart(), "l"); !st.Unrecorded {
		t.Errorf("the trail removed: %+v", st)
	}
}

// Lists, trust files, trail and head of an older state are put back together: nothing on
// the disk tells, but a copy of the trail's end kept elsewhere does.
func TestAttackEverythingPutBack(t *testing.T) {
	s := newSigner(t)
	v8, v10 := s.sign("l", "plate\nAAA1111\n", 8), s.sign("l", "plate\nCCC3333\n", 10)
	db, older := s.unit(), t.TempDir()
	if _, err := s.apply(db, "l", v8); err != nil {
		t.Fatal(err)
	}
	copyAll := func(from, to string) {
		t.Helper()
		if err := errors.Join(os.RemoveAll(to), os.CopyFS(to, os.DirFS(from))); err != nil {
			t.Fatal(err)
		}
	}
	copyAll(db.dir, older)
	if _, err := s.apply(db, "l", v10); err != nil {
		t.Fatal(err)
	}
	trail, err := audit.Open(db.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := trail.Head() // as health carries it
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	copyAll(older, db.dir)
	back, err := Open(db.dir, Options{Trust: s.keys, RulesOf: strictly.RulesOf})
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	if st := stateOf(t, back, "l"); st.Version != "8" || st.Accepted != 0 || st.Unrecorded {
		t.Errorf("%+v: the disk tells more than this test knows", st)
	}
	if trail, err = audit.Open(db.dir, ""); err != nil {
		t.Fatal(err)
	}
	head, err := trail.Head()
	if err != nil || head.Seq >= kept.Seq {
		t.Errorf("the trail ends at %d, %v; it ended at %d", head.Seq, err, kept.Seq)
	}
	var broken *audit.BrokenError
	if _, err := trail.Verify(); err != nil {
		t.Errorf("verify alone: %v", err)
	}
	if _, err := trail.Verify(kept); !errors.As(err, &broken) {
		t.Errorf("verify with the end that health told: %v", err)
	}
	t.Attr("outcome", fmt.Sprintf("audit verify -known finds it; the server sees version 10 become 8 and record %d become %d", kept.Seq, head.Seq))
}

// A hundred refused manifests a second, for three years: they stay a small part of the
// trail, and their number is recorded.
func TestAttackRefusalsFillTheTrail(t *testing.T) {
	now, began := time.Duration(0), time.Now()
	rs := refusals{now: func() time.Time { return began.Add(now) }}
	const every, days = 2 * time.Second, 7
	written, refused := 0, 0
	for ; now < days*24*time.Hour; now += every {
		for _, kind := range []error{entry.ErrForged, entry.ErrRollback, entry.ErrRefused} {
			for range 2 {
				r := audit.Record{Kind: audit.Refuse}
				if rs.add(kind, &r) {
					written++
					refused += max(r.Times, 1)
				}
			}
		}
	}
	if written > days*(refusalsADay+3*25) {
		t.Errorf("%d records in %d days", written, days)
	}
	all := 6 * int(days*24*time.Hour/every)
	for _, c := range rs.kinds {
		refused += c.pending
	}
	if refused != all {
		t.Errorf("%d of %d refusals are recorded", refused, all)
	}

	// The same with real manifests, for as long as a test may take.
	s := newSigner(t)
	db := s.unit()
	trail, err := audit.Open(db.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := trail.Append(t.Context(), audit.Record{Kind: audit.Lookup, Operator: "jane"}); err != nil {
		t.Fatal(err)
	}
	const manifests = 50
	for i := range manifests {
		if _, err := db.Apply(t.Context(), "l", []byte(fmt.Sprintf("forged %d\n", i)), nil); !errors.Is(err, entry.ErrRefused) {
			t.Fatal(err)
		}
	}
	r, err := trail.Verify()
	if err != nil || r.Records > 3 {
		t.Errorf("%+v, %v", r, err)
	}
	t.Attr("outcome", strings.TrimSpace(fmt.Sprintf("%d refusals in %d days are %d records; %d forged manifests at once are %d", all, days, written, manifests, r.Records-1)))
}

// The disk is full while a version is applied, and stays so over a restart: the version
// before goes on being served, and the new one is applied once there is room.
func TestAttackFullDiskWhileApplying(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Skip("no small file system can be mounted here: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	s := newSigner(t)
	large := func(n int) string {
		var b strings.Builder
		b.WriteString("plate,note\n")
		for i := range n {
			fmt.Fprintf(&b, "BB%05d,%032x\n", i, i*7919)
		}
		return b.String()
	}
	v1, v2 := s.sign("l", "plate\nAAA1111\n", 1), s.sign("l", large(8000), 2)
	path := filepath.Join(dir, "lists")
	open := func() *DB {
		t.Helper()
		db, err := Open(path, Options{Trust: s.keys, RulesOf: strictly.RulesOf})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	db := open()
	if _, err := s.apply(db, "l", v1); err != nil {
		t.Fatal(err)
	}
	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer filler.Close()
	// Each time less is left: it fails at another place.
	room, failures := 512<<10, 0
	for ; room > 16<<10; room /= 2 {
		var st syscall.Statfs_t
		if err := syscall.Statfs(dir, &st); err != nil {
			t.Fatal(err)
		}
		if more := int64(st.Bavail)*int64(st.Bsize) - int64(room); more > 0 {
			size, err := filler.Seek(0, io.SeekEnd)
			if err == nil {
				err = syscall.Fallocate(int(filler.Fd()), 0, size, more)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.apply(db, "l", v2); err == nil {
			break // there was room enough
		} else if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("with %d bytes: %v", room, err)
		}
		failures++
		if got := platesOf(t, db, "l"); got != "AAA1111" || stateOf(t, db, "l").Version != "1" {
			t.Fatalf("with %d bytes it serves version %s", room, stateOf(t, db, "l").Version)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = open()
		if got := platesOf(t, db, "l"); got != "AAA1111" {
			t.Fatalf("after a restart with %d bytes it serves %.40s", room, got)
		}
	}
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	filler.Close()
	if _, err := s.apply(db, "l", v2); err != nil || stateOf(t, db, "l").Version != "2" {
		t.Errorf("with room again: %v", err)
	}
	t.Attr("outcome", fmt.Sprintf("%d times refused for want of room; version 1 was served until version 2 was whole", failures))
	if failures == 0 {
		t.Error("it never failed: this test tests nothing")
	}
}
