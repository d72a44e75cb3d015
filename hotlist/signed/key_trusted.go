package signed

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"aead.dev/minisign"

	"platewatch/hotlist/entry"
)

// TrustedKey is a key whose signature counts.
type TrustedKey struct {
	Name   string // for people: in reports and in the audit trail
	Public minisign.PublicKey
	// Lists that it may sign. Empty: all.
	Lists []string
}

// ID names the key in reports: as minisign prints it.
func (k TrustedKey) ID() string { return fmt.Sprintf("%016X", k.Public.ID()) }

// ParseTrustedKey reads a public key as minisign writes it: a file's text, or
// the one line that is the key.
func ParseTrustedKey(text string) (TrustedKey, error) {
	var k TrustedKey
	if err := k.Public.UnmarshalText([]byte(strings.TrimSpace(text))); err != nil {
		return k, fmt.Errorf("%s is no minisign public key", entry.Quote(text))
	}
	k.Name = k.ID()
	return k, nil
}

// LoadTrustedKey reads a public key's file, NAME.pub, and calls the key NAME.
func LoadTrustedKey(path string) (TrustedKey, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return TrustedKey{}, err
	}
	k, err := ParseTrustedKey(string(b))
	if err != nil {
		return k, &entry.Error{Op: "key", Path: path, Err: err, Advice: "name the public key that `platewatch hotlist keygen` made"}
	}
	k.Name = strings.TrimSuffix(filepath.Base(path), ".pub")
	return k, nil
}

// PartSource hands out the parts of an update: from a folder, or from what the
// broker retains. A part that is not there yet is [fs.ErrNotExist].
type PartSource func(ctx context.Context, p Part) (io.ReadCloser, error)
