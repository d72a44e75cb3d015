package uplink

import (
	"sync"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// inbox is what came over one connection and was not looked at yet. It is
// bounded: when it is full, the network waits.
type inbox struct {
	messages chan inbound
	done     chan struct{}
	once     sync.Once
}

// inbound is one message from the network.
type inbound struct {
	topic    string
	payload  []byte
	retained bool
}

const inboxSize = 64

func newInbox() *inbox {
	return &inbox{messages: make(chan inbound, inboxSize), done: make(chan struct{})}
}

// put takes a message from paho, whose goroutine it holds up while the inbox
// is full.
func (in *inbox) put(_ mqtt.Client, m mqtt.Message) {
	select {
	case in.messages <- inbound{m.Topic(), m.Payload(), m.Retained()}:
	case <-in.done:
	}
}

// close lets go of whoever waits in put.
func (in *inbox) close() { in.once.Do(func() { close(in.done) }) }
