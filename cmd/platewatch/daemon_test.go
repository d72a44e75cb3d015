package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"platewatch/cmd/platewatch/internal/demo/media"
	"platewatch/deploy/tools/addrtest"
	"platewatch/hotlist"
	"platewatch/hotlist/audit"
	"platewatch/uplink/broker"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
	"platewatch/uplink/watch"
)

// TestDaemonLosesNoHit runs the daemon as systemd would, and takes its broker
// and its power away: hits made without a broker are delivered after the
// restart, under their own ids, and later ones get later ids.
func TestDaemonLosesNoHit(t *testing.T) {
	mosquitto, err := exec.LookPath("mosquitto")
	if err != nil {
		t.Skip("mosquitto is not installed: apt-get install mosquitto")
	}
	config, dir, broker := roadsideUnit(t)

	// No broker: the unit says so and keeps its hits. SIGTERM stops it soon.
	d := startDaemon(t, config)
	d.waitFor("hits are kept on disk")
	d.waitFor("msg=hit")
	d.waitFor("msg=hit")
	stopping := time.Now()
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("after SIGTERM the exit code is %d\n%s", code, d.log())
	}
	if took := time.Since(stopping); took > 5*time.Second {
		t.Errorf("stopping took %v, at most 5 s is promised", took)
	}
	// No plate is ever logged, neither of hits nor of others.
	if leaked := plateText.FindString(d.log()); leaked != "" {
		t.Errorf("the log holds the plate %s\n%s", leaked, d.log())
	}
	auditHolds(t, filepath.Join(dir, "state", "hotlist"))
	kept := pendingIDs(t, filepath.Join(dir, "state", "outbox.db"))
	if len(kept) < 2 {
		t.Fatalf("the outbox holds %v after two hits", kept)
	}

	// The broker is back. The server sees every hit, once, before later ones.
	startMosquitto(t, mosquitto, broker)
	way := map[string]string{} // where the vehicle of a hit went
	t.Cleanup(func() {         // after the subscriber's end
		for id, w := range way {
			if w != "towards" && w != "away" && w != "" { // the power may go before its vehicle is gone
				t.Errorf("the vehicle of %s went %s", id, w)
			}
		}
	})
	arrived := subscribe(t, broker, func(h *message.Hit) { way[h.ID] = h.Direction })
	d = startDaemon(t, config)
	var got []string
	for len(got) < len(kept)+1 {
		got = append(got, <-arrived)
	}
	d.stop(syscall.SIGKILL)
	if !slices.Equal(got[:len(kept)], kept) {
		t.Errorf("arrived %v, kept were %v", got, kept)
	}

	// After the power cut ids go on growing.
	d = startDaemon(t, config)
	next := <-arrived
	for ; slices.Contains(got, next); next = <-arrived { // sent again: its acknowledgement was lost
	}
	_, last, err := message.ParseID(got[len(got)-1])
	if err != nil {
		t.Fatal(err)
	}
	if _, n, err := message.ParseID(next); err != nil || n <= last {
		t.Errorf("after a power cut the next id is %s, the last one was %s", next, got[len(got)-1])
	}
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("the exit code is %d\n%s", code, d.log())
	}
}

// auditHolds checks that the daemon recorded its hits and counted what it read.
func auditHolds(t *testing.T, lists string) {
	t.Helper()
	trail, err := audit.Open(lists, "")
	if err != nil {
		t.Fatal(err)
	}
	hits := 0
	err = trail.Records(audit.Filter{Kinds: []audit.Kind{audit.Hit}}, func(r audit.Record) error {
		if hits++; r.Hit == "" || r.List != "demo" || r.Category == "" {
			t.Errorf("recorded %+v", r)
		}
		return nil
	})
	if err != nil || hits < 2 {
		t.Errorf("the audit trail has %d hits, %v", hits, err)
	}
	days, err := trail.Days("", "")
	if err != nil || len(days) == 0 || days[len(days)-1].Reads < 2 || len(days[len(days)-1].Hits["demo"]) == 0 {
		t.Errorf("counted %+v, %v", days, err)
	}
	if _, err := trail.Verify(); err != nil {
		t.Error(err)
	}
}

