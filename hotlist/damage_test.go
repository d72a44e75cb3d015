package hotlist

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
	"platewatch/hotlist/match"
)

// damageOnce changes bytes at random, as failing media do, and says how.
func damageOnce(rng *rand.Rand, b []byte) ([]byte, string) {
	const page = 4096
	at := rng.IntN(len(b))
	switch rng.IntN(6) {
	case 0:
		b[at] ^= 1 << rng.IntN(8)
		return b, fmt.Sprintf("bit flipped in byte %d", at)
	case 1:
		b[at] ^= byte(1 + rng.IntN(255))
		return b, fmt.Sprintf("byte %d changed", at)
	case 2:
		return b[:at], fmt.Sprintf("cut to %d bytes", at)
	case 3:
		p := at / page * page
		clear(b[p:min(p+page, len(b))])
		return b, fmt.Sprintf("page %d zeroed", at/page)
	case 4:
		p, q := at/page*page, rng.IntN(len(b))/page*page
		n := min(page, len(b)-p, len(b)-q)
		for i := range n {
			b[p+i], b[q+i] = b[q+i], b[p+i]
		}
		return b, fmt.Sprintf("pages %d and %d swapped", p/page, q/page)
	default:
		n := min(1+rng.IntN(512), len(b)-at)
		for i := range n {
			b[at+i] = byte(rng.Uint32())
		}
		return b, fmt.Sprintf("%d bytes overwritten at %d", n, at)
	}
}

func damages() int {
	switch {
	case testing.Short():
		return 200
	case underRace:
		return 600
	}
	return 2400
}

// Whatever happens to a list's file, opening it gives the whole list or
// reports it and serves the version before.
func TestDamagedFileIsNeverServed(t *testing.T) {
	t.Parallel()
	src := t.TempDir()
	importList(t, src, "l", "plate,note\n"+manyLines(300, "OLD%d,old\n"))
	importList(t, src, "l", "plate,note\n"+manyLines(300, "NEW%[1]d,note %[1]d\n"))
	whole, err := os.ReadFile(folder.ListPath(src, "l"))
	if err != nil {
		t.Fatal(err)
	}
	previous, err := os.ReadFile(folder.PreviousPath(src, "l"))
	if err != nil {
		t.Fatal(err)
	}
	for shard := range 4 { // most of the time is spent waiting for syncs
		t.Run(fmt.Sprint(shard), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(1, uint64(shard)))
			unchanged := 0
			for range damages() / 4 {
				b, what := damageOnce(rng, slices.Clone(whole))
				if slices.Equal(b, whole) {
					unchanged++ // two equal pages swapped, zeroes zeroed
				}
				openDamaged(t, src, what, b, whole, previous)
			}
			if unchanged > damages()/16 {
				t.Errorf("%d of %d damages changed nothing", unchanged, damages()/4)
			}
		})
	}
}

// openDamaged opens a hotlist with a damaged list, and the version before it,
// and looks everything up.
func openDamaged(t *testing.T, src, what string, b, whole, previous []byte) {
	dir := t.TempDir()
	defer os.RemoveAll(dir)
	write(t, folder.ListPath(dir, "l"), b)
	write(t, folder.PreviousPath(dir, "l"), previous)
	giveKey(t, src, dir)
	db, err := Open(dir, strictly)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer db.Close()
	prefix := "NEW"
	if !slices.Equal(b, whole) {
		prefix = "OLD"
		d := db.Damage()
		if len(d) != 1 || !errors.Is(d[0].Err, entry.ErrDamaged) || d[0].SetAside != folder.ListPath(dir, "l")+folder.CorruptSuffix {
			t.Fatalf("%s: reported %+v", what, d)
		}
		if kept, err := os.ReadFile(d[0].SetAside); err != nil || !slices.Equal(kept, b) {
			t.Fatalf("%s: the damaged file was not kept: %v", what, err)
		}
	}
	for n := range 300 {
		plate := fmt.Sprint(prefix, n)
		if got := plates(t, db, match.Query{Text: plate}); !slices.Equal(got, []string{"exact " + plate}) {
			t.Fatalf("%s: %s gives %v", what, plate, got)
		}
	}
}

