package main

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"platewatch/capture/rtsptest"
	"platewatch/cmd/platewatch/internal/demo/media"
	"platewatch/deploy/tools/addrtest"
	"platewatch/uplink/message"
)

// TestSetup goes from nothing to the first hit: a person at a terminal, who makes
// mistakes, a real camera with a password, a real broker with passwords and access
// rules.
func TestSetup(t *testing.T) {
	camera := passwordCamera(t)
	broker := passwordBroker(t)
	dir := t.TempDir()
	config, lists := filepath.Join(dir, "etc", "platewatch.toml"), filepath.Join(dir, "stolen.csv")
	write(t, lists, media.Hotlist)

	p := atTerminal(t, "setup", "-config", config, "-state", filepath.Join(dir, "state"))
	p.answer("Name of this unit", "a44 north")
	p.answer("is not a valid name; use letters", "a44-north")
	p.answer("Camera, such as", camera)
	p.answer("User name at the camera", "viewer")
	p.answer("Password at the camera", "wrong")
	p.answer("Use this camera all the same?", "maybe")
	p.answer("Answer y or n.", "n")
	typed := strings.Replace(camera, "rtsp://", "rtsp://viewer:p:ss@", 1)
	p.answer("Camera, such as", typed)
	p.want("1280×720 pixels, ")
	p.want("A picture of it: ")
	picture := strings.TrimSpace(p.until("\n"))
	if b, err := os.ReadFile(picture); err != nil || !strings.HasPrefix(string(b), "\xff\xd8") {
		t.Errorf("the picture %q: %d bytes, %v", picture, len(b), err)
	}
	p.answer("Is it the right camera?", "")
	p.answer("Another camera?", "n")
	p.answer("Whose plates are expected", "atlantis")
	p.answer("there is no region", "us")
	p.answer("Broker, such as", "mqtt://"+addrtest.Free(t))
	p.answer("User name at the broker", "a44-north")
	p.answer("Password at the broker", "secret")
	p.answer("Use this broker all the same?", "n")
	p.answer("Broker, such as", "mqtt://"+broker)
	p.answer("User name at the broker", "a44-north")
	p.answer("Password at the broker", "se cret")
	p.want("the broker lets the unit in, write and read")
	p.answer("Signed list to follow", "")
	p.answer("List to import", filepath.Join(dir, "none.csv"))
	p.answer("no such file", lists)
	p.want("entries become the list stolen")
	p.answer("Write them?", "")
	p.want("Checking all of it")
	p.want("Start the unit with: platewatch run -config " + config)
	if code := p.end(); code != 0 {
		t.Fatalf("the exit code is %d\n%s", code, p.seen.String())
	}
	if shown := strings.Replace(p.seen.String(), typed, "", 1); strings.Contains(shown, "p:ss") || strings.Contains(shown, "se cret") {
		t.Errorf("a password was shown:\n%s", p.seen.String())
	}
	if _, err := os.Stat(picture); err == nil {
		t.Errorf("%s is still there", picture)
	}
	holds(t, filepath.Dir(config), map[string]fs.FileMode{
		"platewatch.toml": 0o644, "secret": fs.ModeDir | 0o700, "secret/front-camera": 0o600,
		"secret/mqtt-user": 0o600, "secret/mqtt-password": 0o600, "secret/hotlist.key": 0o600,
	})
	text, err := os.ReadFile(config)
	if err != nil || strings.Contains(string(text), "p:ss") || strings.Contains(string(text), "se cret") {
		t.Errorf("%v, a password in:\n%s", err, text)
	}

	arrived := subscribe(t, broker, func(h *message.Hit) {
		if h.Unit != "a44-north" || h.Camera != "front" || h.Matches[0].List != "stolen" {
			t.Errorf("hit of %s, %s, list %s", h.Unit, h.Camera, h.Matches[0].List)
		}
	})
	d := startDaemon(t, config)
	if id := <-arrived; id == "" {
		t.Fatalf("no hit arrived\n%s", d.log())
	}
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("the exit code is %d\n%s", code, d.log())
	}

	// A second time nothing is replaced unasked.
	out, err := exec.Command("platewatch", "setup", "-yes", "-untried", "-config", config, "-name", "other", "-camera", camera).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "there is a unit already") {
		t.Errorf("%v: %s", err, out)
	}
	if now, err := os.ReadFile(config); err != nil || string(now) != string(text) {
		t.Errorf("%v: the configuration has changed", err)
	}
}

