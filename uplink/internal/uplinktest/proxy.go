package uplinktest

import (
	"bytes"
	"embed"
	"encoding/json"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"platewatch/uplink/message"
)

// Proxy stands between the client and a broker. It reads every packet, checks every
// published message against its schema, and records which revisions of which hits the
// broker acknowledged, in which order. It can cut connections, swallow
// acknowledgements, and go silent.
type Proxy struct {
	t      *testing.T
	Listen net.Listener
	target string
	wg     sync.WaitGroup

	Mu        sync.Mutex
	changed   chan struct{} // closed and replaced at every event
	conns     map[net.Conn]bool
	Acked     []WireHit // PUBACKed by the broker, whether or not the client received it
	Published []WireHit
	States    []message.State
	Healths   []message.Health
	Others    []wireOther
	Accepted  int // connections
	connects  []*packets.ConnectPacket

	Swallow  func(h WireHit) bool // PUBACKs that do not get through
	CutEvery int                  // cut the connection at every CutEvery-th PUBLISH of a hit
	CutParts int                  // cut the connection at every CutParts-th part of a hotlist
	Parts    map[string]int       // how often each was published
	Silent   bool                 // nothing gets through, connections stay open
}

// WireHit holds the fields of a published hit that the tests compare.
type WireHit struct {
	ID         string
	Number     uint64
	Revision   int
	Historical bool
	Pictures   bool
	Text       string
	Conn       int
	Follow     bool
}

// wireOther is a message in another system's format: ONVIF or Home Assistant.
type wireOther struct {
	Topic    string
	Payload  []byte
	Retained bool
	After    int // hits that were published before
}

// NewProxy starts a proxy in front of the broker at target.
func NewProxy(t *testing.T, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{t: t, Listen: l, target: target, changed: make(chan struct{}), conns: map[net.Conn]bool{}}
	p.wg.Add(1)
	go p.serve()
	t.Cleanup(p.close)
	return p
}

// URL is the address to connect to.
func (p *Proxy) URL() string { return "tcp://" + p.Listen.Addr().String() }

func (p *Proxy) close() {
	p.Listen.Close()
	p.Cut()
	p.wg.Wait()
}

// Cut ends all connections now.
func (p *Proxy) Cut() {
	p.Mu.Lock()
	defer p.Mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

// Set changes the proxy's behaviour.
func (p *Proxy) Set(f func(p *Proxy)) {
	p.Mu.Lock()
	defer p.Mu.Unlock()
	f(p)
	p.event()
}

func (p *Proxy) event() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// Wait returns once cond, called with the lock held, is true.
func (p *Proxy) Wait(what string, cond func(p *Proxy) bool) {
	p.t.Helper()
	for {
		p.Mu.Lock()
		ok, changed := cond(p), p.changed
		p.Mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-p.t.Context().Done():
			p.t.Fatalf("gave up waiting for %s", what)
		case <-Timeout(p.t):
			p.Mu.Lock()
			defer p.Mu.Unlock()
			p.t.Fatalf("waited too long for %s: %d connections, %d hits published, %d acknowledged", what, p.Accepted, len(p.Published), len(p.Acked))
		}
	}
}

func (p *Proxy) serve() {
	defer p.wg.Done()
	for {
		c, err := p.Listen.Accept()
		if err != nil {
			return
		}
		b, err := net.Dial("tcp", p.target)
		if err != nil {
			c.Close()
			continue
		}
		p.Mu.Lock()
		p.Accepted++
		id := p.Accepted
		p.conns[c], p.conns[b] = true, true
		p.event()
		p.Mu.Unlock()
		pending := &inflight{hits: map[uint16]WireHit{}}
		p.wg.Add(2)
		go p.pump(c, b, func(cp packets.ControlPacket) bool { return p.fromClient(cp, pending, id, c) })
		go p.pump(b, c, func(cp packets.ControlPacket) bool { return p.fromBroker(cp, pending, c) })
	}
}

type inflight struct {
	mu   sync.Mutex
	hits map[uint16]WireHit
}

// pump forwards the packets that pass lets through.
func (p *Proxy) pump(from, to net.Conn, pass func(packets.ControlPacket) bool) {
	defer p.wg.Done()
	defer func() {
		from.Close()
		p.Mu.Lock()
		delete(p.conns, from)
		if !p.Silent { // over a dead link neither side learns of the end
			to.Close()
		}
		p.Mu.Unlock()
	}()
	for {
		cp, err := packets.ReadPacket(from)
		if err != nil {
			return
		}
		if !pass(cp) {
			continue
		}
		p.Mu.Lock()
		silent := p.Silent
		p.Mu.Unlock()
		if silent {
			continue
		}
		var b bytes.Buffer
		if err := cp.Write(&b); err != nil {
			return
		}
		if _, err := to.Write(b.Bytes()); err != nil {
			return
		}
	}
}

