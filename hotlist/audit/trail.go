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

// AuditKind is what was done.
type Kind string

// The kinds of audit records.
const (
	Import Kind = "import"  // a list was imported from a file
	Apply  Kind = "apply"   // a signed update was accepted
	Refuse Kind = "refuse"  // a signed update was refused
	Add    Kind = "add"     // an entry was added by hand
	Remove Kind = "remove"  // a list, or an entry, was removed by hand
	Export Kind = "export"  // a list was written out in the clear
	Lookup Kind = "look-up" // a plate was looked up by hand
	Hit    Kind = "hit"     // a passage matched
	Counts Kind = "counts"  // what one day brought, without plates
)

// AuditKinds lists the kinds.
var Kinds = []Kind{Import, Apply, Refuse, Add, Remove, Export, Lookup, Hit, Counts}

// AuditRecord is one line of the audit trail. It holds no plate: Plate is a
// HMAC of it, by which a plate that is known can be searched for.
type Record struct {
	Seq  uint64    `json:"seq"` // from 1, without gaps
	At   time.Time `json:"at"`  // by this machine's clock, which may be wrong: order comes from Seq
	Kind Kind      `json:"kind"`
	// Operator and Reason are who did it by hand, and why.
	Operator string `json:"operator,omitempty"`
	Reason   string `json:"reason,omitempty"`
	List     string `json:"list,omitempty"`
	Version  string `json:"version,omitempty"`
	Signer   string `json:"signer,omitempty"`
	Source   string `json:"source,omitempty"`
	Entries  int    `json:"entries,omitempty"`
	Added    int    `json:"added,omitempty"`
	Removed  int    `json:"removed,omitempty"`
	Refused  string `json:"refused,omitempty"` // why an update was
	Plate    string `json:"plate,omitempty"`   // see [Trail.Token]
	Matches  int    `json:"matches,omitempty"` // of a look-up
	Category string `json:"category,omitempty"`
	How      string `json:"how,omitempty"` // as [Match] says
	Hit      string `json:"hit,omitempty"` // its id
	Record   string `json:"record,omitempty"`
	// Counts is one day's, for AuditCounts.
	Counts *DayCounts `json:"counts,omitempty"`
}

// A trail is a folder:
//
//	00000001.log  the records from number 1 on, a line each: JSON, a tab, and its link
//	anchor        the number and link of the last record that was deleted for its age
//	head          those of the last record
//	counts        today's counts
//	lock          held while a record is written
//
// A record's link is the HMAC-SHA-256, under a key of the hotlist's, of the link
// before and its JSON. So no record can be changed, moved, inserted or taken
// out without the key, and head shows if the last ones were cut off. Whoever has
// the key and the disk can write another history; only a copy of a link that
// was taken elsewhere shows that.
const (
	auditFolder  = "audit"
	segmentBytes = 1 << 20
	// maxSegments bounds the trail's size; keptFor, its age.
	maxSegments = 64
	keptFor     = 3 * 366 * 24 * time.Hour
	maxRecord   = 16 << 10
)

// Trail is the audit trail of a hotlist. Several processes may write to it.
type Trail struct {
	dir string
	key []byte
	now func() time.Time
	// The limits, for tests.
	segment, segments int
	kept              time.Duration
}

// link ties a record to all before it.
type link struct {
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"`
}

var genesis = link{Hash: strings.Repeat("0", 2*sha256.Size)}

// OpenTrail opens the audit trail of the hotlist in directory dir, whose key is
// needed.
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

// NewTrail is [OpenTrail] for whoever has the key; nothing is read or made.
func New(dir string, key folder.Key) *Trail {
	return &Trail{dir: filepath.Join(dir, auditFolder), key: key.Derive(nil, "audit"), now: time.Now,
		segment: segmentBytes, segments: maxSegments, kept: keptFor}
}

// Token is what stands for a plate in the trail.
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

// Append writes records to the end of the trail and syncs it. Their Seq and At
// are set.
func (t *Trail) Append(ctx context.Context, records ...Record) error {
	fail := func(err error) error {
		return &entry.Error{Op: "audit", Path: t.dir, Err: err, Advice: "nothing may happen unrecorded: make room, or give the folder to the user that this runs as"}
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

// line encodes a record.
func (t *Trail) line(r *Record, before link) ([]byte, link, error) {
	r.Reason, r.Refused, r.Operator = cut(r.Reason, 500), cut(r.Refused, 500), cut(r.Operator, 100)
	b, err := json.Marshal(r)
	if err != nil {
		return nil, before, err
	}
	if len(b) > maxRecord {
		return nil, before, fmt.Errorf("a record has %d bytes, and %d is the most", len(b), maxRecord)
	}
	next := link{Seq: r.Seq, Hash: t.hash(before.Hash, b)}
	return fmt.Appendf(b, "\t%s\n", next.Hash), next, nil
}

// cut shortens a text to a number of bytes, between characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// segmentFiles returns the numbers of the first records of the segments.
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

// openEnd opens the last segment and tells which link it ends with. What a
// power cut left there that never counted is cut off.
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
		// It is there before the first record, so that a trail without one is broken.
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
	whole := t.counted(b, start)
	if whole < len(b) {
		if err := f.Truncate(int64(whole)); err != nil {
			f.Close()
			return nil, last, 0, err
		}
	}
	b = bytes.TrimSuffix(b[:whole], []byte("\n"))
	if len(b) == 0 { // made just before a power cut
		last, err = t.before(starts, start)
		return f, last, 0, err
	}
	// A damaged line does not stop the trail: the record that follows is tied to
	// what stands there, and Verify names the place.
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

// counted is how many bytes of the last segment count. A record does once head
// names it or one after it, and head is written after the records were synced.
// Of what a power cut left behind that, a line that is no record, torn or half
// written, never counted, and neither does what follows it.
func (t *Trail) counted(b []byte, start uint64) int {
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

// before is the link that a segment without records follows.
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
		return r, "", errors.New("it is no record")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, "", errors.New("it is no record")
	}
	return r, string(hash), nil
}

// writeLink writes the head or the anchor.
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

// expire deletes the oldest segments when there are too many, or when they are
// too old, and remembers where the chain goes on.
func (t *Trail) expire() error {
	starts, err := t.segmentFiles()
	if err != nil {
		return err
	}
	for len(starts) > 1 {
		end, at, err := t.lastOf(starts[0])
		if err != nil || len(starts) <= t.segments && t.now().Sub(at) < t.kept {
			return nil // one that cannot be read is evidence, and stays
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

// lastOf returns the link that a segment ends with, and when that was.
func (t *Trail) lastOf(start uint64) (link, time.Time, error) {
	b, err := os.ReadFile(t.segmentPath(start))
	if err != nil {
		return link{}, time.Time{}, err
	}
	b = bytes.TrimSuffix(b, []byte("\n"))
	r, hash, err := splitLine(b[bytes.LastIndexByte(b, '\n')+1:])
	return link{Seq: r.Seq, Hash: hash}, r.At, err
}
