// Package localbroker runs an MQTT broker inside this process, for the demo and for tests.
package localbroker

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"

	"github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Broker is a running broker. Close it after use.
type Broker struct {
	server *mqtt.Server
	listen net.Listener
}

// Start runs a broker that listens on a TCP address, "127.0.0.1:0" for any free port of
// loopback. It admits every client, and refuses the topics that are named.
func Start(address string, refused ...string) (*Broker, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("the embedded broker: %w", err)
	}
	s := mqtt.New(&mqtt.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := errors.Join(s.AddHook(&rules{refused: refused}, nil), s.AddListener(listeners.NewNet("local", l)), s.Serve()); err != nil {
		return nil, errors.Join(fmt.Errorf("the embedded broker: %w", err), l.Close())
	}
	return &Broker{s, l}, nil
}

// URL is its address as the configuration takes it.
func (b *Broker) URL() string { return "mqtt://" + b.listen.Addr().String() }

// Close disconnects every client and ends the broker.
func (b *Broker) Close() error {
	// The server's own way to its clients waits for ever when one of them leaves
	// meanwhile: it takes a lock for reading twice, and the client that goes wants it
	// for writing in between (GetByListener in clients.go of version 2.7.9). Clients that
	// are disconnected here it does not ask for again.
	b.server.Listeners.CloseAll(func(string) {
		for _, c := range b.server.Clients.GetAll() {
			_ = b.server.DisconnectClient(c, packets.ErrServerShuttingDown) // it is gone already
		}
	})
	return b.server.Close()
}

// rules admit every client: the server admits none by default.
type rules struct {
	mqtt.HookBase
	refused []string // topics
}

func (*rules) ID() string { return "rules" }

func (*rules) Provides(b byte) bool {
	return b == mqtt.OnConnectAuthenticate || b == mqtt.OnACLCheck
}

func (*rules) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

func (r *rules) OnACLCheck(_ *mqtt.Client, topic string, _ bool) bool {
	return !slices.Contains(r.refused, topic)
}
