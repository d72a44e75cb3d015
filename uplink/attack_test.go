package uplink

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"platewatch/uplink/broker"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
	"platewatch/uplink/watch"
)

// forger is a client that may publish on a unit's acks topic.
func forger(t *testing.T, addr string) (publish func(retained bool, numbers ...uint64)) {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("forger").SetAutoReconnect(false))
	if token := c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal("cannot connect: ", token.Error())
	}
	t.Cleanup(func() { c.Disconnect(100) })
	return func(retained bool, numbers ...uint64) {
		t.Helper()
		a := message.Acks{Unit: "unit-7", Stored: []message.Ack{}}
		for _, n := range numbers {
			a.Stored = append(a.Stored, message.Ack{ID: message.FormatID("unit-7", n), Revision: 1})
		}
		if token := c.Publish(message.Topic("unit-7", message.KindAcks), 1, retained, uplinktest.Marshal(t, a)); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatal("cannot publish: ", token.Error())
		}
	}
}

// Retained and live acknowledgements for 400 hits that were never sent, and for
// numbers that were never used: none of them removes a hit, each is counted and
// reported.
func TestAttackForgedAcks(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		publish := forger(t, b.Addr())
		var all []uint64
		for n := range uint64(400) {
			all = append(all, n+1)
		}
		publish(true, all...)
		o := testOutbox(t, outbox.Settings{})
		acceptMany(t, o, 400)
		c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: "tcp://" + b.Addr()}}, Ack: AckServer, ServerAckTimeout: time.Hour})
		waitStats(t, c, "the retained acknowledgements to be ignored, and all hits sent", func(s Stats) bool { return s.UnexpectedAcks >= 400 && s.Awaiting == 400 })
		publish(false, 401, 1<<40)
		waitStats(t, c, "numbers that were never used", func(s Stats) bool { return s.UnexpectedAcks >= 402 })
		if s := c.Stats(); s.Delivered != 0 || o.Stats().Entries != 400 || s.UnexpectedAcks == 0 {
			t.Errorf("%+v, %d hits are left", s, o.Stats().Entries)
		}
		publish(false, all...) // what was sent counts
		waitEmpty(t, c, o)
		t.Attr("outcome", fmt.Sprintf("400 of 400 hits kept, %d acknowledgements reported", c.Stats().UnexpectedAcks))
	})
}

// An acknowledgement of a hit that waits while others are sent removes nothing.
func TestAttackAckBeforeSending(t *testing.T) {
	t.Parallel()
	o := testOutbox(t, outbox.Settings{})
	acceptMany(t, o, 2)
	c, err := NewClient(Settings{Brokers: []broker.Broker{{URL: "tcp://127.0.0.1:1"}}, Ack: AckServer}, o, uplinktest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &session{client: c, cfg: c.cfg, awaiting: map[outbox.Ref]*awaitingServerAck{}, early: map[outbox.Ref]bool{}}
	first, ok := o.PendingRef(outbox.Ref{Number: 1, Revision: 1})
	if !ok {
		t.Fatal("the hit is not pending")
	}
	c.sent[first] = true // over an earlier connection
	s.onServerAcks([]outbox.Ref{{Number: 1, Revision: 1}, {Number: 2, Revision: 1}, {Number: 2, Revision: 7}})
	if left := pendingIDs(o); len(left) != 1 || left[0] != "unit-7-2/1" || c.Stats().UnexpectedAcks != 1 {
		t.Errorf("left: %v; %+v", left, c.Stats())
	}
}

// Two units of one name and one installation, such as two copies of a virtual machine's
// disk image, take the connection from each other: both report it, and so does the
// server.
func TestAttackTwoUnitsOfOneName(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		suspicions := make(chan string, 100)
		ctx, cancel := context.WithCancel(context.Background())
		up, done := make(chan struct{}, 10), make(chan error, 1)
		go func() {
			done <- watch.Run(ctx, watch.Settings{Brokers: []broker.Broker{{URL: "tcp://" + b.Addr()}}}, watch.Handler{
				Link:      func(error) error { up <- struct{}{}; return nil },
				Suspicion: func(s *watch.Suspicion) error { suspicions <- s.What; return nil },
			}, uplinktest.Log(t))
		}()
		defer func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}()
		<-up
		settings := Settings{Brokers: []broker.Broker{{URL: "tcp://" + b.Addr()}}, MaxBackoff: 50 * time.Millisecond}
		one, _ := startClient(t, testOutbox(t, outbox.Settings{}), settings)
		waitStats(t, one, "the first to connect", func(s Stats) bool { return s.Connected })
		two, _ := startClient(t, testOutbox(t, outbox.Settings{}), settings)
		for _, c := range []*Client{one, two} {
			waitStats(t, c, "the other to be noticed", func(s Stats) bool { return s.Namesake != "" })
		}
		select {
		case what := <-suspicions:
			if !strings.Contains(what, "two units use this name") {
				t.Error(what)
			}
		case <-uplinktest.Timeout(t):
			t.Error("the server notices nothing")
		}
	})
}
