package board

import (
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Clock is what the kernel says of its clock.
type Clock struct {
	Known        bool // the kernel answered
	Synchronised bool // a time source disciplines it: adjtimex(2), without STA_UNSYNC
	// MaxError is the largest error that the time source thinks possible.
	MaxError time.Duration
	// Source is the program that sets the clock, as its files in /run tell; "" if
	// none is known.
	Source string
}

// Clock asks the kernel, and looks who sets its clock.
func (b Board) Clock() Clock {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return Clock{}
	}
	c := Clock{Known: true, Synchronised: t.Status&unix.STA_UNSYNC == 0, MaxError: time.Duration(t.Maxerror) * time.Microsecond}
	c.Source = b.clockSource()
	return c
}

// clockSources are the files by which programs that set the clock show that they
// run.
var clockSources = []struct{ path, name string }{
	{"run/chrony/chronyd.pid", "chrony"},
	{"run/chronyd.pid", "chrony"},
	{"run/ntpd.pid", "ntpd"},
	{"run/ntpsec/ntpd.pid", "ntpsec"},
	{"run/phc2sys.pid", "phc2sys"},
	{"run/systemd/timesync/synchronized", "systemd-timesyncd"},
}

func (b Board) clockSource() string {
	for _, s := range clockSources {
		if _, err := os.Stat(filepath.Join(b.Root, s.path)); err == nil {
			return s.name
		}
	}
	return ""
}
