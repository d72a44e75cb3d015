package uplink

import (
	"bytes"
	"encoding/json"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// proxy stands between the client and a broker. It reads every packet, checks
// every published message against its schema, and keeps the account the tests
// rely on: which revisions of which hits the broker acknowledged, in which
// order. It can cut connections, swallow acknowledgements, and go silent.
type proxy struct {
	t      *testing.T
	listen net.Listener
	target string
	wg     sync.WaitGroup

	mu        sync.Mutex
	changed   chan struct{} // closed and replaced at every event
	conns     map[net.Conn]bool
	acked     []wireHit // PUBACKed by the broker, whether or not the client got to know
	published []wireHit
	states    []State
	healths   []Health
	others    []wireOther
	accepted  int // connections
	connects  []*packets.ConnectPacket

	swallow  func(h wireHit) bool // PUBACKs that do not get through
	cutEvery int                  // cut the connection at every so many PUBLISHes of hits
	cutParts int                  // cut the connection at every so many parts of hotlists
	parts    map[string]int       // how often each came by
	silent   bool                 // nothing gets through, connections stay open
}

type wireHit struct {
	ID         string
	Number     uint64
	Revision   int
	Historical bool
	Pictures   bool
	Text       string
	Conn       int
	Follow     bool
}

// wireOther is a message for those who do not know platewatch.
type wireOther struct {
	Topic    string
	Payload  []byte
	Retained bool
	After    int // hits that were published before
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, listen: l, target: target, changed: make(chan struct{}), conns: map[net.Conn]bool{}}
	p.wg.Add(1)
	go p.serve()
	t.Cleanup(p.close)
	return p
}

func (p *proxy) url() string { return "tcp://" + p.listen.Addr().String() }

func (p *proxy) close() {
	p.listen.Close()
	p.cut()
	p.wg.Wait()
}

// cut ends all connections now.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

// set changes the proxy's behaviour.
func (p *proxy) set(f func(p *proxy)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
	p.event()
}

func (p *proxy) event() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// wait returns once cond, called with the lock held, is true.
func (p *proxy) wait(what string, cond func(p *proxy) bool) {
	p.t.Helper()
	for {
		p.mu.Lock()
		ok, changed := cond(p), p.changed
		p.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-p.t.Context().Done():
			p.t.Fatalf("gave up waiting for %s", what)
		case <-testTimeout(p.t):
			p.mu.Lock()
			defer p.mu.Unlock()
			p.t.Fatalf("waited too long for %s: %d connections, %d hits published, %d acknowledged", what, p.accepted, len(p.published), len(p.acked))
		}
	}
}

func (p *proxy) serve() {
	defer p.wg.Done()
	for {
		c, err := p.listen.Accept()
		if err != nil {
			return
		}
		b, err := net.Dial("tcp", p.target)
		if err != nil {
			c.Close()
			continue
		}
		p.mu.Lock()
		p.accepted++
		id := p.accepted
		p.conns[c], p.conns[b] = true, true
		p.event()
		p.mu.Unlock()
		pending := &inflight{hits: map[uint16]wireHit{}}
		p.wg.Add(2)
		go p.pump(c, b, func(cp packets.ControlPacket) bool { return p.fromClient(cp, pending, id, c) })
		go p.pump(b, c, func(cp packets.ControlPacket) bool { return p.fromBroker(cp, pending, c) })
	}
}

type inflight struct {
	mu   sync.Mutex
	hits map[uint16]wireHit
}

