package hotlist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
	"platewatch/hotlist/match"
	"platewatch/hotlist/signed"
)

// signer is a server that signs lists.
type signer struct {
	t    testing.TB
	dir  string
	key  minisign.PrivateKey
	keys []signed.TrustedKey
}

func newSigner(t testing.TB) *signer {
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{t: t, dir: t.TempDir(), key: private, keys: []signed.TrustedKey{{Name: "headquarters", Public: public}}}
}

// sign imports a text as the next version and returns its folder.
func (s *signer) sign(list, text string, version uint64) string {
	s.t.Helper()
	dir := filepath.Join(s.dir, "db")
	importList(s.t, dir, list, text)
	db := openDB(s.t, dir)
	defer db.Close()
	folder := filepath.Join(s.dir, fmt.Sprint(list, "-", version))
	if _, err := db.Sign(s.t.Context(), list, folder, SignOptions{Key: s.key, Version: version, Expires: time.Now().Add(time.Hour)}); err != nil {
		s.t.Fatal(err)
	}
	return folder
}

func (s *signer) unit() *DB {
	s.t.Helper()
	db, err := Open(s.t.TempDir(), Options{Trust: s.keys, RulesOf: strictly.RulesOf})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { db.Close() })
	return db
}

func manifestOf(t testing.TB, folder string) []byte {
	t.Helper()
	b, err := signed.ReadManifest(folder)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (s *signer) apply(db *DB, list, folder string) (ApplyReport, error) {
	s.t.Helper()
	return db.Apply(s.t.Context(), list, manifestOf(s.t, folder), signed.FolderParts(folder))
}

func platesOf(t testing.TB, db *DB, list string) string {
	t.Helper()
	var all []string
	for e, err := range db.Entries(t.Context(), list) {
		if err != nil {
			return err.Error()
		}
		all = append(all, e.Plate+e.Note)
	}
	return strings.Join(all, " ")
}

func TestSignedVersionsFollowEachOther(t *testing.T) {
	s := newSigner(t)
	v1 := s.sign("stolen", "plate,note\nAAA1111,\nBBB2222,\nCCC3*,\n", 1)
	v2 := s.sign("stolen", "plate,note\nAAA1111,changed\nDDD4444,\nCCC3*,\n", 2)
	v3 := s.sign("stolen", "plate,note\nDDD4444,\nEEE5555,\n", 3)
	db := s.unit()

	r, err := s.apply(db, "stolen", v1)
	if err != nil || !r.Full || r.Added != 3 || r.List.Version != "1" || r.List.Signed.Signer != "headquarters" {
		t.Fatalf("%+v, %v", r, err)
	}
	if r, err = s.apply(db, "stolen", v1); err != nil || !r.Held {
		t.Errorf("the same again: %+v, %v", r, err)
	}
	r, err = s.apply(db, "stolen", v2)
	if err != nil || r.Full || r.Added != 1 || r.Removed != 1 || r.Lines != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := platesOf(t, db, "stolen"); got != "AAA1111changed CCC3* DDD4444" {
		t.Error(got)
	}
	if _, err = s.apply(db, "stolen", v1); !errors.Is(err, entry.ErrRollback) || !errors.Is(err, entry.ErrRefused) {
		t.Errorf("an older version: %v", err)
	}
	if r, err = s.apply(db, "stolen", v3); err != nil || r.Full {
		t.Fatalf("%+v, %v", r, err)
	}
	// A unit that missed the version between takes the whole list.
	late := s.unit()
	if _, err = s.apply(late, "stolen", v1); err != nil {
		t.Fatal(err)
	}
	if r, err = s.apply(late, "", v3); err != nil || !r.Full || r.Added != 2 || r.Removed != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	if a, b := platesOf(t, db, "stolen"), platesOf(t, late, "stolen"); a != "DDD4444 EEE5555" || a != b {
		t.Errorf("%s and %s", a, b)
	}
}

// An older version, the same version with another content, and another signer's newer
// one are applied.
func TestNoWayBack(t *testing.T) {
	s := newSigner(t)
	v1, v2 := s.sign("l", "plate\nAAA1111\n", 1), s.sign("l", "plate\nBBB2222\n", 2)
	other := newSigner(t).sign("l", "plate\nXXX9999\n", 9)
	twin := filepath.Join(s.dir, "twin")
	importList(t, filepath.Join(s.dir, "db"), "l", "plate\nTWIN222\n")
	if _, err := openDB(t, filepath.Join(s.dir, "db")).Sign(t.Context(), "l", twin, SignOptions{Key: s.key, Version: 2, Expires: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	db := s.unit()
	if _, err := s.apply(db, "l", v2); err != nil {
		t.Fatal(err)
	}
	refused := func(what, list, folder string, want error) {
		t.Helper()
		if _, err := s.apply(db, list, folder); !errors.Is(err, want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("an older version", "l", v1, entry.ErrRollback)
	refused("another version of the same number", "l", twin, entry.ErrRollback)
	refused("somebody else's", "l", other, entry.ErrForged)
	refused("another list's", "m", v2, entry.ErrForged)
	states, err := db.States(time.Now(), true)
	if err != nil || len(states) != 2 || states[0].Refused == nil || !strings.Contains(states[0].Refused.Reason, "not trusted here") || states[0].Overdue {
		t.Errorf("%+v, %v", states, err)
	}
	// Neither removal nor damage opens the way back.
	if err := db.Remove(t.Context(), "l", Actor{}); err != nil {
		t.Fatal(err)
	}
	refused("an older version after removal", "l", v1, entry.ErrRollback)
	if _, err := s.apply(db, "l", v2); err != nil {
		t.Errorf("the newest after removal: %v", err)
	}
	v3 := s.sign("l", "plate\nCCC3333\n", 3)
	if _, err := s.apply(db, "l", v3); err != nil {
		t.Fatal(err)
	}
	flip(t, folder.ListPath(db.dir, "l"), 5000)
	db.lists[0].failed.Store(true)
	if _, err := db.reload(t.Context()); err != nil || platesOf(t, db, "l") != "BBB2222" {
		t.Fatal(err, platesOf(t, db, "l"), db.Damage())
	}
	refused("the version before after damage", "l", v2, entry.ErrRollback)
	if _, err := s.apply(db, "l", v3); err != nil || platesOf(t, db, "l") != "CCC3333" {
		t.Error(err, platesOf(t, db, "l"))
	}
}

func TestOverdueListsGoOnMatching(t *testing.T) {
	s := newSigner(t)
	db := s.unit()
	if _, err := s.apply(db, "l", s.sign("l", "plate\nAAA1111\n", 1)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after   time.Duration
		synced  bool
		overdue bool
	}{{0, true, false}, {2 * time.Hour, true, true}, {2 * time.Hour, false, false}} {
		states, err := db.States(time.Now().Add(c.after), c.synced)
		if err != nil || len(states) != 1 || states[0].Overdue != c.overdue {
			t.Errorf("%+v: %+v, %v", c, states, err)
		}
	}
	if got := plates(t, db, match.Query{Text: "AAA1111", At: time.Now().Add(2 * time.Hour), ClockSynchronised: true}); len(got) != 1 {
		t.Error(got)
	}
}

// Nothing but what was signed is accepted: every byte of a small list's
// manifest and parts changed, every truncation, parts swapped.
func TestEveryChangedByteIsRefused(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	v1 := s.sign("l", "plate\nAAA1111\nBBB2222\n", 1)
	v2 := s.sign("l", "plate\nAAA1111\nCCC3333\n", 2)
	db := s.unit()
	if _, err := s.apply(db, "l", v1); err != nil {
		t.Fatal(err)
	}
	manifest := manifestOf(t, v2)
	u, err := db.Examine("l", manifest)
	if err != nil || u.Delta == nil || len(u.Parts) != 1 {
		t.Fatalf("%+v, %v", u, err)
	}
	part, err := os.ReadFile(filepath.Join(v2, strconv.Itoa(u.Parts[0].N)))
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(what string, manifest, part []byte) {
		t.Helper()
		_, err := db.Apply(t.Context(), "l", manifest, func(context.Context, signed.Part) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(part)), nil
		})
		if !errors.Is(err, entry.ErrRefused) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for at := range manifest {
		b := slices.Clone(manifest)
		b[at] ^= byte(1 + rng.IntN(255))
		refuse(fmt.Sprintf("byte %d of the manifest changed", at), b, part)
	}
	for n := range len(manifest) {
		refuse(fmt.Sprintf("manifest cut to %d bytes", n), manifest[:n], part)
	}
	refuse("more manifest", append(slices.Clone(manifest), ' '), part)
	for at := range part {
		b := slices.Clone(part)
		b[at] ^= byte(1 + rng.IntN(255))
		refuse(fmt.Sprintf("byte %d of the part changed", at), manifest, b)
	}
	for n := range len(part) {
		refuse(fmt.Sprintf("part cut to %d bytes", n), manifest, part[:n])
	}
	refuse("more part", manifest, append(slices.Clone(part), 0))
	full, err := os.ReadFile(filepath.Join(v2, "1"))
	if err != nil {
		t.Fatal(err)
	}
	refuse("another part of the same version", manifest, full)
	if got := platesOf(t, db, "l"); got != "AAA1111 BBB2222" {
		t.Errorf("the list in use changed: %s", got)
	}
	if _, err := s.apply(db, "l", v2); err != nil {
		t.Error(err)
	}
}

// A missing part is not a forgery: it may still come.
func TestMissingPartIsAskedForAgain(t *testing.T) {
	s := newSigner(t)
	v1 := s.sign("l", "plate\nAAA1111\n", 1)
	db := s.unit()
	empty := t.TempDir()
	if _, err := db.Apply(t.Context(), "l", manifestOf(t, v1), signed.FolderParts(empty)); !errors.Is(err, os.ErrNotExist) || errors.Is(err, entry.ErrRefused) {
		t.Error(err)
	}
	if states, err := db.States(time.Now(), true); err != nil || len(states) != 0 {
		t.Errorf("%+v, %v", states, err)
	}
	if _, err := s.apply(db, "l", v1); err != nil {
		t.Error(err)
	}
}

// A list without a signature is put into the folder of a unit that requires signed ones:
// it is not matched.
func TestOnlySignedListsAreMatched(t *testing.T) {
	s := newSigner(t)
	db := s.unit()
	importList(t, db.dir, "smuggled", "plate\nAAA1111\n")
	if _, err := db.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := plates(t, db, match.Query{Text: "AAA1111"}); got != nil {
		t.Error(got)
	}
	if d := db.Damage(); len(d) != 1 || !errors.Is(d[0].Err, entry.ErrUnsigned) || d[0].SetAside != "" {
		t.Errorf("%+v", d)
	}
	local, err := Open(db.dir, Options{Trust: s.keys, Local: []string{"smuggled"}})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	if got := plates(t, local, match.Query{Text: "AAA1111"}); len(got) != 1 {
		t.Error(got)
	}
	// An import replaces a signed list only when it is told to.
	if _, err := s.apply(db, "l", s.sign("l", "plate\nBBB2222\n", 1)); err != nil {
		t.Fatal(err)
	}
	o := ImportOptions{List: "l"}
	if _, err := Import(t.Context(), db.dir, strings.NewReader("plate\nCCC3333\n"), o); !errors.Is(err, entry.ErrRefused) {
		t.Error(err)
	}
	o.ReplaceSigned = true
	if _, err := Import(t.Context(), db.dir, strings.NewReader("plate\nCCC3333\n"), o); err != nil {
		t.Error(err)
	}
}

// A key that is trusted for one list signs another.
func TestKeysSignTheirListsOnly(t *testing.T) {
	s := newSigner(t)
	s.keys[0].Lists = []string{"tow"}
	db := s.unit()
	if _, err := s.apply(db, "", s.sign("amber", "plate\nAAA1111\n", 1)); !errors.Is(err, entry.ErrForged) {
		t.Error(err)
	}
	if _, err := s.apply(db, "", s.sign("tow", "plate\nAAA1111\n", 1)); err != nil {
		t.Error(err)
	}
}

// What is remembered of a list cannot be edited.
func TestForgedMemoryIsNoticed(t *testing.T) {
	s := newSigner(t)
	v1, v2 := s.sign("l", "plate\nAAA1111\n", 1), s.sign("l", "plate\nBBB2222\n", 2)
	db := s.unit()
	if _, err := s.apply(db, "l", v2); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(trustPath(db.dir, "l"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, trustPath(db.dir, "l"), bytes.Replace(b, []byte(`"version":2`), []byte(`"version":1`), 1))
	if _, err := s.apply(db, "l", v1); !errors.Is(err, entry.ErrRollback) {
		t.Error(err)
	}
	if states, err := db.States(time.Now(), true); err != nil || states[0].Refused == nil {
		t.Errorf("%+v, %v", states, err)
	}
}
