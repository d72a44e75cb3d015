// Package audit keeps a hotlist's audit trail: who did what to the lists and why,
// which updates were accepted and refused, which hits there were and when they were
// deleted, who looked at live pictures and hits, and each day's counts, all without plates. Records are chained by HMACs, so that a change, a
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
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	View   Kind = "view"    // a person began or ended to look at live pictures or hits
	Delete Kind = "delete"  // hits were deleted, because their time on the unit was over
	Counts Kind = "counts"  // the counts of one day
	// Verdict: a person found a hit right or wrong; a record for each of its matches.
	Verdict Kind = "verdict"
	// Gap: the trail on disk did not end where its last record was written, or its head
	// was missing. The trail goes on after the number that is known, and [Trail.Verify]
	// reports the gap.
	Gap Kind = "gap"
	// Upgrade: from here on the trail's head lies beside its folder.
	Upgrade Kind = "upgrade"
)

// Kinds lists the kinds.
var Kinds = []Kind{Import, Apply, Refuse, Add, Remove, Export, Lookup, Hit, View, Delete, Counts, Verdict, Gap, Upgrade}

// Record is one line of the trail. It holds no plate: Plate is an HMAC, by which a
// known plate can be searched for.
type Record struct {
	Seq  uint64    `json:"seq"` // from 1, without gaps
	At   time.Time `json:"at"`  // by this machine's clock, which may be wrong; Seq gives the order
	Kind Kind      `json:"kind"`
	// Operator and Reason tell who did it by hand, and why.
	Operator string `json:"operator,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Case     string `json:"case,omitempty"` // number of the case or incident that it was done for
	List     string `json:"list,omitempty"`
	Version  string `json:"version,omitempty"`
	Signer   string `json:"signer,omitempty"`
	Source   string `json:"source,omitempty"`
	Entries  int    `json:"entries,omitempty"`
	Added    int    `json:"added,omitempty"`
	Removed  int    `json:"removed,omitempty"`
	Refused  string `json:"refused,omitempty"` // reason of the refusal
	Times    int    `json:"times,omitempty"`   // how many refusals of its kind the record stands for; 0: one
	Plate    string `json:"plate,omitempty"`   // token of the plate: see [Trail.Token]
	Matches  int    `json:"matches,omitempty"` // of a look-up
	Category string `json:"category,omitempty"`
	How      string `json:"how,omitempty"` // as in the match
	Hit      string `json:"hit,omitempty"` // its id
	Record   string `json:"record,omitempty"`
	// Viewed is what was looked at: "camera front", "hits". Operator is the viewer's
	// login, Source the address. A look gives a record when it begins, and one with
	// the time of its beginning when it has ended.
	Viewed string    `json:"viewed,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	// Verdict is "right" or "wrong", Before what it replaces, if anything, and Given when
	// the person gave it, by the server's clock.
	Verdict string    `json:"verdict,omitempty"`
	Before  string    `json:"before,omitempty"`
	Given   time.Time `json:"given,omitzero"`
	// Counts are those of one day, for the kind Counts.
	Counts *DayCounts `json:"counts,omitempty"`
}

// A trail is a folder, and a file beside it:
//
//	audit/00000001.log  a segment: the records from number 1 on, one a line: JSON, a tab, the link
//	audit/anchor        number and link of the last record that expired
//	audit/counts        today's counts
//	audit.head          number, link and place of the last record: see [head]
//
// A record's link is the HMAC-SHA-256, under a key derived from the hotlist's, of the
// previous link and the record's JSON. Without the key no record can be changed,
// moved, inserted or removed. The head reveals that the end was cut off and that the
// folder was removed or replaced by an older one, and the trail goes on after it, so
// that the gap stays visible. A running process remembers the last record it knows,
// which reveals that the head was put back too.
//
// Not revealed here is that folder and head were put back, or removed, together while
// nothing ran, nor a history that an attacker with the key and the disk rewrote. For
// that a copy of the head has to be kept elsewhere: the unit's health message carries
// it.
const (
	auditFolder  = "audit"
	headName     = "audit.head"
	segmentBytes = 1 << 20
	// maxSegments bounds the size of the trail, keptFor its age.
	maxSegments = 64
	keptFor     = 3 * 366 * 24 * time.Hour
	maxRecord   = 16 << 10 // bytes
	expireEvery = 24 * time.Hour
)

