package uplink

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"

	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
)

// receiverMessages are what the receivers get, in order: a hit, its pictures, a better
// revision, the first one late, a check of rights, another hit, and its withdrawal.
func receiverMessages(t *testing.T) []string {
	t.Helper()
	change := func(file string, f func(m map[string]any)) string {
		b, err := os.ReadFile(filepath.Join("message", "testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		f(m)
		return string(uplinktest.Marshal(t, m))
	}
	bare := change("hits-full.json", func(m map[string]any) {
		m["pictures_follow"] = true
		delete(m, "plate_picture")
		delete(m, "context_picture")
	})
	first := change("hits-full.json", func(map[string]any) {})
	better := change("hits-full.json", func(m map[string]any) {
		m["revision"], m["text"], m["pictures_unchanged"] = 2, "M5XSY", true
		delete(m, "plate_picture")
		delete(m, "context_picture")
	})
	other := change("hits-full.json", func(m map[string]any) { m["id"], m["number"] = "unit-7-43", 43 })
	withdrawn := change("hits-withdrawn.json", func(m map[string]any) { m["id"], m["number"] = "unit-7-43", 43 })
	return []string{bare, first, better, first, `{"version":1,"unit":"unit-7","probe":"abcdefghijklmnop"}`, other, withdrawn, other}
}

func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skip(p + " is not installed")
		}
	}
}

