// Package decoder is the program that decodes for one camera, in a process of its
// own: see capture/README.md. It opens what its job names, with OpenCV, and hands
// pictures over in memory that it shares with the unit. It knows no password, has
// no network, and opens no file but the one that it plays.
package decoder

import (
	"errors"
	"fmt"
	"os"

	"platewatch/capture/fault"
	"platewatch/capture/internal/confine"
	"platewatch/capture/internal/handover"
)

// Main does the job that the unit hands over, and returns the exit code.
func Main() int {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// errAlone is what somebody reads who starts the program by hand.
var errAlone = errors.New("platewatch-decode is started by platewatch, for each camera, and does nothing by itself")

func run() error {
	if err := closeInherited(); err != nil {
		return errAlone
	}
	conn, job, err := handover.Accept(os.NewFile(handover.SocketFD, "unit"))
	if err != nil {
		return errAlone
	}
	memory, err := handover.AttachMemory(os.NewFile(handover.MemoryFD, "frames"), job)
	if err != nil {
		return err
	}
	report := confine.Apply(confine.Rights{Path: job.Path, Device: job.Mode == handover.Device, Memory: job.Memory})
	u := &unit{conn: conn, memory: memory, job: job, free: make(chan int, job.Slots),
		decode: make(chan handover.Message, 1), steer: make(chan handover.Message, 1)}
	for i := range job.Slots {
		u.free <- i
	}
	if err := u.tell(handover.Message{Kind: handover.Ready, Text: report}); err != nil {
		return nil
	}
	go u.listen()
	switch job.Mode {
	case handover.Pictures:
		return u.pictures()
	case handover.Video:
		return u.video()
	case handover.Device:
		return u.device()
	}
	return fmt.Errorf("the job %q is not known", job.Mode)
}

// fail tells the unit why the job cannot be done.
func (u *unit) fail(class error, advice, format string, args ...any) error {
	return u.tell(handover.Message{Kind: handover.Failed, Class: class, Advice: advice, Text: fmt.Errorf(format, args...).Error()})
}

// failWith tells the unit an error of the capture packages.
func (u *unit) failWith(err error) error {
	m := handover.Message{Kind: handover.Failed, Class: err, Text: err.Error()}
	var e *fault.Error
	if errors.As(err, &e) {
		m.Advice = e.Advice
		m.Text = e.Err.Error() // the unit names the camera
	}
	return u.tell(m)
}
