package source

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"platewatch/capture/fault"
)

// maxCredentials bounds a credentials file, in bytes.
const maxCredentials = 4096

// readCredentials reads user:password from a file of one line. A byte-order
// mark, the line's end and blanks around it do not count. The password may hold any
// character, colons too, but no line break.
func readCredentials(path string) (*url.Userinfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &fault.Error{Op: "open", Path: path, Err: fmt.Errorf("the camera's credentials: %w", fault.Pathless(err)),
			Advice: "write user:password into the file, readable only by the daemon"}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxCredentials+1))
	if err != nil {
		return nil, &fault.Error{Op: "read", Path: path, Err: fmt.Errorf("the camera's credentials: %w", fault.Pathless(err))}
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return nil, fault.Configf(path, "save it as UTF-8", "the credentials file is UTF-16, as Windows writes it")
	}
	line, rest, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(string(text), "\ufeff")), "\n")
	line = strings.TrimSpace(line)
	user, password, found := strings.Cut(line, ":")
	if !found || user == "" || len(text) > maxCredentials || strings.TrimSpace(rest) != "" || strings.ContainsAny(line, "\r\x00") {
		return nil, fault.Configf(path, "write one line, user:password", "the credentials file is not one line user:password")
	}
	return url.UserPassword(user, password), nil
}
