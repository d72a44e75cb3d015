package hotlist

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"aead.dev/minisign"
	"github.com/google/renameio/v2"
)

// SignOptions say how a list is signed.
type SignOptions struct {
	Key minisign.PrivateKey
	// Version must be higher than that of every version signed before.
	// Default: the time, as 20060102150405.
	Version uint64
	// Expires is when a newer version should have come. Required.
	Expires time.Time
}

// SignReport tells what was signed.
type SignReport struct {
	List    string    `json:"list"`
	Version uint64    `json:"version"`
	Entries int       `json:"entries"`
	Expires time.Time `json:"expires"`
	Key     string    `json:"key"`
	// Full counts the parts of the whole list, Delta those of the way from the
	// version before, Changes the entries on it.
	Full    int   `json:"full_parts"`
	Delta   int   `json:"delta_parts"`
	Changes int   `json:"changes"`
	Bytes   int64 `json:"bytes"`
}

// ManifestName is the manifest's name in a folder of a signed version; the
// parts have their numbers for names.
const ManifestName = "manifest"

// Sign writes a list as a signed version into a new folder: the manifest, all
// of the list in parts, and, if the version before is still there, the parts
// of the way from it.
func (db *DB) Sign(ctx context.Context, list, folder string, o SignOptions) (SignReport, error) {
	fail := func(err error, advice string) (SignReport, error) {
		return SignReport{}, &Error{Op: "sign", Path: folder, Err: err, Advice: advice}
	}
	now := time.Now().UTC().Truncate(time.Second)
	if o.Version == 0 {
		o.Version, _ = strconv.ParseUint(now.Format("20060102150405"), 10, 64) // digits only
	}
	if !o.Expires.After(now) {
		return fail(optionErrorf("it would be overdue from the beginning"), "say when a newer version will have come")
	}
	l, err := db.retain(list)
	if err != nil {
		return SignReport{}, err
	}
	defer l.release()
	if err := os.Mkdir(folder, 0o755); err != nil {
		return fail(err, "name a folder that does not exist yet")
	}
	m := Manifest{Format: manifestFormat, List: list, Version: o.Version, Created: now, Expires: o.Expires.UTC().Truncate(time.Second),
		Entries: l.Entries, Digest: l.Digest, Full: []Part{}}
	report := SignReport{List: list, Version: m.Version, Entries: m.Entries, Expires: m.Expires, Key: TrustedKey{Public: o.Key.Public().(minisign.PublicKey)}.ID()}
	n := 0
	emit := func(to *[]Part) func([]byte) error {
		return func(b []byte) error {
			n++
			*to = append(*to, Part{N: n, Bytes: len(b), SHA256: sumOf(b)})
			report.Bytes += int64(len(b))
			return renameio.WriteFile(filepath.Join(folder, strconv.Itoa(n)), b, 0o644)
		}
	}
	full := newPartWriter(emit(&m.Full))
	err = l.sorted(ctx, func(e Entry) error { return full.add(change{Entry: e}) })
	if err = errors.Join(err, full.flush()); err != nil {
		return fail(err, adviceFor(err))
	}
	before, err := openList(ctx, previousPath(db.dir, list), l.key, lockWait)
	if err == nil {
		defer before.release()
		d := Delta{Base: before.Digest, Parts: []Part{}}
		if before.Signed != nil {
			d.Version = before.Signed.Version
		}
		w := newPartWriter(emit(&d.Parts))
		report.Changes, err = difference(ctx, before, l, w.add)
		if err = errors.Join(err, w.flush()); err != nil {
			return fail(err, adviceFor(err))
		}
		m.Deltas, report.Delta = append(m.Deltas, d), len(d.Parts)
	}
	report.Full = len(m.Full)
	if n > maxParts {
		return fail(fmt.Errorf("%d parts are more than %d", n, maxParts), "")
	}
	signed, err := signManifest(&m, o.Key)
	if err != nil {
		return fail(err, "")
	}
	report.Bytes += int64(len(signed))
	if err := renameio.WriteFile(filepath.Join(folder, ManifestName), signed, 0o644); err != nil {
		return fail(err, "")
	}
	return report, nil
}

