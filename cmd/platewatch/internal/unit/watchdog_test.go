package unit

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"platewatch/deploy/tools/addrtest"
	"platewatch/ocr/passage"
	"platewatch/ocr/text"
	"platewatch/uplink"
	"platewatch/uplink/broker"
	"platewatch/uplink/message"
)

// TestWatchdog stops each stage of a unit in turn: the feeding ends, and the log names
// the stage and what it was doing. When the stage goes on, so does the feeding.
func TestWatchdog(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "300000") // fed every 100 ms
	t.Setenv("WATCHDOG_PID", "")
	os.Unsetenv("WATCHDOG_PID")

	c := unitConfig(t)
	disk := freezable(t)
	c.StateDir, c.Hotlist.Path, c.Uplink.OutboxFile = disk, filepath.Join(disk, "hotlist"), filepath.Join(disk, "outbox.db")
	importList(t, c, "stolen", twoPlates)
	var log lockedBuffer
	u := openUnit(t, c, slog.New(slog.NewTextHandler(&log, nil)))
	u.stallAfter, u.askEvery = time.Second, 50*time.Millisecond
	r := newRoad(t, u)

	var mu sync.Mutex // held by what stops a stage
	blocked := map[string]*sync.Mutex{"hotlist": {}, "uplink": {}, "condition": {}}
	for _, p := range u.probes {
		if m := blocked[p.name]; m != nil {
			ask := p.ask
			p.ask = func() { m.Lock(); defer m.Unlock(); ask() }
		}
	}
	address := addrtest.Free(t)
	startMosquitto(t, address)
	client, err := uplink.NewClient(uplink.Settings{Brokers: []broker.Broker{{URL: "mqtt://" + address}}, HealthEvery: 20 * time.Millisecond,
		Health: func() message.Health {
			blocked["uplink"].Lock()
			defer blocked["uplink"].Unlock()
			return u.health()
		}}, u.outbox, u.log)
	if err != nil {
		t.Fatal(err)
	}
	u.sender.Store(client)

	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { _ = u.notifySystemd(ctx) })
	running.Go(func() { u.askProbes(ctx) })
	running.Go(func() { _ = client.Run(ctx) })
	running.Go(func() { // the pipeline, as look does it
		for ; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
			mu.Lock()
			r.p.pulse.beat(waitsForFrame)
			mu.Unlock()
		}
	})

	fed := func(want bool) {
		t.Helper()
		deadline := time.Now().Add(time.Minute)
		quiet := 700 * time.Millisecond // seven feedings
		for time.Now().Before(deadline) {
			_ = l.SetReadDeadline(time.Now().Add(quiet))
			b := make([]byte, 4096)
			n, err := l.Read(b)
			switch {
			case err != nil && !want:
				return
			case want && bytes.HasPrefix(b[:n], []byte("WATCHDOG=1")):
				return
			}
		}
		t.Fatalf("fed: %v, after a minute\n%s", !want, log.String())
	}
	fed(true)
	for _, test := range []struct {
		name, stage, doing string
		stop, goOn         func()
	}{
		{"pipeline", `stage="camera front"`, `doing="waiting for a frame"`, mu.Lock, mu.Unlock},
		{"hotlist", "stage=hotlist", `doing="answering how it is"`, blocked["hotlist"].Lock, blocked["hotlist"].Unlock},
		{"condition", "stage=condition", `doing="answering how it is"`, blocked["condition"].Lock, blocked["condition"].Unlock},
		{"uplink", "stage=uplink", `doing="delivering hits"`, blocked["uplink"].Lock, blocked["uplink"].Unlock},
		{"outbox: a disk that blocks", `stage="camera front"`, `doing="storing a hit in the outbox"`, func() {
			mu.Lock() // the pipeline has a hit
			if out, err := exec.Command("fsfreeze", "-f", disk).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			running.Go(func() {
				defer mu.Unlock()
				r.p.pulse.beat(waitsForFrame)
				r.update(passage.Sure, passage.Passage{Number: 1, Reading: text.Reading{Text: "AB12CDE", Confidence: 0.8}}, 100)
			})
		}, func() {
			if out, err := exec.Command("fsfreeze", "-u", disk).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			log.Reset()
			test.stop()
			fed(false)
			test.goOn()
			fed(true)
			if said := log.String(); !strings.Contains(said, test.stage+" "+test.doing) || !strings.Contains(said, "a stage of the unit is stalled") {
				t.Errorf("the log does not name %s %s:\n%s", test.stage, test.doing, said)
			}
		})
	}
	if hits := pendingHits(t, u); len(hits) > 1 {
		t.Errorf("waiting are %+v", hits)
	}
}

// TestNoBrokerIsNoStall: an uplink that cannot connect tries again, which is progress.
func TestNoBrokerIsNoStall(t *testing.T) {
	c := unitConfig(t)
	c.Uplink.Broker.Brokers = []string{"mqtt://127.0.0.1:9"} // nobody listens at the discard port
	lines := make(logLines, 1000)
	u := openUnit(t, c, slog.New(lines))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- u.client().Run(ctx) }()
	for line := range lines {
		if strings.HasPrefix(line, "no connection to the broker") {
			break
		}
	}
	if late := u.client().Stuck(); late > 0 {
		t.Errorf("without a broker the uplink is stuck for %v", late)
	}
	cancel()
	<-ended
	if late := u.client().Stuck(); late != 0 {
		t.Errorf("after its end the uplink is stuck for %v", late)
	}
}

// freezable is a file system of its own on which fsfreeze blocks all writes.
func freezable(t *testing.T) string {
	t.Helper()
	dir, image := t.TempDir(), filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range [][]string{{"truncate", "-s", "32M", image}, {"mkfs.ext4", "-qF", image}, {"mount", "-o", "loop", image, dir}} {
		if out, err := exec.Command(step[0], step[1:]...).CombinedOutput(); err != nil {
			t.Skipf("no file system of its own here: %v: %s", err, out)
		}
	}
	t.Cleanup(func() {
		_ = exec.Command("fsfreeze", "-u", dir).Run() // where the test ended early
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return dir
}

// lockedBuffer is written by several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
func (l *lockedBuffer) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }
func (l *lockedBuffer) Reset()         { l.mu.Lock(); defer l.mu.Unlock(); l.b.Reset() }
