// Package doctor checks a unit from its configuration to its server: each thing
// with what was measured, what it should be, and what to do about it.
//
//	doctor.go       the order of the checks, and their time limits
//	report.go       findings, and how they are printed
//	daemon.go       asks the daemon, while it runs
//	files.go        configuration, secrets, state folder, outbox
//	camera.go       cameras
//	reader.go       the reading model, on a rendered plate
//	machine.go      clock, temperature, throttling, supply voltage, memory
//	broker.go       from the broker's name to the server's answer
//	page.go         address and certificate of the status page
//	lists.go        hotlists and audit trail
//	confinement.go  what the kernel and systemd take from the daemon
//
// While the daemon runs, what it has in use is left to it: it is asked for its
// status document, and neither a camera is opened nor a login made, which would end
// its own. Nothing is changed on disk except for a file that is written and removed
// again to try the state folder.
package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"platewatch/cmd/platewatch/internal/board"
	"platewatch/cmd/platewatch/internal/config"
)

// Options say what is checked, and how.
type Options struct {
	Config *config.Config
	File   string      // that the configuration was read from
	Board  board.Board // zero: this machine
	// Watch is for how long each camera is watched; all of them at the same time.
	// Default 20 s.
	Watch time.Duration
	// TokenFile holds a token of the status page, where the configuration has only the
	// tokens' hashes; empty: the configuration's token_file.
	TokenFile string
	Log       *slog.Logger // of cameras and reader; default: none
	// Begin, if set, is called when a check begins, with what it is about and how
	// long it may take at most; Found with each finding.
	Begin func(about string, limit time.Duration)
	Found func(Finding)
}

// check is one step. Its run adds findings until its context is done.
type check struct {
	about string
	limit time.Duration
	run   func(*examination, context.Context, sink)
}

// examination is one run over all checks.
type examination struct {
	o      Options
	c      *config.Config
	daemon daemon

	mu     sync.Mutex
	report *Report
}

// checks are all steps, in their order.
func (x *examination) checks() []check {
	list := []check{
		{"configuration", 5 * time.Second, (*examination).configuration},
		{"secrets", 5 * time.Second, (*examination).secrets},
		{"daemon", 15 * time.Second, (*examination).askDaemon},
		{"state folder", 20 * time.Second, (*examination).stateFolder},
		{"free space", 5 * time.Second, (*examination).freeSpace},
		{"outbox", 20 * time.Second, (*examination).outbox},
		{"cameras", x.o.Watch + 40*time.Second, (*examination).cameras},
		{"reader", time.Minute, (*examination).reader},
		{"clock", 5 * time.Second, (*examination).clock},
		{"temperature", 5 * time.Second, (*examination).temperature},
		{"throttling", 5 * time.Second, (*examination).throttling},
		{"power", 5 * time.Second, (*examination).power},
		{"memory", 5 * time.Second, (*examination).memory},
		{"broker", time.Minute, (*examination).brokers},
		{"page", 5 * time.Second, (*examination).page},
		{"lists", 2 * time.Minute, (*examination).lists},
		{"audit trail", time.Minute, (*examination).auditTrail},
		{"confinement", 30 * time.Second, (*examination).confinement},
	}
	return list
}

// Run makes all checks, in order. When ctx is done it ends the one that runs and
// leaves the others out.
func Run(ctx context.Context, o Options) *Report {
	if o.Board.Root == "" {
		o.Board = board.Here
	}
	if o.Watch <= 0 {
		o.Watch = 20 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	x := &examination{o: o, c: o.Config, report: &Report{Unit: o.Config.Unit.Name, Configuration: o.File, At: time.Now(), Findings: []Finding{}}}
	for _, c := range x.checks() {
		if ctx.Err() != nil {
			break
		}
		x.make(ctx, c)
	}
	return x.report
}

// grace is how long a check may take to end once its time is over.
const grace = 2 * time.Second

// make makes one check. One that does not end with its context is left behind, and
// what it finds afterwards does not count.
func (x *examination) make(ctx context.Context, c check) {
	if x.o.Begin != nil {
		x.o.Begin(c.about, c.limit)
	}
	limited, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	over := false // guarded by x.mu
	found := func(f Finding) {
		x.mu.Lock()
		defer x.mu.Unlock()
		if over {
			return
		}
		f = x.report.add(f)
		if x.o.Found != nil {
			x.o.Found(f)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(x, limited, found)
	}()
	expired := make(chan struct{})
	defer context.AfterFunc(limited, func() {
		t := time.NewTimer(grace)
		defer t.Stop()
		select {
		case <-t.C:
			close(expired)
		case <-done:
		}
	})()
	select {
	case <-done:
	case <-expired:
		if ctx.Err() == nil {
			found(Finding{About: c.about, Level: Fail, Measured: fmt.Sprintf("no answer in %.0f s", (c.limit + grace).Seconds()), Want: "an answer",
				Advice: "something hangs: see the log of the kernel (dmesg) and of the service"})
		}
		x.mu.Lock()
		over = true
		x.mu.Unlock()
	}
}
