package capture

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Causes that callers tell apart with [errors.Is]. What is missing (a device,
// a file) matches [io/fs.ErrNotExist] instead.
var (
	// ErrConfig: the configuration cannot work, whatever the camera does.
	ErrConfig = errors.New("wrong camera configuration")
	// ErrUnreachable: nothing answers at the camera's address.
	ErrUnreachable = errors.New("the camera does not answer")
	// ErrCredentials: the camera wants another user name or password.
	ErrCredentials = errors.New("the camera refuses the credentials")
	// ErrTimeout: the camera answered, and then gave nothing within the bound.
	ErrTimeout = errors.New("the camera gave no picture in time")
	// ErrStreamEnded: the camera closed a live stream.
	ErrStreamEnded = errors.New("the stream ended")
	// ErrBlocked: a call into the video library did not come back in time and
	// was abandoned.
	ErrBlocked = errors.New("the video library did not come back in time")
	// ErrFrame: a frame of a size or type that is refused.
	ErrFrame = errors.New("unusable frame")
	// ErrClosed: the source was used after its Close.
	ErrClosed = errors.New("source is closed")

	// ErrPicture matches every error that concerns one picture file. A folder's
	// [Source] can go on to the next picture after it.
	ErrPicture = errors.New("unusable picture")
	// ErrNotPicture: the content is none of the picture formats, whatever the
	// name says.
	ErrNotPicture = errors.New("is not a picture")
	// ErrTruncated: the picture's file ends too early.
	ErrTruncated = errors.New("is cut off")
	// ErrDamaged: the picture's file cannot be decoded.
	ErrDamaged = errors.New("is damaged")
	// ErrTooLarge: more pixels or bytes than the limits allow.
	ErrTooLarge = errors.New("is too large")
)

// Error is the error type of this package. Its text holds no password.
type Error struct {
	Op     string // what was tried: "open", "read", "decode", "configure"
	Path   string // device, file or redacted URL; may be empty
	Err    error
	Advice string // what a person can do, may be empty
	also   error  // a class of errors that it matches besides Err
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Err.Error()
	}
	return e.Path + ": " + e.Err.Error()
}

// Unwrap makes [errors.Is] see the cause and the class.
func (e *Error) Unwrap() []error {
	if e.also != nil {
		return []error{e.Err, e.also}
	}
	return []error{e.Err}
}

// Hint says what a person can do about it.
func (e *Error) Hint() string { return e.Advice }

var userinfo = regexp.MustCompile(`//\S*@`)

// Redact replaces the password in a URL by "xxxxx". A text that is no URL
// loses everything between "//" and the last "@".
func Redact(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return userinfo.ReplaceAllString(rawURL, "//xxxxx@")
	}
	return u.Redacted()
}

// secret is what must not appear in an error: a URL with its password.
type secret struct {
	url string
}

// scrub removes the URL and the password, as written and as escaped, from a
// text that a library made.
func (s secret) scrub(text string) string {
	if s.url == "" {
		return text
	}
	text = strings.ReplaceAll(text, s.url, Redact(s.url))
	u, err := url.Parse(s.url)
	if err != nil || u.User == nil {
		return userinfo.ReplaceAllString(text, "//xxxxx@")
	}
	if p, ok := u.User.Password(); ok && p != "" {
		_, escaped, _ := strings.Cut(u.User.String(), ":")
		text = strings.ReplaceAll(text, escaped, "xxxxx")
		text = strings.ReplaceAll(text, p, "xxxxx")
	}
	return text
}

// scrubbed is an error of a library without the password. It keeps no chain:
// the errors below would print the URL again.
func (s secret) scrubbed(err error) error {
	return errors.New(s.scrub(err.Error()))
}

func configError(path, advice, format string, args ...any) error {
	return &Error{Op: "configure", Path: path, Err: fmt.Errorf(format, args...), Advice: advice, also: ErrConfig}
}
