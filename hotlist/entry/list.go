package entry

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"time"
)

// List describes one list as it is stored.
type List struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Entries counts the entries that can match.
	Entries int `json:"entries"`
	// Wildcards counts those of them that are patterns.
	Wildcards int `json:"wildcards,omitempty"`
	// Fuzzy counts those whose policy is [PolicyFuzzy].
	Fuzzy int `json:"fuzzy,omitempty"`
	// Categories counts the entries of each category.
	Categories map[string]int `json:"categories,omitempty"`
	// Digest stands for the entries: two versions with the same digest hold the same.
	Digest Digest `json:"digest,omitzero"`
	// Signed tells which signed version it is; nil if it was imported here.
	Signed *Signed `json:"signed,omitempty"`
	// Imported is when, by this machine's clock.
	Imported time.Time `json:"imported"`
	// Source is the name of the file it was imported from.
	Source string `json:"source,omitempty"`
	// Duplicates, Skipped and Refused count the source's lines that did not
	// become entries.
	Duplicates int `json:"duplicates"`
	Skipped    int `json:"skipped"`
	Refused    int `json:"refused"`
	// Bytes is the size of the list's file.
	Bytes int64 `json:"bytes"`
	// Fallback: this is the version before, because the newest one is damaged.
	Fallback bool `json:"fallback,omitempty"`
}

// Signed is what a list knows of the manifest it was made from.
type Signed struct {
	Version uint64    `json:"version"`
	Key     string    `json:"key"` // id of the key that signed it
	Signer  string    `json:"signer,omitempty"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// Digest stands for the content of a list: the sum, modulo 2^256, of the
// SHA-256 of all its entries. It does not depend on their order or on how they
// are stored. What says that a digest is the right one is a signature, so
// nobody gains from entries that are made to cancel out.
type Digest [sha256.Size]byte

// Add adds an entry, as the list file encodes it.
func (d *Digest) Add(payload []byte) {
	h := sha256.Sum256(payload)
	var carry uint64
	for i := 0; i < len(d); i += 8 {
		var s uint64
		s, carry = bits.Add64(binary.LittleEndian.Uint64(d[i:]), binary.LittleEndian.Uint64(h[i:]), carry)
		binary.LittleEndian.PutUint64(d[i:], s)
	}
}

// MarshalText writes the digest in hexadecimal.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Digest) UnmarshalText(b []byte) error {
	if len(b) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("a digest has %d hexadecimal digits", hex.EncodedLen(len(d)))
	}
	_, err := hex.Decode(d[:], b)
	return err
}

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MaxEntries bounds a list.
const MaxEntries = 10_000_000

const maxNameLength = 64

// CheckListName says why a list cannot have a name, which becomes a file's name
// and a level of an MQTT topic.
func CheckListName(name string) error {
	if name == "" {
		return OptionError("a list needs a name")
	}
	if len(name) > maxNameLength {
		return OptionErrorf("the list's name is longer than %d characters", maxNameLength)
	}
	for i, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case (c == '-' || c == '_' || c == '.') && i > 0:
		default:
			return OptionErrorf("a list cannot be named %q", name)
		}
	}
	return nil
}

// ListNameAdvice says how a list can be named.
const ListNameAdvice = "a name starts with a letter or digit and holds letters, digits, hyphens, dots and underscores"
