package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/google/go-cmp/cmp"

	"platewatch/uplink/broker"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// scripted is a broker for one connection whose replies the test decides.
type scripted struct {
	net.Conn
	seen []string // packets after CONNECT
}

// next reads one packet, skipping the subscription to the unit's own state, and
// acknowledges it if ack is true.
func (b *scripted) next(ack bool) error {
	cp, err := packets.ReadPacket(b.Conn)
	if err != nil {
		return err
	}
	switch m := cp.(type) {
	case *packets.PublishPacket:
		var s message.State
		if err := json.Unmarshal(m.Payload, &s); err != nil {
			return err
		}
		b.seen = append(b.seen, strings.TrimSpace(string(s.State)+" "+s.Reason))
		if ack {
			p := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
			p.MessageID = m.MessageID
			return p.Write(b.Conn)
		}
	case *packets.SubscribePacket:
		return b.next(ack)
	case *packets.DisconnectPacket:
		b.seen = append(b.seen, "DISCONNECT")
	case *packets.PingreqPacket:
		return packets.NewControlPacket(packets.Pingresp).Write(b.Conn)
	}
	return nil
}

// Shutdown says that the unit is offline, if it can by the deadline. Else the
// connection ends without a DISCONNECT, so that the broker publishes the last will.
func TestFarewell(t *testing.T) {
	const drain = 2 * time.Second
	all := func(b *scripted, ack bool) {
		for b.next(ack) == nil {
		}
	}
	for name, tc := range map[string]struct {
		script func(b *scripted, stopped <-chan struct{})
		want   []string
		took   time.Duration // from the end of the context on, at most
	}{
		"in time": {func(b *scripted, _ <-chan struct{}) { all(b, true) },
			[]string{"online", "offline stopped", "DISCONNECT"}, link250},
		"the broker does not acknowledge it": {func(b *scripted, _ <-chan struct{}) {
			if b.next(true) == nil {
				all(b, false)
			}
		}, []string{"online", "offline stopped"}, drain},
		"the broker goes before it acknowledges it": {func(b *scripted, _ <-chan struct{}) {
			if b.next(true) == nil && b.next(false) == nil {
				b.Close()
			}
		}, []string{"online", "offline stopped"}, link250},
		"a write is under way for too long": {func(_ *scripted, stopped <-chan struct{}) {
			<-stopped
			time.Sleep(time.Minute)
		}, nil, drain},
		"the connection is lost during that write": {func(b *scripted, stopped <-chan struct{}) {
			<-stopped
			time.Sleep(drain - 500*time.Millisecond)
			b.Close()
		}, nil, drain},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, err := outbox.Open(filepath.Join(t.TempDir(), "outbox.db"), "unit-7", outbox.Settings{}, uplinktest.Discard)
				if err != nil {
					t.Fatal(err)
				}
				defer o.Close()
				ctx, cancel := context.WithCancel(t.Context())
				peer := &scripted{}
				done := make(chan struct{})
				dial := func(context.Context, string, string) (net.Conn, error) {
					if peer.Conn != nil {
						return nil, errors.New("only once")
					}
					var ours net.Conn
					ours, peer.Conn = net.Pipe()
					go func() {
						defer close(done)
						defer peer.Close()
						if _, err := packets.ReadPacket(peer); err != nil {
							return
						}
						if packets.NewControlPacket(packets.Connack).Write(peer) == nil {
							tc.script(peer, ctx.Done())
						}
					}()
					return ours, nil
				}
				c, err := NewClient(Settings{Brokers: []broker.Broker{{URL: "tcp://127.0.0.1", Dial: dial}}, DrainTimeout: drain}, o, uplinktest.Discard)
				if err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- c.Run(ctx) }()
				time.Sleep(5 * time.Second)
				begin := time.Now()
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				if took := time.Since(begin); took > tc.took+link250 {
					t.Errorf("took %v", took)
				}
				<-done
				if diff := cmp.Diff(tc.want, peer.seen); diff != "" {
					t.Errorf("the broker saw (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// link250 is the time that paho takes to disconnect.
const link250 = 250 * time.Millisecond
