package bench

import "github.com/prometheus/procfs"

// Memory is the resident memory of this process, now and at its peak, in bytes, as
// the kernel reports it (proc_pid_status(5), VmRSS and VmHWM).
type Memory struct {
	Resident uint64 `json:"resident_memory_bytes"`
	Peak     uint64 `json:"peak_memory_bytes"`
}

// ReadMemory asks the kernel.
func ReadMemory() (Memory, error) {
	p, err := procfs.Self()
	if err != nil {
		return Memory{}, err
	}
	s, err := p.NewStatus()
	return Memory{Resident: s.VmRSS, Peak: s.VmHWM}, err
}
