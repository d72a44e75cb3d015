package hotlist

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"platewatch/hotlist/audit"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/importer"
	"platewatch/hotlist/internal/folder"
	"platewatch/hotlist/internal/listfile"
	"platewatch/hotlist/match"
)

// Import makes the list o.List of a file, in the hotlist directory dir, which it
// makes if it does not exist. Either the whole file becomes the list or the list is
// unchanged, also after a power cut. Running daemons notice it.
//
// An invalid line is an [*importer.LineError], which is an [entry.ErrRefused]. Memory
// does not grow with the file: 97 MB anonymous at a million entries. The disk must
// hold the new version, the two before, and the input once more.
func Import(ctx context.Context, dir string, r io.Reader, o ImportOptions) (ImportReport, error) {
	fail := func(err error, advice string) (ImportReport, error) {
		return ImportReport{}, &entry.Error{Op: "import", Path: dir, Err: err, Advice: advice}
	}
	if err := entry.CheckListName(o.List); err != nil {
		return fail(err, entry.ListNameAdvice)
	}
	if err := o.fill(); err != nil {
		return fail(err, "")
	}
	if err := folder.Make(dir); err != nil {
		return fail(err, folder.MakeAdvice)
	}
	unlock, err := folder.Lock(ctx, dir, o.LockWait)
	if errors.Is(err, entry.ErrLocked) {
		return fail(err, "wait until the other import has finished, then repeat this one")
	}
	if err != nil {
		return fail(err, "run it as the owner of the directory, or as root")
	}
	defer unlock()
	key, err := folder.OpenKey(dir, o.KeyFile, true)
	if err != nil {
		return fail(err, folder.Advice(err))
	}
	im := &rebuild{o: o, dir: dir, hotlistKey: key, keys: listfile.NewKeys(key, listfile.NewSalt()), began: time.Now()}
	report, err := im.run(ctx, func(ctx context.Context, to *listfile.Sorter) error { return im.read(ctx, r, to) }, nil)
	if err != nil {
		var line *importer.LineError
		var typed *entry.Error
		switch {
		case errors.As(err, &typed):
			return ImportReport{}, err
		case im.categories != nil && errors.Is(err, entry.ErrRefused):
			refused := audit.Record{Kind: audit.Refuse, List: o.List, Source: filepath.Base(o.Source), Operator: o.By.Operator, Reason: o.By.Reason, Refused: err.Error()}
			return fail(errors.Join(err, audit.New(dir, key).Append(ctx, refused)), purposeAdvice)
		case errors.As(err, &line):
			advice := cmp.Or(line.Advice, "correct the line, or skip invalid lines with -tolerant")
			return ImportReport{}, &refusal{err, advice + "; the list in use is unchanged"}
		}
		if errors.Is(err, syscall.ENOSPC) {
			return fail(err, "free some space: an import needs twice the size of the list, and once that of the input; the list in use is unchanged")
		}
		return fail(err, "the list in use is unchanged")
	}
	return report, recordImport(ctx, dir, key, audit.Record{Kind: audit.Import, Operator: o.By.Operator, Reason: o.By.Reason}, &report)
}

const purposeAdvice = "leave those entries out, or see hotlist.allow and hotlist.deny; the list in use is unchanged"

// refusal adds advice to the error of a line, and no text.
type refusal struct {
	error
	advice string
}

func (r *refusal) Unwrap() error { return r.error }
func (r *refusal) Hint() string  { return r.advice }

// rebuild makes the next version of a list: by an import, an edit or a signed
// update.
type rebuild struct {
	o   ImportOptions
	dir string

	hotlistKey folder.Key
	keys       *listfile.Keys // of the file being built
	signed     *entry.Signed  // nil: the new version is not signed
	delta      bool           // the input changes the previous version
	sorted     int            // records given to the sorter
	content    content        // of the input's lines
	categories map[string]int // that the unit may not be used for: how many entries

	began  time.Time
	report ImportReport
	input  *countingReader

	skip    map[string]bool
	key     []byte
	payload []byte
	nextLap time.Time
}

