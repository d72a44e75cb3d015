package uplink

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"platewatch/uplink/broker"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// Manifests of 4 MiB come as fast as the broker passes them on: the unit's memory stays
// bounded, and its hits go out.
func TestAttackManifestFlood(t *testing.T) {
	m := uplinktest.NewMosquitto(t, "allow_anonymous true")
	lists, err := NewListUpdates(ListSettings{Lists: []string{"stolen"}, Applier: &listServer{}, Dir: t.TempDir(), Done: func(string, string, error) {}})
	if err != nil {
		t.Fatal(err)
	}
	o := testOutbox(t, outbox.Settings{})
	c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: "tcp://" + m.Addr()}}, Lists: lists, MaxBackoff: 100 * time.Millisecond})
	waitStats(t, c, "a connection", func(s Stats) bool { return s.Connected })

	conn, err := net.Dial("tcp", m.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// Packets of MQTT 3.1.1: CONNECT, and PUBLISH at QoS 0, from one buffer.
	connect := "\x10\x11\x00\x04MQTT\x04\x02\x00\x00\x00\x05flood"
	topic := message.ManifestTopic("stolen")
	body := append(binary.BigEndian.AppendUint16(nil, uint16(len(topic))), topic...)
	body = append(body, make([]byte, 4<<20)...)
	publish := []byte{0x30}
	for n := len(body); ; {
		b := byte(n & 0x7f)
		if n >>= 7; n > 0 {
			publish = append(publish, b|0x80)
			continue
		}
		publish = append(publish, b)
		break
	}
	publish = append(publish, body...)
	if _, err := conn.Write([]byte(connect)); err != nil {
		t.Fatal(err)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	while := time.Second
	if os.Getenv("PLATEWATCH_ATTACK") != "" {
		while = 15 * time.Second
	}
	sent, peak := 0, uint64(0)
	acceptMany(t, o, 1)
	for begun := time.Now(); time.Since(begun) < while; sent++ {
		if _, err := conn.Write(publish); err != nil {
			t.Fatalf("after %d manifests: %v", sent, err)
		}
		runtime.ReadMemStats(&now)
		peak = max(peak, now.HeapInuse)
	}
	more := int64(peak) - int64(before.HeapInuse)
	t.Attr("outcome", fmt.Sprintf("%d manifests in %v: %d MiB of heap more at most, %d connections", sent, while, more>>20, c.Stats().Connects))
	if more > 116<<20 {
		t.Errorf("%d MiB more", more>>20)
	}
	conn.Close()
	waitEmpty(t, c, o)
}

// Acknowledgements that are not JSON, hold negative and huge numbers, 100,000
// brackets, 200 KB, or another unit's name: nothing is removed, and the client goes
// on.
func TestAttackMalformedAcks(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		o := testOutbox(t, outbox.Settings{})
		acceptMany(t, o, 3)
		c, _ := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: "tcp://" + b.Addr()}}, Ack: AckServer, ServerAckTimeout: time.Hour})
		waitStats(t, c, "all hits to be sent", func(s Stats) bool { return s.Awaiting == 3 })
		server := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + b.Addr()).SetClientID("forger").SetAutoReconnect(false))
		if token := server.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatal(token.Error())
		}
		defer server.Disconnect(100)
		id := message.FormatID("unit-7", 1)
		ack := func(unit, id, revision string) string {
			return fmt.Sprintf(`{"version":1,"unit":%q,"stored":[{"id":%q,"revision":%s}]}`, unit, id, revision)
		}
		for _, payload := range []string{
			"", "null", "{", "[]", "\x00\xff\xfe", `{"stored":null}`, strings.Repeat("[", 100_000), strings.Repeat(`{"stored":`, 50_000), strings.Repeat("x", 200<<10),
			ack("unit-7", id, "-1"), ack("unit-7", id, "1e400"), ack("unit-7", id, "18446744073709551616"), ack("unit-7", id, `"1"`), ack("unit-7", id, "1.5"),
			ack("unit-7", "unit-7--1", "1"), ack("unit-7", "unit-7-99999999999999999999999", "1"), ack("unit-7", "../1", "1"),
			ack("unit-8", message.FormatID("unit-8", 1), "1"), ack("unit-8", id, "1"),
		} {
			if token := server.Publish(message.Topic("unit-7", message.KindAcks), 1, false, payload); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
				t.Fatalf("%.40q: %v", payload, token.Error())
			}
		}
		// Messages arrive in order: the client has seen these once it has seen the one
		// published after them. One that is too long ends the connection.
		publish := forger(t, b.Addr())
		unexpected := c.Stats().UnexpectedAcks
		waitStats(t, c, "the last of them", func(s Stats) bool {
			if s.Connected && s.Awaiting == 3 {
				publish(false, 1<<40)
			}
			return s.UnexpectedAcks > unexpected+10 && s.Connected && s.Awaiting == 3
		})
		if s := c.Stats(); s.Delivered != 0 || o.Stats().Entries != 3 {
			t.Errorf("%+v, %d hits are left", s, o.Stats().Entries)
		}
		publish(false, 1, 2, 3)
		waitEmpty(t, c, o)
		t.Attr("outcome", fmt.Sprintf("3 of 3 hits kept, %d connections", c.Stats().Connects))
	})
}
