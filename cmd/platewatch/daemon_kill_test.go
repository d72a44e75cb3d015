package main

import (
	"bufio"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"platewatch/uplink"
	"platewatch/uplink/faults"
)

var hitLine = regexp.MustCompile(`msg=hit .*\bid=(\S+)`)

// TestDaemonKillNine kills the whole daemon at random moments while it reads
// plates, makes hits and delivers them. The hits that its log tells of all
// arrive, in order, and no id is told of twice.
func TestDaemonKillNine(t *testing.T) {
	mosquitto, err := exec.LookPath("mosquitto")
	if err != nil {
		t.Skip("mosquitto is not installed: apt-get install mosquitto")
	}
	// The uplink's TestKillNine has 2,000 cycles without cameras, at a tenth of
	// a second each; here each takes seconds until a plate goes by.
	cycles := faults.Scale(3, 200)
	config, _, broker := roadsideUnit(t)
	startMosquitto(t, mosquitto, broker)
	s := newArrivals(t, broker)

	told := map[string]bool{}
	for cycle := range cycles {
		cmd := exec.Command("platewatch", "run", "-config", config)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Every third dies right after the start, the others within milliseconds
		// of a hit, while it is being delivered.
		left := min(cycle%3, 1)
		kill := func() {
			time.AfterFunc(rand.N(30*time.Millisecond), func() { _ = cmd.Process.Kill() })
		}
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			m := hitLine.FindStringSubmatch(lines.Text())
			switch {
			case m != nil:
				if told[m[1]] {
					t.Errorf("cycle %d: id %s is told of twice", cycle, m[1])
				}
				told[m[1]] = true
				if left--; left == 0 {
					kill()
				}
			case left == 0 && strings.Contains(lines.Text(), "msg=running"):
				kill()
			}
		}
		_ = cmd.Wait()
	}
	// What is left is delivered by a last run, which is stopped as it should be.
	d := startDaemon(t, config)
	d.waitFor("connected to the broker")
	s.waitFor(told)
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("the exit code is %d\n%s", code, d.log())
	}
	lost := s.missing(told)
	if len(lost) > 0 {
		t.Errorf("%d hits are lost: %v", len(lost), lost)
	}
	if len(told) < cycles/3 {
		t.Errorf("only %d hits in %d cycles", len(told), cycles)
	}
	if !slices.IsSorted(s.numbers()) {
		t.Error("hits arrived out of order")
	}
	faults.Row(t, "kill -9 of the whole daemon", "%d cycles, %d hits told of, %d lost, no id twice, in order", cycles, len(told), len(lost))
}

// arrivalBook is what the central server got.
type arrivalBook struct {
	t    *testing.T
	got  <-chan string
	ids  map[string]bool
	list []uint64
}

func newArrivals(t *testing.T, broker string) *arrivalBook {
	return &arrivalBook{t: t, got: subscribe(t, broker), ids: map[string]bool{}}
}

// take notes an id at its first arrival.
func (a *arrivalBook) take(id string) {
	if a.ids[id] {
		return
	}
	a.ids[id] = true
	_, n, err := uplink.ParseID(id)
	if err != nil {
		a.t.Fatal(err)
	}
	a.list = append(a.list, n)
}

// waitFor takes arrivals until all of these were there, or none came for long.
func (a *arrivalBook) waitFor(ids map[string]bool) {
	for len(a.missing(ids)) > 0 {
		select {
		case id, ok := <-a.got:
			if !ok {
				return
			}
			a.take(id)
		case <-time.After(30 * time.Second):
			return
		}
	}
}

func (a *arrivalBook) missing(ids map[string]bool) (lost []string) {
	for id := range ids {
		if !a.ids[id] {
			lost = append(lost, id)
		}
	}
	return lost
}

func (a *arrivalBook) numbers() []uint64 { return a.list }