// A record on its way to the list. The key of the sorter makes duplicates
// neighbours, in the order of their lines:
//
//	HMAC of the folded plate (8) | HMAC of the entry's identity (8) | line (8, big endian; 0: the previous version)
//
// The value is the entry's payload, or a mark.
const lineSize = 8

// run builds a version of the records that fill gives to the sorter, verifies it, and
// installs it if accept, which may be nil, returns no error.
func (im *rebuild) run(ctx context.Context, fill func(context.Context, *listfile.Sorter) error, accept func(entry.List) error) (ImportReport, error) {
	build := filepath.Join(im.dir, folder.BuildName)
	if err := os.RemoveAll(build); err != nil { // left over from a crash
		return im.report, err
	}
	if err := os.Mkdir(build, 0o700); err != nil {
		return im.report, err
	}
	defer os.RemoveAll(build)

	before, err := im.openBefore(ctx)
	if err != nil {
		return im.report, err
	}
	if before != nil {
		defer before.Release()
	}
	sorter := listfile.NewSorter(build)
	if err := fill(ctx, sorter); err != nil {
		return im.report, err
	}
	if err := im.addBefore(ctx, before, sorter); err != nil {
		return im.report, err
	}
	if err := im.o.Purpose.Check(im.categories); err != nil {
		return im.report, err
	}
	path := filepath.Join(build, im.o.List+folder.ListSuffix)
	if err := im.build(ctx, sorter, path); err != nil {
		return im.report, err
	}
	if err := im.verify(ctx, path); err != nil {
		return im.report, err
	}
	if err := im.confirm(); err != nil {
		return im.report, err
	}
	if accept != nil {
		if err := accept(im.report.List); err != nil {
			return im.report, err
		}
	}
	if err := folder.Install(im.dir, im.o.List, path); err != nil {
		return im.report, err
	}
	im.report.Elapsed = time.Since(im.began)
	return im.report, nil
}

// openBefore opens the version that is replaced, if there is one. It sets a damaged
// one aside, which would otherwise replace the good previous version.
func (im *rebuild) openBefore(ctx context.Context) (*listfile.File, error) {
	path := folder.ListPath(im.dir, im.o.List)
	l, err := listfile.Open(ctx, path, im.hotlistKey, im.o.LockWait)
	switch {
	case err == nil:
		im.report.Previous = l.List
		if l.Signed != nil && im.signed == nil && !im.o.ReplaceSigned {
			l.Release()
			return nil, &entry.Error{Op: "import", Path: path, Err: fmt.Errorf("%w: the list is signed by %s, and this version is not signed", entry.ErrRefused, l.Signed.Signer),
				Advice: "import under another name, or with -replace-signed; the list in use is unchanged"}
		}
		return l, nil
	case errors.Is(err, entry.ErrDamaged):
		_, err := folder.MoveAside(im.dir, path)
		return nil, err
	case errors.Is(err, entry.ErrKey):
		return nil, &entry.Error{Op: "import", Path: path, Err: err,
			Advice: "name the file with the hotlist's key; if the key is lost, remove the list first"}
	}
	return nil, ctx.Err()
}

// addBefore adds the entries of the previous version to the sorter: for a delta as
// they are, else as marks, to count the entries that are added and removed.
func (im *rebuild) addBefore(ctx context.Context, before *listfile.File, to *listfile.Sorter) error {
	if before == nil {
		return nil
	}
	var adding error
	err := before.Each(ctx, func(e entry.Entry, payload []byte) bool {
		if !im.delta {
			payload = markBefore
		}
		im.sorted++
		adding = to.Add(im.sortKey(&e, 0), payload)
		return adding == nil
	})
	if errors.Is(err, entry.ErrDamaged) && !im.delta {
		return nil // only the counts are wrong; the import replaces the list
	}
	return errors.Join(err, adding)
}

