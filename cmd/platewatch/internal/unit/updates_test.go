package unit

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"platewatch/hotlist"
	"platewatch/hotlist/signed"
	"platewatch/uplink"
	"platewatch/uplink/broker"
	"platewatch/uplink/localbroker"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// TestSignedListsComeOverMQTT: the server signs a list and publishes it; the unit
// takes it over, then the changes to it, and refuses a list that another key signed.
func TestSignedListsComeOverMQTT(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	server, err := localbroker.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	address := server.URL()
	publisher := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(address).SetClientID("server"))
	if token := publisher.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer publisher.Disconnect(100)

	dir := t.TempDir()
	sign := func(key minisign.PrivateKey, version uint64, csv string) {
		t.Helper()
		if _, err := hotlist.Import(t.Context(), filepath.Join(dir, "server"), strings.NewReader(csv), hotlist.ImportOptions{List: "stolen"}); err != nil {
			t.Fatal(err)
		}
		db, err := hotlist.Open(filepath.Join(dir, "server"), hotlist.Options{Log: log})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		folder := filepath.Join(t.TempDir(), "signed")
		if _, err := db.Sign(t.Context(), "stolen", folder, hotlist.SignOptions{Key: key, Version: version, Expires: time.Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		files, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		publish := func(topic, file string) {
			b, err := os.ReadFile(filepath.Join(folder, file))
			if err != nil {
				t.Fatal(err)
			}
			if token := publisher.Publish(topic, 1, true, b); token.Wait() && token.Error() != nil {
				t.Fatal(token.Error())
			}
		}
		for _, f := range files { // the parts before the manifest that names them
			if f.Name() != "manifest" {
				publish("platewatch/v1/hotlists/stolen/"+strconv.FormatUint(version, 10)+"/"+f.Name(), f.Name())
			}
		}
		publish(message.ManifestTopic("stolen"), "manifest")
	}
	public, key, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, stranger, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	db, err := hotlist.Open(filepath.Join(dir, "unit"), hotlist.Options{Log: log, Trust: []signed.TrustedKey{{Name: "hq", Public: public}}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	type result struct {
		version string
		err     error
	}
	results := make(chan result, 10)
	wait := func() result {
		t.Helper()
		select {
		case r := <-results:
			return r
		case <-time.After(30 * time.Second):
			t.Fatal("no update comes")
			return result{}
		}
	}
	lists, err := uplink.NewListUpdates(uplink.ListSettings{Lists: []string{"stolen"}, Applier: updates{db}, Dir: filepath.Join(dir, "updates"),
		MaxManifest: signed.MaxManifest, MaxPart: signed.MaxPart,
		Done: func(_, version string, err error) { results <- result{version, err} }})
	if err != nil {
		t.Fatal(err)
	}
	o, err := outbox.Open(filepath.Join(dir, "outbox.db"), "unit-1", outbox.Settings{}, log)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	c, err := uplink.NewClient(uplink.Settings{Brokers: []broker.Broker{{URL: address}}, Lists: lists}, o, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()

	held := func() string {
		t.Helper()
		states, err := db.States(time.Now(), true)
		if err != nil || len(states) != 1 {
			t.Fatalf("%+v, %v", states, err)
		}
		return states[0].Version
	}
	sign(key, 1, "plate\nAAA1111\nBBB2222\n")
	if r := wait(); r.err != nil || held() != "1" {
		t.Fatalf("%+v, held is %s", r, held())
	}
	sign(key, 2, "plate\nAAA1111\nCCC3333\n")
	if r := wait(); r.err != nil || held() != "2" {
		t.Fatalf("%+v, held is %s", r, held())
	}
	sign(stranger, 3, "plate\nXXX9999\n")
	if r := wait(); r.err == nil || held() != "2" {
		t.Errorf("another's signature: %+v, held is %s", r, held())
	}
	states, err := db.States(time.Now(), true)
	if err != nil || states[0].Refused == nil {
		t.Errorf("the refusal is not recorded: %+v, %v", states, err)
	}
	sign(key, 1, "plate\nDDD4444\n")
	if r := wait(); r.err == nil || held() != "2" {
		t.Errorf("a step back: %+v, held is %s", r, held())
	}
}
