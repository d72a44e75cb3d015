package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/hotlist"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/signed"
)

// hotlistCommands lists what `platewatch hotlist` can do, in the order in
// which help prints it.
func hotlistCommands() []command {
	return []command{
		{"import", "[flags] -list NAME FILE|-", "make or replace a list from CSV, TSV or NCIC", runHotlistImport},
		{"list", "[flags] [-list NAME]", "the lists, or the entries of one", runHotlistList},
		{"check", "[flags] [PLATE]", "look a plate up; without one, check the files", runHotlistCheck},
		{"add", "-list NAME -reason R PLATE", "add an entry by hand", runHotlistAdd},
		{"remove", "-list NAME -reason R", "delete a list, or an entry of it", runHotlistRemove},
		{"stats", "[flags]", "what the lists hold and need", runHotlistStats},
		{"export", "[flags] -list NAME", "write a list as CSV or JSON", runHotlistExport},
		{"keygen", "NAME | -storage FILE", "make keys: to sign lists, or to encrypt them on disk", runHotlistKeygen},
		{"sign", "[flags] -list NAME FOLDER", "write a list as a signed version", runHotlistSign},
		{"verify", "-trust FILE FOLDER", "verify a signed version", runHotlistVerify},
		{"apply", "-trust FILE FOLDER", "install a signed version", runHotlistApply},
	}
}

// hotlistFlags are those that all commands have.
type hotlistFlags struct {
	*flag.FlagSet
	db         *string
	json       *bool
	config     *string
	storageKey *string
	trust      *[]string
}

func newHotlistFlags(name string) hotlistFlags {
	if !strings.HasPrefix(name, "audit ") {
		name = "hotlist " + name
	}
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	f := hotlistFlags{
		FlagSet:    fs,
		db:         fs.String("db", filepath.Join(config.DefaultStateDir, "hotlist"), "`directory` of the hotlist"),
		json:       fs.Bool("json", false, "print JSON"),
		config:     fs.String("config", "", "take directory, keys and levels from this configuration `file`"),
		storageKey: fs.String("storage-key", "", "`file` with the key that encrypts the lists on disk (default: the directory's own)"),
		trust:      new([]string),
	}
	fs.Func("trust", "`file` with the public key of a signer; may be repeated", func(path string) error {
		*f.trust = append(*f.trust, path)
		return nil
	})
	return f
}

// options returns how to open the hotlist: by the configuration, with the flags
// on top of it.
func (f hotlistFlags) options() (hotlist.Options, error) {
	var o hotlist.Options
	if *f.config != "" {
		c, err := loadConfig(*f.config)
		if err != nil {
			return o, err
		}
		if o, err = c.Hotlist.Options(); err != nil {
			return o, err
		}
		*f.db = c.Hotlist.Path
	}
	if *f.storageKey != "" {
		o.KeyFile = *f.storageKey
	}
	for _, path := range *f.trust {
		k, err := signed.LoadTrustedKey(path)
		if err != nil {
			return o, err
		}
		o.Trust = append(o.Trust, k)
	}
	return o, nil
}

// parse parses the flags. It refuses more than most arguments.
func (f hotlistFlags) parse(std stdio, synopsis string, args []string, most int) error {
	if err := parse(f.FlagSet, std, synopsis, args); err != nil {
		return err
	}
	usage, _, _ := strings.Cut("platewatch "+f.Name()+" "+synopsis, "\n")
	if f.NArg() > most {
		return usageError(fmt.Sprintf("%q is one argument too many", f.Arg(most)), usage)
	}
	if *f.db == "" {
		return usageError("-db is empty", "name the hotlist's directory")
	}
	return nil
}

// open opens the hotlist without changing it.
func (f hotlistFlags) open() (*hotlist.DB, error) {
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	db, err := hotlist.OpenReadOnly(*f.db, o)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &failure{code: exitMissing, err: fmt.Errorf("there is no hotlist in %s", *f.db),
			hint: "name its directory with -db, or make one with `platewatch hotlist import`"}
	}
	return db, err
}

// damaged returns the error that ends a command if lists could not be used, so
// that its answer is incomplete.
func damaged(db *hotlist.DB) error {
	d := db.Damage()
	if len(d) == 0 {
		return nil
	}
	return fmt.Errorf("one list could not be used: %w", d[0].Err)
}

// firstError returns the first error there is: a command ends with one line.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func runHotlistList(ctx context.Context, std stdio, args []string) error {
	f := newHotlistFlags("list")
	list := f.String("list", "", "print the entries of the list with this `name`")
	if err := f.parse(std, "[-db DIR] [-json] [-list NAME]", args, 0); err != nil {
		return err
	}
	db, err := f.open()
	if err != nil {
		return err
	}
	defer db.Close()
	if *list != "" {
		err = printEntries(ctx, std, db, *list, *f.json)
	} else {
		err = printLists(std, db, *f.json)
	}
	return firstError(err, damaged(db))
}

// printLists prints each list's state, by this machine's clock.
func printLists(std stdio, db *hotlist.DB, asJSON bool) error {
	lists, err := db.States(time.Now(), true)
	if err != nil {
		return err
	}
	if asJSON {
		if lists == nil {
			lists = []hotlist.ListState{}
		}
		return printJSON(std.out, lists)
	}
	if len(lists) == 0 {
		fmt.Fprintln(std.err, "no lists; `platewatch hotlist import` adds one")
		return nil
	}
	t := newTable(std.out, "LIST", "VERSION", "ENTRIES", "IMPORTED", "SOURCE", "")
	for _, l := range lists {
		imported := ""
		if !l.Imported.IsZero() {
			imported = l.Imported.Format(time.RFC3339)
		}
		t.row(l.Name, l.Version, fmt.Sprint(l.Entries), imported, l.Source, strings.Join(remarks(&l), "; "))
	}
	return t.flush()
}

