package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory is what this process has resident, and had at most, in bytes, as the
// kernel says (proc_pid_status(5), VmRSS and VmHWM).
type Memory struct {
	Resident int64 `json:"resident_memory_bytes"`
	Peak     int64 `json:"peak_memory_bytes"`
}

// ReadMemory asks the kernel.
func ReadMemory() (Memory, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return Memory{}, err
	}
	var m Memory
	for name, to := range map[string]*int64{"VmRSS:": &m.Resident, "VmHWM:": &m.Peak} {
		_, rest, ok := strings.Cut(string(b), "\n"+name)
		line, _, _ := strings.Cut(rest, "\n")
		kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(line), " kB"), 10, 64)
		if !ok || err != nil {
			return Memory{}, fmt.Errorf("the kernel does not tell %s", strings.TrimSuffix(name, ":"))
		}
		*to = kb << 10
	}
	return m, nil
}
