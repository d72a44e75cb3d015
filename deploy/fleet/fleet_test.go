// Package fleet holds the script that makes and looks after many units, and the test
// that tries it with a real broker and real units.
package fleet

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"platewatch/deploy/tools/addrtest"
)

const table = `name,host,ring,cameras,login,region,broker,lists
# The first ring goes ahead.
north-1,north-1.example,canary,rtsp://127.0.0.1:9/s rear=/dev/video7,,nl,BROKER,stolen
south-2,south-2.example,rest,rtsp://127.0.0.1:9/s,login,nl,BROKER,stolen amber
west-3,west-3.example,rest,/dev/video9,,,BROKER,
`

var names = []string{"north-1", "south-2", "west-3"}

// TestFleet stamps out three units: each connects and publishes, none can write
// another's topics. Then the fleet's authority is replaced while all of them run, and a
// single certificate is renewed: no unit is locked out at any step.
func TestFleet(t *testing.T) {
	f := newFleet(t)
	f.fleet("stamp", f.table, f.dir)
	for _, name := range names {
		if out, err := exec.Command(f.program, "config", "check", f.config(name)).CombinedOutput(); err != nil || bytes.Contains(out, []byte("missing")) && name == "south-2" {
			t.Errorf("%v: %s", err, out)
		}
	}
	if mode := modeOf(t, filepath.Join(f.dir, "units/south-2/etc/platewatch/secret/camera-1-camera")); mode != 0o600 {
		t.Errorf("a secret has the mode %v", mode)
	}
	f.certificates("broker", "127.0.0.1")
	f.startBroker()
	seen := f.watch()
	for _, name := range names {
		f.startUnit(name)
	}
	seen.online(t, names...)

	// A unit's certificate is good for its own topics only, and for its own lists.
	forged := `{"version":1,"unit":"south-2","state":"offline"}`
	f.publish("north-1", "platewatch/v1/units/south-2/state", forged)
	f.publish("north-1", "platewatch/v1/hotlists/stolen/manifest", "x")
	f.publish("south-2", "platewatch/v1/units/south-2/health", "own") // the broker has handled those before it when this arrives
	seen.until(t, func(topic, payload string) bool {
		return strings.HasSuffix(topic, "south-2/health") && payload == "own"
	})
	if seen.had("platewatch/v1/units/south-2/state", forged) || seen.had("platewatch/v1/hotlists/stolen/manifest", "x") {
		t.Error("a unit wrote another's topic")
	}

	// The authority: trusted beside the first, then new certificates, then without it.
	f.fleet("authority", f.dir, "next")
	f.restartBroker(seen) // its cafile has both
	seen.online(t, names...)
	seen.drain()
	f.fleet("authority", f.dir, "switch")
	seen.online(t, names...) // renewed pairs are taken up at once
	f.certificates("client", "server")
	f.certificates("broker", "127.0.0.1")
	f.restartBroker(seen)
	seen.online(t, names...)
	f.fleet("authority", f.dir, "finish")
	f.restartBroker(seen)
	seen.online(t, names...)
	if out, err := f.run("authority", f.dir, "finish"); err == nil {
		t.Errorf("finished twice: %s", out)
	}
	seen.drain()
	f.fleet("renew", f.dir, "north-1")
	seen.online(t, "north-1")
}

