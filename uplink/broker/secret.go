package broker

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"platewatch/uplink/failure"
)

// maxSecret bounds a file that holds one line, in bytes.
const maxSecret = 4096

// ReadSecret reads a user's name, a password or a token from a file that holds
// one line. A byte-order mark before it, line ends after it and the spaces around
// it are left out, as editors add them. The error says what to do, and never
// contains anything of the content. If the file is missing, it matches
// [fs.ErrNotExist].
//
// Cameras' credentials are read by capture/source, by the same rules.
func ReadSecret(path string) (string, error) {
	fail := func(err error, advice string) (string, error) {
		return "", &failure.Error{Op: "read the secret in", Path: path, Err: failure.WithoutPath(err), Advice: advice}
	}
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(err, "create the file, or pass it with LoadCredential in the systemd unit")
	case errors.Is(err, fs.ErrPermission):
		return fail(err, "let the service's user read the file, or pass it with LoadCredential in the systemd unit")
	case err != nil:
		return fail(err, "check the path")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return fail(err, "check the path and its disk")
	}
	s := strings.TrimSpace(strings.TrimPrefix(string(b), "\ufeff"))
	const advice = "write the secret as its only line"
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		return fail(errors.New("it is UTF-16, as Windows writes it"), "save it as UTF-8")
	case s == "":
		return fail(errors.New("it is empty"), advice)
	case len(b) > maxSecret:
		return fail(errors.New("it is larger than 4 KiB"), advice)
	case strings.ContainsAny(s, "\r\n\x00"):
		return fail(errors.New("it holds more than one line"), advice)
	}
	return s, nil
}
