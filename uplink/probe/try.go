package probe

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"platewatch/uplink/broker"
	"platewatch/uplink/failure"
	"platewatch/uplink/internal/link"
	"platewatch/uplink/message"
)

// Settings say what [Try] tries.
type Settings struct {
	Unit  string
	Lists []string // hotlists that the unit follows
	// Login: log in, and try what may be written and read. Without it the probe ends
	// after TLS.
	Login bool
	// Server: wait for the server's answer to a probe, as it acknowledges hits.
	Server bool
	// Listen is for how long messages are waited for that need not come: those of
	// other units, and the server's answer. Default 5 s.
	Listen time.Duration
}

// Stage is a step on the way to the broker.
type Stage string

// The stages, in their order.
const (
	Setup  Stage = "setup" // address and files of the configuration
	Name   Stage = "name"  // DNS
	TCP    Stage = "tcp"
	TLS    Stage = "tls"
	Login  Stage = "login"
	Rights Stage = "rights"
)

// Stages lists them.
var Stages = []Stage{Setup, Name, TCP, TLS, Login, Rights}

// Report is what [Try] measured.
type Report struct {
	Broker    string // without secrets
	Encrypted bool
	Took      map[Stage]time.Duration // of the stages that were passed
	Failed    Stage                   // the stage that failed; "" for none
	Err       error                   // why; has a method Hint

	Addresses  []string // of the broker's name
	TLSVersion string
	Chain      []Certificate // the broker's own first
	Own        time.Time     // end of the unit's certificate; zero without one
	MQTT5      bool          // else the broker does not tell what it refuses

	Write  []Access // the unit's topics, which it must be able to write
	Closed []Access // topics that it must not be able to write
	Others []string // units whose messages it can read, and should not: eight at most
	// Acks: the unit may read the server's acknowledgements. Answered: the server
	// answered a probe, RoundTrip after it was published.
	Acks, Answered bool
	RoundTrip      time.Duration
	// Verdicts: the broker grants the subscription to what persons found of hits.
	Verdicts  bool
	Manifests map[string]bool // of the followed lists: whether a manifest is there to be read
}

// Certificate is one of the broker's.
type Certificate struct {
	Subject, Issuer string
	Expires         time.Time
}

// Access is whether a topic can be written. Known is false if the broker does not
// tell.
type Access struct {
	Topic          string
	Allowed, Known bool
}

// Passed reports whether a stage was reached and passed.
func (r *Report) Passed(s Stage) bool { _, ok := r.Took[s]; return ok }

// Try tries a broker and measures each step: its name, the connection, TLS and its
// certificates, the login, and what the unit may write and read there. It publishes
// nothing that a receiver can take for a message of a unit: see [message.Probe]. It
// returns when ctx is done, at the latest.
//
// A broker that takes the client's id from its certificate ends the unit's own
// connection when a probe logs in, so that [Settings.Login] is for a unit that does
// not run.
func Try(ctx context.Context, b broker.Broker, s Settings) *Report {
	if s.Listen <= 0 {
		s.Listen = 5 * time.Second
	}
	p := &prober{b: b, s: s, r: &Report{Broker: b.Name(), Took: map[Stage]time.Duration{}, Manifests: map[string]bool{}}}
	p.run(ctx)
	return p.r
}

type prober struct {
	b    broker.Broker
	s    Settings
	r    *Report
	cred broker.Credentials
}

// pass notes a stage that was passed.
func (p *prober) pass(s Stage, since time.Time) { p.r.Took[s] = time.Since(since) }

func (p *prober) fail(s Stage, err error) {
	p.r.Failed, p.r.Err = s, link.Explain(p.cred, p.b, err)
	var refused *refusedError
	var e *failure.Error
	if errors.As(err, &refused) && errors.As(p.r.Err, &e) && e.Advice == "" {
		e.Advice = "check the user, the password, the client certificate and the broker's access rules"
	}
	if s == Rights && errors.As(p.r.Err, &e) && e.Advice == "" {
		e.Advice = "see the broker's log"
	}
}

