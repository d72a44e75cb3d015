package unit

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/hotlist/match"
	"platewatch/ocr/passage"
	"platewatch/ocr/text"
)

// TestEveryKeyIsPlaced: each key of the configuration is changed by a reload, or a
// reason is stated why it is not.
func TestEveryKeyIsPlaced(t *testing.T) {
	before, after := unitConfig(t), unitConfig(t)
	alter(reflect.ValueOf(after).Elem())
	after.Cameras[0].Name = before.Cameras[0].Name // another name is another camera
	keys := append(config.Changed(before, after), "camera")
	if len(keys) < 70 {
		t.Errorf("only %d keys", len(keys))
	}
	for _, key := range keys {
		if !changesWhileRunning(key) && reason(key) == "" {
			t.Errorf("%s: neither changed by a reload nor refused with a reason", key)
		}
	}
	for _, live := range whileRunning {
		if !slices.ContainsFunc(keys, func(key string) bool { return strings.HasPrefix(key, live) }) {
			t.Errorf("there is no key %s", live)
		}
	}
	for _, k := range atStart {
		if !slices.ContainsFunc(keys, func(key string) bool { return strings.HasPrefix(key, k.key) && !changesWhileRunning(key) }) {
			t.Errorf("there is no key %s", k.key)
		}
	}
}

// alter changes every value of a configuration.
func alter(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("toml") != "-" {
				alter(v.Field(i))
			}
		}
	case reflect.Slice:
		if cameras, ok := v.Interface().([]config.Camera); ok {
			alter(reflect.ValueOf(&cameras[0]).Elem())
			return
		}
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Float64:
		v.SetFloat(v.Float() + 1)
	}
}

// edited is a configuration with changes, as a file with them would give it.
func edited(c *config.Config, change func(*config.Config)) *config.Config {
	n := *c
	n.Cameras = slices.Clone(c.Cameras)
	change(&n)
	return &n
}

