package uplink

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"platewatch/uplink/broker"
	"platewatch/uplink/faulttest"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
	"platewatch/uplink/watch"
)

// crashEnv makes the test binary the child that makes hits and delivers them.
const crashEnv = "PLATEWATCH_TEST_CRASH_DIR"

// crashChild accepts hits, reports each, updates some, and meanwhile delivers them to
// the broker. It never ends by itself.
func crashChild(dir string) {
	fail := func(err error) {
		if err != nil {
			fmt.Println("fail", err)
			os.Exit(1)
		}
	}
	o, err := outbox.Open(filepath.Join(dir, "outbox.db"), "unit-7", outbox.Settings{HistoricalAfter: neverLate}, uplinktest.Discard)
	fail(err)
	c, err := NewClient(Settings{Brokers: []broker.Broker{{URL: "tcp://" + os.Getenv(crashEnv+"_BROKER")}}, MaxBackoff: 5 * time.Millisecond}, o, uplinktest.Discard)
	fail(err)
	go func() { fail(c.Run(context.Background())) }()
	prefix := os.Getenv(crashEnv + "_CYCLE")
	for i := 0; ; i++ {
		text := fmt.Sprintf("C%sN%d", prefix, i)
		id, err := o.Accept(uplinktest.Hit(text))
		fail(err)
		fmt.Println("accepted", id, text)
		if i%5 == 4 {
			fail(o.Update(id, uplinktest.Hit(text)))
			fmt.Println("updated", id, text)
		}
	}
}

// arrivals is what a subscriber got.
type arrivals struct {
	mu    sync.Mutex
	text  map[string]string
	order []uint64 // numbers, as their first revision arrived
	bad   []string
}

func (a *arrivals) hit(h *message.Hit) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if text, ok := a.text[h.ID]; ok {
		if text != h.Text {
			a.bad = append(a.bad, fmt.Sprintf("%s was %s and is %s", h.ID, text, h.Text))
		}
		return nil
	}
	a.text[h.ID] = h.Text
	if n := len(a.order); n > 0 && h.Number <= a.order[n-1] {
		a.bad = append(a.bad, fmt.Sprintf("%s came after number %d", h.ID, a.order[n-1]))
	}
	a.order = append(a.order, h.Number)
	return nil
}

// TestKillNine kills a unit at random moments while it makes hits and delivers
// them. Every hit that was accepted arrives, under its own id, in order.
func TestKillNine(t *testing.T) {
	t.Parallel()
	b := uplinktest.NewMosquitto(t, "allow_anonymous true\nmax_queued_messages 0\n")
	dir := t.TempDir()
	got := arrivals{text: map[string]string{}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	up := make(chan struct{}, 1)
	watched := make(chan error, 1)
	go func() {
		watched <- watch.Run(ctx, watch.Settings{Brokers: []broker.Broker{{URL: "tcp://" + b.Addr()}}, Remember: 1 << 20}, watch.Handler{
			Link: func(err error) error { up <- struct{}{}; return err },
			Hit:  func(h *message.Hit, _ []byte) error { return got.hit(h) },
		}, uplinktest.Log(t))
	}()
	<-up

	cycles := faulttest.Rounds(50, 2000)
	accepted := map[string]string{} // id to text, over all cycles
	for cycle := range cycles {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), crashEnv+"="+dir, crashEnv+"_BROKER="+b.Addr(), fmt.Sprintf("%s_CYCLE=%d", crashEnv, cycle))
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// The kill comes after a random number of lines, while the child goes
		// on with the next write.
		killAfter := 1 + rand.IntN(12)
		s := bufio.NewScanner(out)
		for lines := 0; s.Scan(); lines++ {
			f := strings.Fields(s.Text())
			switch f[0] {
			case "accepted":
				if other, twice := accepted[f[1]]; twice {
					t.Fatalf("id %s was given to %s and again to %s", f[1], other, f[2])
				}
				accepted[f[1]] = f[2]
			case "updated":
			default:
				t.Fatalf("child: %s", s.Text())
			}
			if lines == killAfter {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	}
	o := openTestOutbox(t, filepath.Join(dir, "outbox.db"), outbox.Settings{})
	if d := o.Damage(); d != nil {
		t.Fatalf("kill -9 damaged the file: %+v", d)
	}
	c, stop := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: "tcp://" + b.Addr()}}})
	waitEmpty(t, c, o)
	stop()
	// The last acknowledgement says that the broker has the hit, not that the
	// subscriber does.
	limit := uplinktest.Timeout(t)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	missing := func() (n int) {
		got.mu.Lock()
		defer got.mu.Unlock()
		for id := range accepted {
			if _, ok := got.text[id]; !ok {
				n++
			}
		}
		return n
	}
	for missing() > 0 {
		select {
		case <-tick.C:
			continue
		case <-limit:
		}
		break
	}
	cancel()
	if err := <-watched; err != nil {
		t.Error(err)
	}
	lost, wrong := missing(), len(got.bad)
	for id, text := range accepted {
		if arrived, ok := got.text[id]; ok && arrived != text {
			wrong++
			t.Errorf("%s arrived as %s and was accepted as %s", id, arrived, text)
		}
	}
	if lost > 0 {
		t.Errorf("%d accepted hits are lost", lost)
	}
	for _, bad := range got.bad {
		t.Error(bad)
	}
	if len(accepted) < cycles {
		t.Fatalf("only %d hits were accepted in %d cycles", len(accepted), cycles)
	}
	faulttest.Row(t, "kill -9", "%d cycles, %d hits accepted, %d lost, %d ids used twice or out of order", cycles, len(accepted), lost, wrong)
}
