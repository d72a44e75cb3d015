package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"platewatch/cmd/platewatch/internal/picturetest"
)

// readAll runs platewatch read -json on pictures. It returns the lines by the
// names of the files, and the most memory in bytes that the process had.
func readAll(t *testing.T, pictures []picturetest.Picture) (lines map[string]line, memory int64) {
	t.Helper()
	dir := t.TempDir()
	args := []string{"read", "-json"}
	refused := 0
	for _, p := range pictures {
		path := filepath.Join(dir, p.Name)
		if err := os.WriteFile(path, p.Bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
		if p.Refused != "" {
			refused++
		}
	}
	cmd := exec.Command("platewatch", args...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if want := min(refused, 1); cmd.ProcessState.ExitCode() != want {
		t.Errorf("exit code %d, want %d: %s", cmd.ProcessState.ExitCode(), want, &complaints)
	}
	// One line in all, of the program itself: none of a library's.
	if n := bytes.Count(complaints.Bytes(), []byte("\n")); n > 1 || n == 1 && !strings.HasPrefix(complaints.String(), "platewatch: ") {
		t.Errorf("on standard error: %s", &complaints)
	}
	lines = map[string]line{}
	for dec := json.NewDecoder(&out); dec.More(); {
		var l line
		if err := dec.Decode(&l); err != nil {
			t.Fatal(err)
		}
		lines[filepath.Base(l.File)] = l
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return lines, usage.Maxrss << 10
}

type line struct {
	File, Error   string
	Width, Height int
	Plates        []struct{ Text string }
}

// TestReadOddPictures: one bad picture among many spoils none of the others,
// and nothing but the promised lines is printed.
func TestReadOddPictures(t *testing.T) {
	pictures := picturetest.All(t, filepath.Join("..", ".."))
	lines, _ := readAll(t, pictures)
	for _, p := range pictures {
		l, ok := lines[p.Name]
		switch {
		case !ok:
			t.Errorf("%s: there is no line about it", p.Name)
		case p.Any:
		case !strings.Contains(l.Error, p.Refused) || (l.Error == "") != (p.Refused == ""):
			t.Errorf("%s: the error is %q, want %q", p.Name, l.Error, p.Refused)
		case p.Plate != "" && (len(l.Plates) == 0 || l.Plates[0].Text != p.Plate):
			t.Errorf("%s: read %v, want %s", p.Name, l.Plates, p.Plate)
		}
	}
}

// TestReadLargePictures: the largest pictures that are accepted are read, in a
// bounded amount of memory.
func TestReadLargePictures(t *testing.T) {
	for _, p := range picturetest.Large(t) {
		t.Run(p.Name, func(t *testing.T) {
			lines, memory := readAll(t, []picturetest.Picture{p})
			if l := lines[p.Name]; l.Error != "" || l.Width*l.Height < 49_000_000 {
				t.Errorf("%d x %d pixels, error %q", l.Width, l.Height, l.Error)
			}
			t.Logf("%d MiB at most", memory>>20)
			const most = 1200 << 20
			if memory > most {
				t.Errorf("%d MiB at most, want %d", memory>>20, int64(most>>20))
			}
		})
	}
}
