package capturetest

import (
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ProcessorTime is what all threads of a process have used; an error when it has ended.
func ProcessorTime(pid int) (time.Duration, error) {
	var used unix.Timespec
	err := unix.ClockGettime(int32(^pid)<<3|2, &used) // clock_getcpuclockid(3)
	return time.Duration(used.Nano()), err
}

// Starve lets a process work as on a very busy machine: it uses slice of processor time,
// however long that takes, is stopped for pause, and so on. It is stopped already when
// Starve returns. That ends with the process, or with the call of end, which waits.
func Starve(t testing.TB, pid int, slice, pause time.Duration) (end func()) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Error(err)
		return func() {}
	}
	ended := make(chan struct{})
	wait := func(d time.Duration) bool {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-ended:
			return false
		case <-timer.C:
			return true
		}
	}
	var starving sync.WaitGroup
	starving.Go(func() {
		for more := true; more; more = wait(pause) {
			before, err := ProcessorTime(pid)
			if err != nil || syscall.Kill(pid, syscall.SIGCONT) != nil {
				return
			}
			for used := before; used < before+slice && err == nil && wait(time.Millisecond); {
				used, err = ProcessorTime(pid) // nothing tells of another process's time
			}
			if err != nil || syscall.Kill(pid, syscall.SIGSTOP) != nil {
				return
			}
		}
		_ = syscall.Kill(pid, syscall.SIGCONT) // fails only if it has ended
	})
	var once sync.Once
	end = func() {
		once.Do(func() { close(ended) })
		starving.Wait()
	}
	t.Cleanup(end)
	return end
}
