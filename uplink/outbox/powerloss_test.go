package outbox

import (
	"bufio"
	"fmt"
	"maps"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"platewatch/uplink/faulttest"
	"platewatch/uplink/internal/uplinktest"
)

// powerEnv makes the test binary the child whose writes are recorded.
const powerEnv = "PLATEWATCH_TEST_POWER_DIR"

// powerChild works on an outbox and prints what it promises. The record has its
// standard output too, and so the moment of each promise.
func powerChild(dir string) {
	die := func(err error) {
		if err != nil {
			fmt.Println("fail", err)
			os.Exit(1)
		}
	}
	path := filepath.Join(dir, "outbox.db")
	o, err := Open(path, "unit-7", Settings{Key: testKey}, uplinktest.Discard)
	die(err)
	for i := range 60 {
		text := fmt.Sprintf("P%d", i)
		id, err := o.Accept(uplinktest.WithPictures(uplinktest.Hit(text), 200, 3000+500*(i%7)))
		die(err)
		fmt.Println("accepted", id, text)
		if i%5 == 4 {
			fmt.Println("updating", id)
			die(o.Update(id, uplinktest.Hit(text+"U")))
			fmt.Println("accepted", id, text+"U")
		}
		if i%3 == 2 {
			e, err := o.Next(nil)
			die(err)
			fmt.Println("removing", e.Hit.ID)
			die(o.Remove(e.Ref))
		}
		if i == 30 {
			die(o.Close())
			o, err = Open(path, "unit-7", Settings{Key: testKey}, uplinktest.Discard)
			die(err)
		}
	}
	die(o.Close())
}

// diskOp is one step of the record.
type diskOp struct {
	kind string // write, truncate, sync, rename, said
	path string
	to   string // of a rename
	off  int64  // of a write; the length of a truncate
	data []byte // of a write; the words
}

// recordWrites runs the child under strace.
func recordWrites(t *testing.T) (dir string, ops []diskOp) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed (apt install strace)")
	}
	dir = t.TempDir()
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command(strace, "-f", "-qq", "-xx", "-s", "1000000", "-o", trace,
		"-e", "trace=openat,close,write,pwrite64,ftruncate,fsync,fdatasync,renameat,rename", "-e", "signal=none", os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), powerEnv+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		if strings.Contains(string(out), "ptrace") {
			t.Skipf("strace may not trace here: %s", out)
		}
		t.Fatalf("%v: %s", err, out)
	}
	f, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := recorder{dir: dir, files: map[int]string{}, at: map[int]int64{}, unfinished: map[string]string{}}
	s := bufio.NewScanner(f)
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		r.line(s.Text())
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return dir, r.ops
}

// recorder reads strace's lines.
type recorder struct {
	dir        string
	files      map[int]string // open descriptors of files in dir
	at         map[int]int64  // where a plain write goes
	unfinished map[string]string
	ops        []diskOp
}

var (
	traceLine    = regexp.MustCompile(`^(\d+) +(.*)$`)
	traceResumed = regexp.MustCompile(`^<\.\.\. \w+ resumed>(.*)$`)
	traceCall    = regexp.MustCompile(`^(\w+)\((.*)\)\s+= (-?\d+)`)
)

