// Package fault holds the error type of the capture packages and the causes
// that their callers tell apart.
package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Causes that callers tell apart with [errors.Is]. What is missing (a device,
// a file) matches [io/fs.ErrNotExist] instead.
var (
	// ErrConfig: the configuration cannot work, whatever the camera does.
	ErrConfig = errors.New("wrong camera configuration")
	// ErrUnreachable: nothing answers at the camera's address.
	ErrUnreachable = errors.New("the camera does not answer")
	// ErrCredentials: the camera refuses the user name or the password.
	ErrCredentials = errors.New("the camera refuses the credentials")
	// ErrTimeout: the camera answered, and then sent nothing within the bound.
	ErrTimeout = errors.New("the camera sent no picture in time")
	// ErrStreamEnded: the camera closed a live stream.
	ErrStreamEnded = errors.New("the stream ended")
	// ErrBlocked: the camera's decoder did not answer in time and was killed.
	ErrBlocked = errors.New("the decoder did not answer in time")
	// ErrDecoder: the camera's decoder ended in the middle of its work.
	ErrDecoder = errors.New("the decoder crashed")
	// ErrFrame: a frame whose size or type is refused.
	ErrFrame = errors.New("unusable frame")
	// ErrClosed: the source was used after its Close.
	ErrClosed = errors.New("source is closed")
	// ErrResized: a network camera changed the size of its picture. Opening it
	// again gives the new size.
	ErrResized = errors.New("the camera changed the size of its picture")

	// ErrPicture matches every error that concerns one picture file. A folder
	// goes on to the next picture after it.
	ErrPicture = errors.New("unusable picture")
	// ErrNotPicture: the content has none of the picture formats, whatever the
	// name says.
	ErrNotPicture = errors.New("is not a picture")
	// ErrTruncated: the picture's file ends too early.
	ErrTruncated = errors.New("is truncated")
	// ErrDamaged: the picture's file cannot be decoded.
	ErrDamaged = errors.New("is damaged")
	// ErrTooLarge: more pixels or bytes than the limits allow.
	ErrTooLarge = errors.New("is too large")
)

// Error is the error type of the capture packages. Its text holds no password.
type Error struct {
	Op     string // what was tried: "open", "read", "decode", "configure"
	Path   string // device, file or redacted address; may be empty
	Err    error
	Advice string // what a person can do; may be empty
	Class  error  // a cause of the list above that it matches besides Err; may be nil
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Err.Error()
	}
	return e.Path + ": " + e.Err.Error()
}

// Unwrap makes [errors.Is] see the cause and the class.
func (e *Error) Unwrap() []error {
	if e.Class != nil {
		return []error{e.Err, e.Class}
	}
	return []error{e.Err}
}

// Hint says what a person can do about it.
func (e *Error) Hint() string { return e.Advice }

// Configf is an error that matches [ErrConfig].
func Configf(path, advice, format string, args ...any) *Error {
	return &Error{Op: "configure", Path: path, Err: fmt.Errorf(format, args...), Advice: advice, Class: ErrConfig}
}

// Pathless returns a file system's error without the path, which [Error]
// prints.
func Pathless(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// CheckFile reports why a path is not a regular file that can be read.
// folderAdvice is the advice for a folder.
func CheckFile(path, folderAdvice string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Error{Op: "open", Path: path, Err: fmt.Errorf("there is no such file: %w", Pathless(err)), Advice: "check the path"}
	case err != nil:
		return &Error{Op: "open", Path: path, Err: Pathless(err)}
	case info.IsDir():
		return &Error{Op: "open", Path: path, Err: errors.New("is a folder and not a file"), Advice: folderAdvice, Class: ErrConfig}
	case !info.Mode().IsRegular():
		return &Error{Op: "open", Path: path, Err: errors.New("is not a regular file"), Advice: "a camera's device is a camera of kind v4l2", Class: ErrConfig}
	}
	f, err := os.Open(path)
	if err != nil {
		return &Error{Op: "open", Path: path, Err: Pathless(err), Advice: "check the file's permissions"}
	}
	f.Close()
	return nil
}
