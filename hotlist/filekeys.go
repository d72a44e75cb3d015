package hotlist

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"hash"
)

// fileKeys are the keys of one list file, derived from the hotlist's key and
// the file's salt: no two versions of a list can be compared without the key.
// They are not safe for concurrent use.
type fileKeys struct {
	salt  [saltSize]byte
	check [8]byte   // tells a wrong key
	index hash.Hash // HMAC-SHA-256 over folded plates
	// AES-256-GCM, whose nonce is the record's key, unique within its bucket.
	entries, wildcards, meta cipher.AEAD
	sum                      [sha256.Size]byte
}

func newFileKeys(k Key, salt [saltSize]byte) *fileKeys {
	if len(k.secret) != keySize {
		panic("hotlist: a key was not loaded")
	}
	seal := func(purpose string) cipher.AEAD {
		block, err := aes.NewCipher(k.derive(salt[:], purpose))
		if err != nil {
			panic(err) // only for keys of a wrong size
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			panic(err)
		}
		return aead
	}
	f := &fileKeys{salt: salt, index: hmac.New(sha256.New, k.derive(salt[:], "index")),
		entries: seal("entries"), wildcards: seal("wildcards"), meta: seal("meta")}
	copy(f.check[:], k.derive(salt[:], "check"))
	return f
}

func freshSalt() (salt [saltSize]byte) {
	rand.Read(salt[:])
	return salt
}

// macSize is the length of the index HMACs that are kept. Two of a million
// plates share one by chance once in forty million lists, and are then told
// apart by what they decrypt to.
const macSize = 8

// mac returns the beginning of the HMAC of b.
func (f *fileKeys) mac(b []byte) (out [macSize]byte) {
	f.index.Reset()
	f.index.Write(b)
	copy(out[:], f.index.Sum(f.sum[:0]))
	return out
}
