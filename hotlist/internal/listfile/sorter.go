package listfile

import (
	"bufio"
	"bytes"
	"container/heap"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"platewatch/hotlist/entry"
)

// Sorter sorts records by key in bounded memory: it fills a buffer, writes it
// sorted to a run file when it is full, and merges the runs at the end. bbolt fills
// its pages completely, and fast, only when keys arrive in order, and a list may be
// larger than a board's memory.
//
// Runs are encrypted under a key that is never stored: one that a power cut leaves
// behind reveals nothing.
type Sorter struct {
	dir     string
	block   cipher.Block
	arena   []byte
	records []sortRecord
	runs    []string
	scratch []byte
}

// sortRecord points into the arena.
type sortRecord struct {
	at       uint32
	key, val uint32
}

// sortMemory is the size of the arena, in bytes. With the index an import needs
// about 1.3 times this.
const sortMemory = 24 << 20

// NewSorter returns a sorter whose runs are files in dir.
func NewSorter(dir string) *Sorter {
	var key [32]byte
	rand.Read(key[:]) // never fails
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // only for keys of an invalid size
	}
	return &Sorter{dir: dir, block: block}
}

// Add copies a record. All keys differ.
func (s *Sorter) Add(key, value []byte) error {
	if len(s.arena)+len(key)+len(value) > sortMemory {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.records = append(s.records, sortRecord{uint32(len(s.arena)), uint32(len(key)), uint32(len(value))})
	s.arena = append(append(s.arena, key...), value...)
	return nil
}

func (s *Sorter) at(r sortRecord) (key, value []byte) {
	end := r.at + r.key
	return s.arena[r.at:end:end], s.arena[end : end+r.val]
}

func (s *Sorter) sort() {
	slices.SortFunc(s.records, func(a, b sortRecord) int {
		ka, _ := s.at(a)
		kb, _ := s.at(b)
		return bytes.Compare(ka, kb)
	})
}

// stream encrypts or decrypts a run.
func (s *Sorter) stream(run int) cipher.Stream {
	var iv [aes.BlockSize]byte
	binary.BigEndian.PutUint32(iv[:], uint32(run))
	return cipher.NewCTR(s.block, iv[:])
}

func (s *Sorter) spill() (err error) {
	s.sort()
	path := filepath.Join(s.dir, fmt.Sprintf("run.%d", len(s.runs)))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	s.runs = append(s.runs, path)
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(cipher.StreamWriter{S: s.stream(len(s.runs) - 1), W: f}, 256<<10)
	for _, r := range s.records {
		key, value := s.at(r)
		s.scratch = binary.AppendUvarint(s.scratch[:0], uint64(len(key)))
		s.scratch = binary.AppendUvarint(s.scratch, uint64(len(value)))
		w.Write(s.scratch)
		w.Write(key)
		w.Write(value) // Flush returns the error of an earlier write
	}
	s.arena, s.records = s.arena[:0], s.records[:0]
	return w.Flush()
}

// Merge calls f with all records in the order of their keys. Key and value are valid
// during the call only.
func (s *Sorter) Merge(f func(key, value []byte) error) error {
	s.sort()
	if len(s.runs) == 0 {
		for _, r := range s.records {
			if err := f(s.at(r)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	s.arena, s.records = nil, nil
	var h runHeap
	defer func() {
		for _, r := range h {
			r.file.Close()
		}
	}()
	for i, path := range s.runs {
		r, err := openRun(path, s.stream(i))
		if err != nil {
			return err
		}
		more, err := r.next()
		if err != nil || !more {
			r.file.Close()
			if err != nil {
				return err
			}
			continue
		}
		h = append(h, r)
	}
	heap.Init(&h)
	for len(h) > 0 {
		if err := f(h[0].key, h[0].value); err != nil {
			return err
		}
		more, err := h[0].next()
		if err != nil {
			return err
		}
		if more {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h).(*run).file.Close()
		}
	}
	return nil
}

// run is a sorted file that is being merged, at its current record.
type run struct {
	file       *os.File
	in         *bufio.Reader
	key, value []byte
}

func openRun(path string, stream cipher.Stream) (*run, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &run{file: f, in: bufio.NewReaderSize(cipher.StreamReader{S: stream, R: f}, 128<<10)}, nil
}

func (r *run) next() (bool, error) {
	keyLen, err := binary.ReadUvarint(r.in)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	valueLen, err := binary.ReadUvarint(r.in)
	if err != nil {
		return false, err
	}
	if keyLen+valueLen > maxSortRecord {
		return false, fmt.Errorf("%s: %w", r.file.Name(), entry.ErrDamaged)
	}
	r.key = slices.Grow(r.key[:0], int(keyLen))[:keyLen]
	r.value = slices.Grow(r.value[:0], int(valueLen))[:valueLen]
	if _, err := io.ReadFull(r.in, r.key); err != nil {
		return false, err
	}
	_, err = io.ReadFull(r.in, r.value)
	return err == nil, err
}

const maxSortRecord = 2 * maxPayload

type runHeap []*run

func (h runHeap) Len() int           { return len(h) }
func (h runHeap) Less(i, j int) bool { return bytes.Compare(h[i].key, h[j].key) < 0 }
func (h runHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)        { *h = append(*h, x.(*run)) }
func (h *runHeap) Pop() any {
	old := *h
	r := old[len(old)-1]
	*h = old[:len(old)-1]
	return r
}
