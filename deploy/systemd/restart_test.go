package systemd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// eventTimeout bounds the wait for what systemd does next.
const eventTimeout = time.Minute

// TestRestart runs the service file and the real daemon under a real systemd, in
// namespaces of its own: it comes back from a hang, from the watchdog's signal
// and from a crash, and stays down where its configuration is refused.
//
// The kernel may deliver a signal to any thread of the daemon, and does so after
// SIGSTOP. The Go runtime answers a fatal one with exit code 2, but on a thread of
// a C library it lets the signal kill the process. Either must restart it.
func TestRestart(t *testing.T) {
	b := boot(t)
	b.want("started")

	b.systemctl("kill", "--kill-who=main", "--signal=SIGSTOP", service)
	b.want("stopped watchdog exited 2", "stopped watchdog killed ABRT")
	b.want("started")

	for _, signal := range []string{"SIGABRT", "SIGSEGV"} {
		b.systemctl("kill", "--kill-who=main", "--signal="+signal, service)
		b.want("stopped exit-code exited 2", "stopped signal killed "+strings.TrimPrefix(signal, "SIG"))
		b.want("started")
	}

	if err := os.WriteFile(filepath.Join(b.dir, "platewatch.toml"), []byte("nonsense = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := b.run("systemctl", "restart", service); err == nil {
		t.Errorf("a refused configuration was started: %s", out)
	}
	b.want("stopped success exited 0")
	b.want("stopped exit-code exited 3")
	if state := b.systemctl("show", "--property=SubState", "--value", service); state != "failed" {
		t.Errorf("after a refused configuration the unit is %q, want failed", state)
	}
}

// board is a systemd in namespaces of its own, which shares the programs and
// libraries of this machine and none of its state.
type board struct {
	t      *testing.T
	dir    string // /run/test inside
	pid    string // of its systemd, as seen from here
	events chan string
}

// inside is run as the first process of the namespaces. It hides everything that
// systemd could change on this machine, and becomes systemd.
const inside = `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/test /run/systemd/system
mount --bind "$1" /run/test
for d in /tmp /var/tmp /var/lib /var/log; do mount -t tmpfs tmpfs $d; done
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
mount -t sysfs -o ro sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec env -i PATH="$PATH" container=test SYSTEMD_UNIT_PATH=/run/test/units \
	"$2" --system --unit=test.target --log-target=null --show-status=0
`

// boot starts the board. Where this machine does not allow it, the test is
// skipped with the reason.
func boot(t *testing.T) *board {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not root: a systemd of its own needs namespaces and a control group")
	}
	const systemd = "/lib/systemd/systemd"
	for _, program := range []string{systemd, "systemctl", "unshare", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s here: the service file was not run (apt install systemd util-linux)", program)
		}
	}
	b := &board{t: t, dir: t.TempDir(), events: make(chan string, 16)}
	b.install()
	group := newGroup(t)

	// The outer unshare starts the pid namespace inside the new control group,
	// the inner one makes that group the root of the control groups.
	cmd := exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "--ipc", "--uts", "--net",
		"unshare", "--cgroup", "sh", "-c", inside, "sh", b.dir, systemd)
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd()), Pdeathsig: syscall.SIGKILL}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Skipf("no namespaces here: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	b.listen()
	// The first event tells that systemd has come up, and its process is known.
	select {
	case event := <-b.events:
		b.events <- event
	case <-ended:
		t.Skipf("systemd does not start in a namespace here: %s", out.String())
	case <-time.After(eventTimeout):
		t.Skipf("systemd did not start the unit in a namespace within %v: %s", eventTimeout, out.String())
	}
	child := fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid)
	children, err := os.ReadFile(child)
	if b.pid = strings.TrimSpace(string(children)); err != nil || b.pid == "" || strings.Contains(b.pid, " ") {
		t.Fatalf("the process of systemd is not the only one in %s: %q, %v", child, b.pid, err)
	}
	return b
}

