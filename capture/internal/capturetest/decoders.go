package capturetest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Decoders are the process numbers of the decoders that this process has started
// and not waited for yet.
func Decoders(t testing.TB) []int {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(lines) == 0 {
		t.Skip("no /proc to look for decoders in: ", err)
	}
	var pids []int
	for _, path := range lines {
		command, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(command, []byte("platewatch-decode\x00")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err == nil && bytes.Contains(status, fmt.Appendf(nil, "\nPPid:\t%d\n", os.Getpid())) {
			pids = append(pids, pid)
		}
	}
	return pids
}
