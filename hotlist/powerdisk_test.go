package hotlist

import (
	"bufio"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// diskOp is one step of a recorded process.
type diskOp struct {
	kind     string // write, truncate, sync; create, mkdir, link, rename, unlink, sync folder; said
	file     int    // −1: a folder
	path, to string // of the names
	off      int64  // of a write; the length of a truncate
	data     []byte // of a write; the words
}

// recordDisk runs this test binary as the child that env makes it, under
// strace, and returns what it did to the files below dir.
func recordDisk(t *testing.T, dir string, env ...string) []diskOp {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed (apt install strace)")
	}
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command(strace, "-f", "-qq", "-xx", "-s", "4000000", "-o", trace, "-e", "signal=none", "-e",
		"trace=openat,close,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir",
		os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), env...)
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
	r := diskRecorder{dir: dir, open: map[int]string{}, files: map[int]int{}, at: map[int]int64{}, inodes: map[string]int{}, unfinished: map[string]string{}}
	s := bufio.NewScanner(f)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		r.line(s.Text())
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return r.ops
}

// diskRecorder reads strace's lines.
type diskRecorder struct {
	dir        string
	open       map[int]string // paths of the open descriptors below dir
	files      map[int]int    // files of those that are files
	at         map[int]int64  // where a plain write goes
	inodes     map[string]int // the file that has a name now
	count      int
	unfinished map[string]string
	ops        []diskOp
}

var (
	traceLine    = regexp.MustCompile(`^(\d+) +(.*)$`)
	traceResumed = regexp.MustCompile(`^<\.\.\. \w+ resumed>(.*)$`)
	traceCall    = regexp.MustCompile(`^(\w+)\((.*)\)\s+= (-?\d+)`)
)

func (r *diskRecorder) line(text string) {
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
	r.call(c[1], strings.Split(c[2], ", "), result)
}

func (r *diskRecorder) call(name string, args []string, result int) {
	fd, _ := strconv.Atoi(args[0])
	file, isFile := r.files[fd]
	switch name {
	case "openat":
		r.opened(r.path(args[0], args[1]), args[2], result)
	case "close":
		delete(r.open, fd)
		delete(r.files, fd)
	case "write":
		switch data := []byte(unhex(args[1])); {
		case fd == 1:
			r.ops = append(r.ops, diskOp{kind: "said", data: data})
		case isFile:
			r.ops = append(r.ops, diskOp{kind: "write", file: file, off: r.at[fd], data: data})
			r.at[fd] += int64(result)
		}
	case "pwrite64":
		if isFile {
			off, _ := strconv.ParseInt(args[3], 10, 64)
			r.ops = append(r.ops, diskOp{kind: "write", file: file, off: off, data: []byte(unhex(args[1]))})
		}
	case "ftruncate":
		if isFile {
			n, _ := strconv.ParseInt(args[1], 10, 64)
			r.ops = append(r.ops, diskOp{kind: "truncate", file: file, off: n})
		}
	case "fsync", "fdatasync":
		if isFile {
			r.ops = append(r.ops, diskOp{kind: "sync", file: file})
		} else if path, ok := r.open[fd]; ok {
			r.ops = append(r.ops, diskOp{kind: "sync folder", path: path})
		}
	case "rename", "link":
		r.named(name, r.path("", args[0]), r.path("", args[1]))
	case "renameat", "renameat2", "linkat":
		r.named(strings.TrimRight(name, "at2"), r.path(args[0], args[1]), r.path(args[2], args[3]))
	case "unlink", "rmdir":
		r.named("unlink", r.path("", args[0]), "")
	case "unlinkat":
		r.named("unlink", r.path(args[0], args[1]), "")
	case "mkdir":
		r.named("mkdir", r.path("", args[0]), "")
	case "mkdirat":
		r.named("mkdir", r.path(args[0], args[1]), "")
	}
}

// path resolves a path that may be relative to an open folder.
func (r *diskRecorder) path(folder, name string) string {
	p := unhex(name)
	if !filepath.IsAbs(p) {
		fd, _ := strconv.Atoi(folder)
		p = filepath.Join(r.open[fd], p)
	}
	return filepath.Clean(p)
}

