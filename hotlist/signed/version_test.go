package signed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"

	"platewatch/hotlist/entry"
)

// writeVersion signs a version of the list "l" with three entries, and a delta that
// adds one and removes one, and returns its folder and the trusted key.
func writeVersion(t *testing.T) (folder string, key TrustedKey, private minisign.PrivateKey) {
	t.Helper()
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	folder = filepath.Join(t.TempDir(), "v7")
	w, err := NewWriter(folder, Manifest{List: "l", Version: 7, Created: time.Now(), Expires: time.Now().Add(time.Hour), Entries: 3})
	if err != nil {
		t.Fatal(err)
	}
	err = w.Full(func(add func(Change) error) error {
		for i := range 3 {
			e := entry.Entry{Plate: fmt.Sprint("AAA", i), Category: entry.Wanted, Priority: 2}
			if err := add(Change{Entry: e}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = w.Delta(entry.Digest{1}, 6, func(add func(Change) error) error {
		return errors.Join(add(Change{Entry: entry.Entry{Plate: "AAA2", Category: entry.Wanted, Priority: 2}}),
			add(Change{Remove: true, Entry: entry.Entry{Plate: "BBB1"}}))
	})
	if err := errors.Join(err, w.Sign(private)); err != nil {
		t.Fatal(err)
	}
	return folder, TrustedKey{Name: "headquarters", Public: public}, private
}

func TestVerifyReadsManifestAndParts(t *testing.T) {
	folder, key, _ := writeVersion(t)
	manifest, err := ReadManifest(folder)
	if err != nil {
		t.Fatal(err)
	}
	m, signer, err := Verify(t.Context(), manifest, []TrustedKey{key}, FolderParts(folder))
	if err != nil || signer.Name != "headquarters" || m.List != "l" || m.Version != 7 || len(m.Full) != 1 || len(m.Deltas) != 1 || m.Deltas[0].Version != 6 {
		t.Fatalf("%+v, %s, %v", m, signer.Name, err)
	}
	key.Lists = []string{"other"}
	if _, _, err := Verify(t.Context(), manifest, []TrustedKey{key}, FolderParts(folder)); !errors.Is(err, entry.ErrForged) {
		t.Errorf("a key for other lists: %v", err)
	}
	key.Lists = nil
	if _, _, err := Verify(t.Context(), manifest, nil, FolderParts(folder)); !errors.Is(err, entry.ErrForged) {
		t.Errorf("no trusted key: %v", err)
	}
	delta := filepath.Join(folder, fmt.Sprint(m.Deltas[0].Parts[0].N))
	part, err := os.ReadFile(delta)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(delta, append(bytes.Clone(part), 0), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Verify(t.Context(), manifest, []TrustedKey{key}, FolderParts(folder)); !errors.Is(err, entry.ErrForged) {
		t.Errorf("a longer part: %v", err)
	}
	if err := os.Remove(delta); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Verify(t.Context(), manifest, []TrustedKey{key}, FolderParts(folder)); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, entry.ErrRefused) {
		t.Errorf("a missing part: %v", err)
	}
	if _, err := ReadManifest(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder without manifest: %v", err)
	}
	if _, err := NewWriter(folder, Manifest{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an existing folder: %v", err)
	}
}

// A signature proves who wrote an entry, not that it is well formed.
func TestSignedPartsAreValidated(t *testing.T) {
	_, key, private := writeVersion(t)
	for name, text := range map[string]string{
		"not JSON":              "plate",
		"an unknown field":      `{"plate":"AB1234","category":"wanted","priority":2,"colour":"red"}`,
		"no normalised plate":   `{"plate":"ab 1234","category":"wanted","priority":2}`,
		"a priority of 0":       `{"plate":"AB1234","category":"wanted"}`,
		"a pattern as a plate":  `{"plate":"AB?234","category":"wanted","priority":2}`,
		"an escape sequence":    `{"plate":"AB1234","category":"wanted","priority":2,"note":"\u001b[31m"}`,
		"a line without an end": `{"plate":"AB1234","note":"` + strings.Repeat("n", maxChange),
	} {
		w := newPartWriter(nil)
		var part []byte
		w.emit = func(b []byte) error { part = b; return nil }
		if _, err := w.zip.Write([]byte(text + "\n")); err != nil {
			t.Fatal(err)
		}
		w.lines++
		if err := w.flush(); err != nil {
			t.Fatal(err)
		}
		manifest, err := signManifest(&Manifest{Format: manifestFormat, List: "l", Version: 1, Created: time.Now(), Expires: time.Now(), Entries: 1,
			Full: []Part{{N: 1, Bytes: len(part), SHA256: sumOf(part)}}}, private)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = Verify(t.Context(), manifest, []TrustedKey{key}, func(context.Context, Part) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(part)), nil
		})
		if !errors.Is(err, entry.ErrRefused) || errors.Is(err, entry.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Manifests that are refused although their signature is good.
func TestSignedManifestsAreValidated(t *testing.T) {
	_, key, private := writeVersion(t)
	good := Manifest{Format: manifestFormat, List: "l", Version: 1, Created: time.Now(), Expires: time.Now(), Full: []Part{{N: 1, Bytes: 1}}}
	for name, change := range map[string]func(*Manifest){
		"another format":   func(m *Manifest) { m.Format = 2 },
		"no list":          func(m *Manifest) { m.List = "" },
		"a path":           func(m *Manifest) { m.List = "../l" },
		"no version":       func(m *Manifest) { m.Version = 0 },
		"too many entries": func(m *Manifest) { m.Entries = entry.MaxEntries + 1 },
		"no expiry":        func(m *Manifest) { m.Expires = time.Time{} },
		"too many deltas":  func(m *Manifest) { m.Deltas = make([]Delta, maxDeltas+1) },
		"part 0":           func(m *Manifest) { m.Full[0].N = 0 },
		"an empty part":    func(m *Manifest) { m.Full[0].Bytes = 0 },
		"a large part":     func(m *Manifest) { m.Full[0].Bytes = MaxPart + 1 },
		"a part twice":     func(m *Manifest) { m.Deltas = []Delta{{Parts: []Part{{N: 1, Bytes: 1}}}} },
	} {
		m := good
		m.Full = []Part{good.Full[0]}
		change(&m)
		if _, err := signManifest(&m, private); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
	signed, err := signManifest(&good, private)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := VerifyManifest(signed, []TrustedKey{key}); err != nil {
		t.Error(err)
	}
}

func TestTrustedKeyIsReadFromItsFile(t *testing.T) {
	dir := t.TempDir()
	public, _, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := public.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(text, []byte("\n"))
	for name, content := range map[string][]byte{"as minisign writes it": append(text, '\n'), "only the key": lines[len(lines)-1]} {
		path := filepath.Join(dir, "headquarters.pub")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := LoadTrustedKey(path)
		if err != nil || k.Name != "headquarters" || !k.Public.Equal(public) || k.ID() != fmt.Sprintf("%016X", public.ID()) {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
	}
	path := filepath.Join(dir, "wrong.pub")
	if err := os.WriteFile(path, []byte("ssh-ed25519 AAAA"), 0o600); err != nil {
		t.Fatal(err)
	}
	var typed *entry.Error
	if _, err := LoadTrustedKey(path); !errors.As(err, &typed) || typed.Hint() == "" {
		t.Error(err)
	}
	if _, err := LoadTrustedKey(filepath.Join(dir, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
