package signed

import (
	"bytes"
	"testing"
	"time"

	"aead.dev/minisign"

	"platewatch/hotlist/entry"
)

// Of any content, only a manifest that was signed is accepted.
func FuzzManifest(f *testing.F) {
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	keys := []TrustedKey{{Name: "headquarters", Public: public}}
	b, err := signManifest(&Manifest{Format: manifestFormat, List: "l", Version: 1, Created: time.Now(), Expires: time.Now().Add(time.Hour)}, private)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("\n\n\n\n{}"))
	f.Fuzz(func(t *testing.T, m []byte) {
		if _, _, err := VerifyManifest(m, keys); err == nil && !bytes.Equal(m, b) {
			t.Errorf("accepted %q", m)
		}
		if m, err := parseManifest(m); err == nil {
			if err := m.validate(); err != nil {
				t.Error(err)
			}
		}
	})
}

func FuzzPart(f *testing.F) {
	w := newPartWriter(func(b []byte) error { f.Add(b); return nil })
	for _, c := range []Change{{Entry: entry.Entry{Plate: "AB12", Category: entry.Wanted, Priority: 2}}, {Remove: true, Entry: entry.Entry{Plate: "AB12"}}} {
		if err := w.add(c); err != nil {
			f.Fatal(err)
		}
	}
	if err := w.flush(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = ReadChanges(b, func(c *Change) error {
			if !c.Remove {
				if err := c.Validate(); err != nil {
					t.Errorf("%+v: %v", c.Entry, err)
				}
			}
			return nil
		})
	})
}
