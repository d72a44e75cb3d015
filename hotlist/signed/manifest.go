package signed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"aead.dev/minisign"

	"platewatch/hotlist/entry"
)

// Manifest says what one version of a list is made of. Its signature vouches
// for it, and it vouches for the parts by their hashes.
//
// On the wire it is a minisign signature (four lines of text) followed by the
// manifest as JSON, which is what is signed:
//
//	untrusted comment: platewatch hotlist manifest
//	RUQ…
//	trusted comment: list stolen version 42
//	…
//	{"format":1,"list":"stolen","version":42,…}
//
// `tail -n +5 manifest > m; head -n 4 manifest > m.minisig; minisign -Vm m -P KEY`
// verifies it without this program.
//
// A part is gzip of JSON, one change a line: an [Entry], or an entry with
// "remove": true, of which only what identifies it counts (plate, state, plate
// type, category, record).
type Manifest struct {
	Format  int       `json:"format"` // 1
	List    string    `json:"list"`
	Version uint64    `json:"version"` // only ever grows
	Created time.Time `json:"created"`
	// Expires is when a newer version should have come. The list stays in use
	// after it, and is reported as overdue: somebody may be holding updates back.
	Expires time.Time `json:"expires"`
	// Entries and Digest are of the whole list, whichever way a unit gets there.
	Entries int          `json:"entries"`
	Digest  entry.Digest `json:"digest"`
	// Full are the parts of the whole list, Deltas ways from earlier versions.
	Full   []Part  `json:"full"`
	Deltas []Delta `json:"deltas,omitempty"`
}

// Delta makes this version out of the one that it names by its digest.
type Delta struct {
	Base    entry.Digest `json:"base"`
	Version uint64       `json:"version,omitempty"` // of the base, for people
	Parts   []Part       `json:"parts"`
}

// Part is one message or file.
type Part struct {
	N      int          `json:"n"`     // its number among the parts of this version, from 1
	Bytes  int          `json:"bytes"` // as it is sent
	SHA256 entry.Digest `json:"sha256"`
}

const (
	manifestFormat = 1
	// MaxManifest and MaxPart bound what is read, in bytes.
	MaxManifest = 256 << 10
	MaxPart     = 4 << 20
	maxParts    = 4096
	maxDeltas   = 16

	untrustedComment = "platewatch hotlist manifest"
	signatureLines   = 4
)

// VerifyManifest checks the signature of a manifest before a byte of it is
// parsed, then what it says. Errors wrap [ErrForged] or [ErrRefused].
func VerifyManifest(b []byte, keys []TrustedKey) (Manifest, TrustedKey, error) {
	forged := func(why string) (Manifest, TrustedKey, error) {
		return Manifest{}, TrustedKey{}, fmt.Errorf("%w: %s", entry.ErrForged, why)
	}
	if len(b) > MaxManifest {
		return forged(fmt.Sprintf("the manifest is larger than %d bytes", MaxManifest))
	}
	end := 0
	for range signatureLines {
		n := bytes.IndexByte(b[end:], '\n')
		if n < 0 {
			return forged("the manifest has no signature")
		}
		end += n + 1
	}
	var sig minisign.Signature
	if err := sig.UnmarshalText(b[:end]); err != nil {
		return forged("the manifest's signature is none")
	}
	// There must be one way only to write a signature: what is not covered by
	// it could otherwise be changed.
	sig.UntrustedComment = untrustedComment
	if canonical, err := sig.MarshalText(); err != nil || !bytes.Equal(bytes.TrimRight(canonical, "\n"), bytes.TrimSuffix(b[:end], []byte("\n"))) {
		return forged("the manifest's signature is not written as it should be")
	}
	i := slices.IndexFunc(keys, func(k TrustedKey) bool { return k.Public.ID() == sig.KeyID })
	if i < 0 {
		return forged(fmt.Sprintf("it is signed with key %016X, which is not trusted here", sig.KeyID))
	}
	key := keys[i]
	if !minisign.Verify(key.Public, b[end:], b[:end]) {
		return forged("the signature does not fit: it was changed on the way, or somebody else wrote it")
	}
	m, err := parseManifest(b[end:])
	if err != nil {
		return Manifest{}, key, fmt.Errorf("%w: its manifest: %w", entry.ErrRefused, err)
	}
	if len(key.Lists) > 0 && !slices.Contains(key.Lists, m.List) {
		return Manifest{}, key, fmt.Errorf("%w: key %s may not sign the list %s", entry.ErrForged, key.Name, m.List)
	}
	return m, key, nil
}

func parseManifest(b []byte) (Manifest, error) {
	var m Manifest
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, err
	}
	if d.More() {
		return m, errors.New("something stands behind it")
	}
	return m, m.validate()
}

func (m *Manifest) validate() error {
	switch {
	case m.Format != manifestFormat:
		return fmt.Errorf("its format is %d, and this program knows %d", m.Format, manifestFormat)
	case entry.CheckListName(m.List) != nil:
		return entry.CheckListName(m.List)
	case m.Version == 0:
		return errors.New("it has no version")
	case m.Entries < 0 || m.Entries > entry.MaxEntries:
		return fmt.Errorf("%d entries are more than %d", m.Entries, entry.MaxEntries)
	case m.Expires.IsZero() || m.Created.IsZero():
		return errors.New("it does not say when it was made and when it expires")
	case len(m.Deltas) > maxDeltas:
		return fmt.Errorf("it has %d deltas, and %d is the most", len(m.Deltas), maxDeltas)
	}
	seen := map[int]bool{}
	check := func(parts []Part) error {
		for _, p := range parts {
			if p.N < 1 || p.N > maxParts || seen[p.N] || p.Bytes < 1 || p.Bytes > MaxPart {
				return fmt.Errorf("part %d of %d bytes cannot be", p.N, p.Bytes)
			}
			seen[p.N] = true
		}
		return nil
	}
	if err := check(m.Full); err != nil {
		return err
	}
	for _, d := range m.Deltas {
		if err := check(d.Parts); err != nil {
			return err
		}
	}
	return nil
}
