package journal

import (
	"bytes"
	"errors"
	"os"

	bolt "go.etcd.io/bbolt"
)

// Scrub overwrites the pages that a database freed, which still hold what was deleted.
// No other transaction may run. Both of bbolt's roots agree on what is free after the
// two commits, so that a power cut leaves the database whole.
func Scrub(db *bolt.DB, path string) (pages int, err error) {
	for range 2 {
		if err := db.Update(func(*bolt.Tx) error { return nil }); err != nil {
			return 0, err
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	size := db.Info().PageSize
	zero, page := make([]byte, size), make([]byte, size)
	err = db.View(func(tx *bolt.Tx) error {
		for id := 2; ; id++ {
			info, err := tx.Page(id)
			if err != nil || info == nil {
				return err
			}
			if info.Type != "free" {
				continue
			}
			if _, err := f.ReadAt(page, int64(id)*int64(size)); err != nil {
				return err
			}
			if bytes.Equal(page, zero) {
				continue
			}
			if _, err := f.WriteAt(zero, int64(id)*int64(size)); err != nil {
				return err
			}
			pages++
		}
	})
	return pages, errors.Join(err, f.Sync(), f.Close())
}

// Leftovers calls f with each intact record of a hit or its pictures in a file, in use
// or in freed pages: it looks at all bytes, and needs no lock.
func Leftovers(path string, f func(Record)) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for r := range recordsIn(b) {
		if r.Kind == KindHit || r.Kind == KindPictures {
			f(r)
		}
	}
	return nil
}
