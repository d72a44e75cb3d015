package watch

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"platewatch/uplink/broker"
	"platewatch/uplink/failure"
	"platewatch/uplink/internal/link"
	"platewatch/uplink/message"
)

const (
	// answerWait is how long a unit may take to answer a verdict.
	answerWait = 30 * time.Second
	// sendAgain is after which time without an answer it is sent again.
	sendAgain = 3 * time.Second
)

// SendVerdict sends a unit what a person found about its hit, and waits for the unit's
// answer; it is sent again while there is none. Without an answer it is an error: a unit that
// is offline gets nothing later.
func SendVerdict(ctx context.Context, cfg Settings, v message.Verdict) (message.Answer, error) {
	unit, _, err := message.ParseID(v.ID)
	if err != nil {
		return "", err
	}
	if err := broker.Check(cfg.Brokers); err != nil {
		return "", err
	}
	payload, err := json.Marshal(message.Verdicts{Unit: unit, Verdicts: []message.Verdict{v}})
	if err != nil {
		return "", err
	}
	if err := message.Validate(message.KindVerdicts, payload); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	for _, b := range cfg.Brokers {
		var l *link.Link
		if l, err = link.Connect(ctx, b, link.Options{ClientID: "platewatch-verdict-" + rand.Text()[:12], KeepAlive: 10 * time.Second, Limit: watchMessage}); err != nil {
			continue // the next one
		}
		answer, err := exchange(ctx, b, l, unit, v, payload)
		if err != nil {
			l.Cut()
			return "", err
		}
		l.Close()
		return answer, nil
	}
	return "", err
}

// exchange sends a verdict over a connection and waits for the answer.
func exchange(ctx context.Context, b broker.Broker, l *link.Link, unit string, v message.Verdict, payload []byte) (message.Answer, error) {
	defer l.Inbox.Close()
	state, health := message.Topic(unit, message.KindState), message.Topic(unit, message.KindHealth)
	subscription := l.Subscribe(map[string]byte{state: 0, health: 0})
	subscribed := subscription.Done()
	var sent <-chan struct{}
	// The unit takes verdicts at QoS 0, so one may be lost; the same one again changes
	// nothing.
	again := time.NewTicker(sendAgain)
	defer again.Stop()
	silent := fmt.Errorf("no answer from %s in %.0f s", unit, answerWait.Seconds())
	for {
		select {
		case <-subscribed:
			if err := link.SubscriptionError(subscription); err != nil {
				return "", link.Failure(b, err)
			}
			subscribed = nil
			sent = l.Send(message.Topic(unit, message.KindVerdicts), payload).Done()
		case <-sent:
			sent = nil // a broker also acknowledges what its access rules drop
		case <-again.C:
			if subscribed == nil && sent == nil {
				sent = l.Send(message.Topic(unit, message.KindVerdicts), payload).Done()
			}
		case m := <-l.Inbox.Messages:
			switch m.Topic {
			case state:
				var s message.State
				if json.Unmarshal(m.Payload, &s) == nil && s.Unit == unit && s.State == message.Offline {
					return "", &failure.Error{Op: "send a verdict to", Path: unit, Err: errors.New("the unit is offline"), Advice: "send it again when the unit is back: nothing is kept for it"}
				}
			case health:
				if a, ok := answerTo(v, m.Payload); ok {
					return a, nil
				}
			}
		case <-l.Closed():
			return "", link.Failure(b, link.ErrLost)
		case <-ctx.Done():
			return "", &failure.Error{Op: "send a verdict to", Path: unit, Err: silent,
				Advice: "at the broker, let this user write and the unit read its verdicts topic (deploy/broker); units before version 0.4 do not know verdicts"}
		}
	}
}

// answerTo finds the answer to a verdict in a health message.
func answerTo(v message.Verdict, payload []byte) (message.Answer, bool) {
	var h message.Health
	if json.Unmarshal(payload, &h) != nil || h.Verdicts == nil {
		return "", false
	}
	for _, a := range h.Verdicts.Latest {
		if a.ID == v.ID && a.At.Equal(v.At) {
			return a.Answer, true
		}
	}
	return "", false
}
