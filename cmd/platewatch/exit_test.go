package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// finalCodes are the exit codes after which systemd does not restart the unit.
func finalCodes(t *testing.T) (codes []int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "systemd", "platewatch.service"))
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^RestartPreventExitStatus=(.*)$`).FindAllSubmatch(text, -1)
	if len(lines) != 1 {
		t.Fatalf("%d lines RestartPreventExitStatus, want 1", len(lines))
	}
	for code := range strings.FieldsSeq(string(lines[0][1])) {
		n, err := strconv.Atoi(code)
		if err != nil {
			t.Fatalf("%s: name codes by number, so that this test can compare them", code)
		}
		codes = append(codes, n)
	}
	return codes
}

// TestExitCodesOfTheService: systemd restarts the daemon after a crash and after
// the watchdog's SIGABRT, and leaves it alone only where its configuration is
// refused.
func TestExitCodesOfTheService(t *testing.T) {
	final := finalCodes(t)
	if !slices.Equal(final, []int{exitConfig}) {
		t.Errorf("RestartPreventExitStatus is %v, want %d alone", final, exitConfig)
	}

	dir := t.TempDir()
	for args, want := range map[string]int{
		"run -nonsense":         exitUsage,
		"run x":                 exitUsage,
		"run -config empty":     exitConfig,
		"run -config none.toml": exitMissing,
	} {
		write(t, filepath.Join(dir, "empty"), nil)
		cmd := exec.Command("platewatch", strings.Fields(args)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != want {
			t.Errorf("platewatch %s: %v, want exit code %d\n%s", args, err, want, out)
		}
	}

	config := filepath.Join(dir, "unit.toml")
	write(t, config, []byte(`
state_dir = "`+dir+`/state"
[unit]
name = "roadside-1"
[[camera]]
name = "front"
source = "`+dir+`/none.mp4"
[status]
listen = "off"
`))
	for _, signal := range []syscall.Signal{syscall.SIGABRT, syscall.SIGSEGV} {
		d := startDaemon(t, config)
		d.waitFor("msg=running")
		code := d.stop(signal)
		// The kernel picks the thread. On one of Go's the runtime prints its stacks and
		// exits with 2; on one of OpenCV's it dies of the signal itself, which no exit
		// code in the service file matches.
		status := d.cmd.ProcessState.Sys().(syscall.WaitStatus)
		byRuntime, bySignal := code == 2, status.Signaled() && status.Signal() == signal
		if slices.Contains(final, code) || !byRuntime && !bySignal {
			t.Errorf("after %v it ended with %v, want the runtime's exit code 2 or the signal", signal, d.cmd.ProcessState)
		}
	}
}
