// Package demo runs the whole system in one process: an RTSP server that plays
// a road camera's clip, the unit that reads it exactly as it would a real
// camera, an MQTT broker, and the central server's subscriber.
//
// All parts are the real ones: the clip travels over RTSP, the unit is the one
// that `platewatch run` starts, with a configuration made here, and the hits
// come back from the broker. Everything listens on loopback and writes to a
// temporary folder.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"platewatch/capture/rtsptest"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/cmd/platewatch/internal/unit"
	"platewatch/hotlist"
	"platewatch/hotlist/importer"
	"platewatch/uplink/broker"
	"platewatch/uplink/localbroker"
	"platewatch/uplink/message"
	"platewatch/uplink/watch"
)

// Options are the demo's settings.
type Options struct {
	Clips   string // folder of clips with a truth.tsv; empty: the built-in clip
	Forever bool   // repeat until interrupted
	Listen  string // of the status page
	Model   string // the reading model, as in the configuration
	Region  string // as in the configuration
	Version status.Version
	Out     io.Writer
	Log     *slog.Logger // of the unit
}

// ErrMissing is returned when an expected hit did not arrive.
var ErrMissing = errors.New("not every expected hit arrived")

// Run runs the demo until the clips are over, or until ctx is done.
func Run(ctx context.Context, o Options) (err error) {
	s, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "platewatch-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	local, err := localbroker.Start("127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, local.Close()) }()
	broker := local.URL()

	var book ledger
	over := make(chan struct{})
	s.options.Loop, s.options.Once = o.Forever, !o.Forever
	s.options.Live = true // one timeline, as from a camera
	s.options.OnClip = func(int) { book.clipBegins() }
	s.options.OnEnd = func() { close(over) }
	server := rtsptest.New("127.0.0.1:0")
	if err := server.Add("road", s.options, s.clips...); err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()

	cfg, err := configure(dir, server.URL("road"), broker, o)
	if err != nil {
		return err
	}
	imported, err := hotlist.Import(ctx, cfg.Hotlist.Path, strings.NewReader(s.hotlist),
		hotlist.ImportOptions{List: "demo", Version: "1", Options: importer.Options{Source: "demo.csv"}})
	if err != nil {
		return err
	}
	o.introduce(s, server.URL("road"), broker, imported.List.Entries)

	daemon, err := unit.Open(unit.Options{Config: cfg, Version: o.Version, Log: o.Log,
		OnPage: func(url string) {
			fmt.Fprintf(o.Out, "  status page   %s\n\nhits, as they arrive at the central server:\n", url)
		}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, daemon.Close()) }()
	if err := play(ctx, daemon, broker, over, &book, o); err != nil {
		return err
	}
	if o.Forever {
		return nil
	}
	return o.conclude(s, daemon.Status(), &book)
}

// prepare makes the clips ready.
func prepare(ctx context.Context, o Options) (*show, error) {
	if o.Clips == "" {
		return rendered()
	}
	return footage(ctx, o.Clips, func(i, of int, name string) {
		fmt.Fprintf(o.Out, "converting clip %d of %d: %s\n", i+1, of, name)
	})
}

// configure returns the configuration of a unit with one RTSP camera.
func configure(dir, camera, broker string, o Options) (*config.Config, error) {
	c := config.Default()
	c.StateDir = dir
	c.Unit.Name = "demo"
	c.Unit.Position = &config.Position{Latitude: 52.15517, Longitude: 4.4833, Description: "demo road, northbound"}
	cam := config.DefaultCamera()
	cam.Name, cam.Source = "road", camera
	cam.ReadTimeout = 8 * time.Second // longer than the silence between two clips
	c.Cameras = []config.Camera{cam}
	c.Hotlist.Path = filepath.Join(dir, "hotlist")
	c.Uplink.OutboxFile = filepath.Join(dir, "outbox.db")
	c.Uplink.Broker.Brokers = []string{broker}
	c.Status.Listen = freeOr(o.Listen)
	c.OCR.Model, c.OCR.Region = o.Model, o.Region
	return c, c.Validate()
}

// freeOr returns the address, or one with a free port if it is in use: a demo must
// not fail because another one runs.
func freeOr(listen string) string {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return "127.0.0.1:0"
	}
	l.Close()
	return listen
}

// play runs unit and subscriber until the clips are over and all their hits have
// been delivered.
func play(ctx context.Context, daemon *unit.Unit, address string, over <-chan struct{}, book *ledger, o Options) error {
	start := time.Now()
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWatching()
	subscribed := make(chan struct{})
	gone := make(chan struct{}) // the unit announced its end, after it had published everything
	var g errgroup.Group
	g.Go(func() error {
		return watch.Run(watching, watch.Settings{Brokers: []broker.Broker{{URL: address}}}, watch.Handler{
			Link: func(err error) error {
				if err == nil {
					close(subscribed)
				}
				return err
			},
			Hit: func(h *message.Hit, _ []byte) error {
				if book.hit(h) {
					o.announce(h, time.Since(start))
				}
				return nil
			},
			State: func(s *message.State, _ []byte) error {
				if s.State == message.Offline {
					close(gone)
				}
				return nil
			},
			Invalid: func(topic string, err error) error { return fmt.Errorf("%s: %w", topic, err) },
		}, slog.New(slog.DiscardHandler))
	})
	select {
	case <-subscribed:
	case <-time.After(5 * time.Second):
		stopWatching()
		return errors.Join(errors.New("the embedded broker does not answer"), g.Wait())
	}

	running, stop := context.WithCancel(ctx)
	defer stop()
	g.Go(func() error {
		select {
		case <-over:
			// The last frames sent are still in the decoder.
			select {
			case <-time.After(betweenClips):
			case <-running.Done():
			}
		case <-running.Done():
		}
		stop()
		return nil
	})
	err := daemon.Run(running)
	stop()
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
	}
	stopWatching()
	return errors.Join(err, g.Wait())
}
