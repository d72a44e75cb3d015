package uplink

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"platewatch/uplink/internal/link"
	"platewatch/uplink/message"
)

// control is a message about the unit itself. There is at most one of each topic
// in the queue.
type control struct {
	topic   string
	payload []byte
	acked   func() // called when it was acknowledged; may be nil
}

// queue puts a message about the unit itself into the queue.
func (s *session) queue(kind message.Kind, m any) {
	payload, err := json.Marshal(m)
	s.queueEncoded(message.Topic(s.client.outbox.Unit(), kind), payload, err)
}

// queueEncoded puts a control message into the queue. It replaces an older one of
// its topic that was not sent yet.
func (s *session) queueEncoded(topic string, payload []byte, err error) {
	if err != nil {
		s.client.log.Error("cannot encode a message", "topic", topic, "error", err)
		return
	}
	for i := range s.control {
		if s.control[i].topic == topic {
			s.control[i].payload = payload // what it does when acknowledged stays
			s.client.mu.Lock()
			s.client.drops++
			s.client.mu.Unlock()
			return
		}
	}
	s.control = append(s.control, control{topic: topic, payload: payload})
}

func (s *session) queueBirth() {
	s.queue(message.KindState, s.client.state(message.State{State: message.Online, Since: time.Now(), Insecure: s.broker.Plaintext()}))
}

func (s *session) queueHealth() {
	if s.cfg.Health != nil {
		s.queue(message.KindHealth, s.client.health(s.broker))
	}
}

func (s *session) queueHotlists() {
	s.client.mu.Lock()
	r := s.client.hotlists
	s.client.mu.Unlock()
	if r != nil {
		s.queue(message.KindHotlists, *r)
	}
}

// farewell says that the unit is offline and disconnects, by the deadline. It
// returns the reason for leaving, or nil if that was the end of the client.
func (s *session) farewell(deadline time.Time, leaving error) error {
	reason, result := "stopped", error(nil)
	if errors.Is(leaving, errMove) {
		reason, result = "connecting anew", leaving
	}
	payload, err := json.Marshal(s.client.state(message.State{State: message.Offline, Reason: reason, Since: time.Now()}))
	if err != nil {
		s.link.Cut()
		return err
	}
	timeout := time.NewTimer(time.Until(deadline) - link.DisconnectWait)
	defer timeout.Stop()
	// Wait for the write that is under way.
	for !s.link.Ready() {
		select {
		case <-s.link.Progress():
		case err := <-s.link.Lost:
			s.link.Cut()
			return errors.Join(link.ErrLost, err)
		case <-timeout.C:
			s.link.Cut() // the broker publishes the last will
			return errors.Join(result, errors.New("too little time to say that the unit is offline"))
		}
	}
	token := s.link.Publish(message.Topic(s.client.outbox.Unit(), message.KindState), true, payload)
	select {
	case <-token.Done():
		err = token.Error()
	case <-s.link.Lost:
		err = link.ErrLost
	case <-timeout.C:
		err = errAckTimeout
	}
	// Acknowledgements that came in the meantime count.
	if serr := s.processAcks(); err == nil {
		err = serr
	}
	if err != nil {
		s.link.Cut()
		return errors.Join(result, err)
	}
	s.link.Close()
	return result
}

// queueAnnouncement tells Home Assistant of the unit, if configured, and takes the
// device away that an earlier configuration announced. The note names that device's
// topic, so that it is found again after a restart.
func (s *session) queueAnnouncement() {
	a, log := s.cfg.HomeAssistant, s.client.log
	topic := ""
	if a.Enabled {
		topic = a.Topic(s.client.outbox.Unit())
	}
	if a.Note != "" {
		old, err := os.ReadFile(a.Note)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			log.Error("cannot read what was announced to Home Assistant", "error", err)
		}
		if gone := string(old); gone != "" && gone != topic {
			s.control = append(s.control, control{topic: gone, acked: func() {
				if err := os.WriteFile(a.Note, []byte(topic), 0o600); err != nil {
					log.Error("cannot note what was announced to Home Assistant", "error", err)
				}
			}})
		} else if topic != gone {
			if err := os.WriteFile(a.Note, []byte(topic), 0o600); err != nil {
				log.Error("cannot note what is announced to Home Assistant", "error", err)
			}
		}
	}
	if a.Enabled {
		payload, err := a.Message(s.client.outbox.Unit(), s.cfg.Software)
		s.queueEncoded(topic, payload, err)
	}
}
