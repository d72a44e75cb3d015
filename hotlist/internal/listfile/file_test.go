package listfile

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
)

// A file that belongs to a later version is told from a damaged one.
func TestNewerFormatIsNoDamage(t *testing.T) {
	path, key := filepath.Join(t.TempDir(), "l.hotlist"), folder.NewKey()
	b, err := NewBuilder(path, NewKeys(key, NewSalt()))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abandon()
	if err := b.finishAs(listFormat+1, entry.List{Name: "l"}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, key, time.Second); !errors.Is(err, entry.ErrNewer) || errors.Is(err, entry.ErrDamaged) {
		t.Error(err)
	}
}
