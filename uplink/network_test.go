package uplink

import (
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"platewatch/deploy/tools/addrtest"
	"platewatch/uplink/broker"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"

	bolt "go.etcd.io/bbolt"

	"platewatch/uplink/faulttest"
)

// network is a link that a test can make slow, late or dead: toxiproxy in
// front of the proxy that checks and counts.
type network struct {
	t *testing.T
	*toxiproxy.Proxy
	p *uplinktest.Proxy
}

func newNetwork(t *testing.T, broker string) *network {
	t.Helper()
	p := uplinktest.NewProxy(t, broker)
	logger := zerolog.New(io.Discard)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), logger)
	n := &network{t, toxiproxy.NewProxy(server, "link", addrtest.Free(t), p.Listen.Addr().String()), p}
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	return n
}

func (n *network) url() string { return "tcp://" + n.Listen }

// poison puts a toxic on both directions.
func (n *network) poison(kind, attributes string) {
	n.t.Helper()
	for _, stream := range []string{"upstream", "downstream"} {
		_, err := n.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(
			`{"name":"%s %s","type":"%s","stream":"%s","toxicity":1,"attributes":%s}`, kind, stream, kind, stream, attributes)))
		if err != nil {
			n.t.Fatal(err)
		}
	}
}

// acceptBounded accepts n hits, of which at most atOnce wait.
func acceptBounded(t *testing.T, o *outbox.Outbox, n, atOnce int) []string {
	t.Helper()
	ids := make([]string, 0, n)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Duration(n)*20*time.Millisecond + time.Minute)
	for len(ids) < n {
		if len(ids)%50 == 0 && o.Stats().Entries >= atOnce {
			select {
			case <-tick.C:
				continue
			case <-limit:
				t.Fatalf("only %d of %d hits in time: %+v", len(ids), n, o.Stats())
			}
		}
		ids = append(ids, uplinktest.MustAccept(t, o, uplinktest.Hit(fmt.Sprintf("P%d", len(ids)))))
	}
	return ids
}

func TestFaultCutEveryTwentyMessages(t *testing.T) {
	b := uplinktest.NewMosquitto(t, "allow_anonymous true\n")
	p := uplinktest.NewProxy(t, b.Addr())
	p.CutEvery = 20
	o := openTestOutbox(t, filepath.Join(uplinktest.MemoryDir(t), "outbox.db"), outbox.Settings{})
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, MaxBackoff: 5 * time.Millisecond})
	ids := acceptBounded(t, o, faulttest.Scale(600, 100_000), 2000)
	p.Wait("all but the last acknowledgements", func(p *uplinktest.Proxy) bool { return len(p.Acked) >= len(ids)*9/10 })
	p.Set(func(p *uplinktest.Proxy) { p.CutEvery = 0 })
	waitEmpty(t, c, o)
	p.Mu.Lock()
	arrived := uplinktest.Firsts(p.Acked)
	repeats := len(p.Acked) - len(arrived)
	p.Mu.Unlock()
	lost, order := compareArrivals(ids, arrived)
	if lost > 0 || order > 0 {
		t.Errorf("%d lost, %d out of order", lost, order)
	}
	faulttest.Row(t, "cut every 20 messages", "%d hits over %d connections: %d lost, %d out of order, %d sent twice under the same id", len(ids), c.Stats().Connects, lost, order, repeats)
}

// compareArrivals counts hits that did not arrive, and those that arrived
// before one that was accepted earlier.
func compareArrivals(ids []string, arrived []uplinktest.WireHit) (lost, order int) {
	have := map[string]bool{}
	last := uint64(0)
	for _, h := range arrived {
		have[h.ID] = true
		if h.Number <= last {
			order++
		}
		last = max(last, h.Number)
	}
	for _, id := range ids {
		if !have[id] {
			lost++
		}
	}
	return lost, order
}

func TestFaultLatency(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, uplinktest.NewMosquitto(t, "allow_anonymous true\n").Addr())
	delay := faulttest.Scale(600, 2000)
	n.poison("latency", fmt.Sprintf(`{"latency":%d}`, delay))
	o := testOutbox(t, outbox.Settings{})
	ids := acceptMany(t, o, 30)
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: n.url()}}})
	waitEmpty(t, c, o)
	wantDelivered(t, n.p, ids)
	if s := c.Stats(); s.Connects != 1 {
		t.Errorf("stats: %+v", s)
	}
	faulttest.Row(t, fmt.Sprintf("latency %d ms each way", delay), "%d hits with pictures delivered in order over %d connection", len(ids), c.Stats().Connects)
}

