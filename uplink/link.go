package uplink

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

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// link is one MQTT session on one network connection. It is never reused:
// what a token of this link says is about this connection and no other.
type link struct {
	client    mqtt.Client
	conn      *conn
	lost      chan error // gets one error when the connection is gone
	issued    uint64     // PUBLISH packets handed to paho
	keepAlive time.Duration
	inbox     *inbox // what comes in; nil for a link that only sends
}

// linkOptions is what differs between the unit and a subscriber.
type linkOptions struct {
	clientID  string
	keepAlive time.Duration // rounded up to whole seconds
	limit     int           // bytes of an inbound packet
	bandwidth int           // bytes a second to the broker; 0 for no limit
	willTopic string
	will      []byte
	onMessage mqtt.MessageHandler
}

const (
	// publishWait bounds paho's Publish when the connection goes away just
	// then; nobody receives from its channel any more.
	publishWait = time.Second
	// pingTimeout only bounds what paho does by itself.
	pingTimeout = 10 * time.Minute
	// disconnectWait is for the DISCONNECT packet to be written.
	disconnectWait = 250 * time.Millisecond
)

// connect makes a connection and an MQTT session on it. It returns when ctx
// is done, at the latest after the broker's DialTimeout.
func connect(ctx context.Context, b Broker, o linkOptions) (*link, error) {
	timeout := b.DialTimeout
	if timeout <= 0 {
		timeout = 15 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cred, err := b.credentials()
	if err != nil {
		return nil, err
	}
	// The connection is made here and handed to paho, so that it can be
	// cancelled, and closed when paho cannot be trusted to.
	nc, err := b.dial(ctx, cred.tls)
	if err != nil {
		return nil, explain(cred, b, err)
	}
	l := &link{conn: newConn(nc, o.limit, o.bandwidth), lost: make(chan error, 1)}

	keepAlive := (o.keepAlive + time.Second - 1).Truncate(time.Second)
	l.keepAlive = keepAlive
	opts := mqtt.NewClientOptions().
		AddBroker("tcp://broker"). // unused, but paho wants one
		SetClientID(o.clientID).
		SetCleanSession(true).
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetProtocolVersion(4).
		SetConnectTimeout(timeout).
		SetKeepAlive(keepAlive).
		SetPingTimeout(pingTimeout). // whether the link is dead is judged by the session
		SetWriteTimeout(publishWait).
		SetOrderMatters(true).
		SetUsername(cred.user).
		SetPassword(cred.password).
		SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return l.conn, nil }).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { l.lost <- err })
	if o.will != nil {
		opts.SetBinaryWill(o.willTopic, o.will, 1, true)
	}
	if o.onMessage != nil {
		opts.SetDefaultPublishHandler(o.onMessage)
	}
	l.client = mqtt.NewClient(opts)
	token := l.client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		l.conn.Close() // makes the attempt end
		<-token.Done()
	}
	if err := token.Error(); err != nil {
		l.conn.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, explain(cred, b, err)
	}
	if ctx.Err() != nil { // closed above, but just too late for paho to notice
		l.close()
		return nil, brokerError(b, ctx.Err())
	}
	return l, nil
}

// ready is true if everything published so far was written, so that the next
// publish does not wait.
func (l *link) ready() bool { return l.conn.published.Load() >= l.issued }

// publish hands a message to paho.
func (l *link) publish(topic string, retained bool, payload []byte) mqtt.Token {
	l.issued++
	return l.client.Publish(topic, 1, retained, payload)
}

// subscribe asks for topics, each with its quality of service.
func (l *link) subscribe(filters map[string]byte) mqtt.Token {
	return l.client.SubscribeMultiple(filters, nil)
}

// unsubscribe ends subscriptions.
func (l *link) unsubscribe(topics ...string) mqtt.Token { return l.client.Unsubscribe(topics...) }

// send hands a message to paho with QoS 0: it is done once it was written.
func (l *link) send(topic string, payload []byte) mqtt.Token {
	return l.client.Publish(topic, 0, false, payload)
}

// progress holds one token after something was written.
func (l *link) progress() <-chan struct{} { return l.conn.progress }

// published counts the PUBLISH packets written completely.
func (l *link) published() uint64 { return l.conn.published.Load() }

// silence is how long nothing was heard from the broker.
func (l *link) silence() time.Duration { return l.conn.silence() }

// closed is closed with the connection.
func (l *link) closed() <-chan struct{} { return l.conn.ctx.Done() }

// close ends the session and the connection, with a DISCONNECT if there is
// still somebody to get it.
func (l *link) close() {
	l.client.Disconnect(uint(disconnectWait.Milliseconds()))
	l.conn.Close()
}

// cut ends the connection without a DISCONNECT, so that the broker publishes
// the last will.
func (l *link) cut() {
	l.conn.Close()
	l.client.Disconnect(uint(disconnectWait.Milliseconds()))
}

// brokerError puts a failed connection into one clear sentence.
func brokerError(b Broker, err error) error {
	e := &Error{Op: "connect to the broker", Path: b.name(), Err: err}
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
		e.Advice = "check the address, that the broker runs, and whether it wants tls://"
	case isRefusal(err):
		e.Advice = "check the user, the password, the client certificate and the broker's access rules"
	}
	return e
}

// explain is brokerError with what may be wrong with the client's own
// certificate: some brokers just hang up on it.
func explain(c credentials, b Broker, err error) error {
	err, cause := brokerError(b, err), err
	var e *Error
	var op *net.OpError
	var dnsError *net.DNSError
	if c.tls == nil || !errors.As(err, &e) || errors.As(cause, &dnsError) || errors.As(cause, &op) && op.Op == "dial" {
		return err
	}
	for _, hung := range []error{syscall.ECONNRESET, syscall.EPIPE, io.EOF} {
		if errors.Is(cause, hung) {
			e.Advice = "it hung up on a TLS connection: check the client certificate and who signed it, and the broker's log"
		}
	}
	if len(c.tls.Certificates) == 0 || c.tls.Certificates[0].Leaf == nil {
		return err
	}
	switch leaf, now := c.tls.Certificates[0].Leaf, time.Now(); {
	case now.After(leaf.NotAfter):
		e.Err = fmt.Errorf("%w (the client certificate expired on %s)", e.Err, leaf.NotAfter.UTC().Format(time.DateTime))
		e.Advice = "renew the client certificate, or set the clock"
	case now.Before(leaf.NotBefore):
		e.Err = fmt.Errorf("%w (the client certificate is valid from %s on)", e.Err, leaf.NotBefore.UTC().Format(time.DateTime))
		e.Advice = "set the clock"
	}
	return err
}

// isRefusal is true if the broker answered and said no.
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

var errLost = errors.New("the connection was lost")

// subscriptionError is an error if the broker refused one of the topics, which
// MQTT 3.1.1 says in the result and not as an error.
func subscriptionError(t mqtt.Token) error {
	if err := t.Error(); err != nil {
		return err
	}
	if st, ok := t.(*mqtt.SubscribeToken); ok {
		for topic, qos := range st.Result() {
			if qos > 2 {
				return fmt.Errorf("it refuses the subscription to %s", topic)
			}
		}
	}
	return nil
}
