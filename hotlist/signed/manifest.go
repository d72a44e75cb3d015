// Package signed reads and writes signed versions of lists: a manifest, signed with
// minisign, and parts, for the whole list and for the changes since the version
// before. The signature is verified before a byte of the manifest is parsed, and
// each part by its hash before it is unpacked.
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

// Manifest describes one version of a list. It is signed, and names its parts by
// their hashes.
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
// verifies it without this program, and `minisign -Sm m; cat m.minisig m > manifest`
// signs it so. The trusted comment may say anything.
//
// A part is gzip of JSON, one [Change] a line.
type Manifest struct {
	Format  int       `json:"format"` // 1
	List    string    `json:"list"`
	Version uint64    `json:"version"` // increases with each version
	Created time.Time `json:"created"`
	// Expires is the time by which a newer version should have arrived. After it, the
	// list stays in use and is reported as overdue: an attacker may be withholding
	// updates.
	Expires time.Time `json:"expires"`
	// Entries and Digest are those of the whole list.
	Entries int          `json:"entries"`
	Digest  entry.Digest `json:"digest"`
	// Full are the parts of the whole list, Deltas the changes from earlier versions.
	Full   []Part  `json:"full"`
	Deltas []Delta `json:"deltas,omitempty"`
}

// Delta holds the changes from the version with the digest Base.
type Delta struct {
	Base    entry.Digest `json:"base"`
	Version uint64       `json:"version,omitempty"` // number of the base, for people
	Parts   []Part       `json:"parts"`
}

// Part is one message or file.
type Part struct {
	N      int          `json:"n"`     // number among the parts of the version, from 1
	Bytes  int          `json:"bytes"` // compressed
	SHA256 entry.Digest `json:"sha256"`
}

const (
	manifestFormat = 1
	// MaxManifest and MaxPart are the largest sizes, in bytes.
	MaxManifest = 256 << 10
	MaxPart     = 4 << 20
	maxParts    = 4096
	maxDeltas   = 16

	untrustedComment = "platewatch hotlist manifest"
	signatureLines   = 4
)

// untrustedComments are the first lines that a signature may have: this program's, and
// what minisign -S and rsign write unless told otherwise with -c. They say nothing, and
// are not signed.
var untrustedComments = []string{untrustedComment, "signature from minisign secret key", "signature from rsign secret key"}

// VerifyManifest verifies the signature of a manifest before it parses it, then its
// content. Errors wrap [entry.ErrForged] or [entry.ErrRefused].
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
		return forged("the manifest's signature is malformed")
	}
	// Only one encoding of a signature is accepted: bytes that it does not cover
	// could be changed otherwise.
	if !slices.Contains(untrustedComments, sig.UntrustedComment) {
		return forged(fmt.Sprintf("the first line of its signature is neither %q nor what minisign writes; sign it with minisign -S -c %[1]q", untrustedComment))
	}
	if canonical, err := sig.MarshalText(); err != nil || !bytes.Equal(bytes.TrimRight(canonical, "\n"), bytes.TrimSuffix(b[:end], []byte("\n"))) {
		return forged("the manifest's signature is not in its canonical form")
	}
	i := slices.IndexFunc(keys, func(k TrustedKey) bool { return k.Public.ID() == sig.KeyID })
	if i < 0 {
		return forged(fmt.Sprintf("it is signed with key %016X, which is not trusted here", sig.KeyID))
	}
	key := keys[i]
	if !minisign.Verify(key.Public, b[end:], b[:end]) {
		return forged("the signature does not match: the manifest was changed, or somebody else wrote it")
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
		return m, errors.New("trailing data after the manifest")
	}
	return m, m.validate()
}

func (m *Manifest) validate() error {
	switch {
	case m.Format != manifestFormat:
		return fmt.Errorf("its format is %d; this program knows %d", m.Format, manifestFormat)
	case entry.CheckListName(m.List) != nil:
		return entry.CheckListName(m.List)
	case m.Version == 0:
		return errors.New("it has no version")
	case m.Entries < 0 || m.Entries > entry.MaxEntries:
		return fmt.Errorf("%d entries are more than %d", m.Entries, entry.MaxEntries)
	case m.Expires.IsZero() || m.Created.IsZero():
		return errors.New("it has no time of creation or expiry")
	case len(m.Deltas) > maxDeltas:
		return fmt.Errorf("it has %d deltas; the maximum is %d", len(m.Deltas), maxDeltas)
	}
	seen := map[int]bool{}
	check := func(parts []Part) error {
		for _, p := range parts {
			if p.N < 1 || p.N > maxParts || seen[p.N] || p.Bytes < 1 || p.Bytes > MaxPart {
				return fmt.Errorf("part %d: invalid number or size (%d bytes)", p.N, p.Bytes)
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
