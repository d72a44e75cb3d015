package signed

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

	"aead.dev/minisign"
	"github.com/google/renameio/v2"

	"platewatch/hotlist/entry"
)

// manifestName is the manifest's name in a folder of a signed version; the
// parts have their numbers for names.
const manifestName = "manifest"

// PartSource opens the parts of an update: files of a folder, or messages that the
// broker retains. A part that has not arrived is [fs.ErrNotExist].
type PartSource func(ctx context.Context, p Part) (io.ReadCloser, error)

// Writer writes a signed version into a folder: its parts, then its manifest.
type Writer struct {
	Manifest Manifest
	Bytes    int64 // written so far
	folder   string
	parts    int
}

// NewWriter makes the folder, which must not exist. m gives the list, version,
// times, number of entries and digest.
func NewWriter(folder string, m Manifest) (*Writer, error) {
	m.Format, m.Full, m.Deltas = manifestFormat, []Part{}, nil
	if err := os.Mkdir(folder, 0o755); err != nil {
		return nil, err
	}
	return &Writer{Manifest: m, folder: folder}, nil
}

// Full writes the parts of the whole list: each calls add with its entries.
func (w *Writer) Full(each func(add func(Change) error) error) (err error) {
	w.Manifest.Full, err = w.write(each)
	return err
}

// Delta writes the parts of the changes from the version with the digest base: each
// calls add with them. The number of that version is informative.
func (w *Writer) Delta(base entry.Digest, version uint64, each func(add func(Change) error) error) error {
	parts, err := w.write(each)
	w.Manifest.Deltas = append(w.Manifest.Deltas, Delta{Base: base, Version: version, Parts: parts})
	return err
}

func (w *Writer) write(each func(add func(Change) error) error) ([]Part, error) {
	parts := []Part{}
	p := newPartWriter(func(b []byte) error {
		w.parts++
		parts = append(parts, Part{N: w.parts, Bytes: len(b), SHA256: sumOf(b)})
		w.Bytes += int64(len(b))
		return renameio.WriteFile(filepath.Join(w.folder, strconv.Itoa(w.parts)), b, 0o644)
	})
	err := each(p.add)
	return parts, errors.Join(err, p.flush())
}

// Sign writes the manifest.
func (w *Writer) Sign(key minisign.PrivateKey) error {
	if w.parts > maxParts {
		return fmt.Errorf("%d parts; the maximum is %d", w.parts, maxParts)
	}
	signed, err := signManifest(&w.Manifest, key)
	if err != nil {
		return err
	}
	w.Bytes += int64(len(signed))
	return renameio.WriteFile(filepath.Join(w.folder, manifestName), signed, 0o644)
}

// signManifest returns a manifest with its signature.
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
		return nil, fmt.Errorf("the manifest has %d bytes; the maximum is %d", len(signed), MaxManifest)
	}
	return signed, nil
}

// FolderParts returns the parts that a [Writer] wrote into a folder.
func FolderParts(folder string) PartSource {
	return func(_ context.Context, p Part) (io.ReadCloser, error) {
		return os.Open(filepath.Join(folder, strconv.Itoa(p.N)))
	}
}

// ReadManifest reads the manifest that a [Writer] wrote into a folder.
func ReadManifest(folder string) ([]byte, error) {
	f, err := os.Open(filepath.Join(folder, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &entry.Error{Op: "apply", Path: folder, Err: err, Advice: "name a folder that `platewatch hotlist sign` wrote"}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxManifest+1))
}

// Verify verifies a signed version without a hotlist: its manifest and all parts.
func Verify(ctx context.Context, manifest []byte, keys []TrustedKey, parts PartSource) (Manifest, TrustedKey, error) {
	m, key, err := VerifyManifest(manifest, keys)
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
		b, err := ReadPart(r, p)
		if err := errors.Join(err, r.Close()); err != nil {
			return m, key, err
		}
		if err := ReadChanges(b, func(*Change) error { return nil }); err != nil {
			return m, key, fmt.Errorf("%w: part %d: %w", entry.ErrRefused, p.N, err)
		}
	}
	return m, key, nil
}
