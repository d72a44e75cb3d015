package folder

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"platewatch/hotlist/entry"
)

// replaceFile replaces the content of a file atomically.
func replaceFile(path string, content []byte) error {
	dir := filepath.Dir(path)
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o600), renameio.WithTempDir(dir))
	if err != nil {
		return err
	}
	defer func() { _ = f.Cleanup() }() // after a replacement there is nothing to clean up
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := GiveToOwner(dir, f.File); err != nil {
		return err
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return Sync(dir)
}

// WriteSealed replaces a small file, atomically, with a payload and its HMAC-SHA-256
// under key. The HMAC covers the file's name too.
func WriteSealed(path string, key, payload []byte) error {
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "%s\x00", filepath.Base(path))
	h.Write(payload)
	return replaceFile(path, fmt.Appendf(hex.AppendEncode(nil, h.Sum(nil)), " %s\n", payload))
}

// ReadSealed reads what [WriteSealed] wrote. Any change is an [entry.ErrDamaged].
func ReadSealed(path string, key []byte) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	mac, payload, _ := bytes.Cut(bytes.TrimSuffix(b, []byte("\n")), []byte(" "))
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "%s\x00", filepath.Base(path))
	h.Write(payload)
	if !hmac.Equal(mac, hex.AppendEncode(nil, h.Sum(nil))) {
		return nil, fmt.Errorf("%w: %s was changed", entry.ErrDamaged, filepath.Base(path))
	}
	return payload, nil
}