func TestFaultThinLink(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, uplinktest.NewMosquitto(t, "allow_anonymous true\n").Addr())
	rate := faulttest.Scale(20, 1)
	n.poison("bandwidth", fmt.Sprintf(`{"rate":%d}`, rate))
	o := testOutbox(t, outbox.Settings{})
	var ids []string
	for i := range 3 {
		ids = append(ids, uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit(fmt.Sprintf("P%d", i)), 4000, faulttest.Scale(6000, 24_000))))
	}
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: n.url()}}})
	for limit := time.After(5 * time.Minute); o.Stats().Entries > 0; {
		select {
		case <-limit:
			t.Fatalf("the outbox still holds %v; client %+v", pendingIDs(o), c.Stats())
		case <-time.After(10 * time.Millisecond):
		}
	}
	n.p.Mu.Lock()
	pictures := map[string]bool{}
	for _, h := range n.p.Acked {
		pictures[h.ID] = pictures[h.ID] || h.Pictures
	}
	n.p.Mu.Unlock()
	for _, id := range ids {
		if !pictures[id] {
			t.Errorf("%s came without its pictures", id)
		}
	}
	faulttest.Row(t, fmt.Sprintf("%d kB/s", rate), "%d hits and their pictures delivered over %d connections", len(ids), c.Stats().Connects)
}

// A link that swallows everything and stays open, noticed with the default
// keep-alive in 30 s; in the short form a keep-alive of a second takes 3 s.
func TestFaultHalfOpen(t *testing.T) {
	t.Parallel()
	p := uplinktest.NewProxy(t, uplinktest.NewMosquitto(t, "allow_anonymous true\n").Addr())
	o := testOutbox(t, outbox.Settings{})
	keepAlive := time.Duration(faulttest.Scale(1, 10)) * time.Second
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, KeepAlive: keepAlive, AckTimeout: time.Minute})
	first := uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit("A"), 4000, 40_000))
	waitEmpty(t, c, o)
	p.Set(func(p *uplinktest.Proxy) { p.Silent = true })
	dead := time.Now()
	second := uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit("B"), 4000, 40_000))
	limit := time.After(time.Minute)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for c.Stats().Connected {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("the dead link is not noticed")
		}
	}
	took := time.Since(dead)
	if took > 3*keepAlive {
		t.Errorf("the dead link was noticed after %v", took)
	}
	p.Set(func(p *uplinktest.Proxy) { p.Silent = false })
	waitEmpty(t, c, o)
	wantDelivered(t, p, []string{first, second})
	faulttest.Row(t, "half-open connection", "noticed after %v with a keep-alive of %v, the hit in flight delivered on the next connection", took.Round(100*time.Millisecond), keepAlive)
}

func TestFaultNeverAcknowledged(t *testing.T) {
	t.Parallel()
	p := uplinktest.NewProxy(t, uplinktest.NewMosquitto(t, "allow_anonymous true\n").Addr())
	p.Swallow = func(h uplinktest.WireHit) bool { return h.Conn <= 2 }
	o := testOutbox(t, outbox.Settings{})
	var ids []string
	for range 5 {
		ids = append(ids, uplinktest.MustAccept(t, o, uplinktest.Hit("A")))
	}
	// Pings are answered all the time, and are not acknowledgements.
	timeout := time.Duration(faulttest.Scale(600, 30_000)) * time.Millisecond
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, AckTimeout: timeout, KeepAlive: timeout / 2})
	begin := time.Now()
	for limit := time.After(2 * time.Minute); c.Stats().LastProblem == ""; {
		select {
		case <-limit:
			t.Fatalf("stats: %+v", c.Stats())
		case <-time.After(time.Millisecond):
		}
	}
	if s := c.Stats(); s.LastProblem != errAckTimeout.Error() {
		t.Errorf("stats: %+v", s)
	}
	took := time.Since(begin)
	if n := o.Stats().Entries; n != len(ids) {
		t.Errorf("%d hits are pending", n)
	}
	for limit := time.After(4 * time.Minute); o.Stats().Entries > 0; {
		select {
		case <-limit:
			t.Fatalf("%d hits are pending; client %+v", o.Stats().Entries, c.Stats())
		case <-time.After(5 * time.Millisecond):
		}
	}
	wantDelivered(t, p, ids)
	faulttest.Row(t, "broker never acknowledges", "given up after %v, nothing removed, all %d hits delivered once it does", took.Round(100*time.Millisecond), len(ids))
}

