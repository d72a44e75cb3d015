package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"platewatch/deploy/tools/addrtest"
	"platewatch/hotlist"
	"platewatch/uplink/faulttest"
	"platewatch/uplink/message"
)

var hitLine = regexp.MustCompile(`msg=hit .*\bid=(\S+)`)

// TestDaemonKillNine kills whole daemons at random moments while they read plates,
// make hits and deliver them. All hits in their logs arrive, in order, and no id is
// logged twice. Every picture of a daemon's folder is a vehicle of its own, so that
// hits come as fast as it reads.
func TestDaemonKillNine(t *testing.T) {
	mosquitto, err := exec.LookPath("mosquitto")
	if err != nil {
		t.Skip("mosquitto is not installed: apt-get install mosquitto")
	}
	broker := addrtest.Free(t)
	startMosquitto(t, mosquitto, broker)
	arrived := subscribe(t, broker, func(*message.Hit) {})

	// A daemon that starts up waits for its disk now and then; a second one
	// with a state of its own uses the time.
	units := make([]*killedUnit, 2)
	cycles := faulttest.Scale(50, 2000) / len(units)
	var running sync.WaitGroup
	for i := range units {
		u := newKilledUnit(t, fmt.Sprintf("roadside-%d", i+1), broker)
		units[i] = u
		running.Go(func() {
			for cycle := range cycles {
				u.live(cycle)
			}
		})
	}
	running.Wait()
	told := map[string]bool{}
	for _, u := range units {
		for id := range u.told {
			told[id] = true
		}
		if len(u.told) < cycles/3 {
			t.Errorf("only %d hits in %d cycles", len(u.told), cycles)
		}
	}
	// A last run, which is stopped with a signal, delivers the rest.
	var last []*daemon
	for _, u := range units {
		d := startDaemon(t, u.config)
		d.waitFor("connected to the broker")
		last = append(last, d)
	}
	s := arrivalBook{t: t, got: arrived, ids: map[string]bool{}, numbers: map[string][]uint64{}}
	s.waitFor(told)
	for _, d := range last {
		if code := d.stop(syscall.SIGTERM); code != 0 {
			t.Errorf("the exit code is %d\n%s", code, d.log())
		}
	}
	lost := s.missing(told)
	if len(lost) > 0 {
		t.Errorf("%d hits are lost: %v", len(lost), lost)
	}
	for unit, numbers := range s.numbers {
		if !slices.IsSorted(numbers) {
			t.Errorf("hits of %s arrived out of order", unit)
		}
	}
	faulttest.Row(t, "kill -9 of the whole daemon", "%d cycles, %d hits logged, %d lost, no id twice, in order",
		cycles*len(units), len(told), len(lost))
}

// killedUnit is a unit that is killed and started again and again.
type killedUnit struct {
	t      *testing.T
	config string
	told   map[string]bool // the hits in its log
}

func newKilledUnit(t *testing.T, name, broker string) *killedUnit {
	t.Helper()
	dir := t.TempDir()
	plates, err := filepath.Abs(filepath.Join("..", "..", "ocr", "render", "testdata", "plates"))
	if err != nil {
		t.Fatal(err)
	}
	u := &killedUnit{t: t, config: filepath.Join(dir, "unit.toml"), told: map[string]bool{}}
	write(t, u.config, fmt.Appendf(nil, `
state_dir = %q
[unit]
name = %q
[[camera]]
name = "front"
source = %q
loop = true
pace = "fast"
[passage]
agree = 1
gap = "100ms"
[uplink]
brokers = ["mqtt://%s"]
[status]
listen = "off"
`, filepath.Join(dir, "state"), name, plates+"/", broker))
	list := "plate\n"
	truth, err := os.ReadFile(filepath.Join(plates, "truth.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(truth)) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 6 && f[5] != "plate" {
			list += f[5] + "\n"
		}
	}
	if _, err := hotlist.Import(t.Context(), filepath.Join(dir, "state", "hotlist"), strings.NewReader(list), hotlist.ImportOptions{List: "demo"}); err != nil {
		t.Fatal(err)
	}
	return u
}

// live runs the daemon until it is killed: every fourth time right after the
// start, else within milliseconds of a hit, while it is being delivered.
func (u *killedUnit) live(cycle int) {
	cmd := exec.Command("platewatch", "run", "-config", u.config)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		u.t.Error(err)
		return
	}
	left := cycle % 4
	kill := func() {
		time.AfterFunc(rand.N(30*time.Millisecond), func() { _ = cmd.Process.Kill() })
	}
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		m := hitLine.FindStringSubmatch(lines.Text())
		switch {
		case m != nil:
			if u.told[m[1]] {
				u.t.Errorf("cycle %d: id %s is logged twice", cycle, m[1])
			}
			u.told[m[1]] = true
			if left--; left == 0 {
				kill()
			}
		case left == 0 && strings.Contains(lines.Text(), "msg=running"):
			kill()
		}
	}
	_ = cmd.Wait()
}

// arrivalBook is what the central server got.
type arrivalBook struct {
	t       *testing.T
	got     <-chan string
	ids     map[string]bool
	numbers map[string][]uint64 // by unit
}

// take notes an id at its first arrival.
func (a *arrivalBook) take(id string) {
	if a.ids[id] {
		return
	}
	a.ids[id] = true
	unit, n, err := message.ParseID(id)
	if err != nil {
		a.t.Fatal(err)
	}
	a.numbers[unit] = append(a.numbers[unit], n)
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
