package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"platewatch/deploy/tools/addrtest"
)

// Passwords before the host, in the path and in the query of cameras' addresses are
// looked for in the log, on the page and in the metrics, in every message that the
// broker gets, in the state folder, and in what read, config and doctor print.
func TestAttackPasswordsInAddresses(t *testing.T) {
	mosquitto, err := exec.LookPath("mosquitto")
	if err != nil {
		t.Skip("mosquitto is not installed: apt-get install mosquitto")
	}
	const password = "hunter2secret"
	closed, page, broker, dir := addrtest.Free(t), addrtest.Free(t), addrtest.Free(t), t.TempDir()
	// What a configuration may not hold, and what it may.
	refused := []string{
		"rtsp://admin:" + password + "@" + closed + "/s",
		"rtsp://" + closed + "/user=admin_password=" + password + "_channel=1_stream=0.sdp",
		"rtsp://" + closed + "/s?user=admin&pwd=" + password,
		"http://" + closed + "/video.cgi?loginuse=admin&loginpas=" + password,
		"http://" + closed + "/0/admin:" + password + "/main",
	}
	accepted := []string{
		"rtsp://" + closed + "/s",
		"rtsp://" + closed + "/user={user}_password={password}_channel=1_stream=0.sdp",
		"http://" + closed + "/video.cgi?loginuse={user}&loginpas={password}",
		"http://" + closed + "/video.cgi?of-another-name=" + password,
		"rtsp://" + closed + "/of-another-name=" + password,
	}
	var told sync.Map // where → text
	look := func(where string, text []byte) {
		if bytes.Contains(text, []byte(password)) {
			told.LoadOrStore(where, fmt.Sprintf("%.300q", text[max(0, bytes.Index(text, []byte(password))-100):]))
		}
	}
	credentials := filepath.Join(dir, "credentials")
	if err := os.WriteFile(credentials, []byte("admin:"+password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	configure := func(name string, addresses []string) string {
		t.Helper()
		var b strings.Builder
		fmt.Fprintf(&b, "state_dir = %q\n[unit]\nname = \"roadside-7\"\n[uplink]\nbrokers = [\"mqtt://%s\"]\n[status]\nlisten = %q\n[log]\nlevel = \"debug\"\n",
			filepath.Join(dir, "state"), broker, page)
		for i, a := range addresses {
			fmt.Fprintf(&b, "[[camera]]\nname = \"c%d\"\nsource = %q\n", i, a)
			if !strings.Contains(a, "of-another-name") && name == "accepted" {
				fmt.Fprintf(&b, "credentials_file = %q\n", credentials)
			}
		}
		file := filepath.Join(dir, name+".toml")
		write(t, file, []byte(b.String()))
		return file
	}
	config, wrong := configure("accepted", accepted), configure("refused", refused)
	d := startDaemon(t, config)
	for range accepted {
		d.waitFor("camera offline")
	}
	// The first health message is sent when the broker is there.
	startMosquitto(t, mosquitto, broker)
	health := make(chan struct{}, 100)
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + broker).SetClientID("everything"))
	if token := client.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer client.Disconnect(100)
	if token := client.Subscribe("#", 1, func(_ mqtt.Client, m mqtt.Message) {
		look("message "+m.Topic(), m.Payload())
		if strings.HasSuffix(m.Topic(), "/health") && bytes.Contains(m.Payload(), []byte("refused")) {
			health <- struct{}{}
		}
	}); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	for _, path := range []string{"status.json", "metrics", ""} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+page+"/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || len(text) == 0 {
			t.Fatal(path, err)
		}
		look("page /"+path, text)
	}
	select {
	case <-health:
	case <-time.After(time.Minute):
		t.Error("no health message reports a camera that cannot be reached")
	}
	d.stop(syscall.SIGTERM)
	look("log", []byte(d.log()))
	err = filepath.WalkDir(filepath.Join(dir, "state"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			text, err := os.ReadFile(path)
			look("file "+e.Name(), text)
			return err
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for _, args := range [][]string{
		append([]string{"read"}, append(refused, accepted[3:]...)...), append([]string{"read", "-json"}, append(refused, accepted[3:]...)...),
		{"config", "show", "-config", config}, {"config", "check", "-config", config}, {"config", "check", "-config", wrong}, {"run", "-config", wrong},
	} {
		// They must fail: nothing answers there.
		out, _ := exec.Command("platewatch", args...).CombinedOutput()
		if len(out) == 0 {
			t.Errorf("%v printed nothing", args[:2])
		}
		look(strings.Join(args[:min(2, len(args))], " "), out)
	}
	told.Range(func(where, text any) bool {
		t.Errorf("%s tells the password: %s", where, text)
		return true
	})
}
