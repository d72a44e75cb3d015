package journal

import "errors"

var (
	// ErrDamaged: the content of the file is damaged.
	ErrDamaged = errors.New("the file is damaged")
	// ErrDisk: the disk cannot be written, or cannot be read.
	ErrDisk = errors.New("write failed")
	// ErrNewer: a later version of this program wrote the file.
	ErrNewer = errors.New("a later version of platewatch wrote it")
	// ErrLocked: another process has the file open.
	ErrLocked = errors.New("another process has it open")
)
