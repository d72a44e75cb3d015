package capture

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	toxistream "github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/rtsptest"
	"platewatch/deploy/tools/addrtest"
)

var (
	soakCameras = flag.Int("cameras", 5, "how many `cameras` TestSoak has")
	soakCycles  = flag.Int("cycles", 15, "how many `faults` they go through in all (make soak: 1000)")
	soakSeed    = flag.Uint64("seed", 0, "of their order; 0: another each time")
)

const (
	backWithin = 10 * time.Second // of the server's return
	settled    = 10               // cycles after which nothing may grow

	// matsOfCamera is the most Mats that a camera can hold: its spare buffers, the
	// stream's own (empty while a frame is read), one being read into, one in the
	// mailbox and one with the reader. How many it holds at a moment depends on
	// how far apart it and its reader are, so that a comparison of two moments
	// tells nothing about a leak: that shows when the cameras have stopped.
	matsOfCamera = pooledMats + 4
)

// TestSoak takes cameras through faults in any order, each against a real
// server behind a real proxy: after each fault the camera is back in time, and
// in the end the process holds no more than after the first ten, and no Mat once
// the cameras have stopped.
func TestSoak(t *testing.T) {
	matsBefore := capturetest.OpenMats()
	seed := *soakSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	clips := soakClips(t)
	var trials []*trial
	for i := range *soakCameras {
		s := newSite(t, rand.New(rand.NewPCG(seed, uint64(i))), clips)
		camera := startFor(t, time.Duration(*soakCycles)*30*time.Second, Config{Name: fmt.Sprint("gate", i),
			Source: "rtsp://" + s.proxy.Listen + "/gate", OpenTimeout: time.Second, ReadTimeout: 300 * time.Millisecond})
		trials = append(trials, &trial{site: s, camera: camera, next: i, longest: map[string]time.Duration{}})
	}
	each := func(cycles int) {
		var wg sync.WaitGroup
		for _, tr := range trials {
			wg.Go(func() { tr.run(t, cycles) })
		}
		wg.Wait()
		for _, tr := range trials {
			wg.Go(func() { tr.steady(t) })
		}
		wg.Wait()
	}
	first := max(1, settled / *soakCameras)
	each(first)
	before := hold(t)
	each(*soakCycles / *soakCameras - first)
	after := hold(t)
	t.Logf("held after the first %d cycles: %v; after %d: %v", first**soakCameras, before, *soakCycles, after)
	after.check(t, before)
	if most := *soakCameras * matsOfCamera; after.mats > most {
		t.Errorf("%d cameras hold %d Mats, at most %d are possible", *soakCameras, after.mats, most)
	}

	longest := map[string]time.Duration{}
	var sum Stats
	for _, tr := range trials {
		st := tr.camera.Stats()
		sum.Frames, sum.Losses, sum.Opens, sum.Crashed, sum.Hung = sum.Frames+st.Frames, sum.Losses+st.Losses, sum.Opens+st.Opens, sum.Crashed+st.Crashed, sum.Hung+st.Hung
		tr.camera.stop()
		// Online, then offline and online for each loss, and ended.
		if lines, most := strings.Count(tr.camera.log.String(), "\n"), int(2*st.Losses)+4; lines > most {
			t.Errorf("%d log lines for %d losses: more than one a change", lines, st.Losses)
		}
		for name, took := range tr.longest {
			longest[name] = max(longest[name], took)
		}
	}
	if n := capturetest.OpenMats(); n != matsBefore {
		t.Errorf("%d Mats are open after the cameras have stopped, %d were before", n, matsBefore)
	}
	for name, took := range longest {
		t.Logf("%-20s back after %v at most", name, took.Round(time.Millisecond))
	}
	t.Logf("%d frames, %d losses, %d opens, %d decoders crashed, %d hung", sum.Frames, sum.Losses, sum.Opens, sum.Crashed, sum.Hung)
}

// trial is one camera and what happens to it.
type trial struct {
	site    *site
	camera  *running
	next    int // fault: each comes once before chance takes over
	longest map[string]time.Duration
}

func (tr *trial) run(t *testing.T, cycles int) {
	faults := tr.site.faults()
	if !tr.site.back(t, tr.camera, "the start", time.Now(), nil) {
		return
	}
	for range cycles {
		f := faults[tr.site.r.IntN(len(faults))]
		if tr.next < 2*len(faults) {
			f = faults[tr.next%len(faults)]
			tr.next++
		}
		if err := f.strike(tr.site); err != nil {
			t.Errorf("%s: %v", f.name, err)
			return
		}
		if !tr.site.back(t, tr.camera, f.name, time.Now(), tr.longest) {
			return
		}
	}
}

