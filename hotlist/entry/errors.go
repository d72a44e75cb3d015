package entry

import (
	"errors"
	"fmt"
	"io/fs"
)

var (
	// ErrLocked: another process changes the hotlist, or holds the file of a
	// list, and did not finish in time.
	ErrLocked = errors.New("another process is changing the hotlist")
	// ErrDamaged: bytes on disk are not those that were written.
	ErrDamaged = errors.New("damaged")
	// ErrRefused: an import or update was refused; the list in use is unchanged.
	ErrRefused = errors.New("import refused")
	// ErrForged: an update is not signed by a trusted key, or was changed after
	// signing. It is an [ErrRefused] too.
	ErrForged error = refusedError("the update is not authentic")
	// ErrRollback: an update is older than the accepted version, or has the same
	// number and other content. It is an [ErrRefused] too.
	ErrRollback error = refusedError("the update is older than the accepted version")
	// ErrUnsigned: a list is not signed by a trusted key.
	ErrUnsigned = errors.New("not signed by a trusted key")
	// ErrOptions: the options are invalid, whatever the input.
	ErrOptions = errors.New("invalid options")
	// ErrNewer: a list was written by a later version of this program.
	ErrNewer = errors.New("written by a later version of platewatch")
	// ErrOlder: a list was written by an earlier version, which did not encrypt.
	ErrOlder = errors.New("written by an earlier version of platewatch")
	// ErrKey: the hotlist's key is missing, or is not the one that a list was
	// written with.
	ErrKey = errors.New("the hotlist's key is missing or wrong")
	// ErrClosed: the DB was closed.
	ErrClosed = errors.New("the hotlist is closed")
	// ErrReadOnly: the hotlist was opened to read only.
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

// OptionError is an [ErrOptions] whose text does not say so.
type OptionError string

func (e OptionError) Error() string       { return string(e) }
func (e OptionError) Is(other error) bool { return other == ErrOptions }

// OptionErrorf formats an [OptionError].
func OptionErrorf(format string, args ...any) error {
	return OptionError(fmt.Sprintf(format, args...))
}

// refusedError is an [ErrRefused] whose text does not say so.
type refusedError string

func (e refusedError) Error() string       { return string(e) }
func (e refusedError) Is(other error) bool { return other == ErrRefused || other == error(e) }