// A broker loses its state: in broker mode the hits that it acknowledged and had not
// passed on are lost; all others arrive.
func TestFaultWipedBroker(t *testing.T) {
	t.Parallel()
	b := uplinktest.NewMosquitto(t, "allow_anonymous true\n")
	p := uplinktest.NewProxy(t, b.Addr())
	o := testOutbox(t, outbox.Settings{})
	ids := acceptMany(t, o, faulttest.Scale(300, 3000))
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}})
	p.Wait("some acknowledgements", func(p *uplinktest.Proxy) bool { return len(p.Acked) >= 50 })
	b.Kill(t)
	b.Start(t) // without persistence: empty
	waitEmpty(t, c, o)
	wantDelivered(t, p, ids)
	faulttest.Row(t, "broker restarted and wiped", "%d hits: all acknowledged, in order; what it forgot after that comes again only with ack = \"server\"", len(ids))
}

// A client certificate that the broker does not accept, and its replacement.
func TestFaultCertificates(t *testing.T) {
	t.Parallel()
	a, other := uplinktest.NewAuthority(t), uplinktest.NewAuthority(t)
	server := x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	client := x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	a.Issue("server", &server, time.Now().Add(time.Hour))
	other.Issue("unit", &client, time.Now().Add(time.Hour))
	m := uplinktest.NewMosquitto(t, fmt.Sprintf("allow_anonymous true\ncafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\n",
		a.Path("ca.crt"), a.Path("server.crt"), a.Path("server.key")))
	for name, spoil := range map[string]func(){
		"wrong certificate": func() {
			for _, suffix := range []string{".crt", ".key"} {
				b, err := os.ReadFile(other.Path("unit" + suffix))
				if err == nil {
					err = os.WriteFile(a.Path("unit"+suffix), b, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		},
		"expired certificate": func() { a.Issue("unit", &client, time.Now().Add(-time.Minute)) },
	} {
		spoil()
		o := testOutbox(t, outbox.Settings{})
		id := uplinktest.MustAccept(t, o, uplinktest.Hit("A"))
		c, stop := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: "tls://" + m.Addr(),
			CAFile: a.Path("ca.crt"), CertFile: a.Path("unit.crt"), KeyFile: a.Path("unit.key")}}})
		waitStats(t, c, "a refusal", func(s Stats) bool { return s.LastProblem != "" })
		said := c.Stats().LastProblem
		if s := c.Stats(); s.Delivered != 0 || o.Stats().Entries != 1 {
			t.Errorf("%s: stats %+v", name, s)
		}
		if name == "expired certificate" && !strings.Contains(said, "the client certificate expired on") {
			t.Errorf("it says %s", said)
		}
		a.Issue("unit", &client, time.Now().Add(time.Hour))
		waitEmpty(t, c, o)
		stop()
		faulttest.Row(t, name, "hit %s waits and health says why (%s); delivered once the file is replaced, without a restart", id, said[strings.LastIndex(said, ": ")+2:])
	}
}

// Mosquitto acknowledges what its access rules drop, because MQTT 3.1.1 knows
// no other answer. In broker mode nobody notices; in server mode the hits stay.
func TestFaultRefusedTopic(t *testing.T) {
	t.Parallel()
	acl := filepath.Join(t.TempDir(), "acl")
	rules := "topic read platewatch/v1/units/+/acks\ntopic write platewatch/v1/units/+/state\n"
	if err := os.WriteFile(acl, []byte(rules), 0o644); err != nil {
		t.Fatal(err)
	}
	b := uplinktest.NewMosquitto(t, "allow_anonymous true\nacl_file "+acl+"\n")
	o := testOutbox(t, outbox.Settings{})
	ids := acceptMany(t, o, 10)
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: "tcp://" + b.Addr()}}, Ack: AckServer, ServerAckTimeout: 100 * time.Millisecond})
	waitStats(t, c, "the problem", func(s Stats) bool { return strings.Contains(s.LastProblem, "does not acknowledge") })
	if n := o.Stats().Entries; n != len(ids) {
		t.Errorf("%d hits are pending", n)
	}
	faulttest.Row(t, "broker refuses the topic", "with ack = \"server\" all %d hits stay and health says that the server does not acknowledge; with ack = \"broker\" Mosquitto's acknowledgement counts", len(ids))
}