// roadsideUnit is the configuration of a unit that watches the demo's clip for
// ever, with its hotlist. Nobody listens at the broker's address yet.
func roadsideUnit(t *testing.T) (config, dir, broker string) {
	t.Helper()
	dir, broker = t.TempDir(), addrtest.Free(t)
	config = filepath.Join(dir, "unit.toml")
	write(t, filepath.Join(dir, "road.h264"), media.Road)
	write(t, config, fmt.Appendf(nil, `
state_dir = %q
[unit]
name = "roadside-7"
[[camera]]
name = "front"
source = %q
loop = true
[uplink]
brokers = ["mqtt://%s"]
[status]
listen = "off"
`, filepath.Join(dir, "state"), filepath.Join(dir, "road.h264"), broker))
	if _, err := hotlist.Import(t.Context(), filepath.Join(dir, "state", "hotlist"), strings.NewReader(string(media.Hotlist)),
		hotlist.ImportOptions{List: "demo"}); err != nil {
		t.Fatal(err)
	}
	return config, dir, broker
}

// daemon is a running platewatch process.
type daemon struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string
	seen  []string
}

func startDaemon(t *testing.T, config string) *daemon {
	t.Helper()
	return startDaemonWith(t, exec.Command("platewatch", "run", "-config", config))
}

// startDaemonWith starts the daemon by a command of its own.
func startDaemonWith(t *testing.T, cmd *exec.Cmd) *daemon {
	t.Helper()
	d := &daemon{t: t, cmd: cmd, lines: make(chan string, 1000)}
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.cmd.Process.Kill() })
	go func() { // ends with the process's standard error
		defer close(d.lines)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			d.lines <- s.Text()
		}
	}()
	return d
}

// waitFor waits for a line of the log.
func (d *daemon) waitFor(text string) {
	d.t.Helper()
	deadline := time.After(time.Minute)
	for {
		select {
		case line, ok := <-d.lines:
			if !ok {
				d.t.Fatalf("the daemon ended before it said %q\n%s", text, d.log())
			}
			d.seen = append(d.seen, line)
			if strings.Contains(line, text) {
				return
			}
		case <-deadline:
			d.t.Fatalf("the daemon did not say %q\n%s", text, d.log())
		}
	}
}

// stop sends a signal, waits for the end and returns the exit code.
func (d *daemon) stop(s syscall.Signal) int {
	d.cmd.Process.Signal(s)
	for line := range d.lines {
		d.seen = append(d.seen, line)
	}
	d.cmd.Wait()
	return d.cmd.ProcessState.ExitCode()
}

// log is what the daemon has said so far.
func (d *daemon) log() string {
	for {
		select {
		case line, ok := <-d.lines:
			if ok {
				d.seen = append(d.seen, line)
				continue
			}
		default:
		}
		return strings.Join(d.seen, "\n")
	}
}

// plateText is what no log line may hold: the clip's plates.
var plateText = regexp.MustCompile(`TX[O0]?83R|KR64VHT|7KRM294|KPD4826|HKR5724|KMX4827|FB627GT|5937HKT`)

func pendingIDs(t *testing.T, path string) []string {
	t.Helper()
	in, err := outbox.Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, p := range in.Pending {
		ids = append(ids, p.ID)
	}
	return ids
}

// subscribe is the central server: it returns the ids as they arrive, and calls each
// with every message.
func subscribe(t *testing.T, address string, each func(*message.Hit)) <-chan string {
	t.Helper()
	arrived := make(chan string, 100_000)
	ready := make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour)
	done := make(chan error, 1)
	first := map[string]int{} // the revision that a hit arrived with: later ones are no new hits
	go func() {
		defer close(arrived)
		done <- watch.Run(ctx, watch.Settings{Brokers: []broker.Broker{{URL: "mqtt://" + address}}}, watch.Handler{
			Link: func(err error) error {
				if err == nil {
					close(ready)
				}
				return nil
			},
			Hit: func(h *message.Hit, _ []byte) error {
				each(h)
				if _, ok := first[h.ID]; !ok {
					first[h.ID] = h.Revision
				}
				if h.Revision == first[h.ID] && !h.PicturesFollow { // twice is an error, for the test to find
					arrived <- h.ID
				}
				return nil
			},
			Invalid: func(topic string, err error) error { return fmt.Errorf("%s: %w", topic, err) },
		}, slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the subscriber: %v", err)
		}
	})
	<-ready
	return arrived
}

func startMosquitto(t *testing.T, mosquitto, address string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	write(t, conf, fmt.Appendf(nil, "listener %s %s\nallow_anonymous true\n", port, host))
	runMosquitto(t, mosquitto, conf, address)
}

// runMosquitto starts Mosquitto and waits until it listens.
func runMosquitto(t *testing.T, mosquitto, conf, address string) {
	t.Helper()
	cmd := exec.Command(mosquitto, "-c", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); ; {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("mosquitto does not answer: %v", err)
		}
		time.Sleep(20 * time.Millisecond) // between two attempts at another process
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
