package hotlist

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/importer"
	"platewatch/hotlist/internal/folder"
	"platewatch/hotlist/match"
)

// strictly matches what is exact, but for O and 0, and I and 1.
var strictly = matching(match.Rules{})

// anyProbability leaves the probability of matches out of a comparison.
var anyProbability = cmpopts.IgnoreFields(match.Match{}, "Probability", "Dated")

func matching(m match.Rules) Options {
	return Options{RulesOf: func(string, int) match.Rules { return m }}
}

// importList imports text as a list and fails the test if that fails.
func importList(t testing.TB, dir, list, text string) ImportReport {
	t.Helper()
	report, err := Import(t.Context(), dir, strings.NewReader(text), ImportOptions{List: list, Version: "v", Options: importer.Options{Source: list + ".csv", Location: time.UTC}})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func openDB(t testing.TB, dir string) *DB {
	t.Helper()
	db, err := Open(dir, strictly)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// plates returns "how plate" of all matches.
func plates(t testing.TB, db *DB, q match.Query) []string {
	t.Helper()
	matches, err := db.Match(q)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range matches {
		got = append(got, string(m.How)+" "+m.Entry.Plate)
	}
	return got
}

func entries(t testing.TB, db *DB, list string) []entry.Entry {
	t.Helper()
	var all []entry.Entry
	for e, err := range db.Entries(t.Context(), list) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func TestImportedListMatches(t *testing.T) {
	dir := t.TempDir()
	importList(t, dir, "stolen", `plate,state,category,priority,vehicle_make,expires
AB-123-O,ny,stolen vehicle,,FORD,
AB 123 0,NJ,amber alert,,,2030-01-01
XYZ789,CA,felony,,,2020-06-30
`)
	db := openDB(t, dir)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

	matches, err := db.Match(match.Query{Text: "ab 123-o", At: now, ClockSynchronised: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []match.Match{
		{List: "stolen", Version: "v", How: match.Confusable, Entry: entry.Entry{Plate: "AB1230", Written: "AB 123 0", State: "NJ", Category: entry.AmberAlert, Priority: 1,
			Expires: time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)}},
		{List: "stolen", Version: "v", How: match.Exact, Entry: entry.Entry{Plate: "AB123O", Written: "AB-123-O", State: "NY", Category: entry.StolenVehicle, Priority: 3,
			Vehicle: entry.Vehicle{Make: "FORD"}}},
	}
	if d := cmp.Diff(want, matches, anyProbability); d != "" {
		t.Error(d)
	}
	if got := plates(t, db, match.Query{Text: "XYZ789", At: now, ClockSynchronised: true}); got != nil {
		t.Errorf("expired entry matched: %v", got)
	}
	matches, err = db.Match(match.Query{Text: "XYZ789", At: now})
	if err != nil || len(matches) != 1 || !matches[0].TimeUnsure {
		t.Errorf("with an unsynchronised clock: %+v, %v", matches, err)
	}
	if err := db.checkAll(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestRunningDaemonTakesUpWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		db, err := Open(dir, strictly)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		refreshed, changes := 0, 0
		go func() {
			defer close(done)
			db.Watch(ctx, time.Second, func(changed bool) {
				refreshed++
				if changed {
					changes++
				}
			})
		}()
		looks := func(want ...string) {
			t.Helper()
			time.Sleep(1500 * time.Millisecond) // in the bubble: until the next look is over
			synctest.Wait()
			if got := plates(t, db, match.Query{Text: "AA1"}); !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		}
		looks()
		importList(t, dir, "l", "plate\nAA1\n") // as another process would
		looks("exact AA1")
		importList(t, dir, "l", "plate\nAAI\n")
		looks("confusable AAI")
		if err := os.Truncate(folder.ListPath(dir, "l"), 10); err != nil {
			t.Fatal(err)
		}
		looks("exact AA1") // the version before
		if s := db.Stats(); s.Fallback != 1 || s.Damaged != 1 {
			t.Errorf("%+v", s)
		}
		importList(t, dir, "l", "plate\nAAI\n")
		looks("confusable AAI")
		if s := db.Stats(); s.Fallback != 0 {
			t.Errorf("%+v", s)
		}
		other := openDB(t, dir)
		if err := other.Remove(t.Context(), "l", Actor{}); err != nil {
			t.Fatal(err)
		}
		looks()
		cancel()
		<-done
		if refreshed < 8 || changes != 5 {
			t.Errorf("%d refreshes told, %d with a change", refreshed, changes)
		}
	})
}

func TestDaemonScrubsOnceADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		importList(t, dir, "l", "plate\n"+manyLines(500, "A%d\n"))
		db, err := Open(dir, strictly)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		info, err := os.Stat(folder.ListPath(dir, "l"))
		if err != nil {
			t.Fatal(err)
		}
		flip(t, folder.ListPath(dir, "l"), info.Size()/2)
		if err := os.Chtimes(folder.ListPath(dir, "l"), time.Time{}, info.ModTime()); err != nil { // a medium does not touch the time
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); db.Watch(ctx, time.Hour, func(bool) {}) }()
		time.Sleep(23*time.Hour + time.Minute)
		synctest.Wait()
		if d := db.Damage(); len(d) != 0 {
			t.Errorf("noticed too early for this test to show anything: %+v", d)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if d := db.Damage(); len(d) != 1 || d[0].SetAside == "" {
			t.Errorf("%+v", d)
		}
		cancel()
		<-done
	})
}