func (p *prober) run(ctx context.Context) {
	begin := time.Now()
	cred, err := p.b.Credentials()
	if err != nil {
		p.r.Failed, p.r.Err = Setup, err
		return
	}
	p.pass(Setup, begin)
	p.cred, p.r.Encrypted, p.r.Own = cred, cred.TLS != nil, p.b.CertificateExpires()
	conn := p.connect(ctx)
	if conn == nil || !p.s.Login {
		if conn != nil {
			conn.Close()
		}
		return
	}
	w := p.login(ctx, conn)
	if w == nil {
		return
	}
	defer w.conn.Close()
	defer endWith(ctx, w.conn)()
	begin = time.Now()
	if err := p.rights(w); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		p.fail(Rights, err)
		return
	}
	p.pass(Rights, begin)
	_ = w.leave() // the connection is closed in any case
}

// connect makes the connection and TLS; nil if that fails.
func (p *prober) connect(ctx context.Context) net.Conn {
	stage := Name
	b := p.b
	dial := b.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	var begin time.Time
	b.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		begin = time.Now()
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if p.r.Addresses, err = net.DefaultResolver.LookupHost(ctx, host); err != nil {
			return nil, err
		}
		p.pass(Name, begin)
		stage, begin = TCP, time.Now()
		c, err := dial(ctx, network, address)
		if err == nil {
			p.pass(TCP, begin)
			stage, begin = TLS, time.Now()
		}
		return c, err
	}
	conn, err := b.Connect(ctx, p.cred.TLS)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		var verify *tls.CertificateVerificationError
		if errors.As(err, &verify) {
			p.chain(verify.UnverifiedCertificates)
		}
		p.fail(stage, err)
		return nil
	}
	secure, ok := conn.(*tls.Conn)
	if below, other := conn.(interface{ NetConn() net.Conn }); !ok && other { // of WebSockets
		secure, ok = below.NetConn().(*tls.Conn)
	}
	if ok {
		p.pass(TLS, begin)
		state := secure.ConnectionState()
		p.r.TLSVersion = tls.VersionName(state.Version)
		p.chain(state.PeerCertificates)
	}
	return conn
}

func (p *prober) chain(certificates []*x509.Certificate) {
	for _, c := range certificates {
		p.r.Chain = append(p.r.Chain, Certificate{Subject: c.Subject.String(), Issuer: c.Issuer.String(), Expires: c.NotAfter})
	}
}

// login logs in, with MQTT 5 if the broker speaks it; nil if that fails.
func (p *prober) login(ctx context.Context, conn net.Conn) *wire {
	begin := time.Now()
	for _, version := range []byte{mqtt5, mqtt311} {
		w := newWire(conn, version)
		end := endWith(ctx, conn)
		err := w.connect("platewatch-probe-"+strings.ToLower(rand.Text()[:8]), p.cred.User, p.cred.Password)
		end()
		if err == nil {
			p.r.MQTT5 = version == mqtt5
			p.pass(Login, begin)
			return w
		}
		conn.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		if !errors.Is(err, errVersion) || version == mqtt311 {
			p.fail(Login, err)
			return nil
		}
		if conn = p.connect(ctx); conn == nil {
			return nil
		}
	}
	return nil
}

// endWith closes a connection when ctx is done, until the returned function is
// called.
func endWith(ctx context.Context, conn net.Conn) (stop func()) {
	release := context.AfterFunc(ctx, func() { conn.Close() })
	return func() { release() }
}

// maxOthers bounds how many other units are named.
const maxOthers = 8

