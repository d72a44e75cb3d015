package unit

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"platewatch/cmd/platewatch/internal/status"
	"platewatch/uplink/message"
)

// clockReader reads the state of the wall clock. It is a field of the unit so
// that tests can set the state.
type clockReader func() status.Clock

// readKernelClock asks the kernel whether a time source (NTP, GPS, PTP)
// disciplines its clock: adjtimex(2), STA_UNSYNC.
func readKernelClock() status.Clock {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return status.Clock{State: status.ClockUnknown}
	}
	if t.Status&unix.STA_UNSYNC != 0 {
		return status.Clock{State: status.ClockUnsynchronised}
	}
	return status.Clock{State: status.ClockSynchronised, Source: "kernel"}
}

// diskOf is the free and total space of the file system that holds path; nil if
// it cannot be read.
func diskOf(path string) *message.DiskHealth {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return nil
	}
	return &message.DiskHealth{Free: s.Bavail * uint64(s.Bsize), Total: s.Blocks * uint64(s.Bsize)}
}

// boardTemperature is the highest temperature of the board's thermal zones in
// °C; nil without thermal zones.
func boardTemperature() *float64 {
	zones, err := filepath.Glob("/sys/class/thermal/thermal_zone*/temp")
	if err != nil {
		return nil
	}
	var highest *float64
	for _, z := range zones {
		b, err := os.ReadFile(z)
		if err != nil {
			continue
		}
		milli, err := strconv.Atoi(strings.TrimSpace(string(b)))
		if err != nil {
			continue
		}
		if c := float64(milli) / 1000; highest == nil || c > *highest {
			highest = &c
		}
	}
	return highest
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
