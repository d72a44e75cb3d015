package uplinktest

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	mochipackets "github.com/mochi-mqtt/server/v2/packets"

	"platewatch/deploy/tools/addrtest"
)

// Broker is a real broker that a test can kill and start again on the
// same address.
type Broker interface {
	Addr() string
	Start(t testing.TB)
	Kill(t testing.TB) // without warning, where the broker can do that
}

// brokers are the two that the conformance suite runs against.
var brokers = map[string]func(t *testing.T) Broker{
	"mosquitto": func(t *testing.T) Broker { return NewMosquitto(t, "allow_anonymous true\n") },
	"mochi":     func(t *testing.T) Broker { return NewMochi(t) },
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

type mosquitto struct {
	address string
	config  string
	cmd     *exec.Cmd
	drained chan struct{}
}

const mosquittoBinary = "/usr/sbin/mosquitto"

// NewMosquitto starts Debian's Mosquitto with a listener and the given lines
// of configuration.
func NewMosquitto(t testing.TB, lines string) *mosquitto {
	t.Helper()
	if _, err := os.Stat(mosquittoBinary); err != nil {
		t.Skipf("Mosquitto is not installed (apt install mosquitto): %v", err)
	}
	m := &mosquitto{address: addrtest.Free(t), config: filepath.Join(t.TempDir(), "mosquitto.conf")}
	_, port, _ := net.SplitHostPort(m.address)
	conf := fmt.Sprintf("listener %s 127.0.0.1\npersistence false\nlog_dest stderr\nlog_type error\nlog_type information\nlog_type notice\nlog_type warning\nset_tcp_nodelay true\n%s", port, lines)
	if os.Getuid() == 0 {
		conf = "user root\n" + conf
	}
	if err := os.WriteFile(m.config, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	m.Start(t)
	t.Cleanup(func() { m.Kill(t) })
	return m
}

func (m *mosquitto) Addr() string { return m.address }

func (m *mosquitto) Start(t testing.TB) {
	t.Helper()
	m.cmd = exec.Command(mosquittoBinary, "-c", m.config)
	// The broker must not outlive a test that is killed.
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := m.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	running := make(chan bool, 1)
	m.drained = make(chan struct{})
	go func() {
		defer close(m.drained)
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
			t.Logf("mosquitto: %s", strings.Join(seen, "\n"))
			running <- false
		}
	}()
	if !<-running {
		t.Fatal("mosquitto did not start")
	}
}

func (m *mosquitto) Kill(t testing.TB) {
	if m.cmd == nil {
		return
	}
	_ = m.cmd.Process.Kill()
	<-m.drained
	_ = m.cmd.Wait()
	m.cmd = nil
}

// allowAll admits every client: mochi admits none by default.
type allowAll struct{ mochi.HookBase }

func (*allowAll) ID() string { return "allow-all" }
func (*allowAll) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}
func (*allowAll) OnConnectAuthenticate(*mochi.Client, mochipackets.Packet) bool { return true }
func (*allowAll) OnACLCheck(*mochi.Client, string, bool) bool                   { return true }

type mochiBroker struct {
	address string
	server  *mochi.Server
}

// NewMochi starts mochi, which runs in this process.
func NewMochi(t *testing.T) *mochiBroker {
	m := &mochiBroker{address: addrtest.Free(t)}
	m.Start(t)
	t.Cleanup(func() { m.Kill(t) })
	return m
}

func (m *mochiBroker) Addr() string { return m.address }

func (m *mochiBroker) Start(t testing.TB) {
	t.Helper()
	m.server = mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := m.server.AddHook(new(allowAll), nil); err != nil {
		t.Fatal(err)
	}
	if err := m.server.AddListener(listeners.NewNet("t", addrtest.Listen(t, m.address))); err != nil {
		t.Fatal(err)
	}
	if err := m.server.Serve(); err != nil {
		t.Fatal(err)
	}
}

func (m *mochiBroker) Kill(t testing.TB) {
	if m.server != nil {
		_ = m.server.Close()
		m.server = nil
	}
}
