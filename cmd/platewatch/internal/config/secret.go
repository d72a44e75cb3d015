package config

import (
	"errors"
	"io/fs"
	"strings"
)

// maxSecret bounds a file that holds a password or a token.
const maxSecret = 4096

// Secret reads a password or a token from its file: the first line, without
// the spaces around it. The error is a [*FileError] and never holds anything
// of the content.
func Secret(path string) (string, error) {
	fail := func(err error, advice string) (string, error) {
		return "", &FileError{Op: "read the secret in", Path: path, Err: err, Advice: advice}
	}
	b, err := readBounded(path, maxSecret)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(err, "create it, or hand it over with LoadCredential in the systemd unit")
	case errors.Is(err, fs.ErrPermission):
		return fail(err, "let the service's user read it, or hand it over with LoadCredential in the systemd unit")
	case err != nil:
		return fail(err, "")
	}
	line, _, _ := strings.Cut(string(b), "\n")
	line = strings.TrimSpace(line)
	if line == "" {
		return fail(errors.New("its first line is empty"), "write the secret into its first line")
	}
	return line, nil
}

// Credentials reads a camera's "user:password" file. Both are empty where the
// camera has none.
func (c Camera) Credentials() (user, password string, err error) {
	if c.CredentialsFile == "" {
		return "", "", nil
	}
	line, err := Secret(c.CredentialsFile)
	if err != nil {
		return "", "", err
	}
	user, password, ok := strings.Cut(line, ":")
	if !ok || user == "" {
		return "", "", &FileError{Op: "use the credentials in", Path: c.CredentialsFile,
			Err: errors.New("the first line is not user:password"), Advice: "write user:password into its first line"}
	}
	return user, password, nil
}
