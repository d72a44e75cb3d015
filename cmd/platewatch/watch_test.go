package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"platewatch/deploy/tools/addrtest"
	"platewatch/uplink"
	"platewatch/uplink/broker"
	"platewatch/uplink/localbroker"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// watchedUnit starts a broker and a unit that delivers the hits once another client
// is connected.
func watchedUnit(t *testing.T) (url string, deliver func(texts ...string)) {
	t.Helper()
	b, err := localbroker.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	url, log := b.URL(), slog.New(slog.DiscardHandler)
	return url, func(texts ...string) {
		o := acceptedHits(t, filepath.Join(t.TempDir(), "outbox.db"), texts...)
		c, err := uplink.NewClient(uplink.Settings{Brokers: []broker.Broker{{URL: url}}}, o, log)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := errors.Join(<-done, o.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}

func acceptedHits(t *testing.T, path string, texts ...string) *outbox.Outbox {
	t.Helper()
	o, err := outbox.Open(path, "gate-1", outbox.Settings{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		_, err := o.Accept(message.Hit{
			Camera: "north", CapturedAt: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), Text: text, Confidence: 0.94,
			Matches: []message.Match{{List: "state", Category: "stolen_vehicle", How: message.HowExact,
				Entry: message.Entry{Plate: text, State: "BE\x1b[31m"}}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// signalWriter tells when something that contains want was written.
type signalWriter struct {
	bytes.Buffer
	want string
	seen chan struct{}
}

func (w *signalWriter) Write(b []byte) (int, error) {
	if w.seen != nil && strings.Contains(string(b), w.want) {
		close(w.seen)
		w.seen = nil
	}
	return w.Buffer.Write(b)
}

func TestWatch(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		url, deliver := watchedUnit(t)
		args := []string{"-broker", url, "-unit", "gate-1", "-count", "2"}
		if asJSON {
			args = append(args, "-json", "-hits-only")
		}
		connected := make(chan struct{})
		var out bytes.Buffer
		done := make(chan error, 1)
		go func() {
			done <- runWatch(t.Context(), stdio{out: &out, err: &signalWriter{want: "connected", seen: connected}}, args)
		}()
		<-connected
		deliver("M5XSX", "B2ABC")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if asJSON {
			dec := json.NewDecoder(&out)
			for _, want := range []string{"gate-1-1", "gate-1-2"} {
				var h message.Hit
				if err := dec.Decode(&h); err != nil || h.ID != want {
					t.Errorf("%s: %v, want %s", h.ID, err, want)
				}
			}
			continue
		}
		text := out.String()
		for _, want := range []string{"gate-1       online", "gate-1-1", "M5XSX (entry: M5XSX BE?[31m)", "state/stolen_vehicle exact  94%", "clock not set", "verify before acting", "gate-1-2"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing in\n%s", want, text)
			}
		}
		if strings.Contains(text, "\x1b") {
			t.Errorf("an escape sequence got through: %q", text)
		}
	}
}

func TestWatchFailures(t *testing.T) {
	nobody := "tcp://" + addrtest.Free(t)
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{}, exitUsage, "-broker"},
		{[]string{"-broker", nobody, "x"}, exitUsage, "no arguments"},
		{[]string{"-nonsense"}, exitUsage, "nonsense"},
		{[]string{"-broker", nobody, "-once"}, exitFailed, "refused"},
		{[]string{"-broker", "mqtt://broker.example:1883"}, exitUsage, "use mqtts://"},
		{[]string{"-broker", nobody, "-unit", "+"}, exitUsage, "cannot use the name"},
		{[]string{"-broker", "mqtts://localhost", "-ca", "/does/not/exist"}, exitMissing, "/does/not/exist"},
		{[]string{"-broker", nobody, "-cot", "udp://192.0.2.7:4242"}, exitUsage, "in plain text over the network"},
		{[]string{"-broker", nobody, "-cot", "tcp://127.0.0.1:8087"}, exitUsage, "write udp://HOST:PORT"},
		{[]string{"-broker", nobody, "-verdict", "u-1", "right"}, exitUsage, "needs -reason"},
		{[]string{"-broker", nobody, "-verdict", "u-1", "-reason", "x"}, exitUsage, "right or wrong"},
		{[]string{"-broker", nobody, "-verdict", "u-1", "-reason", "x", "perhaps"}, exitUsage, "right or wrong"},
		{[]string{"-broker", nobody, "-verdict", "u", "-reason", "x", "right"}, exitUsage, "not an id"},
		{[]string{"-broker", nobody, "-reason", "x"}, exitUsage, "need -verdict"},
		{[]string{"-broker", nobody, "-verdict", "u-1", "-units", "-reason", "x", "wrong"}, exitUsage, "-units has no effect"},
		{[]string{"-broker", nobody, "-verdict", "u-1", "-reason", "x", "wrong"}, exitFailed, "refused"},
		{[]string{"-h"}, exitFine, ""},
	} {
		var out, errs bytes.Buffer
		code := report(&errs, runWatch(t.Context(), stdio{out: &out, err: &errs}, tc.args))
		if code != tc.code || !strings.Contains(errs.String(), tc.want) || strings.Count(errs.String(), "\n") > 1 {
			t.Errorf("%v: exit code %d, want %d: %s", tc.args, code, tc.code, errs.String())
		}
	}
}

// Without -once a broker that does not answer gives one line, however often
// it is tried.
func TestWatchKeepsTrying(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "tcp://" + l.Addr().String()
	tried := make(chan struct{})
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for range 3 {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
		close(tried)
	}()
	ctx, cancel := context.WithCancel(t.Context())
	var out, errs bytes.Buffer
	done := make(chan error, 1)
	go func() { done <- runWatch(ctx, stdio{out: &out, err: &errs}, []string{"-broker", url}) }()
	<-tried
	cancel()
	if err := <-done; err != nil {
		t.Errorf("after an interrupt: %v", err)
	}
	l.Close()
	<-accepted
	if n := strings.Count(errs.String(), "\n"); n < 1 || n > 2 || !strings.Contains(errs.String(), "retrying") {
		t.Errorf("standard error:\n%s", errs.String())
	}
}

// TestWatchUnits: the table has what the unit says of itself, and -ack lets a
// unit forget its hits that waits for the server.
func TestWatchUnits(t *testing.T) {
	url, deliver := watchedUnit(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	connected := make(chan struct{})
	table := &signalWriter{want: "gate-1  online", seen: make(chan struct{})}
	seen := table.seen
	done := make(chan error, 1)
	go func() {
		done <- runWatch(ctx, stdio{out: table, err: &signalWriter{want: "connected", seen: connected}},
			[]string{"-broker", url, "-units", "-every", "100ms"})
	}()
	<-connected
	deliver("M5XSX")
	select {
	case <-seen:
	case <-time.After(20 * time.Second):
		t.Fatal("the unit does not appear")
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if text := table.String(); !strings.Contains(text, "1 units, 1 online") || strings.Contains(text, "M5XSX") {
		t.Errorf("the table:\n%s", text)
	}
}
