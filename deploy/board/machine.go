package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// machine is an emulated board that runs. Its kernel and systemd write to one
// serial line, which is logged; the other is a shell's.
type machine struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	booted time.Time
	ended  chan struct{} // closed when qemu has ended

	mu      sync.Mutex
	out     bytes.Buffer  // of the shell, what nobody has taken yet
	more    chan struct{} // gets a value when there is more
	command int           // number of the last one
}

// machineSettings is what differs from boot to boot.
type machineSettings struct {
	kernel, initrd string
	root, load     string // disks: the root file system, and what the cases need
	log            string // of the first serial line, appended to
	console        string // socket of a second shell
	clock          string // of the board at its start, as qemu's -rtc base; "" for the right one
	options        string // further ones of the kernel
}

// masked are parts of systemd that no case needs and that take minutes under
// emulation.
var masked = []string{"systemd-sysusers.service", "systemd-hwdb-update.service", "systemd-pstore.service", "systemd-update-utmp.service",
	"systemd-update-utmp-runlevel.service", "e2scrub_reap.service", "dev-hugepages.mount", "dev-mqueue.mount", "sys-kernel-debug.mount",
	"sys-kernel-tracing.mount", "sys-kernel-config.mount", "sys-fs-fuse-connections.mount", "modprobe@configfs.service",
	"modprobe@dm_mod.service", "modprobe@drm.service", "modprobe@efi_pstore.service", "modprobe@fuse.service", "modprobe@loop.service",
	// The first would take the line of the cases' own shell.
	"serial-getty@hvc0.service", "serial-getty@hvc1.service", "serial-getty@ttyAMA0.service", "ldconfig.service", "systemd-journal-catalog-update.service", "systemd-update-done.service"}

// start boots a board and returns when its shell answers.
func start(ctx context.Context, s machineSettings) (*machine, error) {
	clock := s.clock
	if clock == "" {
		clock = "utc"
	}
	m := &machine{more: make(chan struct{}, 1), ended: make(chan struct{}), booted: time.Now()}
	m.cmd = exec.Command("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "1024",
		"-accel", "tcg,thread=multi,tb-size=512", "-nodefaults", "-display", "none", "-no-reboot",
		"-rtc", "base="+clock,
		"-kernel", s.kernel, "-initrd", s.initrd,
		"-append", "console=ttyAMA0 root=/dev/vda loglevel=4 systemd.mask="+strings.Join(masked, " systemd.mask=")+" "+s.options,
		// The last disk is the first that the kernel finds.
		"-drive", "file="+s.load+",format=raw,if=none,id=load,readonly=on", "-device", "virtio-blk-device,drive=load",
		"-drive", "file="+s.root+",format=raw,if=none,id=root,cache=writeback", "-device", "virtio-blk-device,drive=root",
		"-device", "virtio-rng-device",
		"-netdev", "user,id=net,restrict=off", "-device", "virtio-net-device,netdev=net",
		"-chardev", "file,id=kernel,path="+s.log+",append=on", "-serial", "chardev:kernel",
		"-chardev", "stdio,id=shell,signal=off", "-device", "virtio-serial-device", "-device", "virtconsole,chardev=shell",
		// A second shell, for a person to look around while a case runs.
		"-chardev", "socket,id=person,path="+s.console+",server=on,wait=off", "-device", "virtconsole,chardev=person")
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said bytes.Buffer
	m.cmd.Stderr = &said
	var err error
	if m.in, err = m.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := m.cmd.Start(); err != nil {
		return nil, err
	}
	go m.collect(out)
	if err := m.greet(ctx); err != nil {
		m.powerCut()
		return nil, fmt.Errorf("%w; qemu says %q, the board's log is %s", err, said.String(), s.log)
	}
	return m, nil
}

// collect takes what the shell writes until qemu ends.
func (m *machine) collect(out io.Reader) {
	defer close(m.ended)
	chunk := make([]byte, 64<<10)
	for {
		n, err := out.Read(chunk)
		m.mu.Lock()
		m.out.Write(chunk[:n])
		m.mu.Unlock()
		select {
		case m.more <- struct{}{}:
		default:
		}
		if err != nil {
			_ = m.cmd.Wait() // it was killed, or the board switched itself off
			return
		}
	}
}

// greet repeats a word until the shell echoes it: what comes before the board has
// opened its serial line is lost.
func (m *machine) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	for n := 1; ; n++ {
		if _, err := fmt.Fprintf(m.in, "echo up-%d-\n", n); err != nil {
			return errors.New("qemu has ended")
		}
		short, stop := context.WithTimeout(ctx, 3*time.Second)
		_, err := m.until(short, regexp.MustCompile(`up-\d+-\n`))
		stop()
		if err == nil {
			_, _, err = m.sh(ctx, "true") // past the other echoes
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("no shell within %v", bootTimeout)
		}
		if errors.Is(err, errEnded) {
			return err
		}
	}
}

var errEnded = errors.New("the board has switched itself off")

// until waits for a pattern in what the shell writes and takes all up to its end.
func (m *machine) until(ctx context.Context, pattern *regexp.Regexp) (string, error) {
	for {
		m.mu.Lock()
		at := pattern.FindIndex(m.out.Bytes())
		if at != nil {
			text := string(m.out.Next(at[1]))
			m.mu.Unlock()
			return text, nil
		}
		m.mu.Unlock()
		select {
		case <-m.more:
		case <-m.ended:
			return "", errEnded
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// earlier is the rest of a command that nobody waited for any longer.
var earlier = regexp.MustCompile(`(?s)^.*\nend-\d+-\d+-\r?\n`)

// sh runs a command in the board's shell and gives what it prints and its exit
// code.
func (m *machine) sh(ctx context.Context, command string) (string, int, error) {
	m.command++
	n := m.command
	// The quotes keep the end from being found in an echo of the line.
	if _, err := fmt.Fprintf(m.in, "( %s\n) 2>&1 </dev/null; code=$?; echo \"\"; echo \"end-\"%d-$code-\n", command, n); err != nil {
		return "", 0, errEnded
	}
	text, err := m.until(ctx, regexp.MustCompile(fmt.Sprintf(`\nend-%d-\d+-\r?\n`, n)))
	if err != nil {
		return "", 0, fmt.Errorf("%s: %w", firstLine(command), err)
	}
	text, end, _ := cutLast(text, fmt.Sprintf("\nend-%d-", n))
	text = earlier.ReplaceAllString(text, "")
	code, err := strconv.Atoi(strings.TrimRight(end, "-\r\n"))
	return strings.TrimSpace(strings.ReplaceAll(text, "\r", "")), code, err
}

// powerCut ends the board at once. What it had not written to its disk is lost.
func (m *machine) powerCut() {
	_ = m.cmd.Process.Kill()
	<-m.ended
}

// off switches the board off as it should be.
func (m *machine) off(ctx context.Context) error {
	if _, err := fmt.Fprintf(m.in, "systemctl poweroff\n"); err != nil {
		return err
	}
	select {
	case <-m.ended:
		return nil
	case <-ctx.Done():
		m.powerCut()
		return errors.New("the board did not switch itself off")
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func firstLine(s string) string {
	line, _, more := strings.Cut(strings.TrimSpace(s), "\n")
	if more {
		line += " …"
	}
	return line
}