// TestReload changes what it can, keeps the rest, and says so; a vehicle in view
// stays one passage and one hit.
func TestReload(t *testing.T) {
	c := unitConfig(t)
	importList(t, c, "stolen", twoPlates)
	var log bytes.Buffer
	var level slog.LevelVar
	u := openUnit(t, c, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: &level})))
	u.o.Level = &level
	r := newRoad(t, u)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reload := func(change func(*config.Config)) error { // with the pipeline between two frames
		done := make(chan error, 1)
		go func() { done <- u.reload(ctx, edited(u.cfg(), change)) }()
		for {
			select {
			case err := <-done:
				return err
			default:
				r.p.takeChange()
			}
		}
	}
	p := passage.Passage{Number: 1, Reading: text.Reading{Text: "AB12CDE", Confidence: 0.8}}
	r.update(passage.Sure, p, 100)
	before := u.recogniser()

	err := reload(func(n *config.Config) {
		n.OCR.Region, n.Log.Level = "nl", "debug"
		n.Unit.Position = &config.Position{Description: "A44"}
		n.Cameras[0].Observe.MinHeight = 12
		n.Passage.Agree = 3
		n.Hotlist.Lists = []match.ListSettings{{Name: "stolen", Level: "exact"}}
		n.Uplink.Broker.Brokers = []string{"mqtt://127.0.0.1:9"}
		n.Unit.Name, n.Cameras[0].Source, n.Status.Viewers = "other", "/dev/video9", 7
	})
	if err != nil {
		t.Fatal(err)
	}
	now := u.cfg()
	if now.OCR.Region != "nl" || now.Passage.Agree != 3 || now.Cameras[0].Observe.MinHeight != 12 || now.Unit.Position == nil || level.Level() != slog.LevelDebug {
		t.Errorf("in force is %+v", now)
	}
	if now.Unit.Name != c.Unit.Name || now.Cameras[0].Source != c.Cameras[0].Source || now.Status.Viewers != c.Status.Viewers {
		t.Errorf("in force is %+v, and what cannot change has changed", now)
	}
	if u.recogniser() == before || u.recogniser().Regions() != "nl" || r.p.reader != u.recogniser() {
		t.Error("the pipeline reads with the old regions")
	}
	if u.client() == nil {
		t.Error("there is no client for the new broker")
	}
	for _, want := range []string{
		`setting not changed: hits on their way carry it" key=unit.name`, `setting not changed: cameras are opened once" key=camera.source`,
		`setting not changed: the status page listens already" key=status.viewers`, "systemctl restart platewatch", "not_changed=3",
		`changed="unit.position camera.min_character_height ocr.region passage.agree hotlist.list uplink.brokers log.level"`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, log.String())
		}
	}

	// The same vehicle, a better view: the same hit.
	p.Confidence = 0.95
	r.update(passage.Seen, p, 150)
	r.update(passage.Ended, p, 0)
	if hits := pendingHits(t, u); len(hits) != 1 || hits[0].Revision != 2 {
		t.Errorf("waiting are %+v", hits)
	}
	// The list is matched exactly now.
	if found, err := u.lists.Match(match.Query{Text: "AB1ZCDE"}); err != nil || len(found) > 0 {
		t.Errorf("matched %+v, %v", found, err)
	}

	// What cannot be used changes nothing.
	log.Reset()
	inForce, client := u.cfg(), u.client()
	u.o.Reload = func() (*config.Config, error) {
		return edited(inForce, func(n *config.Config) {
			n.Hotlist.Trust = []string{"/nowhere/hq.pub"}
			n.Uplink.Broker.Brokers, n.OCR.Region = nil, "us"
		}), nil
	}
	u.hangup(ctx)
	u.o.Reload = func() (*config.Config, error) { return nil, errors.New("line 7 is wrong") }
	u.hangup(ctx)
	if u.cfg() != inForce || u.client() != client || u.recogniser().Regions() != "nl" {
		t.Error("a configuration that cannot be used has changed something")
	}
	if n := strings.Count(log.String(), "configuration not reloaded: the one in force stays"); n != 2 || !strings.Contains(log.String(), "/nowhere/hq.pub") {
		t.Errorf("%d refusals in the log:\n%s", n, log.String())
	}
}

// TestReloadByHangup: one signal, one reload, while the unit runs.
func TestReloadByHangup(t *testing.T) {
	c := unitConfig(t)
	hangup, loaded := make(chan os.Signal, 1), make(chan struct{}, 1)
	u := openUnit(t, c, slog.New(slog.DiscardHandler))
	u.o.Hangup = hangup
	u.o.Reload = func() (*config.Config, error) {
		loaded <- struct{}{}
		return edited(c, func(n *config.Config) { n.Passage.Agree = 4; n.Uplink.Broker.Brokers = []string{"mqtt://127.0.0.1:9"} }), nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- u.Run(ctx) }()
	for range 3 {
		hangup <- nil
		<-loaded
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if u.cfg().Passage.Agree != 4 || u.client() == nil {
		t.Error("nothing has changed")
	}
}

// TestReloadTellsSystemd: RELOADING=1 with the monotonic time, as Type=notify-reload
// wants it, and READY=1 after it, also where the configuration is refused.
func TestReloadTellsSystemd(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	c := unitConfig(t)
	u := openUnit(t, c, slog.New(slog.DiscardHandler))
	for _, err := range []error{nil, errors.New("a mistake")} {
		u.o.Reload = func() (*config.Config, error) { return c, err }
		u.hangup(t.Context())
		for _, want := range []string{`^RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]*\n?$`, `^READY=1$`} {
			b := make([]byte, 4096)
			n, err := l.Read(b)
			if err != nil || !regexp.MustCompile(want).Match(b[:n]) {
				t.Errorf("told %q, want %s: %v", b[:n], want, err)
			}
		}
	}
}