// giveKey copies a hotlist's key.
func giveKey(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(from, folder.KeyName))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(to, folder.KeyName), b)
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Pages that go bad while the file is open: lookups give the right entry, an
// error, or (a flipped key) nothing, and never a wrong entry; Check notices;
// Refresh replaces the list.
//
// Only leaf pages are overwritten byte by byte here. A branch page that points
// back to its own parent would send bbolt round in circles; see the package
// comment for what is and is not caught of an open file.
func TestDamageWhileOpenIsNeverServed(t *testing.T) {
	t.Parallel()
	src := t.TempDir()
	importList(t, src, "l", "plate,note\n"+manyLines(300, "OLD%d,old\n"))
	importList(t, src, "l", "plate,note\n"+manyLines(3000, "N%[1]d,note %[1]d\n"))
	whole, err := os.ReadFile(folder.ListPath(src, "l"))
	if err != nil {
		t.Fatal(err)
	}
	var leaves []int
	for p := 0; p+4096 <= len(whole); p += 4096 {
		const leafFlag = 0x02 // bbolt's page header: id (8), flags (2)
		if binary.LittleEndian.Uint16(whole[p+8:]) == leafFlag {
			leaves = append(leaves, p)
		}
	}
	rng := rand.New(rand.NewPCG(3, 4))
	var errored, missed int
	for range damages() / 8 {
		dir := t.TempDir()
		write(t, folder.ListPath(dir, "l"), slices.Clone(whole))
		giveKey(t, src, dir)
		db, err := Open(dir, strictly)
		if err != nil || len(db.Damage()) > 0 {
			t.Fatal(err, db.Damage())
		}
		f, err := os.OpenFile(folder.ListPath(dir, "l"), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		what := ""
		switch rng.IntN(4) {
		case 0:
			at := int64(rng.IntN(len(whole)))
			what = fmt.Sprintf("cut to %d bytes", at)
			err = f.Truncate(at)
		case 1:
			p := rng.IntN(len(whole) / 4096)
			what = fmt.Sprintf("page %d zeroed", p)
			_, err = f.WriteAt(make([]byte, 4096), int64(p)*4096)
		default:
			at := leaves[rng.IntN(len(leaves))] + 16 + rng.IntN(4096-16)
			what = fmt.Sprintf("byte %d changed", at)
			_, err = f.WriteAt([]byte{whole[at] ^ byte(1+rng.IntN(255))}, int64(at))
		}
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		for n := 0; n < 3000; n += 7 {
			plate := fmt.Sprint("N", n)
			m, err := db.Match(match.Query{Text: plate})
			switch {
			case err != nil:
				errored++
				if !errors.Is(err, entry.ErrDamaged) {
					t.Fatalf("%s: %v", what, err)
				}
			case len(m) == 0:
				missed++
			case len(m) != 1 || m[0].Entry.Plate != plate || m[0].Entry.Note != fmt.Sprint("note ", n):
				t.Fatalf("%s: %s gives %+v", what, plate, m)
			}
		}
		if err := db.checkAll(t.Context()); !errors.Is(err, entry.ErrDamaged) {
			t.Fatalf("%s: Check says %v", what, err)
		}
		if _, err := db.reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := db.Damage(); len(d) != 1 || d[0].SetAside == "" {
			t.Fatalf("%s: %+v", what, d)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		os.RemoveAll(dir)
	}
	t.Logf("%d lookups failed, %d missed", errored, missed)
	if errored == 0 {
		t.Error("no lookup met damage: is the test's damage real?")
	}
}

func TestCorruptFilesAreKeptUpToABound(t *testing.T) {
	dir := t.TempDir()
	if _, err := folder.OpenKey(dir, "", true); err != nil {
		t.Fatal(err)
	}
	for i := range folder.MaxCorrupt + 2 {
		write(t, folder.ListPath(dir, "l"), fmt.Appendf(nil, "garbage %d", i))
		db := openDB(t, dir)
		if d := db.Damage(); len(d) != 1 {
			t.Fatal(d)
		}
		if _, err := os.Stat(folder.ListPath(dir, "l")); !errors.Is(err, fs.ErrNotExist) {
			t.Fatal("the damaged file is still in place")
		}
	}
	names, err := filepath.Glob(filepath.Join(dir, "l.*"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, filepath.Base(name)+": "+string(b))
	}
	want := []string{"l.hotlist.2.corrupt: garbage 1", "l.hotlist.3.corrupt: garbage 2", "l.hotlist.corrupt: garbage 0"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	aside, err := openDB(t, dir).SetAsideFiles()
	if err != nil || len(aside) != 3 || aside[0].List != "l" {
		t.Error(aside, err)
	}
}

// One damaged list does not keep the others from matching.
func TestOtherListsGoOnMatching(t *testing.T) {
	dir := t.TempDir()
	importList(t, dir, "a", "plate\nAA1\n"+manyLines(500, "A%d\n"))
	importList(t, dir, "b", "plate\nAA1\n")
	db := openDB(t, dir)
	if err := os.Truncate(folder.ListPath(dir, "a"), 0); err != nil {
		t.Fatal(err)
	}
	m, err := db.Match(match.Query{Text: "AA1"})
	if !errors.Is(err, entry.ErrDamaged) || len(m) != 1 || m[0].List != "b" {
		t.Errorf("%+v, %v", m, err)
	}
	if s := db.Stats(); s.Failures != 1 || s.Matched != 1 {
		t.Errorf("%+v", s)
	}
}

// An import over a damaged list must not let it replace the good version before it.
func TestImportOverDamagedListKeepsTheGoodOneBefore(t *testing.T) {
	dir := t.TempDir()
	importList(t, dir, "l", "plate\nONE1\n")
	importList(t, dir, "l", "plate\nTWO2\n")
	flip(t, folder.ListPath(dir, "l"), 5000)
	importList(t, dir, "l", "plate\nTHREE3\n")
	flip(t, folder.ListPath(dir, "l"), 5000)
	db := openDB(t, dir)
	if got := plates(t, db, match.Query{Text: "ONE1"}); len(got) != 1 {
		t.Errorf("%v; %+v", got, db.Damage())
	}
	lists, err := db.Lists()
	if err != nil || len(lists) != 1 || !lists[0].Fallback {
		t.Error(lists, err)
	}
}

func flip(t testing.TB, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := []byte{0}
	_, err = f.ReadAt(b, at)
	b[0] ^= 0x40
	_, err2 := f.WriteAt(b, at)
	if err := errors.Join(err, err2, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestReadOnlyOpenChangesNothing(t *testing.T) {
	dir := t.TempDir()
	importList(t, dir, "l", "plate\nAA1\n")
	flip(t, folder.ListPath(dir, "l"), 100)
	before := names(t, dir)
	db, err := OpenReadOnly(dir, strictly)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if d := db.Damage(); len(d) != 1 || d[0].SetAside != "" {
		t.Errorf("%+v", d)
	}
	if d := cmp.Diff(before, names(t, dir)); d != "" {
		t.Error(d)
	}
	if err := db.Remove(t.Context(), "l", Actor{}); !errors.Is(err, entry.ErrReadOnly) {
		t.Error(err)
	}
	if _, err := OpenReadOnly(filepath.Join(dir, "missing"), strictly); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(f.Name(), " ", info.Mode(), " ", info.Size()))
	}
	return all
}

// A file that belongs to another version stays where it is.
func TestOtherVersionsFileIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	importList(t, dir, "l", "plate\nAA1\n")
	path := folder.ListPath(dir, "l")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(b, []byte("PWHLSUM2"))
	write(t, path, slices.Concat(b[:at], []byte("PWHLSUM1"), b[at+8:]))
	db := openDB(t, dir)
	if d := db.Damage(); len(d) != 1 || !errors.Is(d[0].Err, entry.ErrOlder) || d[0].SetAside != "" {
		t.Errorf("%+v", d)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

// What a person can put into the directory by mistake.
func TestForeignFilesAreReportedOrIgnored(t *testing.T) {
	dir := t.TempDir()
	importList(t, dir, "a", "plate\nAA1\n")
	b, err := os.ReadFile(folder.ListPath(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, folder.ListPath(dir, "renamed"), b)
	write(t, filepath.Join(dir, "notes.txt"), []byte("x"))
	write(t, filepath.Join(dir, ".hotlist"), []byte("x"))
	if err := os.Mkdir(folder.ListPath(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(folder.ListPath(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	db := openDB(t, dir)
	var got []string
	for _, d := range db.Damage() {
		got = append(got, d.List+": "+d.Reason)
	}
	want := []string{"folder: not a regular file", "pipe: not a regular file", "renamed: the file holds another list, a"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := db.reload(context.Background()); err != nil || len(db.Damage()) != 3 {
		t.Errorf("reported again: %v, %+v", err, db.Damage())
	}
	if len(plates(t, db, match.Query{Text: "AA1"})) != 1 {
		t.Error("the good list is not matched")
	}
}
