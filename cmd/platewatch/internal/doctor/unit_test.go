package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"platewatch/capture/rtsptest"
	"platewatch/cmd/platewatch/internal/access"
	"platewatch/cmd/platewatch/internal/board"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/demo/media"
	"platewatch/deploy/tools/addrtest"
	"platewatch/deploy/tools/goldentest"
	"platewatch/hotlist"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// wellMachine is a Raspberry Pi without any problem, except for the clock, which is
// this machine's.
func wellMachine(t *testing.T) board.Board {
	root := t.TempDir()
	for name, text := range map[string]string{
		"sys/class/thermal/thermal_zone0/temp":                    "48312\n",
		"sys/devices/platform/soc/soc:firmware/get_throttled":     "0\n",
		"sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq": "1800000\n",
		"sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq": "1800000\n",
		"proc/meminfo":                          "MemTotal: 1000000 kB\nMemAvailable: 600000 kB\n",
		"proc/sys/kernel/seccomp/actions_avail": "kill allow\n",
	} {
		write(t, filepath.Join(root, name), text)
	}
	return board.Board{Root: root}
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// roadside is a configuration in a folder of its own, with the demo's hotlist.
func roadside(t *testing.T) *config.Config {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.StateDir, c.Unit.Name = dir, "unit-1"
	c.Unit.Position = &config.Position{Latitude: 52, Longitude: 4}
	c.Hotlist.Path, c.Uplink.OutboxFile = filepath.Join(dir, "hotlist"), filepath.Join(dir, "outbox.db")
	c.Status.Listen = "off"
	if _, err := hotlist.Import(t.Context(), c.Hotlist.Path, strings.NewReader(string(media.Hotlist)), hotlist.ImportOptions{List: "demo"}); err != nil {
		t.Fatal(err)
	}
	return c
}

// camera adds a camera of the project's RTSP server that plays the demo's clip.
func camera(t *testing.T, c *config.Config) *rtsptest.Server {
	t.Helper()
	clip, err := rtsptest.ParseAnnexB(media.Road)
	if err != nil {
		t.Fatal(err)
	}
	s := rtsptest.New("127.0.0.1:0")
	if err := s.Add("gate", rtsptest.Options{FPS: media.RoadFPS, Loop: true}, clip); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	cam := config.DefaultCamera()
	cam.Name, cam.Source = "front", s.URL("gate")
	c.Cameras = append(c.Cameras, cam)
	return s
}

// authority makes certificates for a broker on 127.0.0.1.
func authority(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	issue := func(name string, template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template.SerialNumber, template.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(100*24*time.Hour)
		if parent == nil {
			parent, signer = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		private, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name+".crt"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
		write(t, filepath.Join(dir, name+".key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert, key
	}
	ca, key := issue("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	issue("broker", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, ca, key)
	return dir
}

// granted is what a unit needs, as deploy/broker/mosquitto/acl grants it.
const granted = `pattern readwrite platewatch/v1/units/%u/state
pattern write platewatch/v1/units/%u/health
pattern write platewatch/v1/units/%u/hits
pattern write platewatch/v1/units/%u/hotlists
pattern read platewatch/v1/units/%u/acks
`

// uplinked starts Mosquitto with TLS, passwords and an access list, and lets the
// unit reach it.
func uplinked(t *testing.T, c *config.Config, acl string) {
	t.Helper()
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		program = "/usr/sbin/mosquitto"
	}
	if _, err := os.Stat(program); err != nil {
		t.Skip("mosquitto is not installed (apt install mosquitto)")
	}
	dir := authority(t)
	address := addrtest.Free(t)
	_, port, _ := net.SplitHostPort(address)
	if out, err := exec.Command("mosquitto_passwd", "-c", "-b", filepath.Join(dir, "users"), "unit-1", "secret").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root\n"
	}
	conf := write(t, filepath.Join(dir, "mosquitto.conf"), fmt.Sprintf("%slistener %s 127.0.0.1\nallow_anonymous false\npassword_file %[3]s/users\nacl_file %s\ncafile %[3]s/ca.crt\ncertfile %[3]s/broker.crt\nkeyfile %[3]s/broker.key\n",
		user, port, dir, write(t, filepath.Join(dir, "acl"), acl)))
	cmd := exec.Command(program, "-c", conf)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for deadline := time.Now().Add(20 * time.Second); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond) // until it listens
	}
	b := &c.Uplink.Broker
	b.Brokers, b.CA = []string{"mqtts://" + address}, filepath.Join(dir, "ca.crt")
	b.UserFile, b.PasswordFile = write(t, filepath.Join(dir, "user"), "unit-1\n"), write(t, filepath.Join(dir, "password"), "secret\n")
}

// only makes the checks of that name, and returns what they found.
func only(t *testing.T, c *config.Config, names ...string) *Report {
	t.Helper()
	x := &examination{o: Options{Config: c, Board: wellMachine(t), Watch: time.Second, File: ""}, c: c, report: &Report{}}
	x.o.Log = discard
	for _, check := range x.checks() {
		if slices.Contains(names, check.about) {
			x.make(t.Context(), check)
		}
	}
	for _, f := range x.report.Findings {
		if (f.Level == Warn || f.Level == Fail) && (f.Want == "" || f.Advice == "") {
			t.Errorf("%s, %s: %s: says neither what it should be nor what to do", f.About, f.What, f.Measured)
		}
	}
	return x.report
}

// expect looks for a finding of a level whose words hold a text.
func expect(t *testing.T, r *Report, level Level, text string) {
	t.Helper()
	var all strings.Builder
	for _, f := range r.Findings {
		line := fmt.Sprintf("%s %s, %s: %s", f.Level, f.About, f.What, f.Measured)
		if f.Level == level && strings.Contains(line, text) {
			return
		}
		all.WriteString("\n  " + line)
	}
	t.Errorf("there is no %s with %q among%s", level, text, all.String())
}

// TestRun checks a whole unit that is well: what is looked at, in which order.
func TestRun(t *testing.T) {
	c := roadside(t)
	camera(t, c)
	uplinked(t, c, granted)
	var begun []string
	r := Run(t.Context(), Options{Config: c, File: write(t, filepath.Join(c.StateDir, "platewatch.toml"), ""), Board: wellMachine(t), Watch: 2 * time.Second,
		Begin: func(about string, _ time.Duration) { begun = append(begun, about) }})
	var shape strings.Builder
	for _, f := range r.Findings {
		about := f.About
		if strings.HasPrefix(about, "broker") {
			about = "broker"
		}
		level := string(f.Level)
		if strings.HasPrefix(about, "camera") && !slices.Contains([]string{"opens", "size", "rate", "looks", "plates", "decoder"}, f.What) {
			continue // how it is set: what could be measured depends on the load
		}
		switch about + f.What {
		case "clock", "camera frontrate", "camera frontlooks", "readerspeed", "camera frontplates", "camera frontopens", "camera frontaim", "state folderwriting", "confinementLandlock", "camera frontdecoder":
			level = "any" // of this machine, or under this load
		}
		fmt.Fprintf(&shape, "%-4s %s, %s\n", level, about, f.What)
	}
	goldentest.Compare(t, "testdata/run.txt", shape.String())
	if len(begun) != len((&examination{c: c}).checks()) {
		t.Errorf("began %q", begun)
	}
	expect(t, r, OK, "reads "+selfTestPlate)
	for _, f := range r.Findings {
		if f.Level == Fail {
			t.Errorf("%s, %s failed: %s", f.About, f.What, f.Measured)
		}
	}
	// Nothing was made in the state folder.
	files, err := os.ReadDir(c.StateDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if n := f.Name(); n != "hotlist" && n != "platewatch.toml" {
			t.Errorf("%s was left in the state folder", n)
		}
	}
}

func TestBrokers(t *testing.T) {
	for name, tc := range map[string]struct {
		acl    string
		change func(t *testing.T, c *config.Config)
		want   string
	}{
		"wrong password":  {granted, func(t *testing.T, c *config.Config) { write(t, c.Uplink.Broker.PasswordFile, "guess\n") }, "login: the broker refuses the login: not authorized"},
		"wrong authority": {granted, func(t *testing.T, c *config.Config) { c.Uplink.Broker.CA = filepath.Join(authority(t), "ca.crt") }, "TLS: TLS: tls: failed to verify certificate"},
		"ACL too wide":    {"user unit-1\ntopic readwrite #\n", nil, "others' topics: can be written: platewatch/v1/units/probe-"},
		"ACL too narrow":  {"pattern readwrite platewatch/v1/units/%u/state\n", nil, "own topics: refused: platewatch/v1/units/unit-1/health"},
		"no password":     {granted, func(t *testing.T, c *config.Config) { c.Uplink.Broker.PasswordFile += ".none" }, "files: "},
		"nobody there":    {granted, func(t *testing.T, c *config.Config) { c.Uplink.Broker.Brokers = []string{"mqtts://127.0.0.1:1"} }, "connection: connect: connection refused"},
		"no such name":    {granted, func(t *testing.T, c *config.Config) { c.Uplink.Broker.Brokers = []string{"mqtts://broker.invalid"} }, "name: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := roadside(t)
			uplinked(t, c, tc.acl)
			if tc.change != nil {
				tc.change(t, c)
			}
			r := only(t, c, "broker")
			expect(t, r, Fail, tc.want)
			if strings.Contains(fmt.Sprint(r.Findings), "guess") {
				t.Error("the password is printed")
			}
		})
	}
}