// Eight hours without a broker under a fake clock, a hit every two seconds,
// then delivery.
func TestFaultEightHours(t *testing.T) {
	hits := faulttest.Scale(600, 4*3600)
	start := time.Now()
	var passed atomic.Int64 // since the start
	var waiting atomic.Bool // the waiting is what is tested here, not each fsync
	waiting.Store(true)
	o := openTestOutbox(t, filepath.Join(t.TempDir(), "outbox.db"), outbox.Settings{
		Now: func() time.Time { return start.Add(time.Duration(passed.Load())) },
		Commit: func(db *bolt.DB, f func(*bolt.Tx) error) error {
			db.NoSync = waiting.Load()
			return db.Update(f)
		},
	})
	var ids []string
	for i := range hits {
		passed.Add(int64(2 * time.Second))
		ids = append(ids, uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit(fmt.Sprintf("P%d", i)), 300, 1500)))
	}
	waiting.Store(false)
	if s := o.Stats(); s.DroppedEntries != 0 {
		t.Fatalf("stats: %+v", s)
	}
	b := uplinktest.NewMosquitto(t, "allow_anonymous true\n")
	p := uplinktest.NewProxy(t, b.Addr())
	begin := time.Now()
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}})
	for limit := time.After(5 * time.Minute); o.Stats().Entries > 0; {
		select {
		case <-limit:
			t.Fatalf("%d hits are pending; client %+v", o.Stats().Entries, c.Stats())
		case <-time.After(5 * time.Millisecond):
		}
	}
	rate := float64(hits) / time.Since(begin).Seconds()
	const live = 16 // accepted in the last 30 s
	want := append(append([]string{}, ids[hits-live:]...), ids[:hits-live]...)
	wantDelivered(t, p, want)
	p.Mu.Lock()
	for i, h := range uplinktest.Firsts(p.Acked) {
		if h.Historical != (i >= live) {
			t.Errorf("%s, the %dth to arrive: historical is %t", h.ID, i+1, h.Historical)
			break
		}
	}
	p.Mu.Unlock()
	if faulttest.Long() && rate < 500 {
		t.Errorf("%.0f hits a second, 500 are wanted", rate)
	}
	faulttest.Row(t, "8 h without a broker", "%d hits with pictures: all delivered, the %d live ones first, each group in order, %.0f a second", hits, live, rate)
}

// The wall clock starts in 1970 and jumps by ten years from run to run: ids and
// order do not change, and nothing is dropped.
func TestFaultClockJumps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	var ids []string
	for _, wall := range []time.Time{
		time.Unix(100, 0), time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), time.Date(2036, 5, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2016, 5, 1, 0, 0, 0, 0, time.UTC), time.Unix(3, 0), time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC),
	} {
		var asked atomic.Int64 // every look at the clock is a millisecond later
		now := func() time.Time { return wall.Add(time.Duration(asked.Add(1)) * time.Millisecond) }
		o, err := outbox.Open(path, "unit-7", outbox.Settings{MaxAge: time.Hour, Now: now, MaintainEvery: 10 * time.Millisecond}, uplinktest.Log(t))
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			h := uplinktest.Hit("A")
			h.CapturedAt, h.Clock = now(), message.ClockUnsynchronised
			ids = append(ids, uplinktest.MustAccept(t, o, h))
		}
		// Maintenance asks for the age of each pending hit: let it go round twice.
		for from, limit := asked.Load(), uplinktest.Timeout(t); asked.Load() < from+2*int64(len(ids)); {
			select {
			case <-time.After(time.Millisecond):
			case <-limit:
				t.Fatal("no maintenance")
			}
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	}
	b := uplinktest.NewMosquitto(t, "allow_anonymous true\n")
	p := uplinktest.NewProxy(t, b.Addr())
	o := openTestOutbox(t, path, outbox.Settings{})
	var flagged []message.ClockState
	stop := store(t, b.Addr(), func(h *message.Hit) error { flagged = append(flagged, h.Clock); return nil })
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, Ack: AckServer})
	waitEmpty(t, c, o)
	stop()
	wantDelivered(t, p, ids)
	for _, state := range flagged {
		if state != message.ClockUnsynchronised {
			t.Errorf("a time is not flagged")
		}
	}
	if len(flagged) != len(ids) {
		t.Errorf("%d arrived", len(flagged))
	}
	faulttest.Row(t, "clock jumps by ten years, 1970", "%d hits over 6 runs: ids and order unchanged, none dropped, all flagged unsynchronised", len(ids))
}
