package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"platewatch/cmd/platewatch/internal/importbar"
	"platewatch/hotlist"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/importer"
	"platewatch/ocr"
)

const importSynopsis = `[flags] -list NAME FILE|-

FILE is text with a header: columns separated by commas, semicolons or tabs,
quoted where needed, in UTF-8, UTF-16 or (with -encoding) Windows-1252; or the
fixed-width NCIC vehicle extract, which needs no header.
Columns are recognised by their names; -map names others. The file replaces the
whole list, or the list stays as it was. A running daemon loads the new list.
A file that looks odd is asked about: a header or total line in the middle, TEST
or the same plate everywhere, a list that shrinks by more than a third. Without a
terminal, such as in a cron job, it is refused unless -yes is there.

fields for -map: `

// choices names the values of a flag.
func choices[S ~string](values []S) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}

func runHotlistImport(ctx context.Context, std stdio, args []string) error {
	f := newHotlistFlags("import")
	columns := columnFlag{}
	var (
		o        hotlist.ImportOptions
		format   = f.String("format", string(importer.Auto), "`layout` of FILE: "+choices(importer.Formats()))
		encoding = f.String("encoding", string(importer.AutoEncoding), "`encoding` of FILE: "+choices(importer.Encodings))
		dates    = f.String("dates", "", "how 03/04/2026 is meant: `dmy` or mdy")
		skip     = f.String("skip", "", "further `words` that stand for no plate, separated by commas; NONE, 000 and similar ones are known")
	)
	states := f.String("states", "", "keep only entries of these `states`, separated by commas")
	f.StringVar(&o.List, "list", "", "`name` of the list")
	f.StringVar(&o.Version, "version", "", "`version` of the list (default: the time)")
	f.StringVar(&o.Category, "category", entry.Other, "`category` of lines without one")
	f.BoolVar(&o.Tolerant, "tolerant", false, "skip bad lines and report them; more than 1 % of them still fails the import")
	f.BoolVar(&o.AllowEmpty, "allow-empty", false, "allow a file without entries to empty the list")
	yes := f.Bool("yes", false, "install the list even if its file looks odd, without asking")
	who := newByFlags(f)
	f.BoolVar(&o.ReplaceSigned, "replace-signed", false, "allow the file to replace a list that was installed from a signed version")
	f.Var(columns, "map", "`column=field,...`: what columns mean; an empty field leaves one out")
	synopsis := importSynopsis + strings.Join(importer.Fields(), ", ") + "\n"
	if err := f.parse(std, synopsis, args, 1); err != nil {
		return err
	}
	if o.List == "" {
		return usageError("-list is missing", "name the list that the file becomes")
	}
	if f.NArg() == 0 {
		return usageError("FILE is missing", "name the file to import, or - for standard input")
	}
	o.Format, o.Encoding, o.Dates, o.Columns = importer.Format(*format), importer.Encoding(*encoding), importer.DateOrder(*dates), columns
	o.Skip = hotlist.DefaultSkip
	if *states != "" {
		o.States = strings.Split(*states, ",")
	}
	if *skip != "" {
		o.Skip = append(append([]string{}, o.Skip...), strings.Split(*skip, ",")...)
	}
	open, err := f.options()
	if err != nil {
		return err
	}
	o.KeyFile, o.Purpose = open.KeyFile, open.Purpose
	reading := ocr.DefaultParams()
	if *f.config != "" {
		c, err := loadConfig(*f.config)
		if err != nil {
			return err
		}
		reading = c.OCR
	}
	if o.By, err = who.by(false); err != nil {
		return err
	}
	in, size, err := openInput(ctx, std, f.Arg(0), &o)
	if err != nil {
		return err
	}
	defer in.Close()

	bar := importbar.New(std.err, isTerminal(std.err), size)
	o.Progress, o.Readable = bar.Show, reading.Readable
	advised := false
	o.Refused = func(e *importer.LineError) {
		bar.Clear()
		fmt.Fprintf(std.err, "refused: %v\n", e)
		if e.Advice != "" && !advised {
			advised = true // once for all lines
			fmt.Fprintf(std.err, "refused: to have such lines too, %s\n", e.Advice)
		}
	}
	o.Confirm = func(doubts []importer.Doubt) error {
		bar.Clear()
		return confirmImport(ctx, std, doubts, *yes)
	}
	report, err := hotlist.Import(ctx, *f.db, in, o)
	bar.Clear()
	if errors.Is(err, entry.ErrOptions) {
		return &failure{code: exitUsage, err: err, hint: hint(err)}
	}
	if err != nil {
		return err
	}
	if *f.json {
		return printJSON(std.out, report)
	}
	return printImport(std.out, &report)
}

