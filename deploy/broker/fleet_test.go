package broker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"platewatch/deploy/tools/addrtest"
	"platewatch/uplink"
	"platewatch/uplink/broker"
	"platewatch/uplink/faulttest"
	"platewatch/uplink/message"
	"platewatch/uplink/watch"
)

// fleet is many units in one process and the server that hears them.
type fleet struct {
	mu       sync.Mutex
	accepted map[string]time.Time
	arrived  map[string]int // how often the server was told, after deduplication
	latency  []time.Duration
}

func (f *fleet) hit(h *message.Hit) error {
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

// fleetRun is what a fleet does.
type fleetRun struct {
	units, hits int           // hits of each unit
	start       time.Duration // the units come up at even distances over this time
	every       time.Duration // from one hit in the fleet to the next
	brokers     func(unit int) []broker.Broker
	server      []broker.Broker
	trouble     func() // called once, at half time
}

// run makes hits in all units, in turn, and waits until the server has all of
// them. Back-offs and keep-alives are what a unit has by default.
func (f *fleet) run(t *testing.T, r fleetRun) {
	t.Helper()
	f.accepted, f.arrived = map[string]time.Time{}, map[string]int{}
	ctx, cancel := context.WithCancel(context.Background())
	up := make(chan struct{}, 100)
	watched := make(chan error, 1)
	go func() {
		watched <- watch.Run(ctx, watch.Settings{Brokers: r.server, Remember: 1 << 20, Ack: true}, watch.Handler{
			Link: func(err error) error {
				if err == nil {
					up <- struct{}{}
				}
				return nil
			},
			Hit:     func(h *message.Hit, _ []byte) error { return f.hit(h) },
			Invalid: func(topic string, err error) error { return fmt.Errorf("%s: %w", topic, err) },
		}, slog.New(slog.DiscardHandler))
	}()
	select {
	case <-up:
	case <-time.After(patience):
		t.Fatal("the server gets no connection")
	}
	dir := fleetDir(t)
	all := make([]*testUnit, r.units)
	coming := time.NewTicker(max(r.start/time.Duration(r.units), time.Microsecond))
	defer coming.Stop()
	for i := range all {
		<-coming.C
		name := fmt.Sprintf("unit-%d", i+1)
		lists, err := uplink.NewListUpdates(uplink.ListSettings{Lists: []string{"stolen"}, Applier: holds{}, Dir: filepath.Join(dir, name)})
		if err != nil {
			t.Fatal(err)
		}
		u, err := newUnit(dir, name, uplink.Settings{Brokers: r.brokers(i), MaxBackoff: time.Minute, Lists: lists,
			Ack: uplink.AckServer, ServerAckTimeout: 5 * time.Second, Health: func() message.Health { return message.Health{} }})
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
	}, func() string { return fmt.Sprintf("%+v", all[r.units-1].client.Stats()) })
	var troubled sync.WaitGroup
	traffic := time.NewTicker(r.every)
	defer traffic.Stop()
	for round := range r.hits {
		if round == r.hits/2 && r.trouble != nil {
			troubled.Go(r.trouble)
		}
		for i, u := range all {
			<-traffic.C
			at := time.Now()
			id, err := u.outbox.Accept(hit(fmt.Sprintf("U%dN%d", i, round)))
			if err != nil {
				t.Fatal(err)
			}
			f.mu.Lock()
			f.accepted[id] = at
			f.mu.Unlock()
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

// holds is a unit that has the newest version of every list.
type holds struct{}

func (holds) CheckManifest(string, []byte) (*uplink.ListUpdate, error) { return nil, nil }

func (holds) ApplyUpdate(context.Context, string, []byte, []string) error {
	return errors.New("there is nothing to apply")
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

// TestFleet: every hit of every unit reaches the server, once after deduplication;
// through Mosquitto, and through the cluster while the node that the server is
// connected to is killed. In the long form the fleet makes 1,000 hits a second for
// Mosquitto, and for the cluster 100: one of each unit every ten seconds.
func TestFleet(t *testing.T) {
	together(t)
	one := fleetRun{units: 1, hits: faulttest.Scale(50, 1000), every: 10 * time.Millisecond}
	many := fleetRun{units: faulttest.Scale(20, 1000), hits: faulttest.Scale(6, 20),
		start: time.Duration(faulttest.Scale(1, 30)) * time.Second, every: time.Millisecond}
	row := func(t *testing.T, name, trouble string, r fleetRun, many, one *fleet) {
		faulttest.Row(t, name, "%d units, %d hits at %.0f a second%s, each exactly once; from accept to arrival p50 %v, p99 %v; one unit alone p50 %v, p99 %v",
			r.units, len(many.accepted), 1/r.every.Seconds(), trouble, many.quantile(0.5), many.quantile(0.99), one.quantile(0.5), one.quantile(0.99))
	}
	t.Run("mosquitto", func(t *testing.T) {
		together(t)
		address := startOpenMosquitto(t)
		one, many := one, many
		one.server = []broker.Broker{{URL: "tcp://" + address}}
		one.brokers = func(int) []broker.Broker { return one.server }
		many.server, many.brokers = one.server, one.brokers
		var alone, fleet fleet
		alone.run(t, one)
		fleet.run(t, many)
		row(t, "fleet on Mosquitto", "", many, &fleet, &alone)
	})
	t.Run("nats", func(t *testing.T) {
		together(t)
		certs := certificates(t, "server", "fleet")
		c := startCluster(t, certs, fleetUsers)
		nodes := func(name string, first int) (out []broker.Broker) {
			for n := range c.addresses {
				out = append(out, tlsBroker(certs, name, c.addresses[(first+n)%len(c.addresses)]))
			}
			return out
		}
		one, many := one, many
		one.server = nodes("server", 0)
		one.brokers = func(i int) []broker.Broker { return nodes("fleet", i) }
		many.server, many.brokers = one.server, one.brokers
		many.every, many.trouble = 10*time.Millisecond, c.kill[0]
		var alone, fleet fleet
		alone.run(t, one)
		fleet.run(t, many)
		row(t, "fleet on three NATS nodes", ", one node killed half-way", many, &fleet, &alone)
	})
}

// together runs the tests in parallel, unless they measure.
func together(t *testing.T) {
	if !faulttest.Long() {
		t.Parallel()
	}
}

// startOpenMosquitto admits every client: a thousand certificates are not what is
// tested here.
func startOpenMosquitto(t *testing.T) (address string) {
	t.Helper()
	address = addrtest.Free(t)
	_, port, _ := net.SplitHostPort(address)
	return startMosquittoWith(t, "listener "+port+" 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\nset_tcp_nodelay true\nlog_dest stderr\nlog_type notice\nlog_type information\n", address)
}

// fleetUsers gives one certificate the rights of every unit.
var fleetUsers = strings.TrimSpace(`
authorization {
    users: [
        { user: "CN=fleet", permissions: {
            publish: { allow: [ "platewatch.v1.units.>" ] }
            subscribe: { allow: [ "platewatch.v1.units.*.acks", "platewatch.v1.hotlists.>", "$MQTT.sub.>" ] } } }
        { user: "CN=server", permissions: {
            publish: { allow: [ "platewatch.v1.units.*.acks" ] }
            subscribe: { allow: [ "platewatch.v1.units.>", "$MQTT.sub.>" ] } } }
    ]
}
`)
