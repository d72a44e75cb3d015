package uplinktest

import (
	"os"
	"testing"
)

// MemoryDir is a folder on a file system in memory, for tests that write a lot and do
// not depend on a real disk.
func MemoryDir(t testing.TB) string {
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
