package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
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

// TestImports holds the packages to the direction in which they may depend on
// each other.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports,Deps,CgoFiles", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath                               string
			Imports, TestImports, XTestImports, Deps []string
			CgoFiles                                 []string
		}
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		room := roomOf(p.ImportPath)
		if room == "cmd" || room == "deploy" {
			continue
		}
		seen[room] = true
		if !slices.Contains(rooms, room) {
			t.Errorf("%s lies in none of the rooms %v", p.ImportPath, rooms)
		}
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if other := roomOf(imported); other != "" && other != room {
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

// roomOf is the top folder of one of this project's packages; empty for others.
func roomOf(path string) string {
	rest, ok := strings.CutPrefix(path, module)
	if !ok {
		return ""
	}
	room, _, _ := strings.Cut(rest, "/")
	return room
}