// TestSetupInterrupted: Ctrl-C at a question, also at a password, leaves no file, and
// the terminal as it was.
func TestSetupInterrupted(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "etc", "platewatch.toml")
	for _, at := range []string{"Name of this unit", "Password at the camera"} {
		p := atTerminal(t, "setup", "-untried", "-config", config)
		if at != "Name of this unit" {
			p.answer("Name of this unit", "u1")
			p.answer("Camera, such as", "rtsp://192.0.2.7/s")
			p.answer("User name at the camera", "viewer")
		}
		p.answer(at, "\x03")
		if code := p.end(); code != 1 {
			t.Errorf("at %q: the exit code is %d\n%s", at, code, p.seen.String())
		}
		if _, err := os.Stat(filepath.Dir(config)); err == nil {
			t.Errorf("at %q: files were written", at)
		}
		termios, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
		if err != nil || termios.Lflag&unix.ECHO == 0 {
			t.Errorf("at %q: the terminal does not echo any more: %v", at, err)
		}
	}
}

// TestSetupByFlags: hundreds of units are made without a person.
func TestSetupByFlags(t *testing.T) {
	dir := t.TempDir()
	lists := filepath.Join(dir, "gate.csv")
	write(t, lists, media.Hotlist)
	if out, err := exec.Command("platewatch", "hotlist", "keygen", filepath.Join(dir, "hq")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	run := func(args ...string) (string, int) {
		cmd := exec.Command("platewatch", append([]string{"setup", "-yes"}, args...)...)
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	config := filepath.Join(dir, "one", "platewatch.toml")
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-camera", "/dev/video9"}, 64, "-name: the name is missing"},
		{[]string{"-name", "u1"}, 64, "-camera: a unit needs a camera"},
		{[]string{"-name", "u1", "-camera", "/dev/video9"}, 4, "-untried uses it as it is"},
		{[]string{"-name", "u1", "-untried", "-camera", "ftp://x"}, 64, "scheme that is not supported"},
		{[]string{"-name", "u1", "-untried", "-camera", "a=/dev/video0", "-camera", "a=/dev/video1"}, 64, "two cameras have the name a"},
		{[]string{"-name", "u1", "-untried", "-camera", "/dev/video0", "-region", "atlantis"}, 64, "there is no region"},
		{[]string{"-name", "u1", "-untried", "-camera", "/dev/video0", "-broker", "mqtt://192.0.2.1"}, 64, "-broker"},
		{[]string{"-name", "u1", "-untried", "-camera", "/dev/video0", "-follow", "stolen"}, 64, "come from the broker"},
		{[]string{"-name", "u1", "-untried", "-camera", "/dev/video0", "-broker", "mqtt://127.0.0.1", "-follow", "stolen"}, 64, "nobody is trusted"},
		{[]string{"-name", "u1", "-untried", "-camera", "/dev/video0", "-root", dir, "-list", lists}, 64, "on the board itself"},
	} {
		out, code := run(append(test.args, "-config", config)...)
		if code != test.code || !strings.Contains(out, test.want) {
			t.Errorf("%q: exit code %d, %s", test.args, code, out)
		}
	}
	if _, err := os.Stat(filepath.Dir(config)); err == nil {
		t.Error("a refused setup left files")
	}

	// One unit here, and one for another board.
	all := []string{"-untried", "-name", "u1", "-camera", "/dev/video0", "-camera", "rear=rtsp://192.0.2.7/s",
		"-camera-credentials", "rear=" + filepath.Join(dir, "login"), "-broker", "mqtt://127.0.0.1:1", "-follow", "stolen",
		"-trust", filepath.Join(dir, "hq.pub"), "-region", "nl"}
	write(t, filepath.Join(dir, "login"), []byte("viewer:pass\n"))
	out, code := run(append(all, "-config", config, "-state", filepath.Join(dir, "state"), "-list", "gate="+lists)...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, out)
	}
	holds(t, filepath.Dir(config), map[string]fs.FileMode{
		"platewatch.toml": 0o644, "hq.pub": 0o644, "secret": fs.ModeDir | 0o700, "secret/rear-camera": 0o600, "secret/hotlist.key": 0o600,
	})
	if out, err := exec.Command("platewatch", "hotlist", "list", "-config", config).CombinedOutput(); err != nil || !strings.Contains(string(out), "gate") {
		t.Errorf("%v: %s", err, out)
	}
	root := filepath.Join(dir, "root")
	if out, code := run(append(all, "-root", root)...); code != 0 {
		t.Fatalf("exit code %d: %s", code, out)
	}
	holds(t, root, map[string]fs.FileMode{
		"etc": fs.ModeDir | 0o755, "etc/platewatch": fs.ModeDir | 0o755, "etc/platewatch/platewatch.toml": 0o644, "etc/platewatch/hq.pub": 0o644,
		"etc/platewatch/secret": fs.ModeDir | 0o700, "etc/platewatch/secret/rear-camera": 0o600,
		"etc/systemd": fs.ModeDir | 0o755, "etc/systemd/system": fs.ModeDir | 0o755, "etc/systemd/system/platewatch.service.d": fs.ModeDir | 0o755,
		"etc/systemd/system/platewatch.service.d/credentials.conf": 0o644,
	})
}