func (r *recorder) line(text string) {
	m := traceLine.FindStringSubmatch(text)
	if m == nil {
		return
	}
	pid, call := m[1], m[2]
	if before, ok := strings.CutSuffix(call, " <unfinished ...>"); ok {
		r.unfinished[pid] = before
		return
	}
	if rest := traceResumed.FindStringSubmatch(call); rest != nil {
		call = r.unfinished[pid] + rest[1]
	}
	c := traceCall.FindStringSubmatch(call)
	if c == nil {
		return
	}
	result, _ := strconv.Atoi(c[3])
	if result < 0 {
		return
	}
	args := strings.Split(c[2], ", ")
	fd, _ := strconv.Atoi(args[0])
	switch c[1] {
	case "openat":
		if path := unhex(args[1]); strings.HasPrefix(path, r.dir) {
			r.files[result], r.at[result] = path, 0
		}
	case "close":
		delete(r.files, fd)
	case "write":
		if fd == 1 {
			r.ops = append(r.ops, diskOp{kind: "said", data: []byte(unhex(args[1]))})
		} else if path := r.files[fd]; path != "" {
			r.ops = append(r.ops, diskOp{kind: "write", path: path, off: r.at[fd], data: []byte(unhex(args[1]))})
			r.at[fd] += int64(result)
		}
	case "pwrite64":
		if path := r.files[fd]; path != "" {
			off, _ := strconv.ParseInt(args[3], 10, 64)
			r.ops = append(r.ops, diskOp{kind: "write", path: path, off: off, data: []byte(unhex(args[1]))})
		}
	case "ftruncate":
		if path := r.files[fd]; path != "" {
			n, _ := strconv.ParseInt(args[1], 10, 64)
			r.ops = append(r.ops, diskOp{kind: "truncate", path: path, off: n})
		}
	case "fsync", "fdatasync":
		if path := r.files[fd]; path != "" {
			r.ops = append(r.ops, diskOp{kind: "sync", path: path})
		}
	case "rename", "renameat":
		from, to := unhex(args[0]), unhex(args[1])
		if c[1] == "renameat" {
			from, to = unhex(args[1]), unhex(args[3])
		}
		r.ops = append(r.ops, diskOp{kind: "rename", path: from, to: to})
	}
}

// unhex reads a string the way strace -xx writes it.
func unhex(s string) string {
	s = strings.Trim(strings.TrimSuffix(s, "..."), `"`)
	b := make([]byte, 0, len(s)/4)
	for i := 0; i+4 <= len(s); i += 4 {
		v, err := strconv.ParseUint(s[i+2:i+4], 16, 8)
		if err != nil {
			return ""
		}
		b = append(b, byte(v))
	}
	return string(b)
}

// disk is what is on the medium for certain, and what may be.
type disk struct {
	files   map[string][]byte
	pending map[string][]diskOp // of each file since its last sync, in order
	renames []diskOp            // that may not be on the medium yet
}

// do carries out one step.
func (d *disk) do(op diskOp) {
	switch op.kind {
	case "write", "truncate":
		d.pending[op.path] = append(d.pending[op.path], op)
	case "sync":
		for _, p := range d.pending[op.path] {
			d.files[op.path] = p.on(d.files[op.path], nil)
		}
		delete(d.pending, op.path)
	case "rename":
		d.renames = append(d.renames, op)
		// Its content was synced before. Only one is left open: the one before
		// it is older than several syncs of the database on the same journal.
		for len(d.renames) > 1 {
			d.move(d.renames[0])
			d.renames = d.renames[1:]
		}
	}
}

func (d *disk) move(op diskOp) {
	d.files[op.to] = d.files[op.path]
	delete(d.files, op.path)
}

// on applies a write or truncation to a file's content. Of a write it applies only
// the sectors for which keep is true; all of them if keep is nil.
func (op diskOp) on(b []byte, keep func() bool) []byte {
	const sector = 512
	b = slices.Clone(b)
	if op.kind == "truncate" {
		if int64(len(b)) > op.off {
			return b[:op.off]
		}
		return append(b, make([]byte, op.off-int64(len(b)))...)
	}
	for i := 0; i < len(op.data); i += sector {
		if keep != nil && !keep() {
			continue
		}
		chunk := op.data[i:min(i+sector, len(op.data))]
		end := op.off + int64(i+len(chunk))
		if int64(len(b)) < end {
			b = append(b, make([]byte, end-int64(len(b)))...)
		}
		copy(b[op.off+int64(i):], chunk)
	}
	return b
}

// after returns the files that a power cut leaves: everything synced, and of the rest
// the sectors that r picks. With torn false everything that was written is left.
func (d *disk) after(r *rand.Rand, torn bool) map[string][]byte {
	left := &disk{files: maps.Clone(d.files)}
	for path, ops := range d.pending {
		for _, op := range ops {
			var keep func() bool
			if torn {
				if r.Intn(4) == 0 {
					continue
				}
				all := r.Intn(2) == 0
				keep = func() bool { return all || r.Intn(2) == 0 }
			}
			left.files[path] = op.on(left.files[path], keep)
		}
	}
	for _, op := range d.renames {
		if torn && r.Intn(2) == 0 {
			break
		}
		left.move(op)
	}
	return left.files
}

