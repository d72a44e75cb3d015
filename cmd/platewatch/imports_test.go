package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is the path that all packages of this project begin with.
const module = "platewatch/"

// rooms are the four parts that know nothing of each other. Only
// cmd/platewatch knows them all.
var rooms = []string{"capture", "ocr", "hotlist", "uplink"}

// withoutCgo are the rooms that must build without a C compiler.
var withoutCgo = []string{"hotlist", "uplink"}

// maxExported is how many names each room's own package may export: what a user of
// the room has to know. Methods and fields do not count.
var maxExported = map[string]int{"hotlist": 70, "uplink": 40, "capture": 45, "ocr": 16}

const (
	maxPackageLines = 3500 // without tests
	maxFileLines    = 500
)

// listed is what go list says of a package.
type listed struct {
	ImportPath, Name, Dir                    string
	GoFiles, CgoFiles, CXXFiles, HFiles      []string
	EmbedFiles                               []string
	TestGoFiles, XTestGoFiles                []string
	Imports, TestImports, XTestImports, Deps []string
}

// ownPackages are all packages of this project.
func ownPackages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Name,Dir,GoFiles,CgoFiles,CXXFiles,HFiles,EmbedFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports,Deps", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// helpers are imported by the tests of every room, and by nothing else.
var helpers = []string{module + "deploy/tools/goldentest", module + "deploy/tools/addrtest"}

// TestRooms holds the rooms apart.
func TestRooms(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range ownPackages(t) {
		room := roomOf(p.ImportPath)
		if room == "cmd" || room == "deploy" {
			continue
		}
		seen[room] = true
		if !slices.Contains(rooms, room) {
			t.Errorf("%s lies in none of the rooms %v", p.ImportPath, rooms)
		}
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if other := roomOf(imported); other != "" && other != room && !slices.Contains(helpers, imported) {
				t.Errorf("%s imports %s: %s and %s know nothing of each other", p.ImportPath, imported, room, other)
			}
		}
		if slices.Contains(withoutCgo, room) {
			if len(p.CgoFiles) > 0 {
				t.Errorf("%s has cgo files", p.ImportPath)
			}
			for _, d := range p.Deps {
				if strings.HasPrefix(d, "gocv.io/") || strings.HasPrefix(d, "github.com/otiai10/gosseract") {
					t.Errorf("%s depends on %s", p.ImportPath, d)
				}
			}
		}
	}
	for _, room := range rooms {
		if !seen[room] {
			t.Errorf("no package was found in %s: is this test still looking at the right place?", room)
		}
	}
}

// showcase has the whole system on one machine, with the same cameras and brokers
// as the tests.
const showcase = "cmd/platewatch/internal/demo"

// TestArrows holds the packages inside the rooms, and inside cmd, to one
// direction: no package imports one that it lies in, no two folders beside each
// other import each other, however long the way round, and only tests and
// the demo import what is made for tests. A command lies beside what it serves, and may import
// anything of its room.
func TestArrows(t *testing.T) {
	// What the folders in a folder import of each other; a package in the
	// folder itself is ".".
	imports := map[string]map[string]map[string]string{}
	for _, p := range ownPackages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, imported := range p.Imports {
			to, own := strings.CutPrefix(imported, module)
			if !own {
				continue
			}
			if strings.HasSuffix(to, "test") && !strings.HasSuffix(from, "test") && from != showcase {
				t.Errorf("%s imports %s, which is made for tests", from, to)
			}
			if p.Name == "main" {
				continue
			}
			if strings.HasPrefix(from, to+"/") {
				t.Errorf("%s imports %s, which it lies in", from, to)
			}
			parent, a, b := fork(from, to)
			if imports[parent] == nil {
				imports[parent] = map[string]map[string]string{}
			}
			if imports[parent][a] == nil {
				imports[parent][a] = map[string]string{}
			}
			imports[parent][a][b] = from + " imports " + to
		}
	}
	for parent, folders := range imports {
		if way := circle(folders); way != nil {
			t.Errorf("the folders in %q import each other: %s", parent, strings.Join(way, ", "))
		}
	}
}

// layers are the packages of each room from the bottom up: a package imports
// only such as stand in a row below its own. "." is the room's own package, "*"
// any package that no other row names.
var layers = map[string][][]string{
	"capture": {
		{"fault", "internal/confine", "internal/imgcodecs", "internal/orientation", "internal/videoio", "light", "motion"},
		{"internal/handover"},
		{"internal/codec", "internal/device", "internal/process"},
		{"decoder", "still"},
		{"source"},
		{"internal/pace", "internal/trust"},
		{"internal/reach"},
		{"*"}, // a kind of camera is a package of its own
		{"."},
	},
	"hotlist": {
		{"entry"},
		{"importer", "internal/folder", "match", "signed"},
		{"audit", "internal/listfile", "simulate"},
		{"."},
	},
	"uplink": {
		{"failure", "localbroker"},
		{"broker", "message"},
		{"cot", "internal/link", "outbox/internal/journal"},
		{"outbox", "probe", "watch"},
		{"."},
	},
	"ocr": {
		{"internal/logistic", "internal/oneheap", "internal/setting", "internal/shape", "internal/stat", "read/model", "region", "render/number", "render/paint", "render/sensor", "text", "truth"},
		{"internal/maps", "internal/resample"},
		{"find", "internal/ctc", "judge", "render", "vehicle"},
		{"passage", "rectify", "scenes"},
		{"colour", "issuer", "read"},
		{"tesseract", "*"}, // a reader is a package of its own
		{"."},
	},
	"cmd/platewatch/internal": {
		{"aim", "board", "cli", "demo/media", "fleet", "importbar", "journal", "nocodecs", "optics", "setting"},
		{"access", "testdrive", "verdict"},
		{"draw", "observe", "picture", "status"},
		{"config", "hit"},
		{"doctor", "look", "oversight", "unit"},
		{"bench", "demo", "setup"},
	},
}

