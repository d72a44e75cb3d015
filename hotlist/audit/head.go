package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
)

// head is where the trail ends, in a small file beside its folder. With the place of
// the last record an append reads nothing else, however long the trail is.
type head struct {
	Link
	Segment uint64 `json:"segment,omitempty"` // number of the last segment's first record; 0: there is none
	Bytes   int64  `json:"bytes,omitempty"`   // of the last segment that are committed
	// Accepted is the highest version of each signed list that was ever accepted.
	Accepted map[string]uint64 `json:"accepted,omitempty"`
	Format   int               `json:"format,omitempty"` // [format]; a head from before it has none
}

// format is increased when programs that know only the one before cannot go on with a
// trail. New fields of records are none of that: their hash is of the line as it is.
const format = 1

// accept notes a version that a record says was accepted.
func (h *head) accept(r *Record) {
	if r.Kind != Apply {
		return
	}
	version, err := strconv.ParseUint(r.Version, 10, 64)
	if err != nil || version <= h.Accepted[r.List] {
		return
	}
	h.Accepted = maps.Clone(h.Accepted) // another head may share it
	if h.Accepted == nil {
		h.Accepted = map[string]uint64{}
	}
	h.Accepted[r.List] = version
}

func (t *Trail) headPath() string   { return filepath.Join(filepath.Dir(t.dir), headName) }
func (t *Trail) anchorPath() string { return filepath.Join(t.dir, "anchor") }

// oldHeadPath is where versions before 0.4 kept the head, without its place.
func (t *Trail) oldHeadPath() string { return filepath.Join(t.dir, "head") }

func (t *Trail) writeHead(h head) error {
	h.Format = format
	return t.writeSealed(t.headPath(), h)
}

func (t *Trail) writeSealed(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return folder.WriteSealed(path, t.key, b)
}

func (t *Trail) readSealed(path string, v any) error {
	b, err := folder.ReadSealed(path, t.key)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// readHead reads the head; old is true if it is one of before version 0.4.
func (t *Trail) readHead() (h head, old bool, err error) {
	h = head{Link: genesis}
	if err = t.readSealed(t.headPath(), &h); errors.Is(err, fs.ErrNotExist) {
		if olderr := t.readSealed(t.oldHeadPath(), &h); !errors.Is(olderr, fs.ErrNotExist) {
			return h, true, olderr
		}
	}
	if err == nil && h.Format > format {
		err = fmt.Errorf("%w: the audit trail has format %d, and this version knows %d", entry.ErrNewer, h.Format, format)
	}
	return h, false, err
}

// Head returns the last record's number and link. If what is on disk is older than
// what this process knows, the error is a [*BrokenError].
func (t *Trail) Head() (Link, error) {
	h, _, err := t.readHead()
	t.mu.Lock()
	known := t.known
	t.mu.Unlock()
	switch {
	case known.Seq > 0 && (err != nil || h.Seq < known.Seq || h.Seq == known.Seq && h.Hash != known.Hash):
		return known.Link, &BrokenError{Seq: h.Seq + 1, Why: fmt.Sprintf("an older state was put back, or the head was removed: the last record was %d", known.Seq)}
	case errors.Is(err, fs.ErrNotExist):
		return genesis, nil
	case err != nil:
		return genesis, &BrokenError{Seq: 1, Why: "its end is unknown: " + err.Error()}
	}
	t.mu.Lock()
	if t.known.Seq < h.Seq {
		t.known = h
	}
	t.mu.Unlock()
	return h.Link, nil
}

// Accepted returns the highest version of each signed list that the trail says was
// accepted.
func (t *Trail) Accepted() (map[string]uint64, error) {
	h, old, err := t.readHead()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case old:
		return t.scanAccepted()
	}
	return h.Accepted, nil
}

// scanAccepted reads the whole trail for the accepted versions.
func (t *Trail) scanAccepted() (map[string]uint64, error) {
	var h head
	err := t.Records(Filter{Kinds: []Kind{Apply}}, func(r Record) error { h.accept(&r); return nil })
	return h.Accepted, err
}

