package status

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"platewatch/deploy/tools/goldentest"
)

// TestMetrics holds the names, helps, types and labels of all metrics: they are
// an interface.
func TestMetrics(t *testing.T) {
	u := newFake()
	u.doc.Outbox.Dropped = map[string]uint64{"age": 2}
	body := get(newServer(t, u, Options{}).handler(), "/metrics").Body.String()
	changing := regexp.MustCompile(`(?m)^(platewatch_(?:start_time_seconds|\w*_timestamp_seconds\S*)) .*$`)
	var ours []string
	for line := range strings.Lines(body) {
		if strings.Contains(line, "platewatch_") {
			ours = append(ours, changing.ReplaceAllString(line, "$1 (changes)"))
		}
	}
	got := strings.Join(ours, "")
	const file = "testdata/metrics.golden"
	goldentest.Compare(t, file, got)
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes"} {
		if !strings.Contains(body, "\n"+name+" ") {
			t.Errorf("no %s", name)
		}
	}
}

// TestMetricsLint asks Prometheus' own linter about names, units and helps.
func TestMetricsLint(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(&collector{newServer(t, newFake(), Options{})})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestPromtool asks Prometheus itself about the metrics, and about the alert rules that
// are delivered: that they are valid, and that each metric in them, and in the
// dashboard, exists.
func TestPromtool(t *testing.T) {
	u := newFake()
	u.doc.Uplink.Certificate = time.Now()
	u.doc.Hotlist.Lists[0].Expires = time.Now()
	u.doc.Outbox.Dropped = map[string]uint64{"age": 2}
	s := newServer(t, u, Options{})
	s.snapshot.page = func() *Page { return &Page{Expires: time.Now()} }
	body := get(s.handler(), "/metrics").Body.String()
	var ours strings.Builder
	for line := range strings.Lines(body) {
		if strings.Contains(line, "platewatch_") {
			ours.WriteString(line)
		}
	}
	const monitoring = "../../../../deploy/monitoring/"
	for _, name := range []string{"alerts.yml", "grafana.json"} {
		b, err := os.ReadFile(monitoring + name)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`platewatch_[a-z_]+`).FindAllString(string(b), -1)
		if len(found) < 10 {
			t.Errorf("%s has only %d metrics", name, len(found))
		}
		for _, metric := range found {
			if !strings.Contains(body, "# TYPE "+strings.TrimSuffix(metric, "_bucket")+" ") {
				t.Errorf("%s asks for %s, which no unit has", name, metric)
			}
		}
	}
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool here: Prometheus was not asked (apt install prometheus)")
	}
	for _, args := range [][]string{{"check", "metrics"}, {"check", "rules", monitoring + "alerts.yml"}, {"test", "rules", monitoring + "alerts.test.yml"}} {
		c := exec.Command(path, args...)
		c.Stdin = strings.NewReader(ours.String())
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}
