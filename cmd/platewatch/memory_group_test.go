package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// memoryGroup is a memory cgroup, of either version.
type memoryGroup struct {
	dir         string
	v2          bool
	peakF, oomF string
}

// newMemoryGroup makes a group below this process's own. Where that is not allowed
// the test is skipped.
func newMemoryGroup(t *testing.T, limit int64) *memoryGroup {
	t.Helper()
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Skip("no cgroups here: ", err)
	}
	g := &memoryGroup{}
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(f) != 3:
		case f[1] == "memory":
			g.dir, g.v2 = "/sys/fs/cgroup/memory"+f[2], false
		case f[0] == "0" && g.dir == "":
			g.dir, g.v2 = "/sys/fs/cgroup"+f[2], true
		}
	}
	bound, off := "memory.limit_in_bytes", map[string]string{}
	g.peakF, g.oomF = "memory.max_usage_in_bytes", "memory.oom_control"
	if g.v2 {
		bound, g.peakF, g.oomF = "memory.max", "memory.peak", "memory.events"
		off["memory.swap.max"] = "0"
	}
	g.dir = filepath.Join(g.dir, fmt.Sprintf("platewatch-test-%d-%d", os.Getpid(), rand.Uint32()))
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		t.Skip("no memory cgroup can be made here: ", err)
	}
	t.Cleanup(func() { // the killed processes leave it at once
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			if err := os.Remove(g.dir); err == nil || time.Now().After(deadline) {
				return
			}
		}
	})
	if err := os.WriteFile(filepath.Join(g.dir, bound), fmt.Append(nil, limit), 0); err != nil {
		t.Skip("a cgroup's memory cannot be limited here: ", err)
	}
	for name, value := range off {
		_ = os.WriteFile(filepath.Join(g.dir, name), []byte(value), 0) // a kernel without swap has no such file
	}
	return g
}

// command is a program that begins inside the group.
func (g *memoryGroup) command(program string, args ...string) *exec.Cmd {
	const enter = `echo $$ > "$0/cgroup.procs" && exec "$@"`
	cmd := exec.Command("sh", append([]string{"-c", enter, g.dir, program}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// peak is the most memory that it had, in bytes.
func (g *memoryGroup) peak() (n int64) {
	b, _ := os.ReadFile(filepath.Join(g.dir, g.peakF))
	_, _ = fmt.Sscan(string(b), &n) // 0 where the kernel does not tell
	return n
}

// kills is how many processes the kernel killed in it for want of memory.
func (g *memoryGroup) kills() (n int) {
	b, _ := os.ReadFile(filepath.Join(g.dir, g.oomF))
	for line := range strings.Lines(string(b)) {
		_, _ = fmt.Sscanf(line, "oom_kill %d", &n)
	}
	return n
}
