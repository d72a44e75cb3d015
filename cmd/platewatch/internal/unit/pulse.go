package unit

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// pulse tells whether a loop goes round, and what it does meanwhile. The zero pulse
// beats with the first beat.
type pulse struct {
	last  atomic.Int64 // the latest beat, nanoseconds since process began
	doing atomic.Pointer[string]
}

// processBegan is the origin of all pulses: monotonic, whatever the clock does.
var processBegan = time.Now()

// What a camera's pipeline does in more than one place.
const (
	waitsForFrame = "waiting for a frame"
	storesHit     = "storing a hit in the outbox"
)

// beat is called once a round, with what the round begins with.
func (p *pulse) beat(doing string) {
	p.last.Store(int64(time.Since(processBegan)))
	p.does(doing)
}

// does says what comes next in the same round.
func (p *pulse) does(what string) { p.doing.Store(&what) }

// age is the time since the latest beat.
func (p *pulse) age() time.Duration { return time.Since(processBegan) - time.Duration(p.last.Load()) }

// stage is a part of the unit that has to make progress.
type stage struct {
	name string
	// stuck is for how long it has made none, and what it does; zero while it waits
	// for something from outside.
	stuck func() (age time.Duration, doing string)
}

// probe asks a part of the unit for something that takes it no time, so that a part
// that nobody needs just now is found stuck too.
type probe struct {
	name  string
	ask   func()
	pulse pulse
}

// askEvery is the interval of asking.
const askEvery = 5 * time.Second

// stages are all parts that the watchdog looks at: the cameras' pipelines with
// everything from frame to outbox, the lists, the outbox, what says how the unit is, and
// the uplink. An uplink without a broker makes progress: it tries again.
func (u *Unit) stages() []stage {
	var all []stage
	for _, c := range u.pipelines {
		all = append(all, stage{"camera " + c.name, func() (time.Duration, string) { return c.progressAge(), *c.pulse.doing.Load() }})
	}
	for _, p := range u.probes {
		all = append(all, stage{p.name, func() (time.Duration, string) { return p.pulse.age() - u.askEvery, *p.pulse.doing.Load() }})
	}
	return append(all, stage{"uplink", func() (time.Duration, string) {
		if client := u.client(); client != nil {
			return client.Stuck(), "delivering hits"
		}
		return 0, ""
	}})
}

// newProbes are the parts that are asked.
func (u *Unit) newProbes() []*probe {
	probes := []*probe{
		{name: "hotlist", ask: func() { u.lists.Stats() }},
		{name: "outbox", ask: func() { u.outbox.Stats() }},
		{name: "condition", ask: func() { line := u.statusLine(); u.line.Store(&line) }},
	}
	for _, p := range probes {
		p.pulse.beat("not asked yet")
	}
	return probes
}

// askProbes asks all probes until ctx is done, each in a goroutine of its own: one
// that is stuck does not hide the others.
func (u *Unit) askProbes(ctx context.Context) {
	var all sync.WaitGroup
	for _, p := range u.probes {
		all.Go(func() {
			tick := time.NewTicker(u.askEvery)
			defer tick.Stop()
			for ctx.Err() == nil {
				p.pulse.beat("answering how it is")
				p.ask()
				p.pulse.beat("waiting to be asked")
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	all.Wait()
}

// stalled is the stage that has made no progress for longest, of those without for
// longer than the unit's bound; its name is empty if there is none.
func (u *Unit) stalled() (name, doing string, age time.Duration) {
	for _, s := range u.stages() {
		if a, d := s.stuck(); a >= u.stallAfter && a > age {
			name, doing, age = s.name, d, a
		}
	}
	return name, doing, age
}
