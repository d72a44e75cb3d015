// Package link is one MQTT session on one network connection, and what client
// and subscriber have in common around it.
package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"
	"time"

	"platewatch/uplink/broker"
	"platewatch/uplink/failure"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// Link is one MQTT session on one network connection. It is never reused, so that
// the state of a token concerns this connection and no other.
type Link struct {
	client    mqtt.Client
	conn      *conn
	Lost      chan error // gets one error when the connection is lost
	issued    uint64     // PUBLISH packets given to paho
	KeepAlive time.Duration
	Inbox     *Inbox // what arrived
}

// Options is what differs between the unit and a subscriber.
type Options struct {
	ClientID  string
	KeepAlive time.Duration // rounded up to whole seconds
	Limit     int           // bytes of an inbound packet
	Bandwidth int           // bytes a second to the broker; 0 for no limit
	WillTopic string
	Will      []byte
}

const (
	// publishWait bounds paho's Publish when the connection is lost at that moment:
	// nobody receives from its channel any more.
	publishWait = time.Second
	// pingTimeout bounds paho's own ping: whether the link is dead, its user judges.
	pingTimeout = 10 * time.Minute
	// DisconnectWait is for the DISCONNECT packet to be written.
	DisconnectWait = 250 * time.Millisecond
)

// Connect makes a connection and an MQTT session on it. It returns when ctx
// is done, at the latest after the broker's DialTimeout.
func Connect(ctx context.Context, b broker.Broker, o Options) (*Link, error) {
	timeout := DialTimeout(b)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cred, err := b.Credentials()
	if err != nil {
		return nil, err
	}
	// The connection is made here and given to paho, so that it can be cancelled,
	// and closed even where paho does not close it.
	nc, err := b.Connect(ctx, cred.TLS)
	if err != nil {
		return nil, Explain(cred, b, err)
	}
	l := &Link{conn: newConn(nc, o.Limit, o.Bandwidth), Lost: make(chan error, 1), Inbox: newInbox()}

	keepAlive := (o.KeepAlive + time.Second - 1).Truncate(time.Second)
	l.KeepAlive = keepAlive
	opts := mqtt.NewClientOptions().
		AddBroker("tcp://broker"). // unused, but paho needs one
		SetClientID(o.ClientID).
		SetCleanSession(true).
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetProtocolVersion(4).
		SetConnectTimeout(timeout).
		SetKeepAlive(keepAlive).
		SetPingTimeout(pingTimeout). // the session detects dead links
		SetWriteTimeout(publishWait).
		SetOrderMatters(true).
		SetUsername(cred.User).
		SetPassword(cred.Password).
		SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return l.conn, nil }).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { l.Lost <- err })
	if o.Will != nil {
		opts.SetBinaryWill(o.WillTopic, o.Will, 1, true)
	}
	opts.SetDefaultPublishHandler(l.Inbox.put)
	l.client = mqtt.NewClient(opts)
	token := l.client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		l.conn.Close() // ends the attempt
		<-token.Done()
	}
	if err := token.Error(); err != nil {
		l.Inbox.Close()
		l.conn.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, Explain(cred, b, err)
	}
	if ctx.Err() != nil { // closed above, too late for paho to notice
		l.Inbox.Close()
		l.Close()
		return nil, Failure(b, ctx.Err())
	}
	return l, nil
}

// DialTimeout is how long [Connect] may take.
func DialTimeout(b broker.Broker) time.Duration {
	if b.DialTimeout > 0 {
		return b.DialTimeout
	}
	return 15 * time.Second
}

// Ready is true if everything published so far was written, so that the next
// Publish does not block.
func (l *Link) Ready() bool { return l.conn.published.Load() >= l.issued }

// Publish gives a message to paho, with QoS 1.
func (l *Link) Publish(topic string, retained bool, payload []byte) mqtt.Token {
	l.issued++
	return l.client.Publish(topic, 1, retained, payload)
}

// Subscribe asks for topics, each with its quality of service.
func (l *Link) Subscribe(filters map[string]byte) mqtt.Token {
	return l.client.SubscribeMultiple(filters, nil)
}

// Unsubscribe ends subscriptions.
func (l *Link) Unsubscribe(topics ...string) mqtt.Token { return l.client.Unsubscribe(topics...) }

// Send gives a message to paho, with QoS 0: its token is done once it is written.
func (l *Link) Send(topic string, payload []byte) mqtt.Token {
	return l.client.Publish(topic, 0, false, payload)
}