// TestRings: an update goes to one ring, one unit after the other, and stops at the
// first that is not well.
func TestRings(t *testing.T) {
	f := newFleet(t)
	log := filepath.Join(f.dir, "log")
	f.env = append(f.env, "LOG="+log, "SSH="+f.script("ssh", `echo "$1" >>"$LOG"; cat >/dev/null; [ "$1" != "$BAD" ]`))
	deb := filepath.Join(f.dir, "platewatch.deb")
	if err := os.WriteFile(deb, []byte("a package"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ ring, bad, want string }{
		{"canary", "", "north-1.example"},
		{"rest", "", "south-2.example west-3.example"},
		{"rest", "south-2.example", "south-2.example"},
		{"nowhere", "", ""},
	} {
		_ = os.Remove(log)
		f.env = append(f.env, "BAD="+test.bad)
		out, err := f.run("update", f.table, deb, test.ring)
		reached, _ := os.ReadFile(log)
		if got := strings.Join(strings.Fields(string(reached)), " "); got != test.want || (err != nil) != (test.bad != "") {
			t.Errorf("ring %s: reached %q, want %q: %v %s", test.ring, got, test.want, err, out)
		}
		if test.bad != "" && !strings.Contains(out, "the units after it keep their version") {
			t.Errorf("it does not say what to do: %s", out)
		}
	}
	if out, err := f.run("push", f.table, f.dir, "rest"); err == nil || !strings.Contains(out, "fleet stamp") {
		t.Errorf("files that were not made were pushed: %s", out)
	}
}

func TestTableIsRefused(t *testing.T) {
	f := newFleet(t)
	for text, want := range map[string]string{
		"name,host\nx,y\n": "the header must be",
		table + "west-3,again,rest,/dev/video0,,,,\n":            "these names are there twice",
		strings.Replace(table, "/dev/video9", "ftp://west", 1):   "unit west-3 was not made",
		strings.Replace(table, "west-3,west-3", "a b,west-3", 1): "cannot be a name",
	} {
		if err := os.WriteFile(f.table, []byte(strings.ReplaceAll(text, "BROKER", "mqtts://127.0.0.1:1")), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := f.run("stamp", f.table, f.dir); err == nil || !strings.Contains(out, want) {
			t.Errorf("%v, want %q: %s", err, want, out)
		}
	}
}

// programs is the folder with the programs that all tests run.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if programs, err = os.MkdirTemp("", "fleet"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(programs)
	out, err := exec.Command("go", "build", "-o", programs+"/", "platewatch/cmd/platewatch", "platewatch/cmd/platewatch-decode").CombinedOutput()
	if err != nil {
		panic(fmt.Sprintf("%v: %s", err, out))
	}
	return m.Run()
}

// fleet is a folder of a fleet, with its broker and units.
type fleet struct {
	t             *testing.T
	dir, table    string
	program       string
	address       string
	env           []string
	broker        *exec.Cmd
	brokerStarted int
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	for _, program := range []string{"openssl", "mosquitto", "mosquitto_sub", "mosquitto_pub"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: apt-get install openssl mosquitto mosquitto-clients", program)
		}
	}
	dir := t.TempDir()
	f := &fleet{t: t, dir: filepath.Join(dir, "fleet"), table: filepath.Join(dir, "units.csv"), program: filepath.Join(programs, "platewatch")}
	f.address = addrtest.Free(t)
	f.env = append(os.Environ(), "PLATEWATCH="+f.program)
	if out, err := exec.Command(f.program, "hotlist", "keygen", filepath.Join(dir, "hq")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	public, err := os.ReadFile(filepath.Join(dir, "hq.pub"))
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string][]byte{
		f.table: []byte(strings.ReplaceAll(table, "BROKER", "mqtts://"+f.address)), filepath.Join(dir, "login"): []byte("viewer:pass\n"),
		filepath.Join(f.dir, "trust", "hq.pub"): public,
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f *fleet) run(args ...string) (string, error) {
	cmd := exec.Command("./fleet", args...)
	cmd.Env = f.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (f *fleet) fleet(args ...string) {
	f.t.Helper()
	if out, err := f.run(args...); err != nil {
		f.t.Fatalf("fleet %v: %v\n%s", args, err, out)
	}
}

func (f *fleet) certificates(args ...string) {
	f.t.Helper()
	if out, err := exec.Command("../broker/certificates", append([]string{f.dir + "/authority"}, args...)...).CombinedOutput(); err != nil {
		f.t.Fatalf("%v: %s", err, out)
	}
}

func (f *fleet) script(name, text string) string {
	f.t.Helper()
	path := filepath.Join(filepath.Dir(f.table), name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		f.t.Fatal(err)
	}
	return path
}

func (f *fleet) config(name string) string {
	return filepath.Join(f.dir, "units", name, "etc/platewatch/platewatch.toml")
}

// startBroker starts Mosquitto as deploy/broker has it, with the fleet's rules.
func (f *fleet) startBroker() {
	f.t.Helper()
	_, port, _ := net.SplitHostPort(f.address)
	rules, err := os.ReadFile(filepath.Join(f.dir, "acl"))
	if err != nil {
		f.t.Fatal(err)
	}
	acl, conf := filepath.Join(filepath.Dir(f.table), "acl"), filepath.Join(filepath.Dir(f.table), "mosquitto.conf")
	text := fmt.Sprintf(`user root
per_listener_settings false
listener %s 127.0.0.1
cafile %[2]s/authorities.crt
certfile %[2]s/authority/broker.crt
keyfile %[2]s/authority/broker.key
require_certificate true
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
acl_file %[3]s
`, port, f.dir, acl)
	for path, content := range map[string][]byte{acl: append(rules, "\nuser broker.test\ntopic read #\n"...), conf: []byte(text)} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
	f.broker = exec.Command("mosquitto", "-c", conf)
	f.broker.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := f.broker.Start(); err != nil {
		f.t.Fatal(err)
	}
	if f.brokerStarted++; f.brokerStarted == 1 {
		f.t.Cleanup(f.stopBroker)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) { // another process
		c, err := net.Dial("tcp", f.address)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatal(err)
		}
	}
}

func (f *fleet) stopBroker() {
	_ = f.broker.Process.Kill()
	_ = f.broker.Wait()
}

// restartBroker also forgets what has been seen: what comes next comes from the new one.
func (f *fleet) restartBroker(seen *watched) {
	f.t.Helper()
	f.stopBroker()
	seen.drain()
	f.startBroker()
}

func (f *fleet) startUnit(name string) {
	f.t.Helper()
	cmd := exec.Command(f.program, "run", "-config", f.config(name))
	config := f.config(name)
	text, err := os.ReadFile(config)
	if err != nil {
		f.t.Fatal(err)
	}
	// On one machine only one of them can have the page's port.
	if err := os.WriteFile(config, append(text, "[status]\nlisten = \"off\"\n"...), 0o644); err != nil {
		f.t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "STATE_DIRECTORY="+f.t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if f.t.Failed() {
			f.t.Logf("%s:\n%s", name, log.String())
		}
	})
}

