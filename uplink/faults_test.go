package uplink

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// faultsEnv names the file that `make faults` collects its table in. With it
// the fault tests run at full length, without it in their short form.
const faultsEnv = "PLATEWATCH_FAULTS"

// scale picks a number for the short and the long form.
func scale(short, long int) int {
	if os.Getenv(faultsEnv) == "" {
		return short
	}
	return long
}

var faultsTable sync.Mutex

// fault is one line of the table: what was done to the unit and what came of it.
func fault(t *testing.T, name, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	t.Logf("%s: %s", name, text)
	file := os.Getenv(faultsEnv)
	if file == "" {
		return
	}
	verdict := "ok"
	if t.Failed() {
		verdict = "FAILED"
	}
	faultsTable.Lock()
	defer faultsTable.Unlock()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "%s\t%s\t%s\n", name, verdict, text); err != nil {
		t.Fatal(err)
	}
}

// memoryDir is a folder on a file system in memory, for tests that write a
// lot and for which it makes no difference where.
func memoryDir(t testing.TB) string {
	t.Helper()
	if _, err := os.Stat("/dev/shm"); err != nil {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "platewatch-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
