package broker_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"platewatch/uplink"
	"platewatch/uplink/faults"
)

// fleet is many units in one process and the server that hears them.
type fleet struct {
	mu       sync.Mutex
	accepted map[string]time.Time
	arrived  map[string]int // how often the server was told, after deduplication
	latency  []time.Duration
}

func (f *fleet) hit(h *uplink.Hit) error {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.arrived[h.ID]++
	if at, ok := f.accepted[h.ID]; ok {
		f.latency = append(f.latency, now.Sub(at))
	}
	return nil
}

func (f *fleet) missing() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id := range f.accepted {
		if f.arrived[id] == 0 {
			n++
		}
	}
	return n
}

func (f *fleet) quantile(q float64) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.latency) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(f.latency))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Round(100 * time.Microsecond)
}

// run makes hits in units units and waits until the server has all of them.
// Between the rounds, at half time, trouble is called once. Unit names come
// from the certificates' names, or are made up where everybody is let in.
func (f *fleet) run(t *testing.T, units, hits int, pause time.Duration, unitBrokers func(i int) []uplink.Broker, server uplink.Broker, trouble func()) {
	t.Helper()
	f.accepted, f.arrived = map[string]time.Time{}, map[string]int{}
	ctx, cancel := context.WithCancel(context.Background())
	up := make(chan struct{}, 100)
	watched := make(chan error, 1)
	go func() {
		watched <- uplink.Watch(ctx, uplink.WatchConfig{Broker: server, Remember: 1 << 20, Ack: true, MaxBackoff: time.Second}, uplink.WatchHandler{
			Link: func(err error) error {
				if err == nil {
					up <- struct{}{}
				}
				return nil
			},
			Hit:     func(h *uplink.Hit, _ []byte) error { return f.hit(h) },
			Invalid: func(topic string, err error) error { return fmt.Errorf("%s: %w", topic, err) },
		}, slog.New(slog.DiscardHandler))
	}()
	select {
	case <-up:
	case <-time.After(patience):
		t.Fatal("the server gets no connection")
	}
	dir := fleetDir(t)
	all := make([]*testUnit, units)
	for i := range all {
		u, err := newUnit(dir, fmt.Sprintf("unit-%d", i+1), uplink.ClientConfig{Brokers: unitBrokers(i), ServerAck: true, ServerAckTimeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		all[i] = u
	}
	waitFor(t, "all units to connect", 5*time.Minute, func() bool {
		for _, u := range all {
			if !u.client.Stats().Connected {
				return false
			}
		}
		return true
	}, func() string { return fmt.Sprintf("%+v", all[units-1].client.Stats()) })
	var troubled sync.WaitGroup
	for round := range hits {
		if round == hits/2 && trouble != nil {
			troubled.Go(trouble)
		}
		for i, u := range all {
			at := time.Now()
			id, err := u.outbox.Accept(hit(fmt.Sprintf("U%dN%d", i, round)))
			if err != nil {
				t.Fatal(err)
			}
			f.mu.Lock()
			f.accepted[id] = at
			f.mu.Unlock()
			if pause > 0 {
				time.Sleep(pause) // the traffic, not a wait for something
			}
		}
	}
	troubled.Wait()
	waitFor(t, "all hits", 10*time.Minute, func() bool { return f.missing() == 0 },
		func() string {
			return fmt.Sprintf("%d of %d are missing; unit-1 %+v", f.missing(), len(f.accepted), all[0].client.Stats())
		})
	waitFor(t, "empty outboxes", 5*time.Minute, func() bool {
		for _, u := range all {
			if u.outbox.Stats().Entries > 0 {
				return false
			}
		}
		return true
	}, func() string { return "some unit still holds a hit that the server has" })
	var stopping sync.WaitGroup
	for _, u := range all {
		stopping.Go(func() {
			if err := u.stop(); err != nil {
				t.Error(err)
			}
		})
	}
	stopping.Wait()
	cancel()
	if err := <-watched; err != nil {
		t.Error(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, n := range f.arrived {
		if n != 1 {
			t.Errorf("%s was told %d times", id, n)
		}
		if _, ok := f.accepted[id]; !ok {
			t.Errorf("%s was never accepted", id)
		}
	}
}

// fleetDir is in memory where that can be had: a thousand outboxes on one disk
// are not what is tested here.
func fleetDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "platewatch-fleet-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// TestFleet: every hit of every unit reaches the server, once after
// deduplication; through Mosquitto, and through the cluster while a node dies.
func TestFleet(t *testing.T) {
	units, hits := faults.Scale(20, 1000), faults.Scale(5, 20)
	pause := time.Duration(faults.Scale(200, 1000)) * time.Microsecond
	t.Run("mosquitto", func(t *testing.T) {
		address := startOpenMosquitto(t)
		open := func(int) []uplink.Broker { return []uplink.Broker{{URL: "tcp://" + address}} }
		var one, many fleet
		one.run(t, 1, faults.Scale(50, 1000), 2*time.Millisecond, open, open(0)[0], nil)
		many.run(t, units, hits, pause, open, open(0)[0], nil)
		faults.Row(t, "fleet on Mosquitto", "%d units, %d hits, each exactly once; from accept to arrival p50 %v, p99 %v; one unit alone p50 %v, p99 %v",
			units, len(many.accepted), many.quantile(0.5), many.quantile(0.99), one.quantile(0.5), one.quantile(0.99))
	})
	t.Run("nats", func(t *testing.T) {
		if !faults.Long() {
			t.Skip("`make faults` runs it: an election takes ten seconds")
		}
		certs := certificates(t, "server", "fleet")
		c := startCluster(t, certs, fleetUsers)
		brokers := func(i int) []uplink.Broker {
			var out []uplink.Broker
			for n := range c.addresses {
				out = append(out, broker(certs, "fleet", c.addresses[(i+n)%len(c.addresses)]))
			}
			return out
		}
		server := broker(certs, "server", c.addresses[0])
		var one, many fleet
		one.run(t, 1, faults.Scale(50, 1000), 2*time.Millisecond, brokers, server, nil)
		many.run(t, units, hits, pause, brokers, server, c.kill[2])
		faults.Row(t, "fleet on three NATS nodes", "%d units, %d hits, one node killed half-way, each exactly once; from accept to arrival p50 %v, p99 %v; one unit alone p50 %v, p99 %v",
			units, len(many.accepted), many.quantile(0.5), many.quantile(0.99), one.quantile(0.5), one.quantile(0.99))
	})
}

// startOpenMosquitto lets everybody in: a thousand certificates are not what is
// tested here.
func startOpenMosquitto(t *testing.T) (address string) {
	t.Helper()
	return startMosquittoWith(t, "allow_anonymous true\npersistence false\nmax_queued_messages 0\nset_tcp_nodelay true\n")
}

// fleetUsers gives one certificate the rights of every unit.
var fleetUsers = strings.TrimSpace(`
authorization {
    users: [
        { user: "CN=fleet", permissions: {
            publish: { allow: [ "platewatch.v1.units.>" ] }
            subscribe: { allow: [ "platewatch.v1.units.*.acks", "$MQTT.sub.>" ] } } }
        { user: "CN=server", permissions: {
            publish: { allow: [ "platewatch.v1.units.*.acks" ] }
            subscribe: { allow: [ "platewatch.v1.units.>", "$MQTT.sub.>" ] } } }
    ]
}
`)