// read gives the entries of the input to the sorter.
func (im *rebuild) read(ctx context.Context, r io.Reader, to *listfile.Sorter) error {
	im.skip = make(map[string]bool, len(im.o.Skip))
	for _, s := range im.o.Skip {
		im.skip[entry.Normalize(s)] = true
	}
	im.input = &countingReader{r: r}
	f, err := importer.Open(im.input, im.o.Options)
	if err != nil {
		return err
	}
	im.report.Columns, im.report.Extra = f.Columns()
	var e entry.Entry
	for n := 0; ; n++ {
		if n%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			im.progress(Progress{Stage: StageReading})
		}
		line, err := f.Next(&e)
		if errors.Is(err, io.EOF) {
			break
		}
		im.report.Lines++
		var bad *importer.LineError
		switch {
		case errors.As(err, &bad):
			if err := im.refuse(bad); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if im.skip[e.Plate] || len(im.o.States) > 0 && !slices.ContainsFunc(im.o.States, func(s string) bool { return strings.EqualFold(s, e.State) }) {
			im.report.List.Skipped++
			continue
		}
		if im.report.Lines-im.report.List.Skipped-im.report.List.Refused > entry.MaxEntries {
			return fmt.Errorf("%w: more than %d entries", entry.ErrRefused, entry.MaxEntries)
		}
		im.content.add(&e, line)
		im.notePurpose(&e)
		im.noteUnreadable(&e)
		im.payload = listfile.AppendPayload(im.payload[:0], &e)
		im.sorted++
		if err := to.Add(im.sortKey(&e, line), im.payload); err != nil {
			return err
		}
	}
	im.report.Doubts = f.Doubts()
	return im.refusedTooMany()
}

// notePurpose counts an entry of a category that the unit may not be used for.
func (im *rebuild) notePurpose(e *entry.Entry) {
	if !im.o.Purpose.Limited() || im.o.Purpose.Permits(e.Category) {
		return
	}
	const most = 100 // categories that are named apart
	if im.categories == nil {
		im.categories = map[string]int{}
	}
	c := e.Category
	if _, known := im.categories[c]; !known && len(im.categories) >= most {
		return
	}
	im.categories[c]++
}

// noteUnreadable counts an entry whose plate the reader never reports.
func (im *rebuild) noteUnreadable(e *entry.Entry) {
	const named = 10
	if im.o.Readable == nil || e.Policy == entry.PolicyWildcard || im.o.Readable(e.Plate) {
		return
	}
	im.report.Unreadable++
	if len(im.report.UnreadablePlates) < named {
		im.report.UnreadablePlates = append(im.report.UnreadablePlates, e.Shown())
	}
}

func (im *rebuild) sortKey(e *entry.Entry, line int) []byte {
	k := append(im.key[:0], e.Plate...)
	match.FoldIndex(k)
	plate := im.keys.MAC(k)
	k = listfile.AppendIdentity(k[:0], e)
	identity := im.keys.MAC(k)
	k = append(append(k[:0], plate[:]...), identity[:]...)
	im.key = binary.BigEndian.AppendUint64(k, uint64(line))
	return im.key
}

// refuse counts an invalid line, or returns it unless the import is tolerant.
func (im *rebuild) refuse(bad *importer.LineError) error {
	if !im.o.Tolerant {
		return bad
	}
	im.report.List.Refused++
	if len(im.report.Refusals) < maxRefusals {
		im.report.Refusals = append(im.report.Refusals, bad)
	}
	if im.o.Refused != nil {
		im.o.Refused(bad)
	}
	return nil
}

func (im *rebuild) refusedTooMany() error {
	if refused := im.report.List.Refused; refused*100 > im.report.Lines {
		return &entry.Error{Op: "import", Path: im.o.Source,
			Err:    fmt.Errorf("%w: %d of %d lines are invalid, more than 1 %%", entry.ErrRefused, refused, im.report.Lines),
			Advice: "check that it is the right file with the right columns (-map); the list in use is unchanged"}
	}
	return nil
}