// holds compares the files below a folder, and their modes.
func holds(t *testing.T, dir string, want map[string]fs.FileMode) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if mode, ok := want[name]; !ok || mode != info.Mode() {
			t.Errorf("%s has the mode %v, want %v", name, info.Mode(), mode)
		}
		delete(want, name)
		return nil
	})
	if err != nil || len(want) > 0 {
		t.Errorf("%v; missing: %v", err, want)
	}
}

// passwordCamera plays the road, and asks for viewer with the password p:ss.
func passwordCamera(t *testing.T) string {
	t.Helper()
	clip, err := rtsptest.ParseAnnexB(media.Road)
	if err != nil {
		t.Fatal(err)
	}
	s := rtsptest.New("127.0.0.1:0")
	s.Username, s.Password = "viewer", "p:ss"
	if err := s.Add("road", rtsptest.Options{FPS: media.RoadFPS, Loop: true, Live: true}, clip); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.URL("road")
}

// passwordBroker is Mosquitto with a password for the unit, which may write its own
// topics; a client without one reads all.
func passwordBroker(t *testing.T) string {
	t.Helper()
	mosquitto, err := exec.LookPath("mosquitto")
	if err != nil {
		t.Skip("mosquitto is not installed: apt-get install mosquitto")
	}
	dir := t.TempDir()
	passwords := filepath.Join(dir, "passwords")
	if out, err := exec.Command("mosquitto_passwd", "-b", "-c", passwords, "a44-north", "se cret").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	acl := filepath.Join(dir, "acl")
	write(t, acl, []byte("topic read platewatch/v1/#\npattern readwrite platewatch/v1/units/%u/state\n"+
		"pattern write platewatch/v1/units/%u/health\npattern write platewatch/v1/units/%u/hits\npattern write platewatch/v1/units/%u/hotlists\n"))
	address := addrtest.Free(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "mosquitto.conf")
	write(t, conf, fmt.Appendf(nil, "listener %s 127.0.0.1\nuser root\nallow_anonymous true\npassword_file %s\nacl_file %s\n", port, passwords, acl))
	runMosquitto(t, mosquitto, conf, address)
	return address
}

// terminal is a program at a pseudo-terminal.
type terminal struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	slave  *os.File
	output chan string
	seen   strings.Builder
	rest   string // not looked at yet
}

// atTerminal starts platewatch at a terminal of its own.
func atTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	p := &terminal{t: t, cmd: exec.Command("platewatch", args...), master: master, slave: slave, output: make(chan string, 1000)}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = slave, slave, slave
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill() })
	go func() { // ends when the terminal is closed
		for b := make([]byte, 4096); ; {
			n, err := master.Read(b)
			if err != nil {
				close(p.output)
				return
			}
			p.output <- string(b[:n])
		}
	}()
	return p
}

// until returns what is shown up to a text.
func (p *terminal) until(text string) string {
	p.t.Helper()
	deadline := time.After(time.Minute)
	for {
		if before, after, ok := strings.Cut(p.rest, text); ok {
			p.rest = after
			return before
		}
		select {
		case s := <-p.output:
			p.seen.WriteString(s)
			p.rest += s
		case <-deadline:
			p.t.Fatalf("%q is not shown:\n%s", text, p.seen.String())
		}
	}
}

func (p *terminal) want(text string) { p.t.Helper(); p.until(text) }

// answer waits for a question and types the answer.
func (p *terminal) answer(question, text string) {
	p.t.Helper()
	p.want(question)
	if strings.HasSuffix(question, "such as") || strings.HasPrefix(question, "Password") || strings.HasPrefix(question, "Name") {
		p.want(": ") // what follows is asked, and not echoed where it is secret
	}
	if text != "\x03" {
		text += "\n"
	}
	if _, err := p.master.WriteString(text); err != nil {
		p.t.Fatal(err)
	}
}

// end waits for the program's end and returns its exit code.
func (p *terminal) end() int {
	p.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	for {
		select {
		case s := <-p.output:
			p.seen.WriteString(s)
		case <-ended:
			return p.cmd.ProcessState.ExitCode()
		case <-time.After(time.Minute):
			p.t.Fatalf("it does not end:\n%s", p.seen.String())
		}
	}
}
