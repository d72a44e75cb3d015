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

// replaceFile replaces a file by another content, which a power cut leaves
// whole or undone.
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

// writeSealed replaces a small file whose content cannot be forged without key.
func WriteSealed(path string, key, payload []byte) error {
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "%s\x00", filepath.Base(path))
	h.Write(payload)
	return replaceFile(path, fmt.Appendf(hex.AppendEncode(nil, h.Sum(nil)), " %s\n", payload))
}

// readSealed reads it. Content that is not what was written is [ErrDamaged].
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
		return nil, fmt.Errorf("%w: %s is not what was written", entry.ErrDamaged, filepath.Base(path))
	}
	return payload, nil
}