// Lookups, refreshes, imports, checks and iterators at the same time; run with
// the race detector.
func TestConcurrentUse(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := t.TempDir()
	importList(t, dir, "l", "plate,note\n"+manyLines(500, "A%d,x\n"))
	db, err := Open(dir, strictly)
	if err != nil {
		t.Fatal(err)
	}
	var g errgroup.Group
	for w := range 4 {
		g.Go(func() error {
			for i := range 500 {
				m, err := db.Match(match.Query{Text: fmt.Sprint("A", (i*7+w)%500)})
				if err != nil || len(m) != 1 {
					return fmt.Errorf("%+v, %w", m, err)
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		for i := range 10 {
			_, err := Import(t.Context(), dir, strings.NewReader("plate,note\n"+manyLines(500, "A%d,y\n")), ImportOptions{List: "l", Version: fmt.Sprint(i)})
			if err != nil {
				return err
			}
		}
		return nil
	})
	g.Go(func() error {
		for range 20 {
			n := 0
			for _, err := range db.Entries(t.Context(), "l") {
				if err != nil {
					return err
				}
				if n++; n == 100 {
					if _, err := db.reload(t.Context()); err != nil { // from within an iteration
						return err
					}
				}
			}
			if n != 500 {
				return fmt.Errorf("%d entries", n)
			}
			if err := db.checkAll(t.Context()); err != nil {
				return err
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if _, err := db.Match(match.Query{Text: "A1"}); !errors.Is(err, entry.ErrClosed) {
		t.Error(err)
	}
	if _, err := db.Lists(); !errors.Is(err, entry.ErrClosed) {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error("closed twice:", err)
	}
	if n := openFiles(t, dir); n != 0 {
		t.Errorf("%d files are still open", n)
	}
}

// openFiles counts this process's open files below a directory.
func openFiles(t testing.TB, dir string) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	n := 0
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(to, dir) {
			n++
		}
	}
	return n
}

func TestLockedHotlistIsRefusedAfterABoundedWait(t *testing.T) {
	dir := t.TempDir()
	importList(t, dir, "l", "plate\nAA1\n")
	unlock, err := folder.Lock(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = Import(t.Context(), dir, strings.NewReader("plate\nBB2\n"), ImportOptions{List: "l", LockWait: 50 * time.Millisecond})
	var typed *entry.Error
	if !errors.Is(err, entry.ErrLocked) || !errors.As(err, &typed) || typed.Hint() == "" {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("waited %v", took)
	}
	// A reader is not kept waiting.
	db, err := OpenReadOnly(dir, strictly)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if len(plates(t, db, match.Query{Text: "AA1"})) != 1 {
		t.Error("no match beside a running import")
	}
	unlock()
	importList(t, dir, "l", "plate\nBB2\n")
}

// A program that opened a list's file for writing holds it exclusively.
func TestListHeldByAnotherProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		importList(t, dir, "l", "plate\nAA1\n")
		holder, err := os.OpenFile(folder.ListPath(dir, "l"), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Flock(int(holder.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		db, err := Open(dir, strictly)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if d := db.Damage(); len(d) != 1 || !errors.Is(d[0].Err, entry.ErrLocked) || d[0].SetAside != "" {
			t.Errorf("%+v", d)
		}
		holder.Close()
		if _, err := db.reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(plates(t, db, match.Query{Text: "AA1"})) != 1 {
			t.Error("not matched after it was let go")
		}
	})
}

// Other users of the machine try to read the lists' files: the modes of the files and
// folders forbid it.
func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	importList(t, dir, "l", "plate\nAA1\n")
	importList(t, dir, "l", "plate\nAA1\n")
	for _, path := range []string{dir, folder.ListPath(dir, "l"), folder.PreviousPath(dir, "l"), filepath.Join(dir, folder.LockName)} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", path, info.Mode())
		}
	}
}

// An import by root leaves files that the directory's owner can read.
func TestRootImportsForTheOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root")
	}
	parent := t.TempDir()
	if err := os.Chown(parent, 4711, 4712); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "hotlist")
	importList(t, dir, "l", "plate\nAA1\n")
	for _, path := range []string{dir, folder.ListPath(dir, "l"), filepath.Join(dir, folder.LockName)} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t); owner.Uid != 4711 || owner.Gid != 4712 {
			t.Errorf("%s belongs to %d:%d", path, owner.Uid, owner.Gid)
		}
	}
}

func TestOpenRefusesNonDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	for _, path := range []string{file, filepath.Join(file, "below")} {
		_, err := Open(path, strictly)
		var typed *entry.Error
		if !errors.As(err, &typed) || typed.Hint() == "" {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A unit's very first import comes before anything else has made its folders.
func TestOpenMakesTheFoldersAbove(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lib", "platewatch", "hotlist")
	importList(t, dir, "l", "plate\nAA1\n")
	for path := dir; filepath.Base(path) != "lib"; path = filepath.Dir(path) {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestRemoveNamesWhatIsMissing(t *testing.T) {
	db := openDB(t, t.TempDir())
	if err := db.Remove(t.Context(), "l", Actor{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for _, err := range db.Entries(t.Context(), "l") {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
}
