// Package broker_test starts the brokers that this folder configures, as they
// are, and holds them to what the units rely on.
package broker_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"platewatch/uplink"
)

const patience = 30 * time.Second

// freeAddresses picks loopback addresses that were free just now.
func freeAddresses(t *testing.T, n int) []string {
	t.Helper()
	var out []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		out = append(out, l.Addr().String())
	}
	return out
}

// certificates runs the script of this folder.
func certificates(t *testing.T, clients ...string) (dir string) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed (apt install openssl)")
	}
	dir = filepath.Join(t.TempDir(), "certificates")
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("./certificates", append([]string{dir}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("certificates %v: %v\n%s", args, err, out)
		}
	}
	run("authority")
	run("broker", "127.0.0.1", "localhost")
	for _, name := range clients {
		run("client", name)
	}
	return dir
}

// start runs a broker until the test ends, and returns once it said ready.
func start(t *testing.T, cmd *exec.Cmd, ready string) (kill func()) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = nil
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	up := make(chan string, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		var seen []string
		said := false
		for s := bufio.NewScanner(out); s.Scan(); {
			if len(seen) < 100 {
				seen = append(seen, s.Text())
			}
			if !said && strings.Contains(s.Text(), ready) {
				said = true
				up <- ""
			}
		}
		if !said {
			up <- strings.Join(seen, "\n")
		}
	}()
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		<-drained
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	select {
	case words := <-up:
		if words != "" {
			t.Fatalf("%s did not start:\n%s", cmd.Path, words)
		}
	case <-time.After(patience):
		t.Fatalf("%s does not say %q", cmd.Path, ready)
	}
	return kill
}

// startMosquitto starts Debian's Mosquitto with the configuration of this
// folder; only the places of its files and its port differ.
func startMosquitto(t *testing.T, certs string) (address string) {
	t.Helper()
	state := t.TempDir()
	acl, err := os.ReadFile("mosquitto/acl")
	if err == nil {
		err = os.WriteFile(filepath.Join(certs, "acl"), acl, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	conf, err := os.ReadFile("mosquitto/mosquitto.conf")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("/etc/mosquitto/platewatch/", certs+"/", "/var/lib/mosquitto/", state+"/").Replace(string(conf))
	if !strings.Contains(text, "\nlistener 8883\n") {
		t.Fatal("the configuration listens elsewhere")
	}
	return startMosquittoWith(t, text)
}

// startMosquittoWith starts it with a configuration, on a port of its own.
func startMosquittoWith(t *testing.T, conf string) (address string) {
	t.Helper()
	const binary = "/usr/sbin/mosquitto"
	if _, err := os.Stat(binary); err != nil {
		t.Skip("mosquitto is not installed (apt install mosquitto)")
	}
	address = freeAddresses(t, 1)[0]
	_, port, _ := net.SplitHostPort(address)
	listener := "listener " + port + " 127.0.0.1"
	text := strings.Replace(conf, "listener 8883", listener, 1)
	if text == conf {
		text = listener + "\n" + conf
	}
	text += "log_dest stderr\nlog_type notice\nlog_type information\n"
	if os.Getuid() == 0 {
		text += "user root\n"
	}
	path := filepath.Join(t.TempDir(), "mosquitto.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, exec.Command(binary, "-c", path), "running")
	return address
}

// cluster is three NATS nodes.
type cluster struct {
	addresses []string // of MQTT
	kill      []func()
}

var natsServer = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "platewatch-nats-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "nats-server")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/nats-io/nats-server/v2").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := natsServerBuilt(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// natsServerBuilt is where the server is if a test built it.
func natsServerBuilt() (string, error) {
	if !natsWanted {
		return "", errors.New("not built")
	}
	return natsServer()
}

var natsWanted bool

// startCluster starts nats-server, built from the module that go.mod names as
// a tool, three times with the configuration of this folder.
func startCluster(t *testing.T, certs string, users string) *cluster {
	t.Helper()
	natsWanted = true
	binary, err := natsServer()
	if err != nil {
		t.Fatal(err)
	}
	const nodes = 3
	free := freeAddresses(t, 3*nodes)
	var routes []string
	for n := range nodes {
		routes = append(routes, fmt.Sprintf(`"nats://%s"`, free[3*n]))
	}
	c := &cluster{}
	for n := range nodes {
		dir := t.TempDir()
		if err := os.Symlink(certs, filepath.Join(dir, "certificates")); err != nil {
			t.Fatal(err)
		}
		conf, err := os.ReadFile("nats/nats.conf")
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"nats.conf": string(conf), "users.conf": users} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(binary, "-c", filepath.Join(dir, "nats.conf"))
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), fmt.Sprintf("PLATEWATCH_NODE=n%d", n+1),
			"PLATEWATCH_CLUSTER="+free[3*n], "PLATEWATCH_MQTT="+free[3*n+1], "PLATEWATCH_CLIENT="+free[3*n+2],
			"PLATEWATCH_ROUTES=["+strings.Join(routes, ", ")+"]", "PLATEWATCH_STORE="+filepath.Join(dir, "store"))
		c.addresses = append(c.addresses, free[3*n+1])
		c.kill = append(c.kill, start(t, cmd, "Server is ready"))
	}
	// MQTT works once the nodes agreed on who leads.
	for _, address := range c.addresses {
		waitFor(t, "the cluster to agree", patience, func() bool {
			client, err := raw(t, certs, "server", address, nil)
			if err == nil {
				client.Disconnect(0)
			}
			return err == nil
		}, func() string { return address })
	}
	return c
}

