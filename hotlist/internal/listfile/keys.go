package listfile

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"hash"

	"platewatch/hotlist/internal/folder"
)

// Keys are the keys of one list file, derived from the hotlist's key and the file's
// salt, so that two versions of a list cannot be compared without the key. They are
// not safe for concurrent use.
type Keys struct {
	salt  [saltSize]byte
	check [8]byte   // detects a wrong key
	index hash.Hash // HMAC-SHA-256 over folded plates
	// AES-256-GCM. The nonce is the record's key, which is unique in its bucket.
	entries, wildcards, meta cipher.AEAD
	sum                      [sha256.Size]byte
}

// NewKeys derives the keys of a file with a salt.
func NewKeys(k folder.Key, salt [saltSize]byte) *Keys {
	seal := func(purpose string) cipher.AEAD {
		block, err := aes.NewCipher(k.Derive(salt[:], purpose))
		if err != nil {
			panic(err) // only for keys of an invalid size
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			panic(err)
		}
		return aead
	}
	f := &Keys{salt: salt, index: hmac.New(sha256.New, k.Derive(salt[:], "index")),
		entries: seal("entries"), wildcards: seal("wildcards"), meta: seal("meta")}
	copy(f.check[:], k.Derive(salt[:], "check"))
	return f
}

const saltSize = 16

// NewSalt returns the salt of a new file.
func NewSalt() (salt [saltSize]byte) {
	rand.Read(salt[:])
	return salt
}

// MACSize is the length of the HMACs that are stored, in bytes. Two of a million
// plates collide once in 40 million lists; decryption then distinguishes them.
const MACSize = 8

// MAC returns the first bytes of the HMAC of b.
func (f *Keys) MAC(b []byte) (out [MACSize]byte) {
	f.index.Reset()
	f.index.Write(b)
	copy(out[:], f.index.Sum(f.sum[:0]))
	return out
}
