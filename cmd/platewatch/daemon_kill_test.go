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
	"syscall"
	"testing"
	"time"

	"platewatch/hotlist"
	"platewatch/uplink"
	"platewatch/uplink/faults"
)

var hitLine = regexp.MustCompile(`msg=hit .*\bid=(\S+)`)

// TestDaemonKillNine kills the whole daemon at random moments while it reads
// plates, makes hits and delivers them. The hits that its log tells of all
// arrive, in order, and no id is told of twice. Every picture of its folder is
// a vehicle of its own, so that hits come as fast as it reads.
func TestDaemonKillNine(t *testing.T) {
	mosquitto, err := exec.LookPath("mosquitto")
	if err != nil {
		t.Skip("mosquitto is not installed: apt-get install mosquitto")
	}
	cycles := faults.Scale(5, 2000)
	config, dir, broker := roadsideUnit(t)
	plates, err := filepath.Abs(filepath.Join("..", "..", "ocr", "render", "testdata", "plates"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, config, fmt.Appendf(nil, `
state_dir = %q
[unit]
name = "roadside-7"
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
`, filepath.Join(dir, "state"), plates+"/", broker))
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
		// Every fourth dies right after the start, the others within milliseconds
		// of a hit, while it is being delivered.
		left := cycle % 4
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
