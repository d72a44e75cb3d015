package doctor

import (
	"context"
	"fmt"
	"time"

	"platewatch/cmd/platewatch/internal/board"
)

const (
	// largestError is how wrong the clock may be: passages of one vehicle at two units
	// are compared by their times.
	largestError = time.Second

	warmBoard = 75.0 // °C; a Raspberry Pi slows down from 80 on
	hotBoard  = 85.0 // °C, the end of what most boards are made for
)

func (x *examination) clock(_ context.Context, found sink) {
	const about = "clock"
	c := x.o.Board.Clock()
	const want = "synchronised, wrong by less than a second"
	const advice = "install chrony or systemd-timesyncd and let it reach a server (UDP port 123), or connect a GPS: times of hits are evidence, and lists do not expire without"
	now := time.Now().UTC().Format("2006-01-02 15:04:05 UTC")
	source := ""
	if c.Source != "" {
		source = " by " + c.Source
	}
	switch {
	case !c.Known:
		found.warn(about, "", "the kernel does not tell whether it is synchronised; it is "+now, want, advice)
	case !c.Synchronised:
		found.warn(about, "", "not synchronised; it is "+now, want, advice)
	default:
		found.grade(c.MaxError <= largestError, Warn, about, "",
			fmt.Sprintf("synchronised%s, wrong by at most %.0f ms; it is %s", source, 1000*c.MaxError.Seconds(), now), want,
			"see `chronyc tracking` or `timedatectl timesync-status`: the time source is far away or disturbed")
	}
}

func (x *examination) temperature(_ context.Context, found sink) {
	const about = "temperature"
	c, ok := x.o.Board.Temperature()
	if !ok {
		found.skip(about, "", "this machine has no sensor")
		return
	}
	level := Warn
	if c >= hotBoard {
		level = Fail
	}
	found.grade(c < warmBoard, level, about, "", fmt.Sprintf("%.0f °C", c), fmt.Sprintf("below %.0f °C", warmBoard),
		"shade the box, add a heat sink or a fan: the processor slows down, and reads fewer frames")
}

func (x *examination) throttling(_ context.Context, found sink) {
	const about = "throttling"
	bits, known := x.o.Board.Throttled()
	limit, most, hasFrequency := x.o.Board.Frequency()
	const want = "never"
	const advice = "cool the board, or give it a better power supply, and restart it: the firmware remembers until then"
	slowed := hasFrequency && limit < most*9/10
	switch {
	case known && (bits.Now(board.Slowed) || bits.Now(board.Hot) || bits.Now(board.Capped)):
		found.fail(about, "", "the firmware slows the processor down now", want, advice)
	case known && (bits.Ever(board.Slowed) || bits.Ever(board.Hot) || bits.Ever(board.Capped)):
		found.warn(about, "", "the firmware slowed the processor down since the start", want, advice)
	case slowed:
		found.warn(about, "", fmt.Sprintf("the processor is held to %d of %d MHz", limit/1000, most/1000), "its full frequency",
			"cool the board, and see the governor's limit (scaling_max_freq)")
	case known || hasFrequency:
		measured := "none since the start"
		if hasFrequency {
			measured += fmt.Sprintf("; the processor may run at %d MHz", limit/1000)
		}
		found.ok(about, "", measured, want)
	default:
		found.skip(about, "", "this machine does not tell")
	}
}

func (x *examination) power(_ context.Context, found sink) {
	const about = "power"
	bits, known := x.o.Board.Throttled()
	const want = "above 4.63 V, always"
	const advice = "use the board's own power supply and a short, thick cable: a supply that breaks down destroys cards"
	switch {
	case !known:
		found.skip(about, "", "this machine does not tell its supply voltage")
	case bits.Now(board.UnderVoltage):
		found.fail(about, "", "the supply voltage is too low now", want, advice)
	case bits.Ever(board.UnderVoltage):
		found.warn(about, "", "the supply voltage was too low since the start", want, advice)
	default:
		found.ok(about, "", "the supply voltage was never too low since the start", want)
	}
}

// leastMemory is what should be left to a unit that starts.
const leastMemory = 160 << 20

func (x *examination) memory(_ context.Context, found sink) {
	const about = "memory"
	available, total, ok := x.o.Board.Memory()
	if !ok {
		found.skip(about, "", "the kernel does not tell")
		return
	}
	least := uint64(leastMemory)
	if x.daemon.running {
		least = 64 << 20 // it has its own already
	}
	found.grade(available >= least, Warn, about, "", fmt.Sprintf("%s of %s available", size(available), size(total)), "at least "+size(least),
		"stop what else runs here: when memory runs out, the kernel ends cameras' decoders first")
}
