package unit

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"

	"platewatch/cmd/platewatch/internal/board"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/uplink/message"
)

// clockReader reads the state of the wall clock. It is a field of the unit so
// that tests can set the state.
type clockReader func() status.Clock

// readClock is what this board says of its clock.
func readClock() status.Clock {
	c := board.Here.Clock()
	switch {
	case !c.Known:
		return status.Clock{State: status.ClockUnknown}
	case !c.Synchronised:
		return status.Clock{State: status.ClockUnsynchronised}
	}
	return status.Clock{State: status.ClockSynchronised, Source: cmp.Or(c.Source, "kernel")}
}

// diskOf is the free and total space of the file system that holds path; nil if
// it cannot be read.
func diskOf(path string) *message.DiskHealth {
	s, err := board.SpaceAt(path)
	if err != nil {
		return nil
	}
	return &message.DiskHealth{Free: s.Free, Total: s.Total}
}

// boardTemperature is the highest temperature of the board in °C; nil without a
// sensor.
func boardTemperature() *float64 {
	c, ok := board.Here.Temperature()
	if !ok {
		return nil
	}
	return &c
}

// boardStatus is the state of this board. dir is the state folder.
func boardStatus(dir string) *status.Board {
	b := &status.Board{Model: board.Here.Model(), ReadOnly: board.ReadOnly(dir), ClockError: status.Seconds(board.Here.Clock().MaxError.Seconds())}
	b.MemoryAvailable, b.MemoryTotal, _ = board.Here.Memory()
	if bits, ok := board.Here.Throttled(); ok {
		b.ThrottlingKnown = true
		b.UnderVoltage, b.UnderVoltageSeen = bits.Now(board.UnderVoltage), bits.Ever(board.UnderVoltage)
		slow := func(is func(board.Throttled) bool) bool { return is(board.Slowed) || is(board.Capped) }
		b.Slowed, b.SlowedSeen = slow(bits.Now), slow(bits.Ever)
	}
	if wear, ok := board.Here.Wear(); ok {
		b.DiskWear = &wear
	}
	return b
}

// machineFacts are what tells this board from another: serial numbers of the board and
// of memory cards, and the addresses of wired network cards that cannot be unplugged.
// A copied card finds others. What cannot be read is left out.
func machineFacts(root string) []string {
	facts := []string{}
	for _, pattern := range []string{
		"sys/firmware/devicetree/base/serial-number", "sys/block/mmcblk*/device/cid", "sys/class/net/*/address",
	} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			continue
		}
		for _, path := range paths {
			if strings.HasSuffix(pattern, "/address") && !wired(filepath.Dir(path)) {
				continue
			}
			if b, err := os.ReadFile(path); err == nil {
				facts = append(facts, strings.Trim(string(b), "\x00\n "))
			}
		}
	}
	return facts
}

// wired reports whether a network interface is a card in the board: no bridge, no
// stick, and no radio, whose address may be random.
func wired(dir string) bool {
	device, err := filepath.EvalSymlinks(filepath.Join(dir, "device"))
	if err != nil || strings.Contains(device, "/usb") {
		return false
	}
	_, err = os.Stat(filepath.Join(dir, "phy80211"))
	return err != nil
}
