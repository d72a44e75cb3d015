package broker_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"platewatch/uplink"
	"platewatch/uplink/broker"
	"platewatch/uplink/message"
	"platewatch/uplink/watch"
)

// A certificate of the fleet, and one of the nodes with a wrong password, join the
// route port of the NATS cluster.
func TestAttackRoutePort(t *testing.T) {
	together(t)
	certs := certificates(t, "unit-1", "server")
	users, err := os.ReadFile("nats/users.conf")
	if err != nil {
		t.Fatal(err)
	}
	c := startCluster(t, certs, string(users))
	nodes := filepath.Join(certs, "routes")
	const connect = `CONNECT {"verbose":false,"user":"routes","pass":"%s","tls_required":true,"name":"evil","server_id":"evil","cluster":"platewatch","echo":false}`
	if answer := route(c.routes[0], nodes, nodes, "broker", fmt.Sprintf(connect, routePassword)); !strings.HasPrefix(answer, "PONG") {
		t.Fatalf("a node with certificate and password is answered %q", answer)
	}
	fleet := route(c.routes[0], nodes, certs, "unit-1", fmt.Sprintf(connect, routePassword))
	if !strings.Contains(fleet, "tls") {
		t.Errorf("a certificate of the fleet is answered %q", fleet)
	}
	server := route(c.routes[0], nodes, certs, "broker", fmt.Sprintf(connect, routePassword))
	if !strings.Contains(server, "tls") {
		t.Errorf("the broker's certificate for its clients is answered %q", server)
	}
	wrong := route(c.routes[0], nodes, nodes, "broker", fmt.Sprintf(connect, "guess"))
	if !strings.Contains(wrong, "Authorization Violation") {
		t.Errorf("a wrong password is answered %q", wrong)
	}
	t.Attr("outcome", "certificate of the fleet: "+fleet+"; wrong password: "+wrong)
}

// route speaks the route protocol to address as far as it gets, and returns the
// answer to connect and a PING, or why there is none. The node's certificate is
// verified by the authority in ca; the client's is certs/name.
func route(address, ca, certs, name, connect string) string {
	pem, err := os.ReadFile(filepath.Join(ca, "ca.crt"))
	if err != nil {
		return err.Error()
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(certs, name+".crt"), filepath.Join(certs, name+".key"))
	if err != nil {
		return err.Error()
	}
	cfg := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "127.0.0.1",
		// Presented although the server names another authority.
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }}
	cfg.RootCAs.AppendCertsFromPEM(pem)
	plain, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return err.Error()
	}
	defer plain.Close()
	if err := plain.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err.Error()
	}
	conn := tls.Client(plain, cfg)
	if _, err := fmt.Fprintf(conn, "%s\r\nPING\r\n", connect); err != nil {
		return "tls: " + err.Error()
	}
	for s := bufio.NewScanner(conn); ; {
		if !s.Scan() {
			return fmt.Sprint("tls: ", s.Err())
		}
		if line := s.Text(); strings.HasPrefix(line, "PONG") || strings.HasPrefix(line, "-ERR") {
			return line
		}
	}
}

