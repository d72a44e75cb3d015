package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// make builds anew when anything has changed that goes into the binary, models, formats
// and tables too: it had looked at code alone, and left a binary with the former model.
func TestMakeKnowsWhatIsEmbedded(t *testing.T) {
	c := exec.Command("make", "--dry-run", "--print-data-base", "help")
	c.Dir = "../.."
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v", c, err)
	}
	var known []string
	for line := range strings.Lines(string(out)) {
		if sources, found := strings.CutPrefix(line, "SOURCES := "); found {
			known = strings.Fields(sources)
		}
	}
	all := ownPackages(t)
	var inside []string
	for _, p := range all {
		if p.ImportPath == module+"cmd/platewatch" || p.ImportPath == module+"cmd/platewatch-decode" {
			inside = append(append(inside, p.ImportPath), p.Deps...)
		}
	}
	files := 0
	for _, p := range all {
		if !slices.Contains(inside, p.ImportPath) {
			continue
		}
		for _, name := range slices.Concat(p.GoFiles, p.CgoFiles, p.CXXFiles, p.HFiles, p.EmbedFiles) {
			file := strings.TrimPrefix(p.ImportPath, module) + "/" + name
			if files++; !slices.Contains(known, file) {
				t.Errorf("make does not know that %s goes into the binary", file)
			}
		}
	}
	if files < 100 {
		t.Errorf("only %d files go into the binary", files)
	}
}
