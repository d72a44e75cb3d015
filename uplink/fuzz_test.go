package uplink

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"os"
	"testing"

	"platewatch/uplink/internal/link"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
)

// The fuzz tests of what the client parses from outside. Others are FuzzReceiver
// (hits, health, states, list reports), FuzzFrames (the MQTT stream), and those of
// the outbox's records and number file.

func FuzzAcks(f *testing.F) {
	f.Add(uplinktest.Marshal(f, message.Acks{Unit: "unit-7", Stored: []message.Ack{{ID: "unit-7-1", Revision: 1}}}))
	f.Add([]byte(`{"version":1,"unit":"unit-7","stored":[{"id":"unit-8-1","revision":1}]}`))
	f.Add([]byte(`{"version":1,"unit":"unit-7","stored":[{"id":"unit-7-1","revision":99999999999999999999}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		refs, err := parseAcks("unit-7", func(string) bool { return true }, payload)
		if err != nil {
			return
		}
		for _, ref := range refs {
			if ref.Number == 0 || ref.Revision == 0 {
				t.Errorf("%+v from %q", ref, payload)
			}
		}
	})
}

// believer accepts every manifest that is JSON as verified: the bounds must hold
// whatever was signed.
type believer struct{ t *testing.T }

func (believer) CheckManifest(_ string, manifest []byte) (*ListUpdate, error) {
	var u ListUpdate
	if err := json.Unmarshal(manifest, &u); err != nil {
		return nil, err
	}
	return &u, nil
}

func (b believer) ApplyUpdate(_ context.Context, _ string, _ []byte, parts []string) error {
	for _, path := range parts {
		content, err := os.ReadFile(path)
		if err != nil || len(content) > 100 {
			b.t.Errorf("part of %d bytes, %v", len(content), err)
		}
	}
	return nil
}

// FuzzListUpdates lets any manifest and any part come on any topic.
func FuzzListUpdates(f *testing.F) {
	part := []byte("content")
	good := uplinktest.Marshal(f, ListUpdate{Version: "7", Parts: []ListPart{{Number: 1, Size: int64(len(part)), SHA256: sha256.Sum256(part)}}})
	f.Add("platewatch/v1/hotlists/stolen/manifest", good, part)
	f.Add("platewatch/v1/hotlists/stolen/7/1", good, part)
	f.Add("platewatch/v1/hotlists/../manifest", []byte("{}"), []byte{})
	f.Add("platewatch/v1/hotlists/stolen/manifest", []byte(`{"Version":"../../x","Parts":[{"Number":-1,"Size":-5}]}`), []byte{})
	f.Fuzz(func(t *testing.T, topic string, manifest, content []byte) {
		u, err := NewListUpdates(ListSettings{Lists: []string{"stolen"}, Applier: believer{t}, Dir: uplinktest.MemoryDir(t), MaxManifest: 4096, MaxPart: 100, MaxUpdate: 300})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		u.connected()
		// The broker answers every request with the content, on the topic that was
		// asked for.
		served := make(chan struct{})
		go func() {
			defer close(served)
			for {
				select {
				case r := <-u.requests:
					r.done <- nil
					if !r.end {
						u.take(link.Message{Topic: r.topic, Payload: content})
					}
				case <-ctx.Done():
					return
				}
			}
		}()
		u.take(link.Message{Topic: topic, Payload: manifest})
		if list, m := u.next(); m != nil {
			if list != "stolen" {
				t.Errorf("list %q", list)
			}
			_, _ = u.update(ctx, list, m)
		}
		cancel()
		<-served
		u.disconnected()
	})
}
