package link

import (
	"sync"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// inbox is what came over one connection and was not looked at yet. It is
// bounded: when it is full, the network waits.
type inbox struct {
	Messages chan Message
	done     chan struct{}
	once     sync.Once
}

// Message is one message from the network.
type Message struct {
	Topic    string
	Payload  []byte
	retained bool
}

const inboxSize = 64

func NewInbox() *inbox {
	return &inbox{Messages: make(chan Message, inboxSize), done: make(chan struct{})}
}

// Put takes a message from paho, whose goroutine it holds up while the inbox
// is full.
func (in *inbox) Put(_ mqtt.Client, m mqtt.Message) {
	select {
	case in.Messages <- Message{m.Topic(), m.Payload(), m.Retained()}:
	case <-in.done:
	}
}

// Close lets go of whoever waits in put.
func (in *inbox) Close() { in.once.Do(func() { close(in.done) }) }
