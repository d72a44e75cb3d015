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
	const root = "../.."
	output := func(name string, args ...string) string {
		c := exec.Command(name, args...)
		c.Dir = root
		b, err := c.Output()
		if err != nil {
			t.Fatalf("%s: %v", c, err)
		}
		return string(b)
	}
	sources := ""
	for line := range strings.Lines(output("make", "--dry-run", "--print-data-base", "help")) {
		if after, found := strings.CutPrefix(line, "SOURCES := "); found {
			sources = after
		}
	}
	known := strings.Fields(sources)
	const each = `{{range .GoFiles}}{{$.ImportPath}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$.ImportPath}}/{{.}}{{"\n"}}{{end}}{{range .CXXFiles}}{{$.ImportPath}}/{{.}}{{"\n"}}{{end}}`
	files := 0
	for line := range strings.Lines(output("go", "list", "-deps", "-f", each, "./cmd/platewatch", "./cmd/platewatch-decode")) {
		file, ours := strings.CutPrefix(strings.TrimSpace(line), "platewatch/")
		if !ours {
			continue
		}
		if files++; !slices.Contains(known, file) {
			t.Errorf("make does not know that %s goes into the binary", file)
		}
	}
	if files < 100 {
		t.Errorf("only %d files go into the binary", files)
	}
}