// TestFieldReceiversShell: mosquitto_sub and hits.jq print each new revision once.
func TestFieldReceiversShell(t *testing.T) {
	needs(t, "mosquitto_sub", "jq")
	m := uplinktest.NewMosquitto(t, "allow_anonymous true\nsys_interval 1\n")
	host, port, _ := strings.Cut(m.Addr(), ":")
	c := exec.CommandContext(t.Context(), "sh", "-c", `mosquitto_sub -h "$0" -p "$1" -i shell-hits -c -q 1 -C 8 -t 'platewatch/v1/units/+/hits' | jq -n -c --unbuffered -f receivers/hits.jq`, host, port)
	subscribed := subscribers(t, m.Addr())
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	subscribed(1)
	publish(t, m.Addr(), receiverMessages(t))
	if err := c.Wait(); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	var got [][3]any
	for line := range strings.Lines(out.String()) {
		var l struct {
			ID, Text, List, Plate string
			Revision              int
			Withdrawn             bool
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		got = append(got, [3]any{l.ID, l.Revision, l.Text + l.List + l.Plate + map[bool]string{true: "withdrawn"}[l.Withdrawn]})
	}
	want := [][3]any{{"unit-7-42", 1, "M5XSXstateM5XSX 1"}, {"unit-7-42", 2, "M5XSYstateM5XSX 1"}, {"unit-7-43", 1, "M5XSXstateM5XSX 1"}, {"unit-7-43", 3, "withdrawn"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestFieldReceiversPython: receive.py stores the last revision of each hit with its
// pictures, keeps nothing of what was withdrawn, and acknowledges what is stored.
func TestFieldReceiversPython(t *testing.T) {
	python := "/usr/bin/python3" // Debian's, which has python3-paho-mqtt
	if exec.Command(python, "-c", "import paho.mqtt.client").Run() != nil {
		t.Skip("python3-paho-mqtt is not installed")
	}
	m := uplinktest.NewMosquitto(t, "allow_anonymous true\nsys_interval 1\n")
	host, port, _ := strings.Cut(m.Addr(), ":")
	file := filepath.Join(t.TempDir(), "hits.db")
	c := exec.Command(python, "receivers/receive.py", host, port, file)
	var errs bytes.Buffer
	c.Stderr = &errs
	subscribed := subscribers(t, m.Addr())
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	subscribed(1)
	messages := receiverMessages(t)
	acks := publish(t, m.Addr(), messages)
	stored := map[string]int{}
	for range len(messages) - 1 { // except the check of rights
		select {
		case b := <-acks:
			a := uplinktest.Decode[message.Acks](t, b)
			stored[a.Stored[0].ID] = max(stored[a.Stored[0].ID], a.Stored[0].Revision)
		case <-uplinktest.Timeout(t):
			t.Fatalf("acknowledged so far: %v\n%s", stored, errs.String())
		}
	}
	if d := cmp.Diff(map[string]int{"unit-7-42": 2, "unit-7-43": 3}, stored); d != "" {
		t.Errorf("acknowledged (-want +got):\n%s", d)
	}
	out, err := exec.Command(python, "-c", `import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute("SELECT id, revision, withdrawn, text, hit IS NULL, json_extract(hit, '$.plate_picture.width') FROM hits ORDER BY id"): print(*row)`, file).CombinedOutput()
	if want := "unit-7-42 2 0 M5XSY 0 2\nunit-7-43 3 1 None 1 None\n"; err != nil || string(out) != want {
		t.Errorf("%v, stored\n%swant\n%s", err, out, want)
	}
}

// TestFieldReceiversNodeRED: the function of the flow sorts revisions, withdrawals and
// repeats; Node.js runs it as Node-RED would.
func TestFieldReceiversNodeRED(t *testing.T) {
	needs(t, "node")
	const run = `const flow = JSON.parse(require('fs').readFileSync('receivers/node-red.json'));
const ids = new Set(flow.map(n => n.id));
for (const n of flow) for (const w of (n.wires || []).flat()) if (!ids.has(w)) throw new Error('no node ' + w);
const f = new Function('msg', 'context', flow.find(n => n.type === 'function').func);
const kept = {}, context = {get: k => kept[k], set: (k, v) => { kept[k] = v }};
for (const m of JSON.parse(process.argv[1])) {
  const out = f({payload: JSON.parse(m)}, context);
  console.log(out === null ? 'nothing' : (out[0] ? 'hit ' + out[0].payload.text : out[1] ? 'withdrawn ' + out[1].payload.id : 'repeat') + ', acks ' + out[2].topic + ' ' + JSON.stringify(out[2].payload.stored));
}`
	out, err := exec.Command("node", "-e", run, string(uplinktest.Marshal(t, receiverMessages(t)))).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ack := func(id string, revision string) string {
		return `, acks platewatch/v1/units/unit-7/acks [{"id":"` + id + `","revision":` + revision + `}]` + "\n"
	}
	want := "hit M5XSX" + ack("unit-7-42", "1") + "hit M5XSX" + ack("unit-7-42", "1") + "hit M5XSY" + ack("unit-7-42", "2") + "repeat" + ack("unit-7-42", "1") +
		"nothing\n" + "hit M5XSX" + ack("unit-7-43", "1") + "withdrawn unit-7-43" + ack("unit-7-43", "3") + "repeat" + ack("unit-7-43", "1")
	if d := cmp.Diff(want, string(out)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestFieldReceiversNodeREDItself: the flow runs in Node-RED, with its acknowledgement
// wired, against a real broker: what its nodes print, and what the unit is told.
func TestFieldReceiversNodeREDItself(t *testing.T) {
	needs(t, "node-red")
	m := uplinktest.NewMosquitto(t, "allow_anonymous true\nsys_interval 1\n")
	host, port, _ := strings.Cut(m.Addr(), ":")
	raw, err := os.ReadFile("receivers/node-red.json")
	if err != nil {
		t.Fatal(err)
	}
	flow := uplinktest.Decode[[]map[string]any](t, raw)
	for _, node := range flow {
		switch node["type"] {
		case "mqtt-broker":
			node["broker"], node["port"] = host, port
		case "function":
			node["wires"].([]any)[2] = []any{"pw-acks"}
		case "debug":
			node["console"] = true
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "flow.json")
	for path, content := range map[string][]byte{
		file:                              uplinktest.Marshal(t, flow),
		filepath.Join(dir, "settings.js"): []byte(`module.exports = {uiHost: "127.0.0.1", uiPort: 0, httpAdminRoot: false, httpNodeRoot: false, telemetry: {enabled: false}}`),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command("node-red", "--userDir", dir, "--settings", filepath.Join(dir, "settings.js"), file)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = c.Stdout
	subscribed := subscribers(t, m.Addr())
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1000)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	defer func() { _ = c.Process.Kill(); <-read; _ = c.Wait() }()
	subscribed(1)
	messages := receiverMessages(t)
	acks := publish(t, m.Addr(), messages)
	var acknowledged []string
	for range len(messages) - 1 { // except the check of rights
		select {
		case b := <-acks:
			a := uplinktest.Decode[message.Acks](t, b)
			acknowledged = append(acknowledged, fmt.Sprint(a.Stored[0].ID, " ", a.Stored[0].Revision))
		case <-uplinktest.Timeout(t):
			t.Fatalf("acknowledged so far: %v", acknowledged)
		}
	}
	if d := cmp.Diff([]string{"unit-7-42 1", "unit-7-42 1", "unit-7-42 2", "unit-7-42 1", "unit-7-43 1", "unit-7-43 3", "unit-7-43 1"}, acknowledged); d != "" {
		t.Errorf("acknowledged (-want +got):\n%s", d)
	}
	var texts, printed []string
	withdrawn := 0
	text := regexp.MustCompile(`^\s*text: '(M5XS.)'`) // Node.js prints objects so
	for len(texts) < 4 || withdrawn < 1 {
		select {
		case line := <-lines:
			if m := text.FindStringSubmatch(line); m != nil {
				texts = append(texts, m[1])
			}
			if strings.HasSuffix(strings.TrimSpace(line), "unit-7-43") { // the id alone, without quotes
				withdrawn++
			}
			printed = append(printed, line)
		case <-uplinktest.Timeout(t):
			t.Fatalf("%v, %d withdrawn; printed so far:\n%s", texts, withdrawn, strings.Join(printed, "\n"))
		}
	}
	if d := cmp.Diff([]string{"M5XSX", "M5XSX", "M5XSY", "M5XSX"}, texts); d != "" {
		t.Errorf("printed (-want +got):\n%s", d)
	}
}

// subscribers returns a function that waits until so many others have subscribed.
func subscribers(t *testing.T, address string) func(n int) {
	t.Helper()
	counts := make(chan string, 100)
	c := connect(t, address)
	if token := c.Subscribe("$SYS/broker/subscriptions/count", 0, func(_ mqtt.Client, m mqtt.Message) { counts <- string(m.Payload()) }); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	own := 1
	return func(n int) {
		t.Helper()
		for {
			select {
			case got := <-counts:
				var count int
				if json.Unmarshal([]byte(got), &count) == nil && count >= own+n {
					return
				}
			case <-uplinktest.Timeout(t):
				t.Fatal("nobody subscribed")
			}
		}
	}
}

// publish sends hits of unit-7 in order, and returns its acknowledgements.
func publish(t *testing.T, address string, payloads []string) <-chan []byte {
	t.Helper()
	acks := make(chan []byte, 100)
	c := connect(t, address)
	if token := c.Subscribe(message.Topic("unit-7", message.KindAcks), 1, func(_ mqtt.Client, m mqtt.Message) { acks <- m.Payload() }); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	for _, p := range payloads {
		if token := c.Publish(message.Topic("unit-7", message.KindHits), 1, false, p); token.Wait() && token.Error() != nil {
			t.Fatal(token.Error())
		}
	}
	return acks
}

func connect(t *testing.T, address string) mqtt.Client {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + address).SetConnectTimeout(10 * time.Second).SetAutoReconnect(false))
	if token := c.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	t.Cleanup(func() { c.Disconnect(50) })
	return c
}
