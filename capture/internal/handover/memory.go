package handover

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Memory is the shared memory: room for an encoded picture, then the slots. It is
// only as large as what was written to it.
type Memory struct {
	f   *os.File // nil in the decoder
	b   []byte
	job Job
}

// NewMemory makes the memory of a job. The unit makes it, and seals its size
// before anybody else sees it: memory that shrank under the unit would kill it
// with SIGBUS.
func NewMemory(j Job) (*Memory, error) {
	fd, err := unix.MemfdCreate("platewatch-frames", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "frames")
	m, err := func() (*Memory, error) {
		if err := f.Truncate(j.memoryBytes()); err != nil {
			return nil, err
		}
		const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
		if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
			return nil, os.NewSyscallError("F_ADD_SEALS", err)
		}
		return mapped(f, j)
	}()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("no memory to share: %w", err)
	}
	m.f = f
	return m, nil
}

// AttachMemory is the decoder's view of the memory.
func AttachMemory(f *os.File, j Job) (*Memory, error) {
	defer f.Close()
	return mapped(f, j)
}

func mapped(f *os.File, j Job) (*Memory, error) {
	size := j.memoryBytes()
	if int64(int(size)) != size {
		return nil, fmt.Errorf("%d bytes are more than this processor addresses", size)
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	return &Memory{b: b, job: j}, nil
}

// File is what the decoder inherits.
func (m *Memory) File() *os.File { return m.f }

// Input is the room for the encoded picture.
func (m *Memory) Input() []byte { return m.b[:m.job.Input:m.job.Input] }

// Slot is the room for a picture.
func (m *Memory) Slot(i int) []byte {
	at := m.job.Input + i*m.job.slotBytes()
	return m.b[at : at+m.job.slotBytes() : at+m.job.slotBytes()]
}

// keep is how much of the memory stays for the next picture.
const keep = 32 << 20

// Trim gives back what a very large picture took.
func (m *Memory) Trim(used int64) {
	if used > keep {
		// A file system that cannot do it keeps the memory, which does no harm.
		_ = unix.Fallocate(int(m.f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, m.job.memoryBytes())
	}
}

// Close gives the memory back. Nobody may use it any more.
func (m *Memory) Close() error {
	err := unix.Munmap(m.b)
	m.b = nil
	if m.f != nil {
		m.f.Close()
	}
	return err
}
