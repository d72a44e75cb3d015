package uplink

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/uplink/broker"
	"platewatch/uplink/internal/link"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// listServer is the hotlist as far as the uplink knows it.
type listServer struct {
	mu       sync.Mutex
	versions map[string]*ListUpdate // by the manifest's content
	applied  []string
	checked  map[string]int
	held     string
}

func (s *listServer) CheckManifest(list string, manifest []byte) (*ListUpdate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.checked == nil {
		s.checked = map[string]int{}
	}
	s.checked[string(manifest)]++
	u, ok := s.versions[string(manifest)]
	switch {
	case !ok:
		return nil, errors.New("the signature is wrong")
	case u.Version == s.held:
		return nil, nil
	}
	return u, nil
}

func (s *listServer) ApplyUpdate(_ context.Context, list string, _ []byte, parts []string) error {
	var all strings.Builder
	for _, path := range parts {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		all.Write(b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied = append(s.applied, list+": "+all.String()[:12])
	return nil
}

// publishRetained puts messages onto a broker, as the server does.
func publishRetained(t *testing.T, addr string, messages map[string]string) {
	t.Helper()
	l, err := link.Connect(t.Context(), broker.Broker{URL: "tcp://" + addr}, link.Options{ClientID: "server", KeepAlive: 10 * time.Second, Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for topic, payload := range messages {
		token := l.Publish(topic, true, []byte(payload))
		<-token.Done()
		if err := token.Error(); err != nil {
			t.Fatal(err)
		}
	}
}

func part(n int, content string) ListPart {
	return ListPart{Number: n, Size: int64(len(content)), SHA256: sha256.Sum256([]byte(content))}
}

// A manifest and its parts are fetched over cut connections, without asking
// twice for what is there, and what is not authentic is refused.
func TestListUpdates(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		p := uplinktest.NewProxy(t, b.Addr())
		var parts []ListPart
		messages := map[string]string{message.ManifestTopic("stolen"): "manifest 7"}
		for n := 1; n <= 5; n++ {
			content := fmt.Sprintf("part %d, long enough %s", n, strings.Repeat("x", 50_000))
			parts = append(parts, part(n, content))
			messages[message.PartTopic("stolen", "7", n)] = content
		}
		messages[message.PartTopic("stolen", "8", 1)] = "not what was signed"
		server := &listServer{versions: map[string]*ListUpdate{
			"manifest 7": {Version: "7", Parts: parts},
			"manifest 8": {Version: "8", Parts: []ListPart{part(1, "what was signed")}},
			"manifest 9": {Version: "9", Parts: []ListPart{part(1, "nowhere")}},
			"huge":       {Version: "10", Parts: []ListPart{{Number: 1, Size: 5 << 20}}},
			"path":       {Version: "../x", Parts: parts},
		}}
		publishRetained(t, b.Addr(), messages)
		type result struct{ version, err string }
		results := make(chan result, 10)
		dir := t.TempDir()
		u, err := NewListUpdates(ListSettings{Lists: []string{"stolen"}, Applier: server, Dir: dir, PartTimeout: 500 * time.Millisecond,
			Done: func(list, version string, err error) { results <- result{version, fmt.Sprint(err)} }})
		if err != nil {
			t.Fatal(err)
		}
		p.Set(func(p *uplinktest.Proxy) { p.CutParts = 2 }) // the connection ends after every second part
		o := testOutbox(t, outbox.Settings{})
		c, stop := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}, Lists: u, MaxBackoff: 20 * time.Millisecond})
		if got := <-results; got != (result{"7", "<nil>"}) {
			t.Fatalf("%+v", got)
		}
		if c.Stats().Connects < 2 {
			t.Errorf("stats: %+v", c.Stats())
		}
		p.Set(func(p *uplinktest.Proxy) { p.CutParts = 0 })
		for _, tc := range []struct{ manifest, version, want string }{
			{"manifest 8", "8", "does not match"}, {"forged", "", "signature"}, {"manifest 9", "9", "does not have it"},
			{"huge", "10", "at most"}, {"path", "../x", "topic"}, {strings.Repeat("x", 300<<10), "", "at most"},
		} {
			publishRetained(t, b.Addr(), map[string]string{message.ManifestTopic("stolen"): tc.manifest})
			got := <-results
			if got.version != tc.version || !strings.Contains(got.err, tc.want) {
				t.Errorf("%.20s: %+v", tc.manifest, got)
			}
		}
		// A manifest that was refused for good is not checked again with every
		// connection; one that lacked a part is.
		publishRetained(t, b.Addr(), map[string]string{message.ManifestTopic("stolen"): "forged again"})
		if got := <-results; !strings.Contains(got.err, "signature") {
			t.Errorf("%+v", got)
		}
		for range 2 {
			n := c.Stats().Connects
			p.Cut()
			waitStats(t, c, "another connection", func(s Stats) bool { return s.Connects > n && s.Connected })
		}
		publishRetained(t, b.Addr(), map[string]string{message.ManifestTopic("stolen"): "manifest 9"})
		if got := <-results; got.version != "9" {
			t.Errorf("%+v", got)
		}
		p.Cut()
		if got := <-results; got.version != "9" {
			t.Errorf("%+v", got)
		}
		stop()
		if n := server.checked["forged again"]; n != 1 {
			t.Errorf("a forged manifest was checked %d times", n)
		}
		if diff := cmp.Diff([]string{"stolen: part 1, long"}, server.applied); diff != "" {
			t.Errorf("applied (-want +got):\n%s", diff)
		}
		p.Mu.Lock()
		defer p.Mu.Unlock()
		for n := 1; n <= 5; n++ {
			// Once, or twice where the cut took the part itself.
			if asked := p.Parts[message.PartTopic("stolen", "7", n)]; asked < 1 || asked > 2 {
				t.Errorf("part %d came %d times", n, asked)
			}
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 1 {
			t.Errorf("%d parts are left, %v", len(left), err)
		}
	})
}

// A part that the broker got later than the manifest is fetched over the same
// connection, when the manifests are asked for again.
func TestListRefresh(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		const content = "part 1, long enough"
		server := &listServer{versions: map[string]*ListUpdate{"manifest 7": {Version: "7", Parts: []ListPart{part(1, content)}}}}
		publishRetained(t, b.Addr(), map[string]string{message.ManifestTopic("stolen"): "manifest 7"})
		results := make(chan error, 100)
		u, err := NewListUpdates(ListSettings{Lists: []string{"stolen"}, Applier: server, Dir: t.TempDir(), PartTimeout: 50 * time.Millisecond,
			Refresh: 100 * time.Millisecond, Done: func(_, _ string, err error) { results <- err }})
		if err != nil {
			t.Fatal(err)
		}
		o := testOutbox(t, outbox.Settings{})
		c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: "tcp://" + b.Addr()}}, Lists: u})
		if err := <-results; err == nil || !strings.Contains(err.Error(), "does not have it") {
			t.Fatal(err)
		}
		publishRetained(t, b.Addr(), map[string]string{message.PartTopic("stolen", "7", 1): content})
		for err := range results {
			if err == nil {
				break
			}
		}
		if s := c.Stats(); s.Connects != 1 {
			t.Errorf("stats: %+v", s)
		}
	})
}