// publish publishes with a unit's certificate, as a thief of it could.
func (f *fleet) publish(name, topic, payload string) {
	f.t.Helper()
	host, port, _ := net.SplitHostPort(f.address)
	out, err := exec.Command("mosquitto_pub", "-h", host, "-p", port, "--cafile", f.dir+"/authorities.crt",
		"--cert", f.dir+"/authority/"+name+".crt", "--key", f.dir+"/authority/"+name+".key", "-q", "1", "-t", topic, "-m", payload).CombinedOutput()
	if err != nil {
		f.t.Fatalf("%v: %s", err, out)
	}
}

// watched is all that the server has seen.
type watched struct {
	lines chan string
	all   []string
}

// watch subscribes to everything, and does so again whenever the broker comes back.
func (f *fleet) watch() *watched {
	f.t.Helper()
	host, port, _ := net.SplitHostPort(f.address)
	f.certificates("client", "server")
	// Its own copies: the server is not a unit, and its certificate outlives the
	// change.
	w := &watched{lines: make(chan string, 10_000)}
	read, write, err := os.Pipe()
	if err != nil {
		f.t.Fatal(err)
	}
	loop := fmt.Sprintf(`while :; do d=%s/authority; [ -f $d/server.crt ] || d=%[1]s/before
mosquitto_sub -h %s -p %s --cafile %[1]s/authorities.crt --cert $d/server.crt --key $d/server.key -q 1 -t 'platewatch/#' -F '%%t %%p' 2>/dev/null; sleep 0.2; done`, f.dir, host, port)
	cmd := exec.Command("sh", "-c", loop)
	cmd.Stdout = write
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	write.Close()
	f.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	go func() {
		b := make([]byte, 0, 1<<20)
		part := make([]byte, 64<<10)
		for {
			n, err := read.Read(part)
			b = append(b, part[:n]...)
			for {
				i := bytes.IndexByte(b, '\n')
				if i < 0 {
					break
				}
				w.lines <- string(b[:i])
				b = slices.Delete(b, 0, i+1)
			}
			if err != nil {
				close(w.lines)
				return
			}
		}
	}()
	return w
}

// until waits for a message.
func (w *watched) until(t *testing.T, wanted func(topic, payload string) bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for {
		select {
		case line, ok := <-w.lines:
			if !ok {
				t.Fatal("the subscriber ended")
			}
			w.all = append(w.all, line)
			if topic, payload, _ := strings.Cut(line, " "); wanted(topic, payload) {
				return
			}
		case <-deadline:
			t.Fatalf("it did not arrive; the last that did: %q", w.all[max(0, len(w.all)-20):])
		}
	}
}

// drain forgets what has arrived.
func (w *watched) drain() {
	for {
		select {
		case line := <-w.lines:
			w.all = append(w.all, line)
		default:
			return
		}
	}
}

// online waits until each of the units has said, from now on, that it is online.
func (w *watched) online(t *testing.T, units ...string) {
	t.Helper()
	missing := map[string]bool{}
	for _, name := range units {
		missing["platewatch/v1/units/"+name+"/state"] = true
	}
	w.until(t, func(topic, payload string) bool {
		if strings.Contains(payload, `"online"`) {
			delete(missing, topic)
		}
		return len(missing) == 0
	})
}

func (w *watched) had(topic, payload string) bool { return slices.Contains(w.all, topic+" "+payload) }

func modeOf(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}
