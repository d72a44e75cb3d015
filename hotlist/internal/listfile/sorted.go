package listfile

import (
	"context"
	"errors"
	"os"

	"platewatch/hotlist/entry"
)

// Sorted calls f with all entries in the order of their plates, and stops at its
// first error. It sorts in bounded memory: see [Sorter].
func (l *File) Sorted(ctx context.Context, f func(entry.Entry) error) error {
	dir, err := os.MkdirTemp("", "platewatch-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := NewSorter(dir)
	var key []byte
	var adding error
	err = l.Each(ctx, func(e entry.Entry, payload []byte) bool {
		key = AppendIdentity(key[:0], &e)
		adding = s.Add(key, payload)
		return adding == nil
	})
	if err := errors.Join(err, adding); err != nil {
		return err
	}
	return s.Merge(func(_, payload []byte) error {
		e, err := decodePayload(payload)
		if err != nil {
			return err
		}
		return f(e)
	})
}

// Difference calls f with the changes from one list to another, and returns their
// number. Of an entry to remove, f gets the identity only.
func Difference(ctx context.Context, before, after *File, f func(e entry.Entry, remove bool) error) (int, error) {
	dir, err := os.MkdirTemp("", "platewatch-*")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	s := NewSorter(dir)
	var key []byte
	for version, l := range []*File{before, after} {
		var adding error
		err := l.Each(ctx, func(e entry.Entry, payload []byte) bool {
			key = append(AppendIdentity(key[:0], &e), byte(version))
			adding = s.Add(key, payload)
			return adding == nil
		})
		if err := errors.Join(err, adding); err != nil {
			return 0, err
		}
	}
	var held, heldKey []byte // the entry of the list before, until its fate is known
	n := 0
	out := func(payload []byte, remove bool) error {
		e, err := decodePayload(payload)
		if err != nil {
			return err
		}
		n++
		if remove {
			e = entry.Entry{Plate: e.Plate, Written: e.Written, State: e.State, PlateType: e.PlateType, Category: e.Category, Record: e.Record}
		}
		return f(e, remove)
	}
	err = s.Merge(func(key, payload []byte) error {
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
