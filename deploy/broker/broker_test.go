// Package broker_test starts the brokers that this folder configures, as they
// are, and holds them to what the units rely on.
package broker_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"platewatch/uplink/broker"
	"platewatch/uplink/message"
	"platewatch/uplink/watch"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"platewatch/uplink"
)

// each runs a test against both brokers.
func each(t *testing.T, test func(t *testing.T, certs string, addresses []string)) {
	together(t)
	names := []string{"unit-1", "unit-2", "server", "publisher", "watch-jane"}
	t.Run("mosquitto", func(t *testing.T) {
		together(t)
		certs := certificates(t, names...)
		test(t, certs, []string{startMosquitto(t, certs)})
	})
	t.Run("nats", func(t *testing.T) {
		together(t)
		certs := certificates(t, names...)
		users, err := os.ReadFile("nats/users.conf")
		if err != nil {
			t.Fatal(err)
		}
		test(t, certs, startCluster(t, certs, string(users)).addresses)
	})
}

// TestUnitAndServer: a unit's hits reach the server that acknowledges them, and
// the server's hotlist reaches the unit.
func TestUnitAndServer(t *testing.T) {
	each(t, func(t *testing.T, certs string, addresses []string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var mu sync.Mutex
		var got []string
		up := make(chan struct{}, 10)
		watched := make(chan error, 1)
		go func() {
			watched <- watch.Run(ctx, watch.Settings{Brokers: []broker.Broker{tlsBroker(certs, "server", addresses[len(addresses)-1])}, Ack: true, MaxBackoff: time.Second},
				watch.Handler{
					Link: func(err error) error {
						if err == nil {
							up <- struct{}{}
						}
						return nil
					},
					Hit: func(h *message.Hit, _ []byte) error {
						mu.Lock()
						defer mu.Unlock()
						got = append(got, h.ID)
						return nil
					},
					Invalid: func(topic string, err error) error { return fmt.Errorf("%s: %w", topic, err) },
				}, slog.New(slog.DiscardHandler))
		}()
		select {
		case <-up:
		case <-time.After(patience):
			t.Fatal("the server gets no connection")
		}
		applied := make(chan string, 1)
		lists, err := uplink.NewListUpdates(uplink.ListSettings{Lists: []string{"stolen"}, Applier: oneVersion(applied), Dir: t.TempDir(),
			PartTimeout: 200 * time.Millisecond, Refresh: 500 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		u, err := newUnit(t.TempDir(), "unit-1", uplink.Settings{Brokers: []broker.Broker{tlsBroker(certs, "unit-1", addresses[0])},
			Ack: uplink.AckServer, ServerAckTimeout: 2 * time.Second, Lists: lists})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			if _, err := u.outbox.Accept(hit(fmt.Sprintf("P%d", i))); err != nil {
				t.Fatal(err)
			}
		}
		waitFor(t, "the server's acknowledgements", patience, func() bool { return u.outbox.Stats().Entries == 0 },
			func() string { return fmt.Sprintf("%+v", u.client.Stats()) })
		// The part comes after the manifest that names it, so it is asked for again.
		publisher, err := raw(t, certs, "publisher", addresses[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range [][2]string{{message.ManifestTopic("stolen"), "signed"}, {message.PartTopic("stolen", "7", 1), onePart}} {
			if token := publisher.Publish(m[0], 1, true, m[1]); !token.WaitTimeout(patience) || token.Error() != nil {
				t.Fatal(token.Error())
			}
		}
		select {
		case got := <-applied:
			if got != onePart {
				t.Errorf("applied %q", got)
			}
		case <-time.After(patience):
			t.Error("the hotlist does not come")
		}
		if err := u.stop(); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-watched; err != nil {
			t.Error(err)
		}
		for i, id := range got {
			if id != fmt.Sprintf("unit-1-%d", i+1) {
				t.Fatalf("arrived: %v", got)
			}
		}
		if len(got) != 50 {
			t.Errorf("%d hits arrived", len(got))
		}
	})
}

// oneVersion takes version 7 of a hotlist, which has one part.
type oneVersion chan string

const onePart = "the whole list"

func (oneVersion) CheckManifest(_ string, manifest []byte) (*uplink.ListUpdate, error) {
	if string(manifest) != "signed" {
		return nil, errors.New("the signature is wrong")
	}
	return &uplink.ListUpdate{Version: "7", Parts: []uplink.ListPart{{Number: 1, Size: int64(len(onePart)), SHA256: sha256.Sum256([]byte(onePart))}}}, nil
}

func (v oneVersion) ApplyUpdate(_ context.Context, _ string, _ []byte, parts []string) error {
	b, err := os.ReadFile(parts[0])
	select {
	case v <- string(b):
	default: // again
	}
	return err
}

// raw is a plain MQTT client with a certificate of the fleet.
func raw(t *testing.T, certs, name, address string, got func(topic string)) (mqtt.Client, error) {
	t.Helper()
	return rawAs(t, certs, name, "raw-"+name, address, true, got)
}

// rawAs is raw with a client id of its own choice.
func rawAs(t *testing.T, certs, name, id, address string, clean bool, got func(topic string)) (mqtt.Client, error) {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(certs, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{RootCAs: x509.NewCertPool()}
	cfg.RootCAs.AppendCertsFromPEM(ca)
	if name != "" {
		pair, err := tls.LoadX509KeyPair(filepath.Join(certs, name+".crt"), filepath.Join(certs, name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tls://" + address).SetClientID(id).SetCleanSession(clean).SetTLSConfig(cfg).
		SetAutoReconnect(false).SetConnectTimeout(10 * time.Second).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { got(m.Topic()) }))
	token := c.Connect()
	<-token.Done()
	if token.Error() == nil {
		t.Cleanup(func() { c.Disconnect(100) })
	}
	return c, token.Error()
}

// next is the next topic that a message came on.
func next(t *testing.T, topics <-chan string) string {
	t.Helper()
	select {
	case topic := <-topics:
		return topic
	case <-time.After(patience):
		t.Fatal("nothing comes")
		return ""
	}
}

// TestWhoMayDoWhat: a unit writes only its own topics and reads only its own lists; a
// client without a certificate of the fleet cannot connect.
func TestWhoMayDoWhat(t *testing.T) {
	each(t, func(t *testing.T, certs string, addresses []string) {
		address := addresses[0]
		if _, err := raw(t, certs, "", address, nil); err == nil {
			t.Error("a client without a certificate gets in")
		}
		others := certificates(t, "unit-1")
		stranger := t.TempDir()
		for from, to := range map[string]string{certs + "/ca.crt": "ca.crt", others + "/unit-1.crt": "unit-1.crt", others + "/unit-1.key": "unit-1.key"} {
			b, err := os.ReadFile(from)
			if err == nil {
				err = os.WriteFile(filepath.Join(stranger, to), b, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := raw(t, stranger, "unit-1", address, nil); err == nil {
			t.Error("a certificate of another authority gets in")
		}

		// The server sees everything that was let through.
		seen := make(chan string, 100)
		server, err := raw(t, certs, "server", address, func(topic string) { seen <- topic })
		if err != nil {
			t.Fatal(err)
		}
		wait := func(token mqtt.Token) error {
			t.Helper()
			if !token.WaitTimeout(patience) {
				t.Fatal("the broker does not answer")
			}
			return token.Error()
		}
		if err := wait(server.Subscribe("platewatch/v1/#", 1, nil)); err != nil {
			t.Fatal(err)
		}
		publisher, err := raw(t, certs, "publisher", address, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, topic := range []string{"platewatch/v1/hotlists/stolen/manifest", "platewatch/v1/hotlists/amber/manifest"} {
			if err := wait(publisher.Publish(topic, 1, true, "signed")); err != nil {
				t.Fatal(err)
			}
			if got := next(t, seen); got != topic {
				t.Fatalf("the server sees %s", got)
			}
		}
		for topic, allowed := range map[string]bool{
			message.Topic("unit-1", message.KindHits): true, message.Topic("unit-1", message.KindState): true,
			message.Topic("unit-1", message.KindHealth): true, message.Topic("unit-1", message.KindHotlists): true,
			message.Topic("unit-2", message.KindHits): false, message.Topic("unit-1", message.KindAcks): false,
			message.Topic("unit-1", message.KindVerdicts): false, message.Topic("unit-2", message.KindVerdicts): false,
			"platewatch/v1/hotlists/stolen/manifest": false, "elsewhere": false,
		} {
			// A broker may end the connection over it, so each gets its own.
			unit, err := raw(t, certs, "unit-1", address, func(string) {})
			if err != nil {
				t.Fatal(err)
			}
			unit.Publish(topic, 1, false, "x").WaitTimeout(2 * time.Second)
			unit.Disconnect(100)
			// What is published next comes after it.
			marker := "platewatch/v1/hotlists/marker/x"
			if err := wait(publisher.Publish(marker, 1, false, "x")); err != nil {
				t.Fatal(err)
			}
			came := false
			for got := next(t, seen); got != marker; got = next(t, seen) {
				came = came || got == topic
			}
			if came != allowed {
				t.Errorf("unit-1 writes %s: came through %t", topic, came)
			}
		}

		// Reading: what is retained comes at once where it is allowed.
		got := make(chan string, 100)
		unit, err := raw(t, certs, "unit-1", address, func(topic string) { got <- topic })
		if err != nil {
			t.Fatal(err)
		}
		for _, filter := range []string{"platewatch/v1/units/unit-2/hits", "platewatch/v1/hotlists/amber/manifest", "platewatch/v1/units/unit-1/acks",
			"platewatch/v1/units/unit-1/verdicts", "platewatch/v1/units/unit-2/verdicts", "platewatch/v1/hotlists/stolen/manifest"} {
			unit.Subscribe(filter, 1, nil).WaitTimeout(patience)
		}
		for _, topic := range []string{message.Topic("unit-2", message.KindAcks), message.Topic("unit-1", message.KindAcks), message.Topic("unit-2", message.KindVerdicts), message.Topic("unit-1", message.KindVerdicts)} {
			if err := wait(server.Publish(topic, 1, false, "x")); err != nil {
				t.Fatal(err)
			}
		}
		want := map[string]bool{"platewatch/v1/hotlists/stolen/manifest": true, message.Topic("unit-1", message.KindAcks): true, message.Topic("unit-1", message.KindVerdicts): true}
		for len(want) > 0 {
			select {
			case topic := <-got:
				if !want[topic] {
					t.Errorf("unit-1 reads %s", topic)
				}
				delete(want, topic)
			case <-time.After(patience):
				t.Fatalf("unit-1 does not get %v", want)
			}
		}
	})
}

// TestCertificatesScript: what it refuses.
func TestCertificatesScript(t *testing.T) {
	dir := certificates(t)
	for args, code := range map[string]int{"authority": 1, "client ca": 64, "client ../x": 64, "client": 64, "nonsense x": 64} {
		cmd := exec.Command("./certificates", append([]string{dir}, strings.Fields(args)...)...)
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != code || len(out) == 0 {
			t.Errorf("%s: exit code %d, %s", args, cmd.ProcessState.ExitCode(), out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "ca.key")); err != nil {
		t.Error(err)
	}
}

// The README installs the version of NATS that the tests run.
func TestVersionOfNATS(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Path}}@{{.Version}}", "github.com/nats-io/nats-server/v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "go install "+string(bytes.TrimSpace(out))+"\n") {
		t.Errorf("the README does not install %s", out)
	}
}
