package folder

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"platewatch/hotlist/entry"
)

// Key is the secret from which all keys of a hotlist are derived, 32 random bytes.
// It does not print.
type Key struct{ secret []byte }

const (
	keySize = 32
	// maxKeyFile bounds the bytes read of a key file.
	maxKeyFile = 4096
)

// String keeps the secret out of logs.
func (Key) String() string { return "(secret)" }

// GoString keeps the secret out of logs.
func (Key) GoString() string { return "folder.Key(secret)" }

// NewKey returns a random key.
func NewKey() Key {
	k := Key{make([]byte, keySize)}
	rand.Read(k.secret) // never fails
	return k
}

// loadKey reads a key file: 64 hexadecimal digits in one line, as [Key.WriteFile]
// writes them, or 32 raw bytes. Errors wrap [entry.ErrKey].
func loadKey(path string) (Key, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", entry.ErrKey, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", entry.ErrKey, err)
	}
	if len(b) == keySize {
		return Key{b}, nil
	}
	secret, err := hex.DecodeString(string(bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\ufeff")))))
	if err != nil || len(secret) != keySize {
		return Key{}, fmt.Errorf("%w: %s is not a key: expected %d hexadecimal digits", entry.ErrKey, path, 2*keySize)
	}
	return Key{secret}, nil
}

// WriteFile writes the key to a new file that only its owner may read. It does not
// replace a file: [fs.ErrExist].
func (k Key) WriteFile(path string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = fmt.Fprintln(tmp, hex.EncodeToString(k.secret))
	err = errors.Join(err, GiveToOwner(filepath.Dir(path), tmp), tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil { // unlike a rename, it never replaces
		return err
	}
	return Sync(filepath.Dir(path))
}

// Derive returns a key of 32 bytes for one purpose. It panics if k was not loaded.
func (k Key) Derive(salt []byte, purpose string) []byte {
	if len(k.secret) != keySize {
		panic("hotlist: a key was not loaded")
	}
	b, err := hkdf.Key(sha256.New, k.secret, salt, "platewatch hotlist 2 "+purpose, keySize)
	if err != nil {
		panic(err) // only for keys of more than 8160 bytes
	}
	return b
}

// OpenKey returns the key of a hotlist directory: from file, or, if that is empty,
// from the file "key" in the directory itself, which needs no set-up but does not
// protect the lists from a thief of the disk. With create, that file is made if it is
// missing and the directory holds no list yet.
func OpenKey(dir, file string, create bool) (Key, error) {
	if file != "" {
		return loadKey(file)
	}
	path := filepath.Join(dir, KeyName)
	k, err := loadKey(path)
	if !errors.Is(err, fs.ErrNotExist) || !create {
		return k, err
	}
	names, scanErr := Lists(dir)
	if scanErr != nil {
		return Key{}, scanErr
	}
	if len(names) > 0 {
		return Key{}, err // a new key could not open the lists
	}
	if err := NewKey().WriteFile(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return Key{}, err
	}
	return loadKey(path)
}
