// Package audit keeps a hotlist's audit trail: who did what to the lists and why,
// which updates were accepted and refused, which hits there were, and each day's
// counts, all without plates. Records are chained by HMACs, so that a change, a
// gap or a truncation shows.
package audit

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
)

// Kind is what was done.
type Kind string

// The kinds of records.
const (
	Import Kind = "import"  // a list was imported from a file
	Apply  Kind = "apply"   // a signed update was accepted
	Refuse Kind = "refuse"  // a signed update was refused
	Add    Kind = "add"     // an entry was added by hand
	Remove Kind = "remove"  // a list, or an entry, was removed by hand
	Export Kind = "export"  // a list was exported in plain text
	Lookup Kind = "look-up" // a plate was looked up by hand
	Hit    Kind = "hit"     // a passage matched
	Counts Kind = "counts"  // the counts of one day
)

// Kinds lists the kinds.
var Kinds = []Kind{Import, Apply, Refuse, Add, Remove, Export, Lookup, Hit, Counts}

// Record is one line of the trail. It holds no plate: Plate is an HMAC, by which a
// known plate can be searched for.
type Record struct {
	Seq  uint64    `json:"seq"` // from 1, without gaps
	At   time.Time `json:"at"`  // by this machine's clock, which may be wrong; Seq gives the order
	Kind Kind      `json:"kind"`
	// Operator and Reason tell who did it by hand, and why.
	Operator string `json:"operator,omitempty"`
	Reason   string `json:"reason,omitempty"`
	List     string `json:"list,omitempty"`
	Version  string `json:"version,omitempty"`
	Signer   string `json:"signer,omitempty"`
	Source   string `json:"source,omitempty"`
	Entries  int    `json:"entries,omitempty"`
	Added    int    `json:"added,omitempty"`
	Removed  int    `json:"removed,omitempty"`
	Refused  string `json:"refused,omitempty"` // reason of the refusal
	Plate    string `json:"plate,omitempty"`   // token of the plate: see [Trail.Token]
	Matches  int    `json:"matches,omitempty"` // of a look-up
	Category string `json:"category,omitempty"`
	How      string `json:"how,omitempty"` // as in the match
	Hit      string `json:"hit,omitempty"` // its id
	Record   string `json:"record,omitempty"`
	// Counts are those of one day, for the kind Counts.
	Counts *DayCounts `json:"counts,omitempty"`
}

// A trail is a folder:
//
//	00000001.log  a segment: the records from number 1 on, one a line: JSON, a tab, the link
//	anchor        number and link of the last record that expired
//	head          number and link of the last record
//	counts        today's counts
//	lock          held while a record is written
//
// A record's link is the HMAC-SHA-256, under a key derived from the hotlist's, of the
// previous link and the record's JSON. Without the key no record can be changed,
// moved, inserted or removed, and head reveals a truncation. Whoever has key and disk
// can write another history; only a copy of a link kept elsewhere reveals that.
const (
	auditFolder  = "audit"
	segmentBytes = 1 << 20
	// maxSegments bounds the size of the trail, keptFor its age.
	maxSegments = 64
	keptFor     = 3 * 366 * 24 * time.Hour
	maxRecord   = 16 << 10 // bytes
)

// Trail is the audit trail of a hotlist. Several processes may write to it.
type Trail struct {
	dir string
	key []byte
	now func() time.Time
	// Limits; tests lower them.
	segment, segments int
	kept              time.Duration
}

// link chains a record to all before it.
type link struct {
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"`
}

var genesis = link{Hash: strings.Repeat("0", 2*sha256.Size)}

// Open opens the trail of the hotlist in directory dir, and makes it if it does not
// exist. keyFile holds the hotlist's key; empty: the directory's own.
func Open(dir, keyFile string) (*Trail, error) {
	if err := folder.Make(dir); err != nil {
		return nil, &entry.Error{Op: "audit", Path: dir, Err: err, Advice: folder.MakeAdvice}
	}
	key, err := folder.OpenKey(dir, keyFile, true)
	if err != nil {
		return nil, &entry.Error{Op: "audit", Path: dir, Err: err, Advice: folder.Advice(err)}
	}
	t := New(dir, key)
	if err := folder.Make(t.dir); err != nil {
		return nil, &entry.Error{Op: "audit", Path: t.dir, Err: err}
	}
	return t, nil
}