// steady waits until the camera has given frames for a while without a loss:
// the last fault may have left a frame on its way, and be noticed after it.
// Only then do all cameras hold what a camera at work holds.
func (tr *trial) steady(t *testing.T) {
	const while = 2 * time.Second
	var since time.Time
	losses := tr.camera.Stats().Losses
	for {
		f, err := tr.camera.Next(tr.camera.ctx)
		if err != nil {
			t.Errorf("no frame after the last fault: %v; log:\n%s", err, tr.camera.log)
			return
		}
		arrived := f.Arrived
		f.Close()
		if n := tr.camera.Stats().Losses; n != losses || since.IsZero() {
			losses, since = n, arrived
		}
		if arrived.Sub(since) >= while {
			return
		}
	}
}

// soakClips are what a camera may send.
func soakClips(t *testing.T) []*rtsptest.Clip {
	return []*rtsptest.Clip{capturetest.AnnexB(t, 160, 120, 25, 50), capturetest.AnnexB(t, 320, 240, 25, 50), capturetest.AnnexB265(t, 192, 144, 25, 50)}
}

// site is a network camera, and the network before it.
type site struct {
	t      testing.TB
	r      *rand.Rand
	addr   string // of the server, fixed
	server *rtsptest.Server
	clips  []*rtsptest.Clip
	clip   int // that is played
	proxy  *toxiproxy.Proxy
}

func newSite(t *testing.T, r *rand.Rand, clips []*rtsptest.Clip) *site {
	s := &site{t: t, r: r, addr: addrtest.Free(t), clips: clips, clip: r.IntN(len(clips))}
	if err := s.serve(); err != nil {
		t.Fatal(err)
	}
	s.addr = s.server.Addr()
	t.Cleanup(func() { s.server.Close() })
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	s.proxy = toxiproxy.NewProxy(api, "gate", addrtest.Free(t), s.addr)
	if err := s.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.proxy.Stop)
	return s
}

// serve starts the server on its address.
func (s *site) serve() error {
	s.server = rtsptest.New(s.addr)
	if err := s.server.Add("gate", rtsptest.Options{Loop: true}, s.clips[s.clip]); err != nil {
		return err
	}
	return addrtest.Again(s.t, s.server.Start)
}

// trouble is something that happens to a camera or its network, and is over
// when strike returns.
type trouble struct {
	name   string
	strike func(*site) error
}

func (s *site) faults() []trouble {
	restart := func(s *site, clip int) error {
		s.server.Close()
		s.pause()
		s.clip = clip
		return s.serve()
	}
	toxic := func(kind, attributes string) func(*site) error {
		return func(s *site) error { return s.toxic(kind, attributes) }
	}
	return []trouble{
		{"cut", func(s *site) error {
			s.proxy.Stop()
			s.pause()
			return addrtest.Again(s.t, s.proxy.Start)
		}},
		{"stall", toxic("timeout", `{"timeout": 0}`)},
		{"garbage", toxic("garbage", `{}`)},
		{"reset", toxic("reset_peer", `{"timeout": 0}`)},
		{"trickle", toxic("bandwidth", `{"rate": 1}`)},
		{"server frozen", func(s *site) error {
			s.server.Freeze(true)
			s.pause()
			s.server.Freeze(false)
			return nil
		}},
		{"server restarted", func(s *site) error { return restart(s, s.clip) }},
		{"other size or codec", func(s *site) error { return restart(s, (s.clip+1+s.r.IntN(len(s.clips)-1))%len(s.clips)) }},
	}
}

// pause is how long a fault lasts: mostly shorter than it takes to notice, now
// and then some seconds.
func (s *site) pause() {
	d := time.Duration(s.r.IntN(700)) * time.Millisecond
	if s.r.IntN(20) == 0 {
		d = time.Duration(1+s.r.IntN(4)) * time.Second
	}
	time.Sleep(d) // the fault's own length: nothing is waited for
}

// toxic poisons what the server sends for a while.
func (s *site) toxic(kind, attributes string) error {
	_, err := s.proxy.Toxics.AddToxicJson(strings.NewReader(
		fmt.Sprintf(`{"name": "fault", "type": %q, "stream": "downstream", "attributes": %s}`, kind, attributes)))
	if err != nil {
		return err
	}
	s.pause()
	return s.proxy.Toxics.RemoveToxic(context.Background(), "fault")
}