func broker(certs, name, address string) uplink.Broker {
	b := uplink.Broker{URL: "tls://" + address, CAFile: filepath.Join(certs, "ca.crt"), DialTimeout: 5 * time.Second}
	if name != "" {
		b.CertFile, b.KeyFile = filepath.Join(certs, name+".crt"), filepath.Join(certs, name+".key")
	}
	return b
}

// hit is a hit as the pipeline makes it.
func hit(text string) uplink.Hit {
	return uplink.Hit{Camera: "north", CapturedAt: time.Now(), Text: text, Confidence: 0.94,
		Matches: []uplink.Match{{List: "stolen", Category: "stolen_vehicle", How: uplink.HowExact, Entry: uplink.Entry{Plate: text}}}}
}

// testUnit is a unit's outbox and client.
type testUnit struct {
	outbox *uplink.Outbox
	client *uplink.Client
	stop   func() error
}

func newUnit(dir, name string, cfg uplink.ClientConfig) (*testUnit, error) {
	log := slog.New(slog.DiscardHandler)
	o, err := uplink.OpenOutbox(filepath.Join(dir, name+".db"), name, uplink.OutboxOptions{}, log)
	if err != nil {
		return nil, err
	}
	if cfg.MaxBackoff == 0 {
		cfg.MaxBackoff = time.Second
	}
	c, err := uplink.NewClient(cfg, o, log)
	if err != nil {
		return nil, errors.Join(err, o.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	return &testUnit{o, c, sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-done, o.Close())
	})}, nil
}

// waitFor looks until cond is true.
func waitFor(t *testing.T, what string, timeout time.Duration, cond func() bool, state func() string) {
	t.Helper()
	limit := time.After(timeout)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited too long for %s: %s", what, state())
		}
	}
}

// each runs a test against both brokers.
func each(t *testing.T, test func(t *testing.T, certs string, addresses []string)) {
	names := []string{"unit-1", "unit-2", "server", "watch"}
	t.Run("mosquitto", func(t *testing.T) {
		certs := certificates(t, names...)
		test(t, certs, []string{startMosquitto(t, certs)})
	})
	t.Run("nats", func(t *testing.T) {
		certs := certificates(t, names...)
		users, err := os.ReadFile("nats/users.conf")
		if err != nil {
			t.Fatal(err)
		}
		test(t, certs, startCluster(t, certs, string(users)).addresses)
	})
}