// Trail is the audit trail of a hotlist. Several processes may write to it.
type Trail struct {
	dir string
	key []byte
	now func() time.Time
	// Limits; tests lower them.
	segment, segments int
	kept              time.Duration

	mu      sync.Mutex
	known   head      // the last record that this process wrote or met
	expired time.Time // when the oldest segments were last looked at
}

// Link is a record's number and its link, which chains it to all before it.
type Link struct {
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"`
}

var genesis = Link{Hash: strings.Repeat("0", 2*sha256.Size)}

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
	switch _, old, err := t.readHead(); {
	case errors.Is(err, entry.ErrNewer):
		return nil, &entry.Error{Op: "audit", Path: t.dir, Err: err, Advice: "install that version again: nothing was changed"}
	case old && err == nil:
		return t, t.Append(context.Background()) // upgrades it
	}
	return t, nil
}

// Read returns the trail of the hotlist in directory dir to read it, and makes nothing.
// keyFile is as for [Open]. Without a key the error is [entry.ErrKey].
func Read(dir, keyFile string) (*Trail, error) {
	key, err := folder.OpenKey(dir, keyFile, false)
	if err != nil {
		return nil, &entry.Error{Op: "audit", Path: dir, Err: err, Advice: folder.Advice(err)}
	}
	return New(dir, key), nil
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
	f, h, first, err := t.openEnd()
	if err != nil {
		return err
	}
	defer func() { f.Close() }()
	for _, r := range append(first, records...) {
		if h.Bytes >= int64(t.segment) {
			if err := errors.Join(f.Sync(), f.Close()); err != nil {
				return err
			}
			h.Segment, h.Bytes = h.Seq+1, 0
			if f, h, err = t.openSegment(h); err != nil {
				return err
			}
		}
		r.Seq, r.At = h.Seq+1, t.now().UTC().Truncate(time.Millisecond)
		line, next, err := t.line(&r, h.Link)
		if err != nil {
			return err
		}
		n, err := f.Write(line)
		h.Bytes += int64(n)
		if err != nil {
			return err
		}
		h.Link = next
		h.accept(&r)
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := t.writeHead(h); err != nil {
		return err
	}
	return t.expire(h)
}

// line encodes a record, and returns its link.
func (t *Trail) line(r *Record, before Link) ([]byte, Link, error) {
	r.Reason, r.Refused, r.Operator, r.Case = cut(r.Reason, 500), cut(r.Refused, 500), cut(r.Operator, 100), cut(r.Case, 100)
	b, err := json.Marshal(r)
	if err != nil {
		return nil, before, err
	}
	if len(b) > maxRecord {
		return nil, before, fmt.Errorf("a record has %d bytes; the maximum is %d", len(b), maxRecord)
	}
	next := Link{Seq: r.Seq, Hash: t.hash(before.Hash, b)}
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

// splitLine parses one line of a segment.
func splitLine(line []byte) (Record, string, error) {
	var r Record
	b, hash, ok := bytes.Cut(line, []byte("\t"))
	if !ok || len(hash) != 2*sha256.Size {
		return r, "", errors.New("not a valid record")
	}
	if err := json.Unmarshal(b, &r); err != nil { // fields of a later version are left out
		return r, "", errors.New("not a valid record")
	}
	return r, string(hash), nil
}

// expire deletes the oldest segments when there are too many or they are too old,
// and writes the anchor, where the chain continues. It looks when a segment begins,
// and once a day.
func (t *Trail) expire(h head) error {
	now := t.now()
	t.mu.Lock()
	due := h.Segment != t.known.Segment || now.Sub(t.expired) >= expireEvery
	t.known = h
	if due {
		t.expired = now
	}
	t.mu.Unlock()
	if !due {
		return nil
	}
	starts, err := t.segmentFiles()
	if err != nil {
		return err
	}
	for len(starts) > 1 {
		end, at, err := t.lastOf(starts[0])
		if err != nil || len(starts) <= t.segments && now.Sub(at) < t.kept {
			return nil // an unreadable segment is evidence and is kept
		}
		if err := t.writeSealed(t.anchorPath(), end); err != nil {
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
func (t *Trail) lastOf(start uint64) (Link, time.Time, error) {
	b, err := os.ReadFile(t.segmentPath(start))
	if err != nil {
		return Link{}, time.Time{}, err
	}
	b = bytes.TrimSuffix(b, []byte("\n"))
	r, hash, err := splitLine(b[bytes.LastIndexByte(b, '\n')+1:])
	return Link{Seq: r.Seq, Hash: hash}, r.At, err
}
