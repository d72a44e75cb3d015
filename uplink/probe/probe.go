// Package probe tries a broker with a unit's own name and credentials: whether it lets
// the unit in, and whether its access rules let the unit write and read. [Run] is for
// before there is a unit, and leaves the unit's first state at the broker; [Try]
// measures each step, and leaves nothing.
package probe

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"time"

	"platewatch/uplink/broker"
	"platewatch/uplink/failure"
	"platewatch/uplink/internal/link"
	"platewatch/uplink/message"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Result is what a broker showed.
type Result struct {
	// Certificate is the end of the client's certificate; zero without one.
	Certificate time.Time
	// Online is the installation of a unit that is connected under this name, or "?"
	// where it does not say one; empty if there is none. Then nothing was written.
	Online string
}

const (
	// retainedWait is how long the broker may take to send what it kept of the unit.
	// It comes right after the answer to the subscription.
	retainedWait = 500 * time.Millisecond
	// echoWait is how long the unit's own message may take to come back.
	echoWait = 3 * time.Second
	// inboundLimit bounds a state message in bytes.
	inboundLimit = 64 << 10
)

// reason stands in the state that Run leaves at the broker: the unit is known there,
// and offline until it starts.
const reason = "being set up"

// Run connects to the broker as the unit, reads the unit's state topic and writes it:
// MQTT 3.1.1 has no way to refuse a message, so only one that comes back shows that
// the unit may write. Errors have advice. A unit that runs under the same name
// may lose its connection for a moment.
func Run(ctx context.Context, b broker.Broker, unit string) (Result, error) {
	if err := message.ValidateName(unit); err != nil {
		return Result{}, err
	}
	r := Result{Certificate: b.CertificateExpires()}
	l, err := link.Connect(ctx, b, link.Options{
		ClientID: "platewatch-probe-" + rand.Text()[:12], KeepAlive: 10 * time.Second, Limit: inboundLimit,
	})
	if err != nil {
		return r, err
	}
	defer l.Close()
	defer l.Inbox.Close()
	s := &session{link: l, broker: b, topic: message.Topic(unit, message.KindState)}
	kept, err := s.subscribe(ctx)
	if err != nil {
		return r, err
	}
	var state message.State
	if json.Unmarshal(kept, &state) == nil && state.State == message.Online {
		r.Online = "?"
		if state.Installation != "" {
			r.Online = state.Installation
		}
		return r, nil
	}
	own, err := json.Marshal(message.State{Unit: unit, State: message.Offline, Since: time.Now(), Reason: reason})
	if err != nil {
		return r, err
	}
	return r, s.write(ctx, own)
}

type session struct {
	link   *link.Link
	broker broker.Broker
	topic  string
}

func (s *session) fail(op, advice string, err error) error {
	return &failure.Error{Op: op, Path: s.broker.Name(), Err: err, Advice: advice}
}

// done waits for the broker's answer.
func (s *session) done(ctx context.Context, t mqtt.Token) error {
	select {
	case <-t.Done():
		return link.SubscriptionError(t)
	case <-s.link.Closed():
		return link.ErrLost
	case err := <-s.link.Lost:
		return errors.Join(link.ErrLost, err)
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(echoWait):
		return errors.New("it does not answer")
	}
}

// subscribe asks for the unit's state, and returns what the broker has kept of it.
func (s *session) subscribe(ctx context.Context) ([]byte, error) {
	if err := s.done(ctx, s.link.Subscribe(map[string]byte{s.topic: 0})); err != nil {
		return nil, s.fail("read the unit's topics at", s.rights(), err)
	}
	return s.receive(ctx, retainedWait, func([]byte) bool { return true })
}

// rights is the advice where access rules are missing.
func (s *session) rights() string {
	return "let the unit read and write " + s.topic + " at the broker: the user, or the name in its certificate, must be the unit's name"
}

// receive waits for a message of the unit's state that is wanted; nil if none came.
func (s *session) receive(ctx context.Context, wait time.Duration, wanted func([]byte) bool) ([]byte, error) {
	over := time.After(wait)
	for {
		select {
		case m := <-s.link.Inbox.Messages:
			if m.Topic == s.topic && wanted(m.Payload) {
				return m.Payload, nil
			}
		case <-s.link.Closed():
			return nil, s.fail("use the broker", "look into the broker's log", link.ErrLost)
		case <-over:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// write publishes the unit's state and waits for it to come back.
func (s *session) write(ctx context.Context, state []byte) error {
	if err := s.done(ctx, s.link.Publish(s.topic, true, state)); err != nil {
		return s.fail("write the unit's topics at", s.rights(), err)
	}
	back, err := s.receive(ctx, echoWait, func(b []byte) bool { return bytes.Equal(b, state) })
	if err == nil && back == nil {
		err = s.fail("write the unit's topics at", s.rights(), errors.New("it took a message of the unit and did not pass it back"))
	}
	return err
}
