package signed

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"aead.dev/minisign"

	"platewatch/hotlist/entry"
)

// TrustedKey is a public key whose signatures are accepted.
type TrustedKey struct {
	Name   string // shown in reports and in the audit trail
	Public minisign.PublicKey
	// Lists that it may sign. Empty: all.
	Lists []string
}

// ID is the key's id, as minisign prints it.
func (k TrustedKey) ID() string { return fmt.Sprintf("%016X", k.Public.ID()) }

// parseTrustedKey reads a public key as minisign writes it: the text of a file, or
// only its last line.
func parseTrustedKey(text string) (TrustedKey, error) {
	var k TrustedKey
	if err := k.Public.UnmarshalText([]byte(strings.TrimSpace(strings.TrimPrefix(text, "\ufeff")))); err != nil {
		return k, fmt.Errorf("%s is not a minisign public key", entry.Quote(text))
	}
	k.Name = k.ID()
	return k, nil
}

// LoadTrustedKey reads the file of a public key, NAME.pub, and names the key NAME.
func LoadTrustedKey(path string) (TrustedKey, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return TrustedKey{}, err
	}
	k, err := parseTrustedKey(string(b))
	if err != nil {
		return k, &entry.Error{Op: "key", Path: path, Err: err, Advice: "name the public key that `platewatch hotlist keygen` made"}
	}
	k.Name = strings.TrimSuffix(filepath.Base(path), ".pub")
	return k, nil
}