func TestStateFolder(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(t *testing.T, c *config.Config)
		level  Level
		want   string
	}{
		"missing":          {func(t *testing.T, c *config.Config) { c.StateDir += "/none" }, Warn, "does not exist"},
		"a file":           {func(t *testing.T, c *config.Config) { c.StateDir = write(t, c.StateDir+"/file", "") }, Fail, "is no folder"},
		"open to all":      {func(t *testing.T, c *config.Config) { mode(t, c.StateDir, 0o755) }, Warn, "mode 0755"},
		"not writable":     {func(t *testing.T, c *config.Config) { c.StateDir = "/proc" }, Fail, "writing: "},
		"damaged outbox":   {func(t *testing.T, c *config.Config) { write(t, c.Uplink.OutboxFile, strings.Repeat("garbage", 10_000)) }, Fail, "outbox, "},
		"another's outbox": {func(t *testing.T, c *config.Config) { accept(t, c, "unit-9").Close() }, Fail, `belongs to unit "unit-9"`},
		"outbox in use":    {func(t *testing.T, c *config.Config) { t.Cleanup(closing(accept(t, c, "unit-1"))) }, Warn, "it runs, and cannot be asked"},
		"damaged list":     {func(t *testing.T, c *config.Config) { damage(t, filepath.Join(c.Hotlist.Path, "demo.hotlist")) }, Fail, "list demo, file"},
		"no list":          {func(t *testing.T, c *config.Config) { c.Hotlist.Path += "/none" }, Fail, "nothing can match"},
		"broken trail": {func(t *testing.T, c *config.Config) {
			damage(t, filepath.Join(c.Hotlist.Path, "audit", "00000001.log"))
		}, Fail, "the audit trail is broken"},
		"followed list":  {func(t *testing.T, c *config.Config) { c.Uplink.Lists.Lists = []string{"amber"} }, Warn, "list amber, : followed, and never arrived"},
		"missing secret": {func(t *testing.T, c *config.Config) { c.Status.TokenFile = c.StateDir + "/token" }, Fail, "token is missing"},
		"secret open to all": {func(t *testing.T, c *config.Config) {
			c.Status.TokenFile = write(t, c.StateDir+"/token", "0123456789abcdef")
			mode(t, c.Status.TokenFile, 0o644)
		}, Warn, "every user of this machine may read it"},
		"empty secret": {func(t *testing.T, c *config.Config) { c.Status.TokenFile = write(t, c.StateDir+"/token", "\n") }, Fail, "it is empty"},
		"sealed key": {func(t *testing.T, c *config.Config) {
			c.Hotlist.KeyFile = filepath.Join(c.StateDir, "hotlist.key")
			write(t, filepath.Join(c.StateDir, config.SecretFolder, "hotlist.key.cred"), "x")
		}, Skip, "lists, : their key is sealed"},
		"other key": {func(t *testing.T, c *config.Config) {
			c.Uplink.Broker.Cert, c.Uplink.Broker.Key = filepath.Join(authority(t), "broker.crt"), filepath.Join(authority(t), "broker.key")
		}, Fail, "uplink.cert: private key does not match public key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := roadside(t)
			tc.change(t, c)
			expect(t, only(t, c, "secrets", "daemon", "state folder", "free space", "outbox", "lists", "audit trail"), tc.level, tc.want)
		})
	}
}

