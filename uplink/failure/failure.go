// Package failure is the error that all of the uplink returns, and the words for
// what is wrong with a setting.
package failure

import (
	"errors"
	"os"
	"syscall"
)

// Error says what the uplink could not do, to which file or address, and what
// a person can do about it. Path never contains a password.
type Error struct {
	Op     string // in one or two words: "open the outbox"; empty for a setting
	Path   string // file, address or id; may be empty
	Err    error
	Advice string // may be empty
}

func (e *Error) Error() string {
	if e.Op == "" { // of a setting: the text continues its key
		return e.Err.Error()
	}
	s := "cannot " + e.Op
	if e.Path != "" {
		s += " " + e.Path
	}
	return s + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Hint says what a person can do about it.
func (e *Error) Hint() string { return e.Advice }

// WithoutPath drops the path that os puts in front: Error has it already.
func WithoutPath(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// IsDisk is true for what the operating system says of a disk that is full,
// read-only or broken: it can recover by itself, unlike a path that is wrong.
func IsDisk(err error) bool {
	for _, e := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO, syscall.ESTALE, syscall.ENODEV,
		syscall.ENXIO, syscall.EFBIG} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
