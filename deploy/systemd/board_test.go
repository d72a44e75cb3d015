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

// board is a systemd in namespaces of its own, which shares the programs and
// libraries of this machine and none of its state.
type board struct {
	t      *testing.T
	dir    string // /run/test inside
	pid    string // of its systemd, as seen from here
	events chan string
}

// inside is run as the first process of the namespaces. It hides everything that
// systemd could change on this machine, and becomes systemd. Services see the mounts
// with their credentials only where mounts are shared, as on a real system.
const inside = `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/test /run/systemd/system
mount --bind "$1" /run/test
for d in /tmp /var/tmp /var/log; do mount -t tmpfs tmpfs $d; done
mkdir /run/test/lib
mount --bind /run/test/lib /var/lib
mkdir /run/etc
cp -a /etc/. /run/etc
rm -rf /run/etc/platewatch /run/etc/systemd/system/platewatch.service.d
mount --bind /run/etc /etc
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
mount -t sysfs -o ro sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --make-rshared /
exec env -i PATH="$PATH" container=test SYSTEMD_UNIT_PATH=/run/test/units:/etc/systemd/system:/run/systemd/system \
	"$2" --system --unit=test.target --log-target=null --show-status=0
`

// boot starts the board with the service and a configuration. Where this machine does not allow it, the test is
// skipped with the reason.
func boot(t *testing.T) *board {
	t.Helper()
	return start(t, "/run/test/platewatch.toml")
}

// start starts the board with a service whose configuration lies in a file there.
func start(t *testing.T, configuration string) *board {
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
	b.install(configuration)
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
		if event != "booted" {
			t.Fatalf("the first event is %q", event)
		}
	case <-ended:
		t.Skipf("systemd does not start in a namespace here: %s", out.String())
	case <-time.After(eventTimeout):
		t.Skipf("systemd did not come up in a namespace within %v: %s", eventTimeout, out.String())
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
func (b *board) install(configuration string) {
	b.t.Helper()
	if out, err := exec.CommandContext(b.t.Context(), "go", "build", "-o", b.dir+"/", "platewatch/cmd/platewatch", "platewatch/cmd/platewatch-decode").CombinedOutput(); err != nil {
		b.t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(service)
	if err != nil {
		b.t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("/usr/bin/platewatch "), []byte("/run/test/platewatch "))
	text = bytes.ReplaceAll(text, []byte("/etc/platewatch/platewatch.toml\n"), []byte(configuration+"\n"))
	empty := slices.Clip([]byte("[Unit]\nDefaultDependencies=no\n"))
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
		"units/" + service + ".d/test.conf": []byte(`[Unit]
After=booted.service
[Service]
WatchdogSec=5
TimeoutStopSec=1
RestartSec=0
StandardError=append:/run/test/log
ExecStartPost=+/bin/sh -c 'echo started > /run/test/events'
ExecStopPost=+/bin/sh -c 'echo stopped $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS > /run/test/events'
`),
		"units/booted.service": append(empty, "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo booted > /run/test/events'\n"...),
		"units/test.target":    append(empty, "Wants=booted.service "+service+"\n"...),
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

// log returns what the daemon has logged.
func (b *board) log() string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, "log"))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

// waitLog waits for a line in the daemon's log.
func (b *board) waitLog(text string) {
	b.t.Helper()
	for deadline := time.Now().Add(eventTimeout); !strings.Contains(b.log(), text); time.Sleep(50 * time.Millisecond) { // another process writes it
		if time.Now().After(deadline) {
			b.t.Fatalf("the log does not say %q:\n%s", text, b.log())
		}
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