// openEnd opens the segment to append to, and returns the head to go on from, and the
// records that come first: that the trail has a gap, or was upgraded.
// Where head and disk agree nothing is read.
func (t *Trail) openEnd() (*os.File, head, []Record, error) {
	h, old, err := t.readHead()
	if errors.Is(err, entry.ErrNewer) {
		return nil, h, nil, err
	}
	var first []Record
	gap := func(format string, args ...any) {
		first = append(first, Record{Kind: Gap, Reason: fmt.Sprintf(format, args...)})
	}
	t.mu.Lock()
	known := t.known
	t.mu.Unlock()
	switch {
	case known.Seq > 0 && (err != nil || h.Seq < known.Seq || h.Seq == known.Seq && h.Hash != known.Hash):
		gap("an older state was put back, or the head was removed: the last record was %d", known.Seq)
		h = known
	case old && err == nil:
		if h, err = t.findEnd(h.Link); err != nil {
			return nil, h, nil, err
		}
		if h.Accepted, err = t.scanAccepted(); err != nil {
			return nil, h, nil, err
		}
		first = append(first, Record{Kind: Upgrade})
		if err := t.writeHead(h); err != nil {
			return nil, h, nil, err
		}
		if err := os.Remove(t.oldHeadPath()); err != nil {
			return nil, h, nil, err
		}
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, entry.ErrDamaged):
		damage := err
		if h, err = t.findEnd(genesis); err != nil {
			return nil, h, nil, err
		}
		if h.Segment > 0 || !errors.Is(damage, fs.ErrNotExist) {
			gap("the head was missing or damaged, so records before this may be missing")
		}
		if h.Accepted, err = t.scanAccepted(); err != nil {
			return nil, h, nil, err
		}
		if h.Segment == 0 { // before the first record, which a power cut may leave without it
			h.Segment = h.Seq + 1
			if err := t.writeHead(h); err != nil {
				return nil, h, nil, err
			}
		}
	case err != nil:
		return nil, h, nil, err
	}
	if h.Segment > 0 {
		switch info, err := os.Stat(t.segmentPath(h.Segment)); {
		case err == nil && info.Size() >= h.Bytes, errors.Is(err, fs.ErrNotExist) && h.Bytes == 0:
			f, h, err := t.openSegment(h)
			return f, h, first, err
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, h, nil, err
		}
		if len(first) == 0 || first[0].Kind != Gap {
			gap("records up to %d are missing", h.Seq)
		}
	}
	h.Segment, h.Bytes = h.Seq+1, 0
	f, h, err := t.openSegment(h)
	return f, h, first, err
}

// openSegment opens or makes the segment that a head names. Records behind the head
// were written before a power cut: those that continue the chain count, and what
// follows them is truncated.
func (t *Trail) openSegment(h head) (*os.File, head, error) {
	made := os.O_CREATE
	if h.Bytes > 0 {
		made = 0
	}
	f, err := os.OpenFile(t.segmentPath(h.Segment), os.O_RDWR|os.O_APPEND|made, 0o600)
	if err != nil {
		return nil, h, err
	}
	if h.Bytes == 0 {
		err = errors.Join(folder.GiveToOwner(filepath.Dir(t.dir), f), folder.Sync(t.dir))
	}
	var info fs.FileInfo
	if err == nil {
		info, err = f.Stat()
	}
	if err == nil && info.Size() > h.Bytes {
		h, err = t.takeTail(f, h)
	}
	if err != nil {
		f.Close()
		return nil, h, err
	}
	return f, h, nil
}

// takeTail takes the records behind the head that continue the chain, and truncates
// what follows them.
func (t *Trail) takeTail(f *os.File, h head) (head, error) {
	if _, err := f.Seek(h.Bytes, io.SeekStart); err != nil {
		return h, err
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return h, err
	}
	for line := range bytes.Lines(b) {
		text, whole := bytes.CutSuffix(line, []byte("\n"))
		r, hash, err := splitLine(text)
		record, _, _ := bytes.Cut(text, []byte("\t"))
		if err != nil || !whole || r.Seq != h.Seq+1 || t.hash(h.Hash, record) != hash {
			break
		}
		h.Seq, h.Hash, h.Bytes = r.Seq, hash, h.Bytes+int64(len(line))
		h.accept(&r)
	}
	return h, f.Truncate(h.Bytes)
}

// findEnd finds the end of the trail by reading its last segment: without a head, or
// with one that says only which record was the last that counted.
func (t *Trail) findEnd(last Link) (head, error) {
	starts, err := t.segmentFiles()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return head{}, err
	}
	if len(starts) == 0 {
		if last.Seq == 0 {
			last = t.anchor()
		}
		return head{Link: last}, nil
	}
	start := starts[len(starts)-1]
	b, err := os.ReadFile(t.segmentPath(start))
	if err != nil {
		return head{}, err
	}
	h := head{Link: Link{Seq: start - 1, Hash: genesis.Hash}, Segment: start}
	if last.Seq == start-1 {
		h.Link = last
	} else if a := t.anchor(); len(starts) == 1 && a.Seq == start-1 {
		h.Link = a
	}
	for line := range bytes.Lines(b) {
		text, whole := bytes.CutSuffix(line, []byte("\n"))
		r, hash, err := splitLine(text)
		if err != nil || !whole {
			if h.Seq >= last.Seq {
				break // torn by a power cut before it counted
			}
			// Damaged, and Verify names it: the trail goes on behind it.
			r.Seq, hash = h.Seq+1, genesis.Hash
			if r.Seq == last.Seq {
				hash = last.Hash
			}
		}
		h.Seq, h.Hash, h.Bytes = r.Seq, hash, h.Bytes+int64(len(line))
	}
	if h.Seq < last.Seq { // the end was cut off
		h.Link, h.Bytes = last, int64(len(b))+1
	}
	return h, nil
}

// anchor is the link that the oldest segment follows.
func (t *Trail) anchor() Link {
	l := genesis
	if err := t.readSealed(t.anchorPath(), &l); err != nil {
		return genesis
	}
	return l
}