// Progress holds one token after something was written.
func (l *Link) Progress() <-chan struct{} { return l.conn.progress }

// Published counts the PUBLISH packets written completely.
func (l *Link) Published() uint64 { return l.conn.published.Load() }

// Silence is how long nothing was received from the broker.
func (l *Link) Silence() time.Duration { return l.conn.silence() }

// Closed is closed with the connection.
func (l *Link) Closed() <-chan struct{} { return l.conn.ctx.Done() }

// Close ends the session with a DISCONNECT, if the connection still works, and the
// connection.
func (l *Link) Close() {
	l.client.Disconnect(uint(DisconnectWait.Milliseconds()))
	l.conn.Close()
}

// Cut ends the connection without a DISCONNECT, so that the broker publishes
// the last will.
func (l *Link) Cut() {
	l.conn.Close()
	l.client.Disconnect(uint(DisconnectWait.Milliseconds()))
}

// Failure words why a connection failed, with advice.
func Failure(b broker.Broker, err error) error {
	e := &failure.Error{Op: "connect to the broker", Path: b.Name(), Err: err}
	var (
		unknown  x509.UnknownAuthorityError
		op       *net.OpError
		verify   *tls.CertificateVerificationError
		dnsError *net.DNSError
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.Err = fmt.Errorf("it does not answer: %w", err)
		e.Advice = "check the address, the firewall and that the broker runs"
	case errors.As(err, &verify), errors.As(err, &unknown):
		e.Advice = "check the CA file, the host name and the clock"
	case errors.As(err, &dnsError):
		e.Advice = "check the host name and the network"
	case errors.As(err, &op) && op.Op == "remote error": // a TLS alert
		e.Err = fmt.Errorf("it refuses the TLS connection: %w", op.Err)
		e.Advice = "check the client certificate, its key and that it has not expired"
	case errors.As(err, &op):
		e.Err = op.Err
		e.Advice = "check the address, that the broker runs, and whether it wants mqtts://"
	case isRefusal(err):
		e.Advice = "check the user, the password, the client certificate and the broker's access rules"
	}
	return e
}

// Explain is [Failure], and what may be wrong with the client's own certificate:
// some brokers close the connection without a reason.
func Explain(c broker.Credentials, b broker.Broker, err error) error {
	err, cause := Failure(b, err), err
	var e *failure.Error
	var op *net.OpError
	var dnsError *net.DNSError
	if c.TLS == nil || !errors.As(err, &e) || errors.As(cause, &dnsError) || errors.As(cause, &op) && op.Op == "dial" {
		return err
	}
	for _, hung := range []error{syscall.ECONNRESET, syscall.EPIPE, io.EOF} {
		if errors.Is(cause, hung) {
			e.Advice = "the broker closed the TLS connection: check the client certificate and who signed it, and the broker's log"
		}
	}
	if len(c.TLS.Certificates) == 0 || c.TLS.Certificates[0].Leaf == nil {
		return err
	}
	switch leaf, now := c.TLS.Certificates[0].Leaf, time.Now(); {
	case now.After(leaf.NotAfter):
		e.Err = fmt.Errorf("%w (the client certificate expired on %s)", e.Err, leaf.NotAfter.UTC().Format(time.DateTime))
		e.Advice = "renew the client certificate, or set the clock"
	case now.Before(leaf.NotBefore):
		e.Err = fmt.Errorf("%w (the client certificate is valid from %s on)", e.Err, leaf.NotBefore.UTC().Format(time.DateTime))
		e.Advice = "set the clock"
	}
	return err
}

// isRefusal is true if the broker answered with a refusal.
func isRefusal(err error) bool {
	for _, refusal := range []error{
		packets.ErrorRefusedBadUsernameOrPassword, packets.ErrorRefusedNotAuthorised,
		packets.ErrorRefusedIDRejected, packets.ErrorRefusedServerUnavailable, packets.ErrorRefusedBadProtocolVersion,
	} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// ErrLost says that the connection was lost.
var ErrLost = errors.New("the connection was lost")

// SubscriptionError is an error if the broker refused one of the topics: MQTT 3.1.1
// reports that in the result and not as an error.
func SubscriptionError(t mqtt.Token) error {
	if err := t.Error(); err != nil {
		return err
	}
	if st, ok := t.(*mqtt.SubscribeToken); ok {
		for topic, qos := range st.Result() {
			if qos > 2 {
				return fmt.Errorf("the broker refuses the subscription to %s", topic)
			}
		}
	}
	return nil
}