// confirmImport names what is odd about a list, and asks whether it is wanted: only a
// person at a terminal can say so, or -yes.
func confirmImport(ctx context.Context, std stdio, doubts []importer.Doubt, yes bool) error {
	for _, d := range doubts {
		fmt.Fprintf(std.err, "odd: %v\n", d)
	}
	if yes {
		return nil
	}
	if in, ok := std.in.(*os.File); ok && term.IsTerminal(int(in.Fd())) {
		fmt.Fprint(std.err, "install this list? [y/N] ")
		answer, err := bufio.NewReader(&interruptible{ctx, in}).ReadString('\n')
		if err == nil && strings.EqualFold(strings.TrimSpace(answer), "y") {
			return nil
		}
	}
	return errors.New("the file looks odd, and nobody confirmed it")
}

// hint returns an error's advice.
func hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// openInput opens the file to import; - is standard input. The size is -1 if
// it is not known.
func openInput(ctx context.Context, std stdio, path string, o *hotlist.ImportOptions) (in io.ReadCloser, size int64, err error) {
	if path == "-" {
		o.Source = "standard input"
		return io.NopCloser(&interruptible{ctx, std.in}), -1, nil
	}
	o.Source = path
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = &failure{code: exitFailed, err: fmt.Errorf("%s is a directory", path), hint: "name the file to import"}
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return f, -1, nil
	}
	return f, info.Size(), nil
}

// interruptible ends a read with ctx even if its source, such as standard input,
// cannot be closed during a read. The abandoned read ends with the program.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	type result struct {
		b   []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		b := make([]byte, len(p)) // not into p, which the caller reuses if ctx ends first
		n, err := i.r.Read(b)
		done <- result{b[:n], err}
	}()
	select {
	case <-i.ctx.Done():
		return 0, i.ctx.Err()
	case r := <-done:
		return copy(p, r.b), r.err
	}
}

func printImport(w io.Writer, r *hotlist.ImportReport) error {
	var b strings.Builder
	l := &r.List
	fmt.Fprintf(&b, "list %s, version %s: %d entries, %s, in %s\n", l.Name, l.Version, l.Entries, megabytes(l.Bytes),
		r.Elapsed.Round(10*time.Millisecond))
	if r.Previous.Name != "" {
		fmt.Fprintf(&b, "  before: version %s, %d entries\n", r.Previous.Version, r.Previous.Entries)
		fmt.Fprintf(&b, "  %d entries are new, %d are gone\n", r.Added, r.Removed)
	}
	fmt.Fprintf(&b, "  %d lines: %d duplicates, %d skipped (no plate, or another state), %d refused\n", r.Lines, l.Duplicates, l.Skipped, l.Refused)
	if len(r.Extra) > 0 {
		fmt.Fprintf(&b, "  columns ignored, because no field is for them: %s\n", strings.Join(r.Extra, ", "))
	}
	if r.Unreadable > 0 {
		fmt.Fprintf(&b, "  %d lines have plates that no camera finds, because they are shorter than ocr.min_characters, longer than the reader reads, or rows of strokes: %s\n", r.Unreadable, strings.Join(r.UnreadablePlates, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// columnFlag collects column=field pairs.
type columnFlag map[string]string

func (c columnFlag) String() string { return "" }

// Set implements [flag.Value].
func (c columnFlag) Set(s string) error {
	for pair := range strings.SplitSeq(s, ",") {
		column, field, ok := strings.Cut(pair, "=")
		column, field = strings.TrimSpace(column), strings.TrimSpace(field)
		if !ok || column == "" {
			return fmt.Errorf("%q is not column=field", pair)
		}
		if _, twice := c[column]; twice {
			return fmt.Errorf("column %q is named twice", column)
		}
		c[column] = field
	}
	return nil
}