// back waits for a frame that arrived after the fault was over, of the size
// that the server plays now, and notes how long that took.
func (s *site) back(t *testing.T, r *running, what string, over time.Time, longest map[string]time.Duration) bool {
	t.Helper()
	for {
		f, err := r.Next(r.ctx)
		if err != nil {
			t.Errorf("after %s: no frame: %v; log:\n%s", what, err, r.log)
			return false
		}
		took, width := f.Arrived.Sub(over), f.Image.Cols()
		f.Close()
		switch {
		case took > 0 && width == s.clips[s.clip].Width:
			if longest != nil {
				longest[what] = max(longest[what], took)
			}
			if took > backWithin {
				t.Errorf("after %s the camera was back after %v", what, took)
			}
			return true
		case time.Since(over) > 3*backWithin:
			t.Errorf("after %s the camera is not back; log:\n%s", what, r.log)
			return false
		}
	}
}

// garbage is a toxic that sends noise for what it gets.
type garbage struct{}

// Pipe implements toxics.Toxic.
func (garbage) Pipe(stub *toxics.ToxicStub) {
	r := rand.New(rand.NewPCG(1, 2))
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			noise := make([]byte, len(c.Data))
			for i := range noise {
				noise[i] = byte(r.Uint32())
			}
			stub.Output <- &toxistream.StreamChunk{Data: noise, Timestamp: c.Timestamp}
		}
	}
}

func init() {
	zerolog.SetGlobalLevel(zerolog.Disabled) // the toxics have loggers of their own
	toxics.Register("garbage", &garbage{})
}

// holding is what the process holds.
type holding struct {
	goroutines, descriptors, mats int
	resident                      int64 // bytes
	proxys                        int   // goroutines that the proxy lost
	servers                       int   // goroutines of the cameras' servers: those of connections that the proxy keeps live on
}

func (h holding) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, %d Mats, %d MiB (and %d goroutines of the proxy, %d of the servers)", h.goroutines, h.descriptors, h.mats, h.resident>>20, h.proxys, h.servers)
}

func hold(t *testing.T) holding {
	t.Helper()
	debug.FreeOSMemory() // memory that the heap keeps for later is not a leak
	h := holding{mats: capturetest.OpenMats()}
	h.goroutines, h.proxys, h.servers = goroutines()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc to count in: ", err)
	}
	h.descriptors = len(entries)
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(statm), &size, &pages); err != nil {
		t.Fatal(err)
	}
	h.resident = pages * int64(os.Getpagesize())
	return h
}

// goroutines counts those of the cameras, the proxy's own, of which it loses some when a
// toxic is removed while it blocks, and the servers', of which the connections that the
// proxy lost keep some.
func goroutines() (n, proxys, servers int) {
	stacks := make([]byte, 16<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for g := range bytes.SplitSeq(stacks, []byte("\n\n")) {
		switch {
		case bytes.Contains(g, []byte("toxiproxy")):
			proxys++
		case bytes.Contains(g, []byte("gortsplib/v5.(*Server")), bytes.Contains(g, []byte("gortsplib/v5.(*server")), bytes.Contains(g, []byte("rtsptest.")):
			servers++
		default:
			n++
		}
	}
	return n, proxys, servers
}

// check allows for what comes and goes: a connection that the server has not
// closed yet, and pages that a library keeps.
func (h holding) check(t *testing.T, before holding) {
	t.Helper()
	const moreGoroutines, moreDescriptors = 8, 4
	// Each of the proxy's lost goroutines holds a buffer of io.Copy.
	moreResident := int64(12<<20) + 40<<10*int64(max(0, h.proxys-before.proxys))
	if os.Getenv("MALLOC_ARENA_MAX") == "" {
		moreResident = math.MaxInt32 // without that bound, which the unit has, each thread may take a heap
	}
	// A connection that the proxy lost has a descriptor at each of its ends.
	descriptors := moreDescriptors + 2*max(0, h.proxys-before.proxys)
	if h.goroutines > before.goroutines+moreGoroutines || h.descriptors > before.descriptors+descriptors ||
		h.resident > before.resident+moreResident {
		t.Errorf("it holds %v, and held %v after the first cycles", h, before)
	}
}