func (r *diskRecorder) opened(path, flags string, fd int) {
	if !below(path, r.dir) {
		return
	}
	r.open[fd] = path
	file, known := r.inodes[path]
	if !known && strings.Contains(flags, "O_CREAT") {
		file = r.count
		r.count++
		r.inodes[path] = file
		r.ops = append(r.ops, diskOp{kind: "create", path: path, file: file})
		known = true
	}
	if known {
		r.files[fd], r.at[fd] = file, 0
		if strings.Contains(flags, "O_TRUNC") {
			r.ops = append(r.ops, diskOp{kind: "truncate", file: file})
		}
		if strings.Contains(flags, "O_APPEND") {
			r.at[fd] = r.length(file)
		}
	}
}

// length is that of a file by what was recorded.
func (r *diskRecorder) length(file int) int64 {
	n := int64(0)
	for _, op := range r.ops {
		switch {
		case op.file != file:
		case op.kind == "write":
			n = max(n, op.off+int64(len(op.data)))
		case op.kind == "truncate":
			n = op.off
		}
	}
	return n
}

func (r *diskRecorder) named(kind, path, to string) {
	if !below(path, r.dir) {
		return
	}
	file, ok := r.inodes[path]
	if !ok { // a folder
		file = -1
	}
	op := diskOp{kind: kind, path: path, to: to, file: file}
	op.name(r.inodes)
	r.ops = append(r.ops, op)
}

func below(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

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

// disk is what is on the medium for certain, and what may be. Names and files
// are apart, as on a medium: a file that was synced may have no name yet, and
// one with a name may be empty. Syncing a folder brings the changes of its names and
// no others; without it they arrive in their order, as journals have them (ext4,
// XFS). Contents arrive in any order, sector by sector.
type disk struct {
	files   map[int][]byte // as they were synced
	pending map[int][]diskOp
	names   map[string]int
	waiting []diskOp // changes of names
}

func newDisk() *disk {
	return &disk{files: map[int][]byte{}, pending: map[int][]diskOp{}, names: map[string]int{}}
}

// do carries out one step.
func (d *disk) do(op diskOp) {
	switch op.kind {
	case "write", "truncate":
		d.pending[op.file] = append(d.pending[op.file], op)
	case "sync":
		for _, p := range d.pending[op.file] {
			d.files[op.file] = p.on(d.files[op.file], nil)
		}
		delete(d.pending, op.file)
	case "sync folder":
		var left []diskOp
		for _, w := range d.waiting {
			if filepath.Dir(w.path) == op.path || w.to != "" && filepath.Dir(w.to) == op.path {
				w.name(d.names)
			} else {
				left = append(left, w)
			}
		}
		d.waiting = left
	case "create", "mkdir", "link", "rename", "unlink":
		d.waiting = append(d.waiting, op)
	}
}

// name does to names what the step does.
func (op diskOp) name(names map[string]int) {
	if op.kind == "rename" || op.kind == "unlink" {
		delete(names, op.path)
	}
	switch {
	case op.file < 0:
	case op.kind == "create":
		names[op.path] = op.file
	case op.kind == "rename", op.kind == "link":
		names[op.to] = op.file
	}
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
	for i := 0; i < len(op.data); {
		// Sectors are the medium's, wherever the write begins.
		next := min(i+sector-int(op.off+int64(i))%sector, len(op.data))
		if keep == nil || keep() {
			if end := op.off + int64(next); int64(len(b)) < end {
				b = append(b, make([]byte, end-int64(len(b)))...)
			}
			copy(b[op.off+int64(i):], op.data[i:next])
		}
		i = next
	}
	return b
}

// after returns what a power cut leaves, by name: everything synced, and of the rest
// what rng picks. With torn false everything that was done is left.
func (d *disk) after(rng *rand.Rand, torn bool) map[string][]byte {
	names := maps.Clone(d.names)
	waiting := d.waiting
	if torn {
		waiting = waiting[:rng.IntN(len(waiting)+1)]
	}
	for _, op := range waiting {
		op.name(names)
	}
	left := map[string][]byte{}
	for path, file := range names {
		b := d.files[file]
		for _, op := range d.pending[file] {
			var keep func() bool
			if torn {
				switch rng.IntN(4) {
				case 0:
					continue
				case 1:
					keep = func() bool { return rng.IntN(2) == 0 }
				}
			}
			b = op.on(b, keep)
		}
		left[path] = b
	}
	return left
}

// lay writes what a power cut left into another folder.
func lay(t *testing.T, left map[string][]byte, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, b := range left {
		path = filepath.Join(to, strings.TrimPrefix(path, from))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", path, err))
		}
	}
}
