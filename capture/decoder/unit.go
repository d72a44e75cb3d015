package decoder

import (
	"os"
	"strconv"
	"sync"

	"gocv.io/x/gocv"
	"golang.org/x/sys/unix"

	"platewatch/capture/internal/handover"
)

// unit is the unit, as its decoder sees it.
type unit struct {
	conn   *handover.Conn
	memory *handover.Memory
	job    handover.Job
	send   sync.Mutex

	free   chan int // slots that may be written to
	decode chan handover.Message
	steer  chan handover.Message
}

func (u *unit) tell(m handover.Message) error {
	u.send.Lock()
	defer u.send.Unlock()
	return u.conn.Send(m)
}

// listen takes the unit's messages. A decoder without a unit ends at once.
func (u *unit) listen() {
	for {
		m, err := u.conn.Receive()
		if err != nil {
			os.Exit(0)
		}
		switch m.Kind {
		case handover.Release:
			u.free <- m.Slot
		case handover.Decode:
			u.decode <- m
		case handover.Steer:
			u.steer <- m
		}
	}
}

// copyTo puts a picture into a slot.
func (u *unit) copyTo(slot int, m gocv.Mat) error {
	from, err := m.DataPtrUint8()
	if err != nil {
		return err
	}
	copy(u.memory.Slot(slot), from)
	return nil
}

// closeInherited closes what the unit's libraries left open for its children:
// everything beyond the decoder's own descriptors that was not opened here. What
// Go opens is closed by the kernel at every start of a program, and so marked.
func closeInherited() error {
	for _, own := range []int{handover.SocketFD, handover.MemoryFD} {
		if _, err := unix.FcntlInt(uintptr(own), unix.F_GETFD, 0); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil // without /proc the unit's own care has to do
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= handover.VideoFD {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.Close(fd)
		}
	}
	return nil
}
