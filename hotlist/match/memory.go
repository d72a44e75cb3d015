package match

import (
	"encoding/binary"

	"platewatch/hotlist/entry"
)

// NewPlates returns a searcher of plates held in memory, for simulations of long
// lists. The plates are normalised and all different; states are who issued them, or
// nil. Matches name no list, and their entries hold nothing else. t is what is known
// of the traffic, or nil.
func NewPlates(plates, states []string, t *Traffic) *Searcher {
	x := &memoryIndex{plates: plates, states: states, first: make(map[string]int32, len(plates)), next: make([]int32, len(plates))}
	var layouts LayoutCounter
	var folded []byte
	for i, p := range plates {
		layouts.Add(p)
		folded = append(folded[:0], p...)
		FoldIndex(folded)
		x.next[i] = x.first[string(folded)] // 0: none
		x.first[string(folded)] = int32(i) + 1
	}
	return NewSearcher(List{Entries: len(plates), Traffic: t, Index: x, Layouts: layouts.layouts(len(plates)), Patterns: &Patterns{}})
}

// memoryIndex implements [Index]. Positions count from 1.
type memoryIndex struct {
	plates []string
	states []string             // of the plates; nil: not known
	first  map[string]int32     // by index form
	next   []int32              // with the same index form
	plate  [entry.MaxPlate]byte // memory of the record looked at
}

func (x *memoryIndex) Lookup(folded []byte, found func(Record) error) error {
	for i := x.first[string(folded)]; i > 0; i = x.next[i-1] {
		if err := found(memoryRecord{x, i}); err != nil {
			return err
		}
	}
	return nil
}

// memoryRecord implements [Record].
type memoryRecord struct {
	index *memoryIndex
	at    int32
}

func (r memoryRecord) ID() (id RecordID) {
	binary.BigEndian.PutUint32(id[:], uint32(r.at))
	return id
}

func (r memoryRecord) Plate() ([]byte, error) {
	return append(r.index.plate[:0], r.index.plates[r.at-1]...), nil
}

func (r memoryRecord) Entry() (entry.Entry, error) {
	e := entry.Entry{Plate: r.index.plates[r.at-1]}
	if r.index.states != nil {
		e.State = r.index.states[r.at-1]
	}
	return e, nil
}
