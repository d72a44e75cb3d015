package probe

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platewatch/deploy/tools/addrtest"
	"platewatch/uplink/broker"
	"platewatch/uplink/internal/link"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
)

func TestMain(m *testing.M) { os.Exit(uplinktest.Main(m)) }

func address(b uplinktest.Broker) broker.Broker { return broker.Broker{URL: "mqtt://" + b.Addr()} }

// TestRun: a broker that lets the unit write and read passes, also a second time.
func TestRun(t *testing.T) {
	uplinktest.EachBroker(t, func(t *testing.T, b uplinktest.Broker) {
		for range 2 {
			if r, err := Run(t.Context(), address(b), "a44-north"); err != nil || r.Online != "" {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		if _, err := Run(t.Context(), address(b), "a/b"); err == nil {
			t.Error("an invalid name was tried")
		}
	})
}

// TestAccessRules: Mosquitto acknowledges what its rules drop, and grants
// subscriptions that it never serves; the probe notices both.
func TestAccessRules(t *testing.T) {
	for name, acl := range map[string]string{
		"may not write": "topic read platewatch/#",
		"may not read":  "topic write platewatch/#",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "acl")
			if err := os.WriteFile(file, []byte(acl+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			b := uplinktest.NewMosquitto(t, "allow_anonymous true\nacl_file "+file+"\n")
			_, err := Run(t.Context(), address(b), "a44-north")
			if err == nil || !strings.Contains(err.Error(), "did not pass it back") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// TestOnline: another unit of the name is reported, and its state is left alone.
func TestOnline(t *testing.T) {
	b := uplinktest.NewMosquitto(t, "allow_anonymous true\n")
	l, err := link.Connect(t.Context(), address(b), link.Options{ClientID: "other", Limit: 1 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	online := `{"version":1,"unit":"a44-north","state":"online","installation":"k3f9"}`
	token := l.Publish(message.Topic("a44-north", message.KindState), true, []byte(online))
	<-token.Done()
	for range 2 {
		if r, err := Run(t.Context(), address(b), "a44-north"); err != nil || r.Online != "k3f9" {
			t.Fatalf("%+v, %v", r, err)
		}
	}
}

// TestUnreachable: no broker at the address, and a context that has ended.
func TestUnreachable(t *testing.T) {
	if _, err := Run(t.Context(), broker.Broker{URL: "mqtt://" + addrtest.Free(t)}, "u"); err == nil {
		t.Error("no error without a broker")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, address(uplinktest.NewMosquitto(t, "allow_anonymous true\n")), "u"); err == nil {
		t.Error("no error after the end")
	}
}