// remarks describes what is wrong with a list.
func remarks(l *hotlist.ListState) []string {
	var words []string
	if l.Fallback {
		words = append(words, "the previous version: the newest is damaged")
	}
	if l.Accepted > 0 && !l.Missing {
		words = append(words, fmt.Sprintf("version %d was accepted: older files were put back", l.Accepted))
	}
	if l.Unrecorded {
		words = append(words, "the audit trail does not record its acceptance")
	}
	if l.Missing {
		words = append(words, "missing, although it was accepted before")
	}
	if l.Overdue {
		words = append(words, "overdue since "+date(l.Signed.Expires)+", still in use")
	}
	if l.Refused != nil {
		words = append(words, "refused: "+l.Refused.Reason)
	}
	return words
}

func printEntries(ctx context.Context, std stdio, db *hotlist.DB, list string, asJSON bool) error {
	enc := json.NewEncoder(std.out)
	enc.SetEscapeHTML(false)
	t := newTable(std.out, "PLATE", "STATE", "CATEGORY", "PRIORITY", "VEHICLE", "EFFECTIVE", "EXPIRES", "RECORD")
	for e, err := range db.Entries(ctx, list) {
		if err != nil {
			return firstError(t.flush(), err)
		}
		if asJSON {
			if err := enc.Encode(e); err != nil {
				return err
			}
			continue
		}
		t.row(e.Shown(), e.State, e.Category, fmt.Sprint(e.Priority), vehicle(e.Vehicle),
			date(e.Effective), date(e.Expires), e.Record)
		if t.err != nil {
			return t.err // nobody reads further: stop decrypting the rest
		}
	}
	if asJSON {
		return nil
	}
	return t.flush()
}

func runHotlistStats(ctx context.Context, std stdio, args []string) error {
	f := newHotlistFlags("stats")
	simulated := f.Bool("simulate", false, "simulate false alerts and hits for lists of several sizes, at their default levels")
	reads := f.Int("reads", 1_000_000, "with -simulate: `number` of reads of plates that are not listed, for each size")
	sizes := f.String("sizes", "100,1000,10000,100000,1000000", "with -simulate: `sizes` of the lists")
	seed := f.Uint64("seed", 1, "with -simulate: `number` that seeds the random numbers")
	picture := f.String("plot", "", "with -simulate: draw the curves into this SVG `file`")
	if err := f.parse(std, "[-db DIR] [-json] | -simulate [-sizes N,...] [-reads N] [-seed N] [-plot FILE]", args, 0); err != nil {
		return err
	}
	if *simulated {
		o, err := f.options()
		if err != nil {
			return err
		}
		return simulateLists(ctx, std, o, *reads, *seed, *sizes, *picture, *f.json)
	}
	db, err := f.open()
	if err != nil {
		return err
	}
	defer db.Close()
	s := db.Stats()
	if *f.json {
		return firstError(printJSON(std.out, s), damaged(db))
	}
	t := newTable(std.out, "", "")
	t.row("lists", fmt.Sprint(s.Lists))
	t.row("entries", fmt.Sprint(s.Entries))
	t.row("on disk", megabytes(s.Bytes))
	lists, err := db.Lists()
	if err != nil {
		return err
	}
	for _, l := range lists {
		for _, name := range slices.Sorted(maps.Keys(l.Categories)) {
			t.row(l.Name+", "+name, fmt.Sprint(l.Categories[name]))
		}
	}
	if s.Fallback > 0 {
		t.row("using the previous version", fmt.Sprint(s.Fallback))
	}
	if s.Damaged > 0 {
		t.row("damaged", fmt.Sprint(s.Damaged))
	}
	return firstError(t.flush(), damaged(db))
}

// table prints aligned columns to a terminal, and tab-separated ones elsewhere.
type table struct {
	w       io.Writer
	aligned *tabwriter.Writer
	rows    int
	err     error
}

// flushRows bounds the memory of an aligned table: columns are aligned over this
// many rows.
const flushRows = 500

func newTable(w io.Writer, header ...string) *table {
	t := &table{w: w}
	if isTerminal(w) {
		t.aligned = tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		t.w = t.aligned
	}
	if strings.Join(header, "") != "" {
		t.row(header...)
	}
	return t
}

// row adds a row. The first error is kept for flush; nothing is written after it.
func (t *table) row(cells ...string) {
	if t.err != nil {
		return
	}
	if _, t.err = fmt.Fprintln(t.w, strings.Join(cells, "\t")); t.err != nil {
		return
	}
	if t.rows++; t.rows%flushRows == 0 {
		t.err = t.flush()
	}
}

// flush ends the table and returns the first error of all rows.
func (t *table) flush() error {
	if t.err != nil || t.aligned == nil {
		return t.err
	}
	return t.aligned.Flush()
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printLine prints one object a line.
func printLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// vehicle joins the known facts of a vehicle in the usual order.
func vehicle(v entry.Vehicle) string {
	var words []string
	if v.Year != 0 {
		words = append(words, fmt.Sprint(v.Year))
	}
	for _, s := range []string{v.Colour, v.Make, v.Model, v.Style} {
		if s != "" {
			words = append(words, s)
		}
	}
	return strings.Join(words, " ")
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
