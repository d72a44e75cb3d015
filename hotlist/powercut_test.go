package hotlist

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"platewatch/hotlist/audit"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/signed"
)

// powerEnv makes the test binary the child whose writes are recorded: it names
// the folder that the parent prepared. faultsEnv asks for the long form, and
// names the file for its outcome (see `make faults`).
const (
	powerEnv  = "HOTLIST_TEST_POWER"
	faultsEnv = "PLATEWATCH_FAULTS"
)

const (
	powerVersions = 3
	powerEntries  = 400
)

// powerText is the file of a version of a list: some entries are new in each.
func powerText(version int) string {
	var b strings.Builder
	b.WriteString("plate,note\n")
	for i := range powerEntries {
		v := version
		if i%4 > 0 {
			v = 0
		}
		fmt.Fprintf(&b, "P%d,V%d\n", i+v*100_000, v)
	}
	return b.String()
}

// powerChild imports and applies version after version, and says which.
func powerChild(prepared string) error {
	ctx := context.Background()
	dir := filepath.Join(prepared, "unit")
	for v := 1; v <= powerVersions; v++ {
		fmt.Println("begin local", v)
		if _, err := Import(ctx, dir, strings.NewReader(powerText(v)), ImportOptions{List: "local", Version: strconv.Itoa(v)}); err != nil {
			return err
		}
		fmt.Println("done local", v)
	}
	o, err := powerOptions(prepared)
	if err != nil {
		return err
	}
	db, err := Open(dir, o)
	if err != nil {
		return err
	}
	defer db.Close()
	for v := 1; v <= powerVersions; v++ {
		folder := filepath.Join(prepared, fmt.Sprint("signed-", v))
		manifest, err := signed.ReadManifest(folder)
		if err != nil {
			return err
		}
		fmt.Println("begin signed", v)
		r, err := db.Apply(ctx, "signed", manifest, signed.FolderParts(folder))
		if err != nil {
			return err
		}
		if r.Full != (v == 1) {
			return fmt.Errorf("version %d: %+v", v, r)
		}
		fmt.Println("done signed", v)
	}
	return nil
}

func powerOptions(prepared string) (Options, error) {
	key, err := signed.LoadTrustedKey(filepath.Join(prepared, "signer.pub"))
	return Options{Trust: []signed.TrustedKey{key}, Local: []string{"local"}, RulesOf: strictly.RulesOf}, err
}