// pump forwards the packets that pass lets through.
func (p *proxy) pump(from, to net.Conn, pass func(packets.ControlPacket) bool) {
	defer p.wg.Done()
	defer func() {
		from.Close()
		p.mu.Lock()
		delete(p.conns, from)
		if !p.silent { // over a dead link nobody hears of the end
			to.Close()
		}
		p.mu.Unlock()
	}()
	for {
		cp, err := packets.ReadPacket(from)
		if err != nil {
			return
		}
		if !pass(cp) {
			continue
		}
		p.mu.Lock()
		silent := p.silent
		p.mu.Unlock()
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

func (p *proxy) fromClient(cp packets.ControlPacket, pending *inflight, conn int, c net.Conn) bool {
	switch m := cp.(type) {
	case *packets.ConnectPacket:
		p.set(func(p *proxy) { p.connects = append(p.connects, m) })
		if m.WillFlag {
			p.check(m.WillTopic, m.WillMessage)
		}
	case *packets.PublishPacket:
		if !strings.HasPrefix(m.TopicName, "platewatch/") {
			p.checkOther(m.TopicName, m.Payload)
			p.set(func(p *proxy) {
				p.others = append(p.others, wireOther{m.TopicName, m.Payload, m.Retain, len(p.published)})
			})
			return true
		}
		kind := p.check(m.TopicName, m.Payload)
		if m.Qos != 1 || m.Retain != (kind != KindHits) {
			p.t.Errorf("%s was published with QoS %d, retain %t", m.TopicName, m.Qos, m.Retain)
		}
		cut := false
		p.set(func(p *proxy) {
			switch kind {
			case KindState:
				p.states = append(p.states, decode[State](p.t, m.Payload))
			case KindHealth:
				p.healths = append(p.healths, decode[Health](p.t, m.Payload))
			case KindHits:
				h := decode[Hit](p.t, m.Payload)
				w := wireHit{h.ID, h.Number, h.Revision, h.Historical, h.PlatePicture != nil, h.Text, conn, h.PicturesFollow}
				pending.mu.Lock()
				pending.hits[m.MessageID] = w
				pending.mu.Unlock()
				p.published = append(p.published, w)
				cut = p.cutEvery > 0 && len(p.published)%p.cutEvery == 0
			}
		})
		if cut {
			c.Close()
			return false
		}
	}
	return true
}

func (p *proxy) fromBroker(cp packets.ControlPacket, pending *inflight, c net.Conn) bool {
	if m, ok := cp.(*packets.PublishPacket); ok && strings.HasPrefix(m.TopicName, listRoot) && !strings.HasSuffix(m.TopicName, "/manifest") {
		cut := false
		p.set(func(p *proxy) {
			if p.parts == nil {
				p.parts = map[string]int{}
			}
			p.parts[m.TopicName]++
			cut = p.cutParts > 0 && len(p.parts)%p.cutParts == 0 && p.parts[m.TopicName] == 1
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
	p.set(func(p *proxy) {
		p.acked = append(p.acked, h)
		pass = p.swallow == nil || !p.swallow(h)
	})
	return pass
}

// check holds every message that any test publishes against its schema.
func (p *proxy) check(topic string, payload []byte) Kind {
	_, kind, ok := ParseTopic(topic)
	if !ok {
		p.t.Errorf("a message was published on %q", topic)
		return ""
	}
	if err := Validate(kind, payload); err != nil {
		p.t.Errorf("a message on %s: %v\n%.400s", topic, err, payload)
	}
	return kind
}

// otherSchemas describe what is published for others, by a part of its topic.
var otherSchemas = map[string]string{"onvif-ej/": "onvif-event.schema.json", "homeassistant/": "homeassistant-device.schema.json"}

func (p *proxy) checkOther(topic string, payload []byte) {
	for part, file := range otherSchemas {
		if !strings.Contains(topic, part) {
			continue
		}
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		c.AssertContent()
		s, err := c.Compile("testdata/" + file)
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

func decode[T any](t *testing.T, b []byte) T {
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		t.Errorf("cannot decode %T: %v", v, err)
	}
	return v
}

// firsts keeps the first acknowledgement of each revision of each hit.
func firsts(hits []wireHit) []wireHit {
	type key struct {
		id  string
		rev int
	}
	have := map[key]bool{}
	var out []wireHit
	for _, h := range hits {
		if k := (key{h.ID, h.Revision}); !have[k] {
			have[k] = true
			out = append(out, h)
		}
	}
	return out
}
