package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"platewatch/hotlist/entry"
)

// Filter selects records. Empty fields select all.
type Filter struct {
	Kinds    []Kind
	List     string
	Operator string
	Plate    string    // looked up, added or removed
	Since    time.Time // first moment
	Until    time.Time // first moment that is not selected
}

// Report is what [Trail.Verify] found.
type Report struct {
	Records int    `json:"records"`
	First   uint64 `json:"first,omitempty"`
	Last    uint64 `json:"last,omitempty"`
	// Head is the link of the last record. A copy kept elsewhere proves later that
	// the trail up to here was not rewritten.
	Head string `json:"head,omitempty"`
	// Compared is how many copies kept elsewhere the trail was compared with. With none,
	// an older state of the whole folder, put back together, passes.
	Compared int `json:"compared"`
}

// BrokenError is the first record that does not continue the chain.
type BrokenError struct {
	Seq  uint64 // its expected number
	File string
	Line int
	Why  string
}

func (e *BrokenError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("the audit trail is broken at record %d: %s", e.Seq, e.Why)
	}
	return fmt.Sprintf("the audit trail is broken at record %d (%s:%d): %s", e.Seq, e.File, e.Line, e.Why)
}

// Hint says what to do.
func (e *BrokenError) Hint() string {
	return "keep a copy of the folder, and find out whether somebody changed it or the storage is failing"
}

// Unwrap makes it an [entry.ErrDamaged].
func (e *BrokenError) Unwrap() error { return entry.ErrDamaged }

// Verify proves that the chain of records is complete: none was changed, moved,
// inserted or removed, neither in between nor at an end, and that it holds the records
// in known: copies of links that were kept elsewhere, such as a unit's health message.
// If it is not, the error is a [*BrokenError].
func (t *Trail) Verify(known ...Link) (Report, error) {
	v := verification{t: t, last: genesis, known: known, report: Report{Compared: len(known)}}
	if err := t.readSealed(t.anchorPath(), &v.last); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return v.report, &BrokenError{Seq: 1, Why: err.Error()}
	}
	for _, k := range known {
		if k.Seq <= v.last.Seq && k != v.last {
			return v.report, &entry.Error{Op: "audit", Path: t.dir, Err: fmt.Errorf("record %d has expired, so it cannot be compared", k.Seq)}
		}
	}
	var headErr error
	v.head, _, headErr = t.readHead()
	v.seenHead = v.head.Link == v.last
	var err error
	if v.end, err = t.end(); err != nil {
		return v.report, err
	}
	anchored := v.last.Seq
	err = t.each(v.take)
	v.report.Last, v.report.Head = v.last.Seq, v.last.Hash
	missing := func(last uint64) error {
		return &BrokenError{Seq: v.last.Seq + 1, Why: fmt.Sprintf("records up to %d are missing", last)}
	}
	switch {
	case err != nil:
		return v.report, err
	case v.report.Records == 0 && anchored == 0 && errors.Is(headErr, fs.ErrNotExist) && len(known) == 0:
		return v.report, nil // nothing was recorded yet
	case headErr != nil && !errors.Is(headErr, fs.ErrNotExist), headErr != nil && v.report.Records > 0:
		return v.report, &BrokenError{Seq: v.last.Seq + 1, Why: "its end is unknown: " + headErr.Error()}
	case v.head.Seq > v.last.Seq || !v.seenHead:
		return v.report, missing(v.head.Seq)
	}
	for _, k := range known {
		if k.Seq > v.last.Seq {
			return v.report, missing(k.Seq)
		}
	}
	return v.report, nil
}

// verification is one walk over the trail.
type verification struct {
	t        *Trail
	report   Report
	last     Link // verified so far
	head     head
	known    []Link
	seenHead bool
	end      string // the last segment
	torn     bool   // records follow that were never committed: see [Trail.openEnd]
}

// take verifies the next line.
func (v *verification) take(file string, line int, text []byte) error {
	if v.torn {
		return nil
	}
	broken := func(why string) error {
		return &BrokenError{Seq: v.last.Seq + 1, File: file, Line: line, Why: why}
	}
	r, hash, err := splitLine(text)
	if err != nil && v.seenHead && v.last.Seq >= v.head.Seq && file == v.end {
		v.torn = true
		return nil
	}
	if err != nil {
		return broken(err.Error())
	}
	if r.Kind == Gap {
		return broken(r.Reason)
	}
	if r.Seq != v.last.Seq+1 {
		return broken(fmt.Sprintf("record %d is in its place", r.Seq))
	}
	b, _, _ := bytes.Cut(text, []byte("\t"))
	if v.t.hash(v.last.Hash, b) != hash {
		return broken("it was changed, or continues another history")
	}
	v.last = Link{Seq: r.Seq, Hash: hash}
	if v.head.Seq == r.Seq {
		v.seenHead = v.head.Hash == hash
	}
	for _, k := range v.known {
		if k.Seq == r.Seq && k.Hash != hash {
			return broken("it is not the record whose link was kept elsewhere")
		}
	}
	if v.report.Records++; v.report.First == 0 {
		v.report.First = r.Seq
	}
	return nil
}

// end returns the name of the last segment; empty if there is none.
func (t *Trail) end() (string, error) {
	starts, err := t.segmentFiles()
	if len(starts) == 0 || errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", &entry.Error{Op: "audit", Path: t.dir, Err: err}
	}
	return filepath.Base(t.segmentPath(starts[len(starts)-1])), nil
}

// each calls f with every line of the trail.
func (t *Trail) each(f func(file string, line int, text []byte) error) error {
	starts, err := t.segmentFiles()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &entry.Error{Op: "audit", Path: t.dir, Err: err}
	}
	for _, start := range starts {
		if err := t.eachOf(t.segmentPath(start), f); err != nil {
			return err
		}
	}
	return nil
}

func (t *Trail) eachOf(path string, f func(file string, line int, text []byte) error) error {
	file, err := os.Open(path)
	if err != nil {
		return &entry.Error{Op: "audit", Path: path, Err: err}
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 2*maxRecord)
	n := 0
	for lines.Scan() {
		n++
		if err := f(filepath.Base(path), n, lines.Bytes()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return f(filepath.Base(path), n+1, nil) // too long a line is not a record
	}
	return nil
}

// Records calls f with the records that a filter selects, oldest first, until f
// returns an error. It does not verify them, and skips invalid lines: see
// [Trail.Verify].
func (t *Trail) Records(filter Filter, f func(Record) error) error {
	token := ""
	if filter.Plate != "" {
		token = t.Token(filter.Plate)
	}
	return t.each(func(_ string, _ int, text []byte) error {
		r, _, err := splitLine(text)
		if err != nil || !filter.selects(&r, token) {
			return nil
		}
		return f(r)
	})
}

func (f *Filter) selects(r *Record, token string) bool {
	kind := len(f.Kinds) == 0
	for _, k := range f.Kinds {
		kind = kind || k == r.Kind
	}
	return kind && (f.List == "" || f.List == r.List) && (f.Operator == "" || f.Operator == r.Operator) &&
		(token == "" || token == r.Plate) && (f.Since.IsZero() || !r.At.Before(f.Since)) && (f.Until.IsZero() || r.At.Before(f.Until))
}
