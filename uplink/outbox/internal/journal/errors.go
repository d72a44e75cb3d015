package journal

import "errors"

var (
	// ErrDamaged: the content of the file is damaged.
	ErrDamaged = errors.New("the file is damaged")
	// ErrDisk: the disk takes no writes, or cannot be read.
	ErrDisk = errors.New("write failed")
	// ErrLocked: another process has the file open.
	ErrLocked = errors.New("another process has it open")
)