// signManifest returns a manifest as it is sent.
func signManifest(m *Manifest, key minisign.PrivateKey) ([]byte, error) {
	if err := m.validate(); err != nil {
		return nil, err
	}
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	signature := minisign.SignWithComments(key, body, fmt.Sprintf("list %s version %d", m.List, m.Version), untrustedComment)
	for len(signature) > 0 && signature[len(signature)-1] == '\n' {
		signature = signature[:len(signature)-1]
	}
	signed := append(append(signature, '\n'), body...)
	if len(signed) > MaxManifest {
		return nil, fmt.Errorf("the manifest has %d bytes, more than %d", len(signed), MaxManifest)
	}
	return signed, nil
}

// difference calls f with what makes the list after out of the one before, and
// returns how many changes that are.
func difference(ctx context.Context, before, after *listFile, f func(change) error) (int, error) {
	dir, err := os.MkdirTemp("", "platewatch-*")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	s := newSorter(dir)
	var key []byte
	for version, l := range []*listFile{before, after} {
		var adding error
		err := l.each(ctx, func(e Entry, payload []byte) bool {
			key = append(appendIdentity(key[:0], &e), byte(version))
			adding = s.add(key, payload)
			return adding == nil
		})
		if err := errors.Join(err, adding); err != nil {
			return 0, err
		}
	}
	var held, heldKey []byte // the entry before, until it is known what became of it
	n := 0
	out := func(payload []byte, remove bool) error {
		e, err := decodePayload(payload)
		if err != nil {
			return err
		}
		n++
		if remove {
			e = Entry{Plate: e.Plate, State: e.State, PlateType: e.PlateType, Category: e.Category, Record: e.Record}
		}
		return f(change{Remove: remove, Entry: e})
	}
	err = s.merge(func(key, payload []byte) error {
		identity, version := key[:len(key)-1], key[len(key)-1]
		same := heldKey != nil && string(heldKey) == string(identity)
		if heldKey != nil && !same {
			if err := out(held, true); err != nil {
				return err
			}
		}
		if version == 0 {
			held, heldKey = append(held[:0], payload...), append(heldKey[:0], identity...)
			return nil
		}
		unchanged := same && string(held) == string(payload)
		heldKey = nil
		if unchanged {
			return nil
		}
		return out(payload, false)
	})
	if err == nil && heldKey != nil {
		err = out(held, true)
	}
	return n, err
}

// FolderParts is a [PartSource] that reads the folder that [DB.Sign] wrote.
func FolderParts(folder string) PartSource {
	return func(_ context.Context, p Part) (io.ReadCloser, error) {
		return os.Open(filepath.Join(folder, strconv.Itoa(p.N)))
	}
}

// ReadManifest reads the manifest of a folder that [DB.Sign] wrote.
func ReadManifest(folder string) ([]byte, error) {
	f, err := os.Open(filepath.Join(folder, ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{Op: "apply", Path: folder, Err: err, Advice: "name the folder that `platewatch hotlist sign` made"}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxManifest+1))
}

// Verify verifies a signed version without a hotlist: its manifest, and all of
// its parts.
func Verify(ctx context.Context, manifest []byte, keys []TrustedKey, parts PartSource) (Manifest, TrustedKey, error) {
	m, key, err := verifyManifest(manifest, keys)
	if err != nil {
		return m, key, err
	}
	all := slices.Clone(m.Full)
	for _, d := range m.Deltas {
		all = append(all, d.Parts...)
	}
	for _, p := range all {
		r, err := parts(ctx, p)
		if err != nil {
			return m, key, err
		}
		b, err := readPart(r, p)
		if err := errors.Join(err, r.Close()); err != nil {
			return m, key, err
		}
		if err := readChanges(b, func(*change) error { return nil }); err != nil {
			return m, key, fmt.Errorf("%w: part %d: %w", ErrRefused, p.N, err)
		}
	}
	return m, key, nil
}
