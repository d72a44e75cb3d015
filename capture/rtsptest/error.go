package rtsptest

// Error is an error of this package with what a person can do about it.
type Error struct {
	Op     string // "transcode", "listen", "add"
	Path   string // file, address or path of the stream
	Err    error
	Advice string
	also   error
}

func (e *Error) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap makes errors.Is see the cause, and io/fs.ErrNotExist for something
// that is missing.
func (e *Error) Unwrap() []error {
	if e.also != nil {
		return []error{e.Err, e.also}
	}
	return []error{e.Err}
}

// Hint says what a person can do about it.
func (e *Error) Hint() string { return e.Advice }
