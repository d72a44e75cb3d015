package journal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// keySize is the size of the key that bodies are sealed under, in bytes.
const keySize = 32

// ErrKey is the error of a record that was sealed under another key.
var ErrKey = errors.New("it was stored under another key")

// Sealer encrypts the bodies of records with AES-256-GCM, so that what stays in the
// free pages of a file, delivered hits too, cannot be read without the key. Kind,
// number and revision are authenticated with it: a body of another record does not
// open. A nil Sealer leaves bodies as they are.
type Sealer struct {
	aead cipher.AEAD
	mark []byte
}

// NewSealer returns a sealer for a key of 32 bytes.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) != keySize {
		return nil, fmt.Errorf("the key has %d bytes instead of %d", len(key), keySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte("platewatch outbox 1 mark"))
	return &Sealer{aead, m.Sum(nil)[:16]}, nil
}

// Seal encrypts the body of a record that is about to be written.
func (s *Sealer) Seal(r *Record) {
	if s == nil || r.Sealed {
		return
	}
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(r.Body)+s.aead.Overhead())
	rand.Read(nonce) // never fails
	r.Body, r.Sealed = s.aead.Seal(nonce, nonce, r.Body, context(r)), true
}

// Open decrypts the body of a record. Errors: [ErrKey].
func (s *Sealer) Open(r Record) (Record, error) {
	if !r.Sealed {
		return r, nil
	}
	if s == nil || len(r.Body) < s.aead.NonceSize() {
		return r, ErrKey
	}
	n := s.aead.NonceSize()
	body, err := s.aead.Open(nil, r.Body[:n], r.Body[n:], context(&r))
	if err != nil {
		return r, ErrKey
	}
	r.Body, r.Sealed = body, false
	return r, nil
}

// context is what a body belongs to. Its sequence is not part of it: that changes
// when a file is salvaged.
func context(r *Record) []byte {
	b := append([]byte("platewatch outbox 1 "), byte(r.Kind))
	b = binary.BigEndian.AppendUint64(b, r.Number)
	return binary.BigEndian.AppendUint32(b, r.Revision)
}

// markRecord names the key of a file whose bodies are all sealed, without giving it
// away.
func (s *Sealer) markRecord() []byte {
	r := Record{Kind: KindMeta, Body: s.mark}
	return r.Encode()
}

// IsSealed is true if all bodies of a file are sealed under one key, whichever.
func IsSealed(db *bolt.DB) (sealed bool, err error) {
	err = Guard(func() error {
		return db.View(func(tx *bolt.Tx) error {
			b := tx.Bucket(BucketMeta)
			sealed = b != nil && b.Get(KeySeal) != nil
			return nil
		})
	})
	return sealed, err
}

// CheckMark compares the mark that a file has, nil for none, with the key. Errors:
// [ErrKey].
func (s *Sealer) CheckMark(mark []byte) error {
	if mark == nil || s != nil && bytes.Equal(mark, s.mark) {
		return nil
	}
	return ErrKey
}

// SealFile replaces the file of an open database, which it closes, by one whose
// bodies are sealed, and overwrites the old one: its free pages hold bodies that were
// not. A power cut leaves the one or the other.
func SealFile(db *bolt.DB, path string, o OpenOptions) error {
	half := path + ".salvage"
	err := os.Remove(half)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil {
		err = Guard(func() error { return copySealed(db, half, o) })
	}
	old, openErr := os.OpenFile(path, os.O_WRONLY, 0) // still there after the rename
	err = errors.Join(err, openErr, Guard(db.Close))
	if old != nil {
		defer old.Close()
	}
	if err != nil {
		return errors.Join(err, removeIfThere(half))
	}
	if err := os.Rename(half, path); err != nil {
		return err
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return err
	}
	return overwrite(old)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// copySealed copies a database to a new file.
func copySealed(from *bolt.DB, path string, o OpenOptions) (err error) {
	to, err := Open(path, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	return from.View(func(source *bolt.Tx) error {
		for _, name := range buckets {
			kind, sealed := map[string]Kind{"hits": KindHit, "quarantine": KindHit, "pictures": KindPictures}[string(name)]
			b := source.Bucket(name)
			if b == nil {
				continue
			}
			// In parts: a transaction is held in memory.
			const part = 256
			cursor := b.Cursor()
			for k, v := cursor.First(); k != nil; {
				err := to.Update(func(tx *bolt.Tx) error {
					into, err := tx.CreateBucketIfNotExists(name)
					for n := 0; err == nil && k != nil && n < part; n++ {
						value := v
						if sealed {
							var r Record
							if r, err = DecodeAt(kind, k, v); err != nil {
								return err
							}
							o.Sealer.Seal(&r)
							value = r.Encode()
						}
						err = into.Put(k, value)
						k, v = cursor.Next()
					}
					return err
				})
				if err != nil {
					return err
				}
			}
		}
		return to.Update(func(tx *bolt.Tx) error {
			for _, name := range buckets {
				if _, err := tx.CreateBucketIfNotExists(name); err != nil {
					return err
				}
			}
			if err := putFormat(tx); err != nil {
				return err
			}
			return tx.Bucket(BucketMeta).Put(KeySeal, o.Sealer.markRecord())
		})
	})
}

// overwrite writes zeros over a file. What a flash card keeps of the old blocks
// elsewhere is out of reach.
func overwrite(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	zeros := make([]byte, 64<<10)
	for at := int64(0); at < info.Size(); at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), info.Size()-at)], at); err != nil {
			return err
		}
	}
	return f.Sync()
}