// build writes the sorted records to a list file, of duplicates the last one only, and
// counts the entries that are added and removed.
func (im *rebuild) build(ctx context.Context, from *listfile.Sorter, path string) error {
	b, err := listfile.NewBuilder(path, im.keys)
	if b != nil {
		defer b.Abandon()
	}
	if err != nil {
		return err
	}
	n := 0
	g := group{im: im, to: b}
	err = from.Merge(func(key, payload []byte) error {
		if n++; n%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			im.progress(Progress{Stage: StageBuilding, Done: min(n, im.sorted), Total: im.sorted})
		}
		return g.add(key, payload)
	})
	if err == nil {
		err = g.flush()
	}
	if err == nil {
		err = im.refusedTooMany()
	}
	if err != nil {
		return err
	}
	if b.Entries == 0 && !im.o.AllowEmpty {
		return &entry.Error{Op: "import", Path: im.o.Source, Err: fmt.Errorf("%w: the file has no entries", entry.ErrRefused),
			Advice: "to empty the list, add -allow-empty; the list in use is unchanged"}
	}
	l := &im.report.List
	l.Name, l.Version, l.Source, l.Signed = im.o.List, im.o.Version, filepath.Base(im.o.Source), im.signed
	l.Imported = time.Now().UTC().Truncate(time.Second)
	return b.Finish(*l)
}

// group is the run of sorted records of one entry: that of the previous version, if
// any, then the lines of the input in their order.
type group struct {
	im      *rebuild
	to      *listfile.Builder
	key     []byte // of the last record; empty: no record yet
	payload []byte
	before  bool
	lines   int
}

// Marks in the place of a payload: an entry of the previous version whose content does
// not matter, and one that is removed.
var (
	markBefore  = []byte{0xff, 0}
	markRemoved = []byte{0xff, 1}
)

func isMark(payload []byte) bool { return len(payload) > 0 && payload[0] == 0xff }

func (g *group) add(key, payload []byte) error {
	if len(g.key) == 0 || !bytes.Equal(key[:len(key)-lineSize], g.key[:len(g.key)-lineSize]) {
		if err := g.flush(); err != nil {
			return err
		}
		g.before, g.lines = false, 0
	}
	if binary.BigEndian.Uint64(key[len(key)-lineSize:]) == 0 {
		g.before = true
	} else if g.lines++; g.lines > 1 {
		g.im.report.List.Duplicates++
	}
	g.key = append(g.key[:0], key...)
	g.payload = append(g.payload[:0], payload...)
	return nil
}

// flush writes the entry to the list.
func (g *group) flush() error {
	if len(g.key) == 0 {
		return nil
	}
	r := &g.im.report
	if isMark(g.payload) {
		if g.before {
			r.Removed++
		}
		return nil
	}
	if !g.before {
		r.Added++
	}
	err := g.to.Put([listfile.MACSize]byte(g.key), binary.BigEndian.Uint32(g.key[listfile.MACSize:]), g.payload)
	reason := ""
	switch {
	case errors.Is(err, listfile.ErrShared):
		plate, _ := listfile.PayloadPlate(g.payload)
		reason = fmt.Sprintf("more than %d entries have a plate like %s, which is probably not a plate; exclude it with -skip", listfile.MaxSharing, plate)
	case errors.Is(err, listfile.ErrPatterns):
		reason = fmt.Sprintf("too many patterns; a list can have %d", listfile.MaxPatterns)
	default:
		return err
	}
	return g.im.refuse(&importer.LineError{File: g.im.o.Source, Line: int(binary.BigEndian.Uint64(g.key[len(g.key)-lineSize:])), Reason: reason})
}

// verify reads the written file, as a unit will that opens it.
func (im *rebuild) verify(ctx context.Context, path string) error {
	im.progress(Progress{Stage: StageChecking})
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = errors.Join(folder.GiveToOwner(im.dir, f), f.Close())
	if err != nil {
		return err
	}
	l, err := listfile.Open(ctx, path, im.hotlistKey, im.o.LockWait)
	if err != nil {
		return fmt.Errorf("verifying the written list: %w", err)
	}
	defer l.Release()
	im.report.List = l.List
	if err := l.Check(ctx); err != nil {
		return fmt.Errorf("verifying the written list: %w", err)
	}
	return nil
}

// progress reports at most ten times a second.
func (im *rebuild) progress(p Progress) {
	if im.o.Progress == nil {
		return
	}
	now := time.Now()
	if now.Before(im.nextLap) && p.Stage != StageChecking {
		return
	}
	im.nextLap = now.Add(100 * time.Millisecond)
	p.Bytes, p.Lines = im.input.n, im.report.Lines
	im.o.Progress(p)
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
