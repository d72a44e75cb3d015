package entry

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"time"
)

// Short is the length up to which [List.Short] tells the shortest plate: readers take
// such texts for other lettering unless a list has them.
const Short = 4

// List describes one list as it is stored.
type List struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Entries is the number of entries.
	Entries int `json:"entries"`
	// Wildcards is the number of them that are patterns.
	Wildcards int `json:"wildcards,omitempty"`
	// Fuzzy is the number of them whose policy is [PolicyFuzzy].
	Fuzzy int `json:"fuzzy,omitempty"`
	// Short is how many characters the shortest plate has, patterns left out, where
	// that is at most [Short]; 0: all are longer.
	Short int `json:"short,omitempty"`
	// Categories counts the entries of each category.
	Categories map[string]int `json:"categories,omitempty"`
	// Digest identifies the entries: versions with equal digests have equal entries.
	Digest Digest `json:"digest,omitzero"`
	// Signed describes the signed version; nil if the list was imported here.
	Signed *Signed `json:"signed,omitempty"`
	// Imported is the time of the import or update, by this machine's clock.
	Imported time.Time `json:"imported"`
	// Source is the name of the file it was imported from.
	Source string `json:"source,omitempty"`
	// Duplicates, Skipped and Refused count the lines of the source that did not
	// become entries.
	Duplicates int `json:"duplicates"`
	Skipped    int `json:"skipped"`
	Refused    int `json:"refused"`
	// Bytes is the size of the list's file.
	Bytes int64 `json:"bytes"`
	// Fallback: this is the previous version, because the newest is damaged.
	Fallback bool `json:"fallback,omitempty"`
}

// Signed describes the manifest that a list was built from.
type Signed struct {
	Version uint64    `json:"version"`
	Key     string    `json:"key"` // id of the key that signed it
	Signer  string    `json:"signer,omitempty"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// Digest identifies the content of a list: the sum, modulo 2^256, of the SHA-256
// of all its entries. It depends neither on their order nor on how the file stores
// them. Only signed digests are trusted, so crafting entries whose hashes cancel
// out gains nothing.
type Digest [sha256.Size]byte

// Add adds an entry in the encoding of list files.
func (d *Digest) Add(payload []byte) {
	h := sha256.Sum256(payload)
	var carry uint64
	for i := 0; i < len(d); i += 8 {
		var s uint64
		s, carry = bits.Add64(binary.LittleEndian.Uint64(d[i:]), binary.LittleEndian.Uint64(h[i:]), carry)
		binary.LittleEndian.PutUint64(d[i:], s)
	}
}

// MarshalText returns the digest in hexadecimal.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText parses what MarshalText returns.
func (d *Digest) UnmarshalText(b []byte) error {
	if len(b) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("a digest needs %d hexadecimal digits", hex.EncodedLen(len(d)))
	}
	_, err := hex.Decode(d[:], b)
	return err
}

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MaxEntries is the largest number of entries of a list.
const MaxEntries = 10_000_000

const maxNameLength = 64

// CheckListName reports why a list cannot have a name, as an [ErrOptions]. The name
// becomes a file name and a level of an MQTT topic.
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

// ListNameAdvice tells how a list may be named.
const ListNameAdvice = "a name starts with a letter or digit and holds letters, digits, hyphens, dots and underscores"