// TestUnitAndServer: a unit's hits reach the server that acknowledges them.
func TestUnitAndServer(t *testing.T) {
	each(t, func(t *testing.T, certs string, addresses []string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var mu sync.Mutex
		var got []string
		up := make(chan struct{}, 10)
		watched := make(chan error, 1)
		go func() {
			watched <- uplink.Watch(ctx, uplink.WatchConfig{Broker: broker(certs, "server", addresses[len(addresses)-1]), Ack: true, MaxBackoff: time.Second},
				uplink.WatchHandler{
					Link: func(err error) error {
						if err == nil {
							up <- struct{}{}
						}
						return nil
					},
					Hit: func(h *uplink.Hit, _ []byte) error {
						mu.Lock()
						defer mu.Unlock()
						got = append(got, h.ID)
						return nil
					},
					Invalid: func(topic string, err error) error { return fmt.Errorf("%s: %w", topic, err) },
				}, slog.New(slog.DiscardHandler))
		}()
		select {
		case <-up:
		case <-time.After(patience):
			t.Fatal("the server gets no connection")
		}
		u, err := newUnit(t.TempDir(), "unit-1", uplink.ClientConfig{Brokers: []uplink.Broker{broker(certs, "unit-1", addresses[0])},
			ServerAck: true, ServerAckTimeout: 2 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			if _, err := u.outbox.Accept(hit(fmt.Sprintf("P%d", i))); err != nil {
				t.Fatal(err)
			}
		}
		waitFor(t, "the server's acknowledgements", patience, func() bool { return u.outbox.Stats().Entries == 0 },
			func() string { return fmt.Sprintf("%+v", u.client.Stats()) })
		if err := u.stop(); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-watched; err != nil {
			t.Error(err)
		}
		for i, id := range got {
			if id != fmt.Sprintf("unit-1-%d", i+1) {
				t.Fatalf("arrived: %v", got)
			}
		}
		if len(got) != 50 {
			t.Errorf("%d hits arrived", len(got))
		}
	})
}

// raw is a plain MQTT client with a certificate of the fleet.
func raw(t *testing.T, certs, name, address string, got func(topic string)) (mqtt.Client, error) {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(certs, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{RootCAs: x509.NewCertPool()}
	cfg.RootCAs.AppendCertsFromPEM(ca)
	if name != "" {
		pair, err := tls.LoadX509KeyPair(filepath.Join(certs, name+".crt"), filepath.Join(certs, name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tls://" + address).SetClientID("raw-" + name).SetTLSConfig(cfg).
		SetAutoReconnect(false).SetConnectTimeout(10 * time.Second).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { got(m.Topic()) }))
	token := c.Connect()
	<-token.Done()
	if token.Error() == nil {
		t.Cleanup(func() { c.Disconnect(100) })
	}
	return c, token.Error()
}

// next is the next topic that a message came on.
func next(t *testing.T, topics <-chan string) string {
	t.Helper()
	select {
	case topic := <-topics:
		return topic
	case <-time.After(patience):
		t.Fatal("nothing comes")
		return ""
	}
}

// TestWhoMayDoWhat: a unit writes only its own topics and reads only its own
// lists; without a certificate of the fleet nobody gets in.
func TestWhoMayDoWhat(t *testing.T) {
	each(t, func(t *testing.T, certs string, addresses []string) {
		address := addresses[0]
		if _, err := raw(t, certs, "", address, nil); err == nil {
			t.Error("a client without a certificate gets in")
		}
		others := certificates(t, "unit-1")
		stranger := t.TempDir()
		for from, to := range map[string]string{certs + "/ca.crt": "ca.crt", others + "/unit-1.crt": "unit-1.crt", others + "/unit-1.key": "unit-1.key"} {
			b, err := os.ReadFile(from)
			if err == nil {
				err = os.WriteFile(filepath.Join(stranger, to), b, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := raw(t, stranger, "unit-1", address, nil); err == nil {
			t.Error("a certificate of another authority gets in")
		}

		// The server sees everything that was let through.
		seen := make(chan string, 100)
		server, err := raw(t, certs, "server", address, func(topic string) { seen <- topic })
		if err != nil {
			t.Fatal(err)
		}
		wait := func(token mqtt.Token) error {
			t.Helper()
			if !token.WaitTimeout(patience) {
				t.Fatal("the broker does not answer")
			}
			return token.Error()
		}
		if err := wait(server.Subscribe("platewatch/v1/#", 1, nil)); err != nil {
			t.Fatal(err)
		}
		for _, topic := range []string{"platewatch/v1/hotlists/stolen/manifest", "platewatch/v1/hotlists/amber/manifest"} {
			if err := wait(server.Publish(topic, 1, true, "signed")); err != nil {
				t.Fatal(err)
			}
			if got := next(t, seen); got != topic {
				t.Fatalf("the server sees %s", got)
			}
		}
		for topic, allowed := range map[string]bool{
			uplink.Topic("unit-1", uplink.KindHits): true, uplink.Topic("unit-1", uplink.KindState): true,
			uplink.Topic("unit-1", uplink.KindHealth): true, uplink.Topic("unit-1", uplink.KindHotlists): true,
			uplink.Topic("unit-2", uplink.KindHits): false, uplink.Topic("unit-1", uplink.KindAcks): false,
			"platewatch/v1/hotlists/stolen/manifest": false, "elsewhere": false,
		} {
			// A broker may end the connection over it, so each gets its own.
			unit, err := raw(t, certs, "unit-1", address, func(string) {})
			if err != nil {
				t.Fatal(err)
			}
			unit.Publish(topic, 1, false, "x").WaitTimeout(2 * time.Second)
			unit.Disconnect(100)
			// What the server publishes next comes after it.
			marker := "platewatch/v1/hotlists/marker/x"
			if err := wait(server.Publish(marker, 1, false, "x")); err != nil {
				t.Fatal(err)
			}
			came := false
			for got := next(t, seen); got != marker; got = next(t, seen) {
				came = came || got == topic
			}
			if came != allowed {
				t.Errorf("unit-1 writes %s: came through %t", topic, came)
			}
		}

		// Reading: what is retained comes at once where it is allowed.
		got := make(chan string, 100)
		unit, err := raw(t, certs, "unit-1", address, func(topic string) { got <- topic })
		if err != nil {
			t.Fatal(err)
		}
		for _, filter := range []string{"platewatch/v1/units/unit-2/hits", "platewatch/v1/hotlists/amber/manifest", "platewatch/v1/units/unit-1/acks", "platewatch/v1/hotlists/stolen/manifest"} {
			unit.Subscribe(filter, 1, nil).WaitTimeout(patience)
		}
		for _, topic := range []string{uplink.Topic("unit-2", uplink.KindAcks), uplink.Topic("unit-1", uplink.KindAcks)} {
			if err := wait(server.Publish(topic, 1, false, "x")); err != nil {
				t.Fatal(err)
			}
		}
		want := map[string]bool{"platewatch/v1/hotlists/stolen/manifest": true, uplink.Topic("unit-1", uplink.KindAcks): true}
		for len(want) > 0 {
			select {
			case topic := <-got:
				if !want[topic] {
					t.Errorf("unit-1 reads %s", topic)
				}
				delete(want, topic)
			case <-time.After(patience):
				t.Fatalf("unit-1 does not get %v", want)
			}
		}
	})
}

// TestCertificatesScript: what it refuses.
func TestCertificatesScript(t *testing.T) {
	dir := certificates(t)
	for args, code := range map[string]int{"authority": 1, "client ca": 2, "client ../x": 2, "client": 2, "nonsense x": 2} {
		cmd := exec.Command("./certificates", append([]string{dir}, strings.Fields(args)...)...)
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != code || len(out) == 0 {
			t.Errorf("%s: exit code %d, %s", args, cmd.ProcessState.ExitCode(), out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "ca.key")); err != nil {
		t.Error(err)
	}
}
