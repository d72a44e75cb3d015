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

// fileKeys are the keys of one list file, derived from the hotlist's key and
// the file's salt: no two versions of a list can be compared without the key.
// They are not safe for concurrent use.
type Keys struct {
	salt  [saltSize]byte
	check [8]byte   // tells a wrong key
	index hash.Hash // HMAC-SHA-256 over folded plates
	// AES-256-GCM, whose nonce is the record's key, unique within its bucket.
	entries, wildcards, meta cipher.AEAD
	sum                      [sha256.Size]byte
}

func NewKeys(k folder.Key, salt [saltSize]byte) *Keys {
	seal := func(purpose string) cipher.AEAD {
		block, err := aes.NewCipher(k.Derive(salt[:], purpose))
		if err != nil {
			panic(err) // only for keys of a wrong size
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

func NewSalt() (salt [saltSize]byte) {
	rand.Read(salt[:])
	return salt
}

// macSize is the length of the index HMACs that are kept. Two of a million
// plates share one by chance once in forty million lists, and are then told
// apart by what they decrypt to.
const MACSize = 8

// mac returns the beginning of the HMAC of b.
func (f *Keys) MAC(b []byte) (out [MACSize]byte) {
	f.index.Reset()
	f.index.Write(b)
	copy(out[:], f.index.Sum(f.sum[:0]))
	return out
}