// rights tries what may be written and read.
func (p *prober) rights(w *wire) error {
	id := strings.ToLower(rand.Text())[:24]
	payload, err := json.Marshal(message.Probe{Unit: p.s.Unit, Probe: id})
	if err != nil {
		return err
	}
	filters := []string{message.Topic(p.s.Unit, message.KindAcks), message.Topic(p.s.Unit, message.KindVerdicts), message.Topic("+", message.KindState)}
	for _, l := range p.s.Lists {
		filters = append(filters, message.ManifestTopic(l))
		p.r.Manifests[l] = false
	}
	subscribed, err := w.subscribe(filters...)
	if err != nil {
		return err
	}
	// No client has this name: a client that is allowed to write there may write
	// anywhere.
	stranger := "probe-" + id[:8]
	for _, kind := range []message.Kind{message.KindState, message.KindHealth, message.KindHits, message.KindHotlists} {
		p.r.Write = append(p.r.Write, Access{Topic: message.Topic(p.s.Unit, kind)})
	}
	for _, topic := range []string{message.Topic(stranger, message.KindHits), message.Topic(stranger, message.KindState),
		message.Topic(p.s.Unit, message.KindAcks), message.Topic(p.s.Unit, message.KindVerdicts), message.ManifestTopic(stranger)} {
		p.r.Closed = append(p.r.Closed, Access{Topic: topic})
	}
	waiting := map[uint16]*Access{}
	published := time.Now()
	for _, list := range [][]Access{p.r.Write, p.r.Closed} {
		for i := range list {
			n, err := w.publish(list[i].Topic, payload)
			if err != nil {
				return err
			}
			waiting[n] = &list[i]
		}
	}
	return p.listen(w, id, subscribed, published, waiting)
}

// listen takes what the broker answers, until all is answered and messages that
// need not come had time to.
func (p *prober) listen(w *wire, id string, subscribed uint16, published time.Time, waiting map[uint16]*Access) error {
	granted := false
	deadline := time.Now().Add(p.s.Listen)
	for {
		// A broker that never answers is bounded by the context, one that only
		// keeps silent by this.
		if err := w.conn.SetReadDeadline(deadline); err != nil {
			return err
		}
		pk, err := w.next()
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			if len(waiting) == 0 && granted {
				return nil
			}
			if w.version == mqtt311 && granted {
				return nil // some brokers of MQTT 3.1.1 do not acknowledge what they refuse
			}
			return errors.New("the broker does not acknowledge messages")
		}
		if err != nil {
			return err
		}
		switch pk.FixedHeader.Type {
		case packets.Suback:
			if pk.PacketID != subscribed || len(pk.ReasonCodes) < 2 {
				continue
			}
			granted, p.r.Acks, p.r.Verdicts = true, pk.ReasonCodes[0] < 0x80, pk.ReasonCodes[1] < 0x80
		case packets.Puback:
			a := waiting[pk.PacketID]
			if a == nil {
				continue
			}
			delete(waiting, pk.PacketID)
			if a.Known = p.r.MQTT5; a.Known {
				a.Allowed = pk.ReasonCode < 0x80
			}
		case packets.Publish:
			p.message(pk, id, published)
		}
		if p.done(granted, waiting) {
			return nil
		}
	}
}

// done: nothing is waited for any more but messages of other units, which come
// together with the answer to the subscription where they come at all.
func (p *prober) done(granted bool, waiting map[uint16]*Access) bool {
	if !granted || len(waiting) > 0 || p.s.Server && !p.r.Answered && p.r.Acks {
		return false
	}
	for _, there := range p.r.Manifests {
		if !there {
			return false
		}
	}
	return true
}

// message takes a message that the broker passed on.
func (p *prober) message(pk *packets.Packet, id string, published time.Time) {
	for l := range p.r.Manifests {
		if pk.TopicName == message.ManifestTopic(l) && len(pk.Payload) > 0 {
			p.r.Manifests[l] = true
		}
	}
	unit, kind, ok := message.ParseTopic(pk.TopicName)
	switch {
	case !ok:
	case kind == message.KindAcks && unit == p.s.Unit:
		var a message.Acks
		if json.Unmarshal(pk.Payload, &a) == nil && a.Probe == id {
			p.r.Answered, p.r.RoundTrip = true, time.Since(published)
		}
	case unit != p.s.Unit && len(pk.Payload) > 0 && len(p.r.Others) < maxOthers && !slices.Contains(p.r.Others, unit):
		if probe, isProbe := message.ParseProbe(pk.Payload); !isProbe || probe.Probe != id {
			p.r.Others = append(p.r.Others, unit)
		}
	}
}