// install writes what the board needs into b.dir: the program, a configuration,
// and the service file with a drop-in that reports events and shortens times.
func (b *board) install() {
	b.t.Helper()
	if out, err := exec.CommandContext(b.t.Context(), "go", "build", "-o", b.dir+"/", "platewatch/cmd/platewatch", "platewatch/cmd/platewatch-decode").CombinedOutput(); err != nil {
		b.t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(service)
	if err != nil {
		b.t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("\nExecStart=/usr/bin/platewatch run -config /etc/platewatch/platewatch.toml\n"),
		[]byte("\nExecStart=/run/test/platewatch run -config /run/test/platewatch.toml\n"))
	text = bytes.ReplaceAll(text, []byte("\nConditionPathExists=/etc/platewatch/"), []byte("\nConditionPathExists=/run/test/"))
	empty := []byte("[Unit]\nDefaultDependencies=no\n")
	for name, content := range map[string][]byte{
		"platewatch.toml": []byte(`
[unit]
name = "roadside-1"
[[camera]]
name = "front"
source = "/nowhere/none.mp4"
[status]
listen = "off"
`),
		"units/" + service: text,
		"units/" + service + ".d/test.conf": []byte(`[Service]
WatchdogSec=5
TimeoutStopSec=1
RestartSec=0
ExecStartPost=+/bin/sh -c 'echo started > /run/test/events'
ExecStopPost=+/bin/sh -c 'echo stopped $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS > /run/test/events'
`),
		"units/test.target":    append(empty, "Wants="+service+"\n"...),
		"units/sysinit.target": empty, "units/basic.target": empty, "units/network.target": empty,
	} {
		path := filepath.Join(b.dir, name)
		err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644))
		if err != nil {
			b.t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(b.dir, "events"), 0o600); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Chmod(b.dir, 0o755); err != nil { // the service has a user of its own
		b.t.Fatal(err)
	}
}

// listen passes the lines of the events on. It holds the pipe open for writing
// too, so that it does not end with the first writer.
func (b *board) listen() {
	b.t.Helper()
	pipe, err := os.OpenFile(filepath.Join(b.dir, "events"), os.O_RDWR, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { pipe.Close() })
	go func() {
		for s := bufio.NewScanner(pipe); s.Scan(); {
			b.events <- s.Text()
		}
	}()
}

// newGroup makes a control group that goes away with the test.
func newGroup(t *testing.T) *os.File {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(mounts)) {
		before, after, _ := strings.Cut(line, " - ")
		if f := strings.Fields(before); len(f) > 4 && strings.HasPrefix(after, "cgroup2 ") {
			dir := filepath.Join(f[4], fmt.Sprintf("platewatch-test-%d", os.Getpid()))
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Skipf("no control group can be made: %v", err)
			}
			t.Cleanup(func() { removeGroup(t, dir) })
			group, err := os.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { group.Close() })
			return group
		}
	}
	t.Skip("no control groups (cgroup2) are mounted here")
	return nil
}

// removeGroup removes a control group and those that systemd made in it, which
// are empty when the last process of the board has ended.
func removeGroup(t *testing.T, dir string) {
	ctx, cancel := context.WithTimeout(context.Background(), eventTimeout)
	defer cancel()
	for ctx.Err() == nil {
		var groups []string
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				groups = append(groups, path)
			}
			return nil
		})
		if err != nil || len(groups) == 0 {
			return
		}
		for i := len(groups) - 1; i >= 0; i-- {
			_ = syscall.Rmdir(groups[i])
		}
	}
	t.Errorf("the control group %s is still in use", dir)
}

// want waits for the next event.
func (b *board) want(events ...string) {
	b.t.Helper()
	select {
	case got := <-b.events:
		if !slices.Contains(events, got) {
			b.t.Fatalf("the event is %q, want one of %q", got, events)
		}
	case <-time.After(eventTimeout):
		b.t.Fatalf("no event within %v, want one of %q\n%s", eventTimeout, events, b.systemctl("status", "--no-pager", service))
	}
}

// run runs a program inside the board.
func (b *board) run(args ...string) (string, error) {
	cmd := exec.CommandContext(b.t.Context(), "nsenter", append([]string{"--target=" + b.pid, "--mount", "--pid"}, args...)...)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (b *board) systemctl(args ...string) string {
	b.t.Helper()
	out, err := b.run(append([]string{"systemctl"}, args...)...)
	if err != nil {
		b.t.Fatalf("systemctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}