// A unit's certificate connects with the client id of the server, whose persistent
// session holds hits, and with that of another unit.
func TestAttackClientID(t *testing.T) {
	together(t)
	certs := certificates(t, "unit-1", "unit-2", "server")
	address := startMosquitto(t, certs)
	wait := func(token mqtt.Token) {
		t.Helper()
		if !token.WaitTimeout(patience) || token.Error() != nil {
			t.Fatal("the broker does not answer: ", token.Error())
		}
	}
	connect := func(name, id string, clean bool, got func(string)) mqtt.Client {
		t.Helper()
		c, err := rawAs(t, certs, name, id, address, clean, got)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	server := connect("server", "server", false, func(string) {})
	wait(server.Subscribe("platewatch/v1/units/+/hits", 1, nil))
	server.Disconnect(250)
	unit := connect("unit-1", "platewatch-unit-1", true, nil)
	const hits = 20
	for range hits {
		wait(unit.Publish(message.Topic("unit-1", message.KindHits), 1, false, "hit"))
	}
	stolen := make(chan string, 100)
	for _, id := range []string{"server", "raw-server", "platewatch-unit-1", "unit-1"} {
		for _, clean := range []bool{false, true} {
			connect("unit-2", id, clean, func(topic string) { stolen <- topic }).Disconnect(250)
		}
	}
	if !unit.IsConnectionOpen() {
		t.Error("another unit's certificate ended unit-1's connection")
	}
	got := make(chan string, 100)
	connect("server", "whatever", false, func(topic string) { got <- topic })
	for range hits {
		next(t, got)
	}
	select {
	case topic := <-stolen:
		t.Errorf("unit-2 got %s", topic)
	default:
	}
	t.Attr("outcome", fmt.Sprintf("%d of %d hits of the server's session came, unit-1 stayed connected", hits, hits))
}

// NATS binds no client id to a certificate: another unit's takes unit-1's connection from it
// again and again. That costs time, but no hit is lost, and the other unit receives none.
func TestAttackClientIDOnNATS(t *testing.T) {
	together(t)
	certs := certificates(t, "unit-1", "unit-2", "server")
	users, err := os.ReadFile("nats/users.conf")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(users), "        {\n            user: \"CN=unit-1\"")
	of1, _, ok := strings.Cut(rest, "        # The central server")
	if !ok {
		t.Fatal("users.conf has no unit-1 and a server behind it")
	}
	of2 := "        {\n            user: \"CN=unit-2\"" + strings.ReplaceAll(of1, "unit-1", "unit-2")
	addresses := startCluster(t, certs, strings.Replace(string(users), "        # The central server", of2+"        # The central server", 1)).addresses
	ctx, cancel := context.WithCancel(t.Context())
	arrived, up, watched := make(chan string, 1000), make(chan struct{}, 100), make(chan error, 1)
	go func() {
		watched <- watch.Run(ctx, watch.Settings{Brokers: []broker.Broker{tlsBroker(certs, "server", addresses[1])}, Ack: true, MaxBackoff: time.Second},
			watch.Handler{
				Link: func(err error) error {
					if err == nil {
						up <- struct{}{}
					}
					return nil
				},
				Hit: func(h *message.Hit, _ []byte) error { arrived <- h.ID; return nil },
			}, slog.New(slog.DiscardHandler))
	}()
	select {
	case <-up:
	case <-time.After(patience):
		t.Fatal("the server gets no connection")
	}
	u, err := newUnit(t.TempDir(), "unit-1", uplink.Settings{Brokers: []broker.Broker{tlsBroker(certs, "unit-1", addresses[0])},
		Ack: uplink.AckServer, ServerAckTimeout: 2 * time.Second, MaxBackoff: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	const rounds, each = 6, 5
	stolen := make(chan string, 1000)
	for round := range rounds {
		waitFor(t, "the unit to be connected", patience, func() bool { return u.client.Stats().Connected }, func() string { return fmt.Sprintf("%+v", u.client.Stats()) })
		for i := range each {
			if _, err := u.outbox.Accept(hit(fmt.Sprintf("P%dN%d", round, i))); err != nil {
				t.Fatal(err)
			}
		}
		// The server refuses one of two that come at once: the next round tries again.
		if c, err := rawAs(t, certs, "unit-2", "platewatch-unit-1", addresses[round%len(addresses)], round%2 == 0, func(topic string) { stolen <- topic }); err == nil {
			defer c.Disconnect(0)
		}
	}
	waitFor(t, "the server's acknowledgements", patience, func() bool { return u.outbox.Stats().Entries == 0 }, func() string { return fmt.Sprintf("%+v", u.client.Stats()) })
	connects := u.client.Stats().Connects
	if err := u.stop(); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-watched; err != nil {
		t.Error(err)
	}
	seen := map[string]bool{}
	for len(arrived) > 0 {
		id := <-arrived
		if seen[id] {
			t.Errorf("%s came twice", id)
		}
		seen[id] = true
	}
	if len(seen) != rounds*each {
		t.Errorf("%d of %d hits came", len(seen), rounds*each)
	}
	if len(stolen) > 0 {
		t.Errorf("unit-2 got %s", <-stolen)
	}
	t.Attr("outcome", fmt.Sprintf("unit-1 was thrown off and connected %d times; %d of %d hits came, once each, and unit-2 got nothing", connects, len(seen), rounds*each))
}

// A unit publishes ONVIF events and the announcement in another unit's name, under
// the rules that the ACL file suggests for them.
func TestAttackOthersEvents(t *testing.T) {
	together(t)
	certs := certificates(t, "unit-1", "server")
	acl, err := os.ReadFile("mosquitto/acl")
	if err != nil {
		t.Fatal(err)
	}
	rules := []string{"user server", "topic read #"}
	for line := range strings.Lines(string(acl)) {
		if rule, ok := strings.CutPrefix(strings.TrimSpace(line), "#   pattern "); ok {
			rules = append(rules, "pattern "+rule)
		}
	}
	if len(rules) != 4 {
		t.Fatalf("the suggested rules are %q", rules)
	}
	address := startMosquitto(t, certs, append(rules, "")...)
	got := make(chan string, 100)
	server, err := raw(t, certs, "server", address, func(topic string) { got <- topic })
	if err != nil {
		t.Fatal(err)
	}
	if token := server.Subscribe("#", 1, nil); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	const own = "unit-1/onvif-ej/RuleEngine/Recognition/LicensePlate/&north/platewatch"
	for _, topic := range []string{"unit-2" + strings.TrimPrefix(own, "unit-1"), strings.TrimPrefix(own, "unit-1/"), "homeassistant/device/unit-2/config", own, "homeassistant/device/unit-1/config"} {
		// Mosquitto may end the connection over it, so each gets its own.
		unit, err := raw(t, certs, "unit-1", address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token := unit.Publish(topic, 1, false, "x"); !token.WaitTimeout(patience) || token.Error() != nil {
			t.Fatal(topic, token.Error())
		}
		unit.Disconnect(100)
	}
	for _, want := range []string{own, "homeassistant/device/unit-1/config"} {
		if topic := next(t, got); topic != want {
			t.Errorf("unit-1 writes %s", topic)
		}
	}
}