// New returns the trail of the hotlist in directory dir, whose key is known. It makes
// nothing.
func New(dir string, key folder.Key) *Trail {
	return &Trail{dir: filepath.Join(dir, auditFolder), key: key.Derive(nil, "audit"), now: time.Now,
		segment: segmentBytes, segments: maxSegments, kept: keptFor}
}

// Token returns what the trail records of a plate.
func (t *Trail) Token(plate string) string {
	h := hmac.New(sha256.New, t.key)
	fmt.Fprintf(h, "plate\x00%s", entry.Normalize(plate))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (t *Trail) hash(before string, record []byte) string {
	h := hmac.New(sha256.New, t.key)
	h.Write([]byte(before))
	h.Write(record)
	return hex.EncodeToString(h.Sum(nil))
}

// Append appends records, sets their Seq and At, and syncs the trail.
func (t *Trail) Append(ctx context.Context, records ...Record) error {
	fail := func(err error) error {
		return &entry.Error{Op: "audit", Path: t.dir, Err: err, Advice: "nothing is done without a record: free some space, or give the folder to the user that this runs as"}
	}
	if err := folder.Make(t.dir); err != nil {
		return fail(err)
	}
	unlock, err := folder.Lock(ctx, t.dir, folder.LockWait)
	if err != nil {
		return fail(err)
	}
	defer unlock()
	if err := t.appendLocked(records); err != nil {
		return fail(err)
	}
	return nil
}

func (t *Trail) appendLocked(records []Record) error {
	f, last, size, err := t.openEnd()
	if err != nil {
		return err
	}
	defer func() { f.Close() }()
	for i := range records {
		if size >= int64(t.segment) {
			if err := errors.Join(f.Sync(), f.Close()); err != nil {
				return err
			}
			if f, err = t.newSegment(last.Seq + 1); err != nil {
				return err
			}
			size = 0
		}
		r := records[i]
		r.Seq, r.At = last.Seq+1, t.now().UTC().Truncate(time.Millisecond)
		line, next, err := t.line(&r, last)
		if err != nil {
			return err
		}
		n, err := f.Write(line)
		size += int64(n)
		if err != nil {
			return err
		}
		last = next
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := t.writeLink("head", last); err != nil {
		return err
	}
	return t.expire()
}

// line encodes a record, and returns its link.
func (t *Trail) line(r *Record, before link) ([]byte, link, error) {
	r.Reason, r.Refused, r.Operator = cut(r.Reason, 500), cut(r.Refused, 500), cut(r.Operator, 100)
	b, err := json.Marshal(r)
	if err != nil {
		return nil, before, err
	}
	if len(b) > maxRecord {
		return nil, before, fmt.Errorf("a record has %d bytes; the maximum is %d", len(b), maxRecord)
	}
	next := link{Seq: r.Seq, Hash: t.hash(before.Hash, b)}
	return fmt.Appendf(b, "\t%s\n", next.Hash), next, nil
}

// cut shortens a text to most bytes, between characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// segmentFiles returns the number of each segment's first record, sorted.
func (t *Trail) segmentFiles() ([]uint64, error) {
	files, err := os.ReadDir(t.dir)
	if err != nil {
		return nil, err
	}
	var starts []uint64
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), ".log"); ok {
			if n, err := strconv.ParseUint(name, 10, 64); err == nil {
				starts = append(starts, n)
			}
		}
	}
	slices.Sort(starts)
	return starts, nil
}

func (t *Trail) segmentPath(start uint64) string {
	return filepath.Join(t.dir, fmt.Sprintf("%08d.log", start))
}

