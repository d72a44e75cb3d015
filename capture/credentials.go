package capture

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
)

// maxCredentials bounds a credentials file, in bytes.
const maxCredentials = 4096

// readCredentials reads user:password from the first line of a file. The
// password may hold any character, colons too, but no line break.
func readCredentials(path string) (*url.Userinfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &Error{Op: "open", Path: path, Err: fmt.Errorf("the camera's credentials: %w", pathless(err)),
			Advice: "write user:password into the file, readable only by the daemon"}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxCredentials+1))
	if err != nil {
		return nil, &Error{Op: "read", Path: path, Err: fmt.Errorf("the camera's credentials: %w", pathless(err))}
	}
	line, rest, _ := strings.Cut(string(text), "\n")
	line = strings.TrimSuffix(line, "\r")
	user, password, found := strings.Cut(line, ":")
	if !found || user == "" || len(text) > maxCredentials || strings.TrimSpace(rest) != "" || strings.ContainsRune(line, 0) {
		return nil, configError(path, "write one line, user:password", "the credentials file is not one line user:password")
	}
	return url.UserPassword(user, password), nil
}

// pathless is a file system's error without the path, which [Error] prints.
func pathless(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
