package broker_test

import (
	"bufio"
	"context"
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

	"platewatch/deploy/tools/addrtest"
	"platewatch/uplink"
	"platewatch/uplink/broker"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

const patience = 30 * time.Second

// certificates runs the script of this folder.
func certificates(t *testing.T, clients ...string) (dir string) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed (apt install openssl)")
	}
	dir = filepath.Join(t.TempDir(), "certificates")
	run := func(dir string, args ...string) {
		t.Helper()
		if out, err := exec.Command("./certificates", append([]string{dir}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("certificates %v: %v\n%s", args, err, out)
		}
	}
	for _, authority := range []string{dir, filepath.Join(dir, "routes")} {
		run(authority, "authority")
		run(authority, "broker", "127.0.0.1", "localhost")
	}
	for _, name := range clients {
		run(dir, "client", name)
	}
	return dir
}

// start runs a broker until the test ends, and returns once it said ready.
func start(t *testing.T, cmd *exec.Cmd, ready string) (kill func()) {
	t.Helper()
	kill, wait := begin(t, cmd, ready)
	wait()
	return kill
}

// begin runs a broker until the test ends; wait returns once it said ready.
func begin(t *testing.T, cmd *exec.Cmd, ready string) (kill, wait func()) {
	t.Helper()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = nil
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kept, err := os.CreateTemp(t.ArtifactDir(), filepath.Base(cmd.Path)+"-*.log") // for -artifacts
	if err != nil {
		t.Fatal(err)
	}
	up := make(chan string, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		defer kept.Close()
		var seen []string
		said := false
		for s := bufio.NewScanner(out); s.Scan(); {
			fmt.Fprintln(kept, s.Text())
			if said {
				continue
			}
			if seen = append(seen, s.Text()); strings.Contains(s.Text(), ready) {
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
	return kill, func() {
		t.Helper()
		select {
		case words := <-up:
			if words != "" {
				t.Fatalf("%s did not start:\n%s", cmd.Path, words)
			}
		case <-time.After(patience):
			t.Fatalf("%s does not say %q", cmd.Path, ready)
		}
	}
}

// debianConf is what Debian's package installs as /etc/mosquitto/mosquitto.conf.
const debianConf = `pid_file /run/mosquitto/mosquitto.pid

persistence true
persistence_location /var/lib/mosquitto/

log_dest file /var/log/mosquitto/mosquitto.log

include_dir /etc/mosquitto/conf.d
`

// startMosquitto starts Debian's Mosquitto as the README has it installed: Debian's
// own file includes the one of this folder. Only the places of files and the port
// differ. more are further rules.
func startMosquitto(t *testing.T, certs string, more ...string) (address string) {
	t.Helper()
	read := func(path string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	debian := debianConf
	if b, err := os.ReadFile("/etc/mosquitto/mosquitto.conf"); err == nil {
		debian = string(b)
	}
	included := t.TempDir()
	places := strings.NewReplacer("/etc/mosquitto/platewatch/", certs+"/", "/var/lib/mosquitto/", t.TempDir()+"/",
		"/etc/mosquitto/conf.d", included, "/run/mosquitto/", included+"/", "log_dest file /var/log/mosquitto/mosquitto.log", "log_dest stderr")
	write(filepath.Join(certs, "acl"), read("mosquitto/acl")+strings.Join(more, "\n"))
	text := places.Replace(read("mosquitto/mosquitto.conf"))
	address = addrtest.Free(t)
	_, port, _ := net.SplitHostPort(address)
	ours := strings.Replace(text, "\nlistener 8883\n", "\nlistener "+port+" 127.0.0.1\n", 1)
	if ours == text {
		t.Fatal("the configuration listens elsewhere")
	}
	write(filepath.Join(included, "platewatch.conf"), ours+"log_type information\n")
	return startMosquittoWith(t, places.Replace(debian), address)
}

// startMosquittoWith starts it with a configuration that listens on address.
func startMosquittoWith(t *testing.T, conf, address string) string {
	t.Helper()
	const binary = "/usr/sbin/mosquitto"
	if _, err := os.Stat(binary); err != nil {
		t.Skip("mosquitto is not installed (apt install mosquitto)")
	}
	if os.Getuid() == 0 {
		conf = "user root\n" + conf
	}
	path := filepath.Join(t.TempDir(), "mosquitto.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, exec.Command(binary, "-c", path), "running")
	return address
}

// routePassword is what the README has made of random bytes.
const routePassword = "1234567e89"

// cluster is three NATS nodes.
type cluster struct {
	addresses []string // of MQTT
	routes    []string // of the route ports
	clients   []string // of NATS's own ports
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
	var free [3 * nodes]string
	for i := range free {
		free[i] = addrtest.Free(t)
	}
	var routes []string
	for n := range nodes {
		routes = append(routes, fmt.Sprintf(`"nats://routes:%s@%s"`, routePassword, free[3*n]))
	}
	login := fmt.Sprintf("authorization { user: routes, password: %q }\nroutes: [%s]\n", routePassword, strings.Join(routes, ", "))
	c := &cluster{}
	var agreed []func()
	for n := range nodes {
		dir := t.TempDir()
		if err := os.Symlink(certs, filepath.Join(dir, "certificates")); err != nil {
			t.Fatal(err)
		}
		conf, err := os.ReadFile("nats/nats.conf")
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"nats.conf": string(conf), "users.conf": users, "routes.conf": login} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(binary, "-c", filepath.Join(dir, "nats.conf"))
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), fmt.Sprintf("PLATEWATCH_NODE=n%d", n+1),
			"PLATEWATCH_CLUSTER="+free[3*n], "PLATEWATCH_MQTT="+free[3*n+1], "PLATEWATCH_CLIENT="+free[3*n+2],
			"PLATEWATCH_STORE="+filepath.Join(dir, "store"))
		c.addresses, c.routes = append(c.addresses, free[3*n+1]), append(c.routes, free[3*n])
		c.clients = append(c.clients, free[3*n+2])
		kill, wait := begin(t, cmd, "metadata leader") // of all that JetStream holds
		c.kill, agreed = append(c.kill, kill), append(agreed, wait)
	}
	for _, wait := range agreed {
		wait()
	}
	// MQTT works once the nodes also agreed on who leads its streams.
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

func tlsBroker(certs, name, address string) broker.Broker {
	b := broker.Broker{URL: "tls://" + address, CAFile: filepath.Join(certs, "ca.crt"), DialTimeout: 5 * time.Second}
	if name != "" {
		b.CertFile, b.KeyFile = filepath.Join(certs, name+".crt"), filepath.Join(certs, name+".key")
	}
	return b
}

// hit is a hit as the pipeline makes it.
func hit(text string) message.Hit {
	return message.Hit{Camera: "north", CapturedAt: time.Now(), Text: text, Confidence: 0.94,
		Matches: []message.Match{{List: "stolen", Category: "stolen_vehicle", How: message.HowExact, Entry: message.Entry{Plate: text}}}}
}

// testUnit is a unit's outbox and client.
type testUnit struct {
	outbox *outbox.Outbox
	client *uplink.Client
	stop   func() error
}

func newUnit(dir, name string, cfg uplink.Settings) (*testUnit, error) {
	log := slog.New(slog.DiscardHandler)
	o, err := outbox.Open(filepath.Join(dir, name+".db"), name, outbox.Settings{}, log)
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
