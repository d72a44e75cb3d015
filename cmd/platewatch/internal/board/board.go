// Package board measures the machine that a unit runs on: clock, temperature,
// throttling, supply voltage, memory, and the space of a file system. It reads
// /sys, /proc and /run, and leaves out what they do not have.
package board

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// Board is a machine. Root is the folder that /sys, /proc and /run lie in: "/",
// and another one in tests.
type Board struct{ Root string }

// Here is the machine that this runs on.
var Here = Board{Root: "/"}

// Space is the size of a file system in bytes.
type Space struct{ Free, Total uint64 }

// SpaceAt is that of the file system that holds path.
func SpaceAt(path string) (Space, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return Space{}, err
	}
	return Space{Free: s.Bavail * uint64(s.Bsize), Total: s.Blocks * uint64(s.Bsize)}, nil
}

// ReadOnly reports whether the file system that holds path is mounted read-only.
func ReadOnly(path string) bool {
	var s unix.Statfs_t
	return unix.Statfs(path, &s) == nil && s.Flags&unix.ST_RDONLY != 0
}

// Temperature is the highest one of the board's thermal zones, in °C.
func (b Board) Temperature() (celsius float64, ok bool) {
	for _, path := range b.glob("sys/class/thermal/thermal_zone*/temp") {
		milli, err := readInt(path)
		if err != nil {
			continue
		}
		if c := float64(milli) / 1000; !ok || c > celsius {
			celsius, ok = c, true
		}
	}
	return celsius, ok
}

// Throttled are the bits by which the firmware of a Raspberry Pi tells that it
// limited the processor, as `vcgencmd get_throttled` prints them.
type Throttled uint32

// The bits, see "get_throttled" at
// https://www.raspberrypi.com/documentation/computers/os.html: the state now, and,
// 16 bits higher, whether it occurred since the start.
const (
	UnderVoltage Throttled = 1 << iota // the supply is below 4.63 V
	Capped                             // the processor's frequency is capped
	Slowed                             // it is throttled
	Hot                                // the soft limit of the temperature is reached

	occurred = 16
)

// Now reports whether a bit is set, Ever whether it was since the board started.
func (t Throttled) Now(bit Throttled) bool  { return t&bit != 0 }
func (t Throttled) Ever(bit Throttled) bool { return t&(bit<<occurred) != 0 }

// Throttled reads those of the firmware, or, where only the kernel's own driver is
// there, the alarm of the supply voltage alone.
func (b Board) Throttled() (bits Throttled, ok bool) {
	for _, path := range b.glob("sys/devices/platform/soc*/soc*:firmware/get_throttled") {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(string(text)), "0x"), 16, 32)
		if err == nil {
			return Throttled(n), true
		}
	}
	for _, name := range b.glob("sys/class/hwmon/hwmon*/name") {
		if text, err := os.ReadFile(name); err != nil || strings.TrimSpace(string(text)) != "rpi_volt" {
			continue
		}
		alarm, err := readInt(filepath.Join(filepath.Dir(name), "in0_lcrit_alarm"))
		if err != nil {
			continue
		}
		if alarm != 0 { // the driver latches it until it is read
			return UnderVoltage | UnderVoltage<<occurred, true
		}
		return 0, true
	}
	return 0, false
}

// Frequency is a processor's frequency in kHz: the present limit, and what it was
// made for.
func (b Board) Frequency() (limit, most int, ok bool) {
	for _, dir := range b.glob("sys/devices/system/cpu/cpufreq/policy*") {
		l, err := readInt(filepath.Join(dir, "scaling_max_freq"))
		m, merr := readInt(filepath.Join(dir, "cpuinfo_max_freq"))
		if err != nil || merr != nil || m == 0 {
			continue
		}
		if !ok || float64(l)/float64(m) < float64(limit)/float64(most) {
			limit, most, ok = l, m, true
		}
	}
	return limit, most, ok
}

// Memory is the board's memory in bytes, and how much of it programs can still get.
func (b Board) Memory() (available, total uint64, ok bool) {
	fs, err := procfs.NewFS(filepath.Join(b.Root, "proc"))
	if err != nil {
		return 0, 0, false
	}
	m, err := fs.Meminfo()
	if err != nil || m.MemAvailableBytes == nil || m.MemTotalBytes == nil {
		return 0, 0, false
	}
	return *m.MemAvailableBytes, *m.MemTotalBytes, true
}

// Wear is the share of their rated life that the board's flash memories (eMMC) have
// used, of the worst one: JEDEC's DEVICE_LIFE_TIME_EST, in tenths. Above 1 it is over.
func (b Board) Wear() (share float64, ok bool) {
	for _, path := range b.glob("sys/block/mmcblk*/device/life_time") {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for word := range strings.FieldsSeq(string(text)) { // of the two kinds of cells
			if n, err := strconv.ParseUint(word, 0, 8); err == nil && n > 0 {
				share, ok = max(share, float64(n)/10), true
			}
		}
	}
	return share, ok
}

// Model is the board's name; "" where it has none.
func (b Board) Model() string {
	for _, name := range []string{"sys/firmware/devicetree/base/model", "sys/class/dmi/id/product_name"} {
		if text, err := os.ReadFile(filepath.Join(b.Root, name)); err == nil {
			return strings.Trim(string(text), "\x00\n ")
		}
	}
	return ""
}

func (b Board) glob(pattern string) []string {
	paths, err := filepath.Glob(filepath.Join(b.Root, pattern))
	if err != nil {
		return nil // only a bad pattern is an error
	}
	return paths
}

func readInt(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// Landlock is the version of Landlock that the kernel has; 0 for none.
func Landlock() int {
	const createRulesetVersion = 1
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, createRulesetVersion)
	if errno != 0 {
		return 0
	}
	return int(v)
}
