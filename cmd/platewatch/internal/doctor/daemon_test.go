package doctor

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"platewatch/capture/rtsptest"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/demo/media"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/cmd/platewatch/internal/unit"
	"platewatch/deploy/tools/addrtest"
)

// TestDaemon checks a unit that runs: it is asked, with its token, its camera gets no
// second reader, and its broker no second login.
func TestDaemon(t *testing.T) {
	c := roadside(t)
	readers := new(atomic.Int32)
	clip, err := rtsptest.ParseAnnexB(media.Road)
	if err != nil {
		t.Fatal(err)
	}
	s := rtsptest.New("127.0.0.1:0")
	if err := s.Add("gate", rtsptest.Options{FPS: media.RoadFPS, OnClip: func(int) { readers.Add(1) }}, clip); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	cam := config.DefaultCamera()
	cam.Name, cam.Source = "front", s.URL("gate")
	c.Cameras = append(c.Cameras, cam)
	uplinked(t, c, granted)
	c.Status.Listen = addrtest.Free(t)
	c.Status.TokenFile = write(t, filepath.Join(c.StateDir, "token"), "0123456789abcdef\n")
	u, err := unit.Open(unit.Options{Config: c, Version: status.Version{Version: "test"}, Log: discard})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- u.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := u.Close(); err != nil {
			t.Error(err)
		}
	}()
	online := func() bool {
		d := u.Status()
		return d.Cameras[0].Online() && d.Uplink.State == "connected"
	}
	for deadline := time.Now().Add(30 * time.Second); !online(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not online: %+v", u.Status())
		}
	}
	r := only(t, c, "daemon", "outbox", "cameras", "broker")
	if !r.Daemon {
		t.Error("the daemon was not asked")
	}
	expect(t, r, OK, "daemon, : version test runs")
	expect(t, r, OK, "camera front, opens: online")
	expect(t, r, OK, "broker, of the daemon: connected")
	expect(t, r, Skip, "login and rights")
	if n := readers.Load(); n != 1 {
		t.Errorf("the camera has %d readers", n)
	}
	if got := u.Status().Uplink; got.Since < 0.2 || got.State != "connected" {
		t.Errorf("the daemon's connection was disturbed: %+v", got)
	}
	write(t, c.Status.TokenFile, "another token, 123\n")
	expect(t, only(t, c, "daemon"), Warn, "it runs, and cannot be asked: its status page answers 401")
	other := *c
	other.Unit.Name = "unit-2"
	write(t, c.Status.TokenFile, "0123456789abcdef\n")
	expect(t, only(t, &other, "daemon"), Fail, `unit "unit-1" answers`)
}