// TestPowerLoss replays the recorded writes of the outbox and cuts the power
// at every fsync and at random points in between, where any part of what was
// not synced may have arrived.
func TestPowerLoss(t *testing.T) {
	dir, ops := recordWrites(t)
	var syncs []int
	for i, op := range ops {
		if op.kind == "sync" {
			syncs = append(syncs, i)
		}
	}
	if len(syncs) < 100 {
		t.Fatalf("only %d fsyncs were recorded in %d steps", len(syncs), len(ops))
	}
	r := rand.New(rand.NewSource(7))
	cuts := map[int]int{} // torn cuts before each step
	torn := faulttest.Rounds(80, 1000)
	for range torn {
		cuts[r.Intn(len(ops))]++
	}
	every := max(1, 800/torn) // of the fsync boundaries
	work := uplinktest.MemoryDir(t)
	d := &disk{files: map[string][]byte{}, pending: map[string][]diskOp{}}
	promised := promises{text: map[string]string{}, gone: map[string]bool{}, changing: map[string]bool{}}
	damaged, boundaries, lost := 0, 0, 0
	check := func(i int, torn bool) {
		state := d.after(r, torn)
		if d, l := promised.check(t, work, dir, state, fmt.Sprintf("step %d of %d, torn %t", i, len(ops), torn)); d {
			damaged++
			lost += l
		} else {
			lost += l
		}
	}
	for i, op := range ops {
		for range cuts[i] {
			check(i, true)
		}
		if op.kind == "said" {
			promised.said(string(op.data))
			continue
		}
		d.do(op)
		if op.kind == "sync" {
			if boundaries++; boundaries%every == 0 {
				check(i, false)
			}
		}
	}
	faulttest.Row(t, "power loss", "%d fsync boundaries and %d torn points: %d acknowledged hits lost, %d times the file was quarantined and salvaged",
		boundaries/every, torn, lost, damaged)
}

// promises is what the child had promised by a moment.
type promises struct {
	text     map[string]string // of accepted hits
	gone     map[string]bool   // removal was begun
	changing map[string]bool   // an update was begun
}

func (p *promises) said(words string) {
	for line := range strings.Lines(words) {
		f := strings.Fields(line)
		switch f[0] {
		case "accepted":
			p.text[f[1]] = f[2]
			delete(p.changing, f[1])
		case "updating":
			p.changing[f[1]] = true
		case "removing":
			p.gone[f[1]] = true
		}
	}
}

// check opens what the power cut left and compares.
func (p *promises) check(t *testing.T, work, from string, state map[string][]byte, what string) (damaged bool, lost int) {
	t.Helper()
	old, err := os.ReadDir(work)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range old {
		os.Remove(filepath.Join(work, e.Name()))
	}
	for path, content := range state {
		if err := os.WriteFile(filepath.Join(work, strings.TrimPrefix(path, from+"/")), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o, err := Open(filepath.Join(work, "outbox.db"), "unit-7", Settings{Key: testKey}, uplinktest.Discard)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return false, 0
	}
	defer o.Close()
	have := map[string]string{}
	seen := map[Ref]bool{}
	for {
		e, err := o.Next(func(r Ref) bool { return seen[r] })
		if err != nil {
			t.Errorf("%s: %v", what, err)
			return false, 0
		}
		if e == nil {
			break
		}
		seen[e.Ref] = true
		have[e.Hit.ID] = e.Hit.Text
	}
	for id, text := range p.text {
		got, ok := have[id]
		switch {
		case !ok && !p.gone[id]:
			t.Errorf("%s: accepted hit %s is lost", what, id)
			lost++
		case ok && got != text && !(p.changing[id] && got == text+"U") && !(p.gone[id] && strings.HasPrefix(text, got)):
			t.Errorf("%s: hit %s says %s, was accepted as %s", what, id, got, text)
		}
	}
	id, err := o.Accept(uplinktest.Hit("NEW"))
	if err != nil {
		t.Errorf("%s: %v", what, err)
	} else if text, used := p.text[id]; used {
		t.Errorf("%s: id %s of %s was given out again", what, id, text)
	}
	return o.Damage() != nil, lost
}
