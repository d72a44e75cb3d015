package broker

import (
	"errors"
	"io"
	"os"
	"strings"
)

// maxSecret bounds a file that holds one line, in bytes.
const maxSecret = 4096

// ReadSecret reads a user's name, a password or a token from a file that holds
// one line. A byte-order mark before it, line ends after it and the spaces around
// it are left out, as editors add them. The content is never part of an error.
func ReadSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", err
	}
	s := strings.TrimSpace(strings.TrimPrefix(string(b), "\ufeff"))
	switch {
	case s == "":
		return "", errors.New("it is empty")
	case len(b) > maxSecret, strings.ContainsAny(s, "\r\n\x00"):
		return "", errors.New("it holds more than one line")
	}
	return s, nil
}
