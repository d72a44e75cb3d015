package link

import (
	"sync"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Inbox is what arrived over one connection and was not processed yet. It is
// bounded: while it is full, nothing more is read from the network.
type Inbox struct {
	Messages chan Message
	done     chan struct{}
	once     sync.Once
}

// Message is one message from the network.
type Message struct {
	Topic    string
	Payload  []byte
	Retained bool // the broker kept it from before the subscription
}

const inboxSize = 64

// newInbox returns an empty inbox.
func newInbox() *Inbox {
	return &Inbox{Messages: make(chan Message, inboxSize), done: make(chan struct{})}
}

// put takes a message from paho, whose goroutine it blocks while the inbox is full.
func (in *Inbox) put(_ mqtt.Client, m mqtt.Message) {
	select {
	case in.Messages <- Message{m.Topic(), m.Payload(), m.Retained()}:
	case <-in.done:
	}
}

// Close unblocks put, whose messages are dropped from then on.
func (in *Inbox) Close() { in.once.Do(func() { close(in.done) }) }
