package uplinktest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"platewatch/deploy/tools/addrtest"
)

// Broker is a real broker that a test can kill and start again on the
// same address.
type Broker interface {
	Addr() string
	Start(t testing.TB)
	Kill(t testing.TB) // without warning
}

// brokers are the two that the conformance suite runs against.
var brokers = map[string]func(t testing.TB) Broker{
	"mosquitto": func(t testing.TB) Broker { return NewMosquitto(t, "allow_anonymous true\n") },
	"mochi":     NewMochi,
}

// EachBroker runs a test against each broker, in parallel with others: they wait for
// disks and brokers more than they compute.
func EachBroker(t *testing.T, test func(t *testing.T, b Broker)) {
	t.Parallel()
	for name, start := range brokers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t))
		})
	}
}

// process is a broker in a process of its own, which says "running" once it serves.
type process struct {
	name    string
	address string
	command []string
	cmd     *exec.Cmd
	drained chan struct{}
}

const mosquittoBinary = "/usr/sbin/mosquitto"

// NewMosquitto starts Debian's Mosquitto with a listener and the given lines
// of configuration.
func NewMosquitto(t testing.TB, lines string) Broker {
	t.Helper()
	if _, err := os.Stat(mosquittoBinary); err != nil {
		t.Skipf("Mosquitto is not installed (apt install mosquitto): %v", err)
	}
	address, config := addrtest.Free(t), filepath.Join(t.TempDir(), "mosquitto.conf")
	_, port, _ := net.SplitHostPort(address)
	conf := fmt.Sprintf("listener %s 127.0.0.1\npersistence false\nlog_dest stderr\nlog_type error\nlog_type information\nlog_type notice\nlog_type warning\nset_tcp_nodelay true\n%s", port, lines)
	if os.Getuid() == 0 {
		conf = "user root\n" + conf
	}
	if err := os.WriteFile(config, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	return started(t, "mosquitto", address, mosquittoBinary, "-c", config)
}

// built is the folder of the programs that tests of this process built; Main removes it.
var built string

// mochi is the path of the broker's program, built once.
var mochi = sync.OnceValues(func() (path string, err error) {
	if built, err = os.MkdirTemp("", "platewatch-brokers-"); err != nil {
		return "", err
	}
	path = filepath.Join(built, "mochi")
	if out, err := exec.Command("go", "build", "-o", path, "platewatch/uplink/internal/uplinktest/cmd/mochi").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// NewMochi builds and starts mochi, a broker written in Go.
func NewMochi(t testing.TB) Broker {
	t.Helper()
	program, err := mochi()
	if err != nil {
		t.Fatal(err)
	}
	address := addrtest.Free(t)
	return started(t, "mochi", address, program, address)
}

// started starts a broker that the end of the test kills.
func started(t testing.TB, name, address string, command ...string) *process {
	t.Helper()
	b := &process{name: name, address: address, command: command}
	b.Start(t)
	t.Cleanup(func() { b.Kill(t) })
	return b
}

func (b *process) Addr() string { return b.address }

func (b *process) Start(t testing.TB) {
	t.Helper()
	b.cmd = exec.Command(b.command[0], b.command[1:]...)
	// The broker must not outlive a test that is killed.
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := b.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	running := make(chan bool, 1)
	b.drained = make(chan struct{})
	go func() {
		defer close(b.drained)
		var seen []string
		up := false
		for s := bufio.NewScanner(out); s.Scan(); {
			if len(seen) < 50 {
				seen = append(seen, s.Text())
			}
			if !up && strings.Contains(s.Text(), "running") {
				up = true
				running <- true
			}
		}
		if !up {
			t.Logf("%s: %s", b.name, strings.Join(seen, "\n"))
			running <- false
		}
	}()
	if !<-running {
		t.Fatalf("%s did not start", b.name)
	}
}

func (b *process) Kill(t testing.TB) {
	if b.cmd == nil {
		return
	}
	_ = b.cmd.Process.Kill()
	<-b.drained
	_ = b.cmd.Wait()
	b.cmd = nil
}
