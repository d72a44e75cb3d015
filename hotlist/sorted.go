package hotlist

import (
	"context"
	"errors"
	"os"
)

// sorted calls f with all entries in the order of their plates.
func (l *listFile) sorted(ctx context.Context, f func(Entry) error) error {
	dir, err := os.MkdirTemp("", "platewatch-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := newSorter(dir)
	var key []byte
	var adding error
	err = l.each(ctx, func(e Entry, payload []byte) bool {
		key = appendIdentity(key[:0], &e)
		adding = s.add(key, payload)
		return adding == nil
	})
	if err := errors.Join(err, adding); err != nil {
		return err
	}
	return s.merge(func(_, payload []byte) error {
		e, err := decodePayload(payload)
		if err != nil {
			return err
		}
		return f(e)
	})
}

// difference calls f with the changes that make the list after out of the one
// before, and returns how many there are. Of an entry to be removed, f gets what
// identifies it and no more.
func difference(ctx context.Context, before, after *listFile, f func(e Entry, remove bool) error) (int, error) {
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
		return f(e, remove)
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
