package demo

import (
	"fmt"
	"io"
	"log/slog"
	"net"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// letAll admits every client: the broker listens on loopback only.
type letAll struct{ mochi.HookBase }

func (*letAll) ID() string { return "let-all" }

func (*letAll) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}

func (*letAll) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (*letAll) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

// startBroker runs an MQTT broker inside this process, on a free port of
// loopback, and returns its address.
func startBroker() (url string, stop func() error, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("the embedded broker: %w", err)
	}
	s := mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := s.AddHook(new(letAll), nil); err != nil {
		return "", nil, err
	}
	if err := s.AddListener(listeners.NewNet("demo", l)); err != nil {
		return "", nil, err
	}
	if err := s.Serve(); err != nil {
		return "", nil, fmt.Errorf("the embedded broker: %w", err)
	}
	return "mqtt://" + l.Addr().String(), s.Close, nil
}