func (p *Proxy) fromClient(cp packets.ControlPacket, pending *inflight, conn int, c net.Conn) bool {
	switch m := cp.(type) {
	case *packets.ConnectPacket:
		p.Set(func(p *Proxy) { p.connects = append(p.connects, m) })
		if m.WillFlag {
			p.check(m.WillTopic, m.WillMessage)
		}
	case *packets.PublishPacket:
		if !strings.HasPrefix(m.TopicName, "platewatch/v1/") {
			p.checkOther(m.TopicName, m.Payload)
			p.Set(func(p *Proxy) {
				p.Others = append(p.Others, wireOther{m.TopicName, m.Payload, m.Retain, len(p.Published)})
			})
			return true
		}
		kind := p.check(m.TopicName, m.Payload)
		if m.Qos != 1 || m.Retain != (kind != message.KindHits) {
			p.t.Errorf("%s was published with QoS %d, retain %t", m.TopicName, m.Qos, m.Retain)
		}
		cut := false
		p.Set(func(p *Proxy) {
			switch kind {
			case message.KindState:
				p.States = append(p.States, Decode[message.State](p.t, m.Payload))
			case message.KindHealth:
				p.Healths = append(p.Healths, Decode[message.Health](p.t, m.Payload))
			case message.KindHits:
				h := Decode[message.Hit](p.t, m.Payload)
				w := WireHit{h.ID, h.Number, h.Revision, h.Historical, h.PlatePicture != nil, h.Text, conn, h.PicturesFollow}
				pending.mu.Lock()
				pending.hits[m.MessageID] = w
				pending.mu.Unlock()
				p.Published = append(p.Published, w)
				cut = p.CutEvery > 0 && len(p.Published)%p.CutEvery == 0
			}
		})
		if cut {
			c.Close()
			return false
		}
	}
	return true
}

func (p *Proxy) fromBroker(cp packets.ControlPacket, pending *inflight, c net.Conn) bool {
	if m, ok := cp.(*packets.PublishPacket); ok && strings.HasPrefix(m.TopicName, message.ListRoot) && !strings.HasSuffix(m.TopicName, "/manifest") {
		cut := false
		p.Set(func(p *Proxy) {
			if p.Parts == nil {
				p.Parts = map[string]int{}
			}
			p.Parts[m.TopicName]++
			cut = p.CutParts > 0 && len(p.Parts)%p.CutParts == 0 && p.Parts[m.TopicName] == 1
		})
		if cut {
			c.Close()
			return false
		}
	}
	m, ok := cp.(*packets.PubackPacket)
	if !ok {
		return true
	}
	pending.mu.Lock()
	h, ok := pending.hits[m.MessageID]
	delete(pending.hits, m.MessageID)
	pending.mu.Unlock()
	if !ok {
		return true
	}
	pass := true
	p.Set(func(p *Proxy) {
		p.Acked = append(p.Acked, h)
		pass = p.Swallow == nil || !p.Swallow(h)
	})
	return pass
}

// check validates every message that any test publishes against its schema.
func (p *Proxy) check(topic string, payload []byte) message.Kind {
	_, kind, ok := message.ParseTopic(topic)
	if !ok {
		p.t.Errorf("a message was published on %q", topic)
		return ""
	}
	if err := message.Validate(kind, payload); err != nil {
		p.t.Errorf("a message on %s: %v\n%.400s", topic, err, payload)
	}
	return kind
}

//go:embed testdata/*.json
var otherSchemaFiles embed.FS

// otherSchemas are the schemas of messages for other systems, by a part of the topic.
var otherSchemas = map[string]string{"onvif-ej/": "onvif-event.schema.json", "homeassistant/": "homeassistant-device.schema.json"}

func (p *Proxy) checkOther(topic string, payload []byte) {
	if len(payload) == 0 { // takes a retained message away
		return
	}
	for part, file := range otherSchemas {
		if !strings.Contains(topic, part) {
			continue
		}
		b, err := otherSchemaFiles.ReadFile("testdata/" + file)
		if err != nil {
			p.t.Error(err)
			return
		}
		schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			p.t.Error(err)
			return
		}
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		c.AssertContent()
		if err := c.AddResource(file, schema); err != nil {
			p.t.Error(err)
			return
		}
		s, err := c.Compile(file)
		if err != nil {
			p.t.Error(err)
			return
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
		if err == nil {
			err = s.Validate(v)
		}
		if err != nil {
			p.t.Errorf("a message on %s: %v\n%.400s", topic, err, payload)
		}
		return
	}
	p.t.Errorf("a message was published on %q", topic)
}

// Decode is [json.Unmarshal] for payloads that were checked.
func Decode[T any](t *testing.T, b []byte) T {
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		t.Errorf("cannot decode %T: %v", v, err)
	}
	return v
}

// Firsts keeps the first acknowledgement of each revision of each hit.
func Firsts(hits []WireHit) []WireHit {
	type key struct {
		id  string
		rev int
	}
	have := map[key]bool{}
	var out []WireHit
	for _, h := range hits {
		if k := (key{h.ID, h.Revision}); !have[k] {
			have[k] = true
			out = append(out, h)
		}
	}
	return out
}