func (t *Trail) newSegment(start uint64) (*os.File, error) {
	f, err := os.OpenFile(t.segmentPath(start), os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(folder.GiveToOwner(filepath.Dir(t.dir), f), folder.Sync(t.dir)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// openEnd opens the last segment and returns the link that it ends with. It
// truncates records written but not yet committed (named by head) before a power
// cut.
func (t *Trail) openEnd() (f *os.File, last link, size int64, err error) {
	starts, err := t.segmentFiles()
	if err != nil {
		return nil, last, 0, err
	}
	if len(starts) == 0 {
		last, err := t.readLink("anchor")
		if err != nil {
			last = genesis
		}
		// Written before the first record, so that a trail without head is broken.
		if _, err := t.readLink("head"); errors.Is(err, fs.ErrNotExist) {
			if err := t.writeLink("head", last); err != nil {
				return nil, last, 0, err
			}
		}
		f, err := t.newSegment(last.Seq + 1)
		return f, last, 0, err
	}
	start := starts[len(starts)-1]
	f, err = os.OpenFile(t.segmentPath(start), os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, last, 0, err
	}
	b, err := io.ReadAll(f)
	if err != nil {
		f.Close()
		return nil, last, 0, err
	}
	whole := t.committed(b, start)
	if whole < len(b) {
		if err := f.Truncate(int64(whole)); err != nil {
			f.Close()
			return nil, last, 0, err
		}
	}
	b = bytes.TrimSuffix(b[:whole], []byte("\n"))
	if len(b) == 0 { // a power cut followed its creation
		last, err = t.before(starts, start)
		return f, last, 0, err
	}
	// A damaged last line does not stop the trail: the next record is chained to
	// head, and Verify names the damage.
	line := b[bytes.LastIndexByte(b, '\n')+1:]
	r, hash, err := splitLine(line)
	if err != nil {
		head, headErr := t.readLink("head")
		if headErr != nil {
			head = link{Seq: start + uint64(bytes.Count(b, []byte("\n"))), Hash: genesis.Hash}
		}
		return f, head, int64(whole), nil
	}
	return f, link{Seq: r.Seq, Hash: hash}, int64(whole), nil
}

// committed returns how many bytes of the last segment are committed. A record is
// once head names it or a later one; head is written after the records are synced.
// Beyond head, an invalid line is one that a power cut tore: it and what follows it
// were never committed.
func (t *Trail) committed(b []byte, start uint64) int {
	whole := bytes.LastIndexByte(b, '\n') + 1
	head, err := t.readLink("head")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return whole
	}
	at, seq := 0, start
	for line := range bytes.Lines(b[:whole]) {
		if _, _, err := splitLine(bytes.TrimSuffix(line, []byte("\n"))); err != nil && seq > head.Seq {
			return at
		}
		at, seq = at+len(line), seq+1
	}
	return whole
}

// before returns the link that an empty segment follows.
func (t *Trail) before(starts []uint64, start uint64) (link, error) {
	last, err := t.readLink("head")
	if err == nil && last.Seq == start-1 {
		return last, nil
	}
	if len(starts) == 1 {
		if last, err = t.readLink("anchor"); err == nil {
			return last, nil
		}
	}
	return link{Seq: start - 1, Hash: genesis.Hash}, nil
}

// splitLine parses one line of a segment.
func splitLine(line []byte) (Record, string, error) {
	var r Record
	b, hash, ok := bytes.Cut(line, []byte("\t"))
	if !ok || len(hash) != 2*sha256.Size {
		return r, "", errors.New("not a valid record")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, "", errors.New("not a valid record")
	}
	return r, string(hash), nil
}

// writeLink writes head or anchor.
func (t *Trail) writeLink(name string, l link) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return folder.WriteSealed(filepath.Join(t.dir, name), t.key, b)
}

func (t *Trail) readLink(name string) (l link, err error) {
	b, err := folder.ReadSealed(filepath.Join(t.dir, name), t.key)
	if err != nil {
		return genesis, err
	}
	if err := json.Unmarshal(b, &l); err != nil {
		return genesis, err
	}
	return l, nil
}

// expire deletes the oldest segments when there are too many or they are too old,
// and writes the anchor, where the chain continues.
func (t *Trail) expire() error {
	starts, err := t.segmentFiles()
	if err != nil {
		return err
	}
	for len(starts) > 1 {
		end, at, err := t.lastOf(starts[0])
		if err != nil || len(starts) <= t.segments && t.now().Sub(at) < t.kept {
			return nil // an unreadable segment is evidence and is kept
		}
		if err := t.writeLink("anchor", end); err != nil {
			return err
		}
		if err := os.Remove(t.segmentPath(starts[0])); err != nil {
			return err
		}
		starts = starts[1:]
	}
	return nil
}

// lastOf returns the link that a segment ends with, and the time of its last record.
func (t *Trail) lastOf(start uint64) (link, time.Time, error) {
	b, err := os.ReadFile(t.segmentPath(start))
	if err != nil {
		return link{}, time.Time{}, err
	}
	b = bytes.TrimSuffix(b, []byte("\n"))
	r, hash, err := splitLine(b[bytes.LastIndexByte(b, '\n')+1:])
	return link{Seq: r.Seq, Hash: hash}, r.At, err
}
