package main

import (
	"log/slog"
	"testing"

	"golang.org/x/sys/unix"
)

func TestForbidCoreDumps(t *testing.T) {
	forbidCoreDumps(slog.New(slog.DiscardHandler))
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		t.Errorf("dumpable is %d, %v", dumpable, err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
}