// Whatever a power cut leaves of an import or of a signed update, while it runs
// or after, each list is whole: the version in use or the new one, and the new
// one for certain once the import has said so.
func TestPowerLossLeavesAWholeList(t *testing.T) {
	t.Parallel()
	prepared := t.TempDir()
	s := newSigner(t)
	public, err := s.keys[0].Public.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(prepared, "signer.pub"), public)
	for v := 1; v <= powerVersions; v++ {
		if err := os.Rename(s.sign("signed", powerText(v), uint64(v)), filepath.Join(prepared, fmt.Sprint("signed-", v))); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(prepared, "unit")
	ops := recordDisk(t, dir, powerEnv+"="+prepared)
	torn := 120
	if os.Getenv(faultsEnv) != "" {
		torn = 2000
	}
	if testing.Short() || underRace {
		torn = 40
	}
	rng := rand.New(rand.NewPCG(11, 12))
	cuts := map[int]int{} // torn ones, before each step
	for range torn {
		cuts[rng.IntN(len(ops))]++
	}
	o, err := powerOptions(prepared)
	if err != nil {
		t.Fatal(err)
	}
	c := powerCheck{from: dir, work: filepath.Join(inMemory(t), "unit"), o: o, prepared: prepared, done: map[string]int{}, begun: map[string]int{}, seen: map[string]int{}}
	d := newDisk()
	syncs := 0
	for i, op := range ops {
		for range cuts[i] {
			c.check(t, d.after(rng, true), fmt.Sprintf("before step %d of %d, torn", i, len(ops)))
		}
		if op.kind == "said" {
			c.said(string(op.data))
			continue
		}
		d.do(op)
		if op.kind == "sync" || op.kind == "sync folder" {
			syncs++
			what := fmt.Sprintf("after step %d of %d, fsync %d", i, len(ops), syncs)
			c.check(t, d.after(rng, false), what)
			c.check(t, d.after(rng, true), what+", torn")
		}
	}
	if syncs < 30 || c.done["local"] != powerVersions || c.done["signed"] != powerVersions {
		t.Fatalf("%d fsyncs were recorded in %d steps; versions done: %v", syncs, len(ops), c.done)
	}
	if c.seen["old"] == 0 || c.seen["new"] == 0 {
		t.Errorf("while a version came in, the list was %v: the test shows nothing", c.seen)
	}
	outcome := fmt.Sprintf("%d fsync boundaries and %d torn points: each time all lists whole, %d times the old version and %d times the new one while it came in",
		syncs, syncs+torn, c.seen["old"], c.seen["new"])
	t.Log(outcome)
	if path := os.Getenv(faultsEnv); path != "" {
		verdict := "ok"
		if t.Failed() {
			verdict, outcome = "FAILED", "see the test's output"
		}
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintf(f, "power cut in an import\t%s\t%s\n", verdict, outcome)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// inMemory is a folder that no disk waits for.
func inMemory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "platewatch-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// powerCheck knows what was promised up to a moment.
type powerCheck struct {
	from, work, prepared string
	o                    Options
	done, begun          map[string]int // versions
	seen                 map[string]int // while a version came in
}

func (c *powerCheck) said(words string) {
	for line := range strings.Lines(words) {
		f := strings.Fields(line)
		v, _ := strconv.Atoi(f[2])
		if f[0] == "begin" {
			c.begun[f[1]] = v
		} else {
			c.done[f[1]] = v
		}
	}
}

// check opens what a power cut left.
func (c *powerCheck) check(t *testing.T, left map[string][]byte, what string) {
	t.Helper()
	if len(left) == 0 && c.done["local"] == 0 {
		return // not even the folder
	}
	lay(t, left, c.from, c.work)
	db, err := Open(c.work, c.o)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	defer db.Close()
	if damage := db.Damage(); len(damage) > 0 {
		t.Errorf("%s: %+v", what, damage)
	}
	for _, name := range []string{"local", "signed"} {
		done, begun := c.done[name], c.begun[name]
		got, err := c.version(db, name)
		if err != nil || got != done && got != begun {
			t.Errorf("%s: list %s is version %d (%v); %d was in use, and %d came in", what, name, got, err, done, begun)
		}
		if begun > done {
			c.seen[map[bool]string{true: "new", false: "old"}[got == begun]]++
		}
	}
	if err := db.checkAll(t.Context()); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	trail, err := audit.Open(c.work, "")
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if r, err := trail.Verify(); err != nil || r.Records < c.done["local"]+c.done["signed"] {
		t.Errorf("%s: the audit trail has %d records, %v", what, r.Records, err)
	}
	// What was accepted once cannot be rolled back.
	if done := c.done["signed"]; done > 1 {
		folder := filepath.Join(c.prepared, fmt.Sprint("signed-", done-1))
		if _, err := db.Apply(t.Context(), "signed", manifestOf(t, folder), signed.FolderParts(folder)); !errors.Is(err, entry.ErrRollback) {
			t.Errorf("%s: version %d after %d: %v", what, done-1, done, err)
		}
	}
	// Nothing that was left over is in the way of the next import, or breaks the
	// chain of the audit trail.
	if _, err := Import(t.Context(), c.work, strings.NewReader(powerText(9)), ImportOptions{List: "local", Version: "9"}); err != nil {
		t.Errorf("%s: the next import: %v", what, err)
	}
	if _, err := trail.Verify(); err != nil {
		t.Errorf("%s: after the next import: %v", what, err)
	}
}

// version is the one that a list has, all of it; 0 without a list.
func (c *powerCheck) version(db *DB, name string) (int, error) {
	lists, err := db.Lists()
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(lists, func(l entry.List) bool { return l.Name == name })
	if i < 0 {
		return 0, nil
	}
	v, err := strconv.Atoi(lists[i].Version)
	if err != nil || lists[i].Fallback {
		return v, fmt.Errorf("%+v, %v", lists[i], err)
	}
	var got []string
	for e, err := range db.Entries(context.Background(), name) {
		if err != nil {
			return v, err
		}
		got = append(got, e.Plate+","+e.Note)
	}
	slices.Sort(got)
	want := strings.Split(strings.TrimSpace(powerText(v)), "\n")[1:]
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return v, fmt.Errorf("it has %d entries that are not those of the version", len(got))
	}
	return v, nil
}
