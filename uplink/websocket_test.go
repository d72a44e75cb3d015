package uplink

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"platewatch/deploy/tools/addrtest"
	"platewatch/uplink/broker"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
	"platewatch/uplink/watch"
)

// TestFieldWebSockets: hits, one with pictures, reach Mosquitto over ws:// and over wss://
// with certificates of both sides, and watch receives them there.
func TestFieldWebSockets(t *testing.T) {
	t.Parallel()
	a := uplinktest.NewAuthority(t)
	a.Issue("server", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, time.Now().Add(time.Hour))
	a.Issue("unit", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, time.Now().Add(time.Hour))
	plain, secure := addrtest.Free(t), addrtest.Free(t)
	listen := func(address string) string { // beside its first listener: Mosquitto 2.0.11 does not start without one for MQTT itself
		_, port, _ := net.SplitHostPort(address)
		return fmt.Sprintf("listener %s 127.0.0.1\nprotocol websockets\nallow_anonymous true\n", port)
	}
	uplinktest.NewMosquitto(t, listen(plain)+listen(secure)+fmt.Sprintf("cafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\n",
		a.Path("ca.crt"), a.Path("server.crt"), a.Path("server.key")))
	for name, b := range map[string]broker.Broker{
		"ws":            {URL: "ws://" + plain},
		"ws and a path": {URL: "ws://" + plain + "/units/mqtt"},
		"wss":           {URL: "wss://" + secure, CAFile: a.Path("ca.crt"), CertFile: a.Path("unit.crt"), KeyFile: a.Path("unit.key")},
	} {
		const hits = 20
		ctx, stopWatching := context.WithTimeout(t.Context(), time.Minute)
		online, got := make(chan struct{}, 1), make(chan int, 1)
		go func() {
			n := 0
			err := watch.Run(ctx, watch.Settings{Brokers: []broker.Broker{b}}, watch.Handler{
				Hit: func(h *message.Hit, _ []byte) error {
					if n++; n == hits {
						return watch.ErrStop
					}
					return nil
				},
				Link: func(err error) error {
					if err == nil {
						online <- struct{}{}
					}
					return nil
				},
			}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Errorf("%s: watch: %v", name, err)
			}
			got <- n
		}()
		<-online
		o := testOutbox(t, outbox.Settings{})
		// One has pictures: Mosquitto 2.0.11 takes them at once, but hands each on to
		// a receiver at a WebSocket in most of a second.
		uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit("A"), 9_000, 40_000))
		for range hits - 1 {
			uplinktest.MustAccept(t, o, uplinktest.Hit("A"))
		}
		c, stop := startClient(t, o, Settings{Brokers: []broker.Broker{b}})
		waitEmpty(t, c, o)
		stop()
		if n := <-got; n != hits {
			t.Errorf("%s: %d hits arrived", name, n)
		}
		stopWatching()
		t.Attr("outcome", fmt.Sprintf("%s: %d hits, one with 49 KB of pictures", name, hits))
	}
}

// TestFieldNoWebSockets: the error names a server that does not speak WebSocket, or
// not under this path.
func TestFieldNoWebSockets(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	b := broker.Broker{URL: "ws" + strings.TrimPrefix(web.URL, "http") + "/x"}
	_, err := b.Connect(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "HTTP 404 instead of MQTT over WebSockets") {
		t.Errorf("%v", err)
	}
}