// TestLayers holds each room to its layers. Commands and packages that are made
// for tests may import all of their room.
func TestLayers(t *testing.T) {
	for _, p := range ownPackages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		for room, rows := range layers {
			row, inRoom := layer(rows, room, from)
			if !inRoom || p.Name == "main" || strings.HasSuffix(from, "test") {
				continue
			}
			if row < 0 {
				t.Errorf("%s stands in none of the layers of %s: name its place in this test", from, room)
			}
			for _, imported := range p.Imports {
				to := strings.TrimPrefix(imported, module)
				if below, inRoom := layer(rows, room, to); inRoom && below >= row && !strings.HasSuffix(to, "test") {
					t.Errorf("%s imports %s, which stands in no layer below it", from, to)
				}
			}
		}
	}
}

// layer is the row in which a room has a package, -1 for none, and whether the
// package lies in the room at all.
func layer(rows [][]string, room, name string) (row int, inRoom bool) {
	rest := "."
	if name != room {
		var found bool
		if rest, found = strings.CutPrefix(name, room+"/"); !found {
			return -1, false
		}
	}
	other := -1
	for i, r := range rows {
		if slices.Contains(r, rest) {
			return i, true
		}
		if slices.Contains(r, "*") {
			other = i
		}
	}
	return other, true
}

// fork is the folder that two packages both lie in, and the names in it under
// which they are found there. internal and cmd are no subjects: what lies in
// them counts as lying beside them.
func fork(a, b string) (parent, toA, toB string) {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	n := 0
	for n < len(as) && n < len(bs) && as[n] == bs[n] {
		n++
	}
	name := func(parts []string) string {
		switch {
		case n == len(parts):
			return "."
		case n+1 < len(parts) && (parts[n] == "internal" || parts[n] == "cmd"):
			return path.Join(parts[n], parts[n+1])
		}
		return parts[n]
	}
	return path.Join(as[:n]...), name(as), name(bs)
}

// circle is a way along the arrows that comes back to its start, as the texts
// of its arrows; nil where there is none.
func circle(arrows map[string]map[string]string) []string {
	const running, done = 1, 2
	state := map[string]int{}
	var way []string // the folders that visit is in
	var visit func(string) []string
	visit = func(at string) []string {
		state[at] = running
		way = append(way, at)
		for _, to := range slices.Sorted(maps.Keys(arrows[at])) {
			switch state[to] {
			case running:
				var texts []string
				around := append(way[slices.Index(way, to):], to)
				for i := range len(around) - 1 {
					texts = append(texts, arrows[around[i]][around[i+1]])
				}
				return texts
			case done:
				continue
			}
			if found := visit(to); found != nil {
				return found
			}
		}
		state[at] = done
		way = way[:len(way)-1]
		return nil
	}
	for _, from := range slices.Sorted(maps.Keys(arrows)) {
		if state[from] == 0 {
			if found := visit(from); found != nil {
				return found
			}
		}
	}
	return nil
}

func TestCircle(t *testing.T) {
	straight := map[string]map[string]string{"a": {"b": "ab", "c": "ac"}, "b": {"c": "bc"}}
	if way := circle(straight); way != nil {
		t.Errorf("no circle, but %v was found", way)
	}
	straight["c"] = map[string]string{"b": "cb"}
	if way := circle(straight); !slices.Equal(way, []string{"bc", "cb"}) {
		t.Errorf("the circle b, c was found as %v", way)
	}
}

// TestSizes holds packages and files to a size that a reader can take in.
func TestSizes(t *testing.T) {
	for _, p := range ownPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		exported, total := 0, 0
		for _, file := range slices.Concat(p.GoFiles, p.CgoFiles) {
			n, names := sizeOf(t, filepath.Join(p.Dir, file))
			total += n
			exported += names
			if n > maxFileLines {
				t.Errorf("%s/%s has %d lines, more than %d", name, file, n, maxFileLines)
			}
		}
		for _, file := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
			if n, _ := sizeOf(t, filepath.Join(p.Dir, file)); n > maxFileLines {
				t.Errorf("%s/%s has %d lines, more than %d", name, file, n, maxFileLines)
			}
		}
		if total > maxPackageLines {
			t.Errorf("%s has %d lines without its tests, more than %d", name, total, maxPackageLines)
		}
		if most, ok := maxExported[name]; ok {
			t.Logf("%s: %d exported names of at most %d, %d lines", name, exported, most, total)
			if exported > most {
				t.Errorf("%s exports %d names, more than %d", name, exported, most)
			}
		}
	}
}

// sizeOf is how many lines a file has, and how many exported top-level names.
func sizeOf(t *testing.T, file string) (lines, exported int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	count := func(name *ast.Ident) {
		if name.IsExported() {
			exported++
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				count(d.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					count(s.Name)
				case *ast.ValueSpec:
					for _, name := range s.Names {
						count(name)
					}
				}
			}
		}
	}
	return bytes.Count(text, []byte("\n")), exported
}

// roomOf is the top folder of one of this project's packages; empty for others.
func roomOf(path string) string {
	rest, ok := strings.CutPrefix(path, module)
	if !ok {
		return ""
	}
	room, _, _ := strings.Cut(rest, "/")
	return room
}
