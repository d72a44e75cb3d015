package entry

import (
	"errors"
	"fmt"
	"io/fs"
)

var (
	// ErrLocked: another process changes the hotlist, or holds a list's file,
	// and did not finish in the time allowed.
	ErrLocked = errors.New("the hotlist is being changed by another process")
	// ErrDamaged: bytes on disk are not those that were written.
	ErrDamaged = errors.New("damaged")
	// ErrRefused: an import was refused, and the list in use stays as it was.
	ErrRefused = errors.New("import refused")
	// ErrForged: an update is not signed by a key that is trusted here, or not
	// what was signed. It is an [ErrRefused] too.
	ErrForged error = refusedError("the update cannot be believed")
	// ErrRollback: an update is older than what was accepted before, or another
	// one of the same version. It is an [ErrRefused] too.
	ErrRollback error = refusedError("the update is a step back")
	// ErrUnsigned: a list is not signed by a key that is trusted here.
	ErrUnsigned = errors.New("it is not signed by a trusted key")
	// ErrOptions: what was asked for makes no sense, whatever the input.
	ErrOptions = errors.New("wrong options")
	// ErrNewer: a list was written by a later version of this program.
	ErrNewer = errors.New("written by a later version of platewatch")
	// ErrOlder: a list was written by an earlier version, which did not encrypt.
	ErrOlder = errors.New("written by an earlier version of platewatch")
	// ErrKey: the hotlist's key is missing, or it is not the one that a list
	// was written with.
	ErrKey = errors.New("the hotlist's key does not open it")
	// ErrClosed: the DB was closed.
	ErrClosed = errors.New("the hotlist is closed")
	// ErrReadOnly: the DB was opened with [OpenReadOnly].
	ErrReadOnly = errors.New("the hotlist was opened read-only")
)

// Error is what the hotlist's packages return: what was done to which file, why
// it failed, and what a person can do about it.
type Error struct {
	Op     string // "open", "import", ...; empty: only Err is printed
	Path   string // directory or file
	Err    error
	Advice string
}

func (e *Error) Error() string {
	if e.Op == "" {
		return e.Err.Error()
	}
	var path *fs.PathError
	if errors.As(e.Err, &path) && path.Path == e.Path {
		return fmt.Sprintf("hotlist %s: %s: %v", e.Op, e.Path, path.Err)
	}
	return fmt.Sprintf("hotlist %s: %s: %v", e.Op, e.Path, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *Error) Hint() string { return e.Advice }

// OptionError is an [ErrOptions] without saying so in its text.
type OptionError string

func (e OptionError) Error() string       { return string(e) }
func (e OptionError) Is(other error) bool { return other == ErrOptions }

// OptionErrorf formats an [OptionError].
func OptionErrorf(format string, args ...any) error {
	return OptionError(fmt.Sprintf(format, args...))
}

// refusedError is an [ErrRefused] without saying so in its text.
type refusedError string

func (e refusedError) Error() string       { return string(e) }
func (e refusedError) Is(other error) bool { return other == ErrRefused || other == error(e) }
