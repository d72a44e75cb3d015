package capture

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/rtsptest"
)

// namespaceEnv says to the test binary that it runs in a network of its own.
const namespaceEnv = "PLATEWATCH_TEST_NAMESPACE"

// TestFieldLinkLocal: a camera at a link-local address, at the other end of a cable, in
// every spelling of the address and its zone. Both ends are network namespaces.
func TestFieldLinkLocal(t *testing.T) {
	if os.Getenv(namespaceEnv) == "" {
		if _, err := exec.LookPath("ip"); err != nil || os.Geteuid() != 0 {
			t.Skip("needs root and `ip`: it makes network namespaces")
		}
		c := exec.Command(os.Args[0], "-test.run=^TestFieldLinkLocal$", "-test.v")
		c.Env = append(os.Environ(), namespaceEnv+"=1")
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v:\n%s", err, out)
		}
		if strings.Contains(string(out), "--- SKIP") {
			t.Skip(string(out))
		}
		t.Attr("outcome", "25 frames over each of 4 spellings of the address")
		return
	}
	clip := capturetest.AnnexB(t, 160, 120, 25, 25)
	ip := func(args string) {
		t.Helper()
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Skipf("ip %s: %v: %s", args, err, out)
		}
	}
	server := make(chan *rtsptest.Server)
	thread := make(chan int)
	cable := make(chan struct{})
	go func() {
		defer close(server)
		// The thread stays in the camera's network, and ends with the goroutine. A socket
		// belongs to the network that it was made in.
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Error(err)
			close(thread)
			return
		}
		thread <- unix.Gettid()
		<-cable
		for _, args := range [][]string{{"link", "set", "eth9", "up"}, {"-6", "addr", "add", "fe80::9/64", "dev", "eth9", "nodad"}} {
			if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
				t.Errorf("ip %v: %v: %s", args, err, out)
				return
			}
		}
		s := rtsptest.New("[fe80::9%eth9]:8554")
		err := s.Add("gate", rtsptest.Options{Loop: true}, clip)
		if err == nil {
			err = s.Start()
		}
		if err != nil {
			t.Error(err)
			return
		}
		server <- s
	}()
	id, ok := <-thread
	if !ok {
		t.FailNow()
	}
	ip("link set lo up")
	ip("link add pw0 type veth peer name eth9")
	ip(fmt.Sprint("link set eth9 netns ", id))
	ip("link set pw0 up")
	ip("-6 addr add fe80::1/64 dev pw0 nodad")
	close(cable)
	s, ok := <-server
	if !ok {
		t.FailNow()
	}
	t.Cleanup(func() { s.Close() })
	for _, host := range []string{"[fe80::9%pw0]:8554", "[fe80::9%25pw0]:8554", "fe80::9%pw0:8554", "fe80::9%25pw0:8554"} {
		t.Run(host, func(t *testing.T) {
			r := start(t, Config{Name: "gate", Source: "rtsp://" + host + "/gate"})
			r.frames(t, 25)
		})
	}
}