func mode(t *testing.T, path string, m os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, m); err != nil {
		t.Fatal(err)
	}
}

// damage changes a byte in the middle of a file.
func damage(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 0x20
	write(t, path, string(b))
}

// accept makes the outbox of a unit, with one hit in it.
func accept(t *testing.T, c *config.Config, unit string) *outbox.Outbox {
	t.Helper()
	o, err := outbox.Open(c.Uplink.OutboxFile, unit, outbox.Settings{}, discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Accept(message.Hit{Camera: "front", CapturedAt: time.Now(), Text: "AB123", Confidence: 0.9,
		Matches: []message.Match{{List: "demo", Category: "stolen_vehicle", How: message.HowExact, Entry: message.Entry{Plate: "AB123"}}}}); err != nil {
		t.Fatal(err)
	}
	return o
}

func closing(o *outbox.Outbox) func() { return func() { o.Close() } }

func TestCameraAbsent(t *testing.T) {
	c := roadside(t)
	s := camera(t, c)
	s.Close()
	c.Cameras[0].OpenTimeout = time.Second
	x := &examination{o: Options{Watch: time.Second, Log: discard}, c: c, report: &Report{}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := x.whyNot(ctx, c.Cameras[0], (&sighting{}).stats); err == nil || hint(err, "") == "" {
		t.Errorf("%v comes without advice", err)
	}
	x.camera(func(f Finding) { x.report.add(f) }, c.Cameras[0], &sighting{})
	expect(t, x.report, Fail, "opens: nothing came")
}

// TestPage: the certificate that a unit makes for its page, and the address that a
// phone finds it at.
func TestPage(t *testing.T) {
	c := roadside(t)
	if _, err := pageAddress(c); err == nil {
		t.Error("a page that is off has an address")
	}
	c.Status.Listen = "127.0.0.1:8080"
	if _, err := pageAddress(c); err == nil || !strings.Contains(err.Error(), "only this machine") {
		t.Error(err)
	}
	c.Status.Listen, c.Status.BasePath = "192.0.2.7:8443", "/units/north/"
	if address, err := pageAddress(c); err != nil || address != "https://192.0.2.7:8443/units/north/" {
		t.Error(address, err)
	}
	expect(t, only(t, c, "page"), Warn, "certificate: ")
	if _, _, err := access.MakeCertificate(c.StateDir, c.Unit.Name); err != nil {
		t.Fatal(err)
	}
	r := only(t, c, "page")
	expect(t, r, OK, "https://192.0.2.7:8443/units/north/, certificate SHA-256 ")
	expect(t, r, OK, "certificate: holds until")
	var code strings.Builder
	if err := WritePageCode(&code, c, write(t, c.StateDir+"/token", "0123456789abcdef")); err != nil || !strings.Contains(code.String(), "certificate SHA-256, until") || strings.Contains(code.String(), "0123456789abcdef") {
		t.Errorf("%v\n%s", err, code.String())
	}
}

func TestMachine(t *testing.T) {
	for name, tc := range map[string]struct {
		file, text string
		level      Level
		want       string
	}{
		"well":         {"x", "", OK, "power, : the supply voltage was never too low"},
		"hot":          {"sys/class/thermal/thermal_zone0/temp", "79000", Warn, "79 °C"},
		"burning":      {"sys/class/thermal/thermal_zone0/temp", "91000", Fail, "91 °C"},
		"slow now":     {"sys/devices/platform/soc/soc:firmware/get_throttled", "40004", Fail, "throttling, : the firmware slows"},
		"was slow":     {"sys/devices/platform/soc/soc:firmware/get_throttled", "40000", Warn, "throttling, : the firmware slowed"},
		"low voltage":  {"sys/devices/platform/soc/soc:firmware/get_throttled", "10001", Fail, "power, : the supply voltage is too low now"},
		"was low":      {"sys/devices/platform/soc/soc:firmware/get_throttled", "10000", Warn, "power, : the supply voltage was too low"},
		"limited":      {"sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq", "600000", Warn, "held to 600 of 1800 MHz"},
		"memory short": {"proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable: 90000 kB\n", Warn, "88 MiB"},
	} {
		c := config.Default()
		x := &examination{o: Options{Board: wellMachine(t)}, c: c, report: &Report{}}
		write(t, filepath.Join(x.o.Board.Root, tc.file), tc.text)
		for _, check := range x.checks() {
			if slices.Contains([]string{"clock", "temperature", "throttling", "power", "memory"}, check.about) {
				x.make(t.Context(), check)
			}
		}
		t.Run(name, func(t *testing.T) { expect(t, x.report, tc.level, tc.want) })
	}
}

func TestExposure(t *testing.T) {
	out := "  NAME DESCRIPTION\n✓ PrivateTmp=\n\n→ Overall exposure level for platewatch.service: 1.3 OK 🙂\n"
	if e, ok := exposureOf([]byte(out)); !ok || e != 1.3 {
		t.Errorf("%v, %t", e, ok)
	}
	if _, ok := exposureOf([]byte("Failed to connect")); ok {
		t.Error("found where there is none")
	}
}
