package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/oversight"
	"platewatch/hotlist/audit"
)

// auditCommands lists what `platewatch audit` can do.
func auditCommands() []command {
	return []command{
		{"show", "[flags]", "print the records of the audit trail", runAuditShow},
		{"counts", "[-from DAY] [-to DAY] [-csv]", "each day's numbers for the yearly report, without plates", runAuditCounts},
		{"retention", "[-config FILE]", "read all files: is a hit older than it may be?", runAuditRetention},
		{"verify", "[flags]", "verify that no record was changed or removed", runAuditVerify},
	}
}

// openTrail opens the trail of the hotlist that the flags name.
func (f hotlistFlags) openTrail() (*audit.Trail, error) {
	db, err := f.open()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return db.Trail()
}

func runAuditShow(_ context.Context, std stdio, args []string) error {
	f := newHotlistFlags("audit show")
	var filter audit.Filter
	kinds := f.String("kind", "", "only these `kinds`, separated by commas: "+kindNames())
	asCSV := f.Bool("csv", false, "print CSV")
	since := f.String("since", "", "only from this `date` on")
	until := f.String("until", "", "only before this `date`")
	f.StringVar(&filter.List, "list", "", "only of the list with this `name`")
	f.StringVar(&filter.Operator, "operator", "", "only what this `person` did")
	f.StringVar(&filter.Plate, "plate", "", "only about this `plate`, which the trail itself does not show")
	if err := f.parse(std, "[-db DIR] [-csv|-json] [-kind K,...] [-list NAME] [-operator NAME] [-plate PLATE] [-since DATE] [-until DATE]", args, 0); err != nil {
		return err
	}
	if *kinds != "" {
		for word := range strings.SplitSeq(*kinds, ",") {
			k := audit.Kind(strings.TrimSpace(word))
			if !slices.Contains(audit.Kinds, k) {
				return usageError(fmt.Sprintf("there is no kind %q", k), "there are "+kindNames())
			}
			filter.Kinds = append(filter.Kinds, k)
		}
	}
	var err error
	if filter.Since, err = dateFlag("-since", *since); err != nil {
		return err
	}
	if filter.Until, err = dateFlag("-until", *until); err != nil {
		return err
	}
	trail, err := f.openTrail()
	if err != nil {
		return err
	}
	return showRecords(std.out, trail, filter, *asCSV, *f.json)
}

func kindNames() string {
	var names []string
	for _, k := range audit.Kinds {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

func dateFlag(name, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError(fmt.Sprintf("%s %q is not a date", name, s), "write 2026-12-31 or 2026-12-31T15:04:05Z")
}

// rowWriter writes rows as CSV, or as an aligned table.
func rowWriter(w io.Writer, asCSV bool, header ...string) (row func(...string) error, flush func() error) {
	if asCSV {
		c := csv.NewWriter(w)
		_ = c.Write(header) // an error comes again with Flush
		return func(cells ...string) error { return c.Write(cells) }, func() error { c.Flush(); return c.Error() }
	}
	for i := range header {
		header[i] = strings.ToUpper(header[i])
	}
	t := newTable(w, header...)
	return func(cells ...string) error { t.row(cells...); return t.err }, t.flush
}

func showRecords(w io.Writer, trail *audit.Trail, filter audit.Filter, asCSV, asJSON bool) error {
	if asJSON {
		return trail.Records(filter, func(r audit.Record) error { return printLine(w, r) })
	}
	row, flush := rowWriter(w, asCSV, slices.Clone(oversight.RecordHeader)...)
	err := trail.Records(filter, func(r audit.Record) error { return row(oversight.RecordCells(&r)...) })
	return firstError(err, flush())
}

// runAuditCounts prints the numbers that yearly reports ask for, without plates.
func runAuditCounts(_ context.Context, std stdio, args []string) error {
	f := newHotlistFlags("audit counts")
	from := f.String("from", "", "first `day`, as 2026-01-01 (UTC)")
	to := f.String("to", "", "last `day`, included")
	asCSV := f.Bool("csv", false, "print CSV")
	if err := f.parse(std, "[-db DIR] [-from DAY] [-to DAY] [-csv|-json]\n\n"+
		"Prints the numbers of each day that yearly reports ask for, without plates: reads,\n"+
		"passages, hits by list, category and how they matched, corrections and withdrawals,\n"+
		"entries added and removed, look-ups and exports by reason.\n", args, 0); err != nil {
		return err
	}
	for name, day := range map[string]string{"-from": *from, "-to": *to} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return usageError(fmt.Sprintf("%s %q is not a day", name, day), "write 2026-12-31")
		}
	}
	trail, err := f.openTrail()
	if err != nil {
		return err
	}
	days, err := trail.Days(*from, *to)
	if err != nil {
		return err
	}
	if *f.json {
		for _, d := range days {
			if err := printLine(std.out, d); err != nil {
				return err
			}
		}
		return nil
	}
	row, flush := rowWriter(std.out, *asCSV, slices.Clone(oversight.CountsHeader)...)
	return firstError(oversight.Counts(days, row), flush())
}

func runAuditRetention(_ context.Context, std stdio, args []string) error {
	fs := flag.NewFlagSet("audit retention", flag.ContinueOnError)
	file := fs.String("config", config.DefaultFile, "configuration `file`")
	asJSON := fs.Bool("json", false, "print JSON")
	if err := parse(fs, std, "[-config FILE] [-json]\n\nLooks at all bytes of the files in the state folder for hits and pictures that are\n"+
		"older than uplink.retention allows: in use, deleted and not overwritten, or in copies.\nThe exit code is 1 if there are any. The daemon may run.\n", args); err != nil {
		return err
	}
	c, err := config.Load(*file, serviceEnvironment)
	if err != nil {
		return err
	}
	trail, err := audit.Read(c.Hotlist.Path, c.Hotlist.KeyFile)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	r, err := oversight.Retention(c, trail, time.Now())
	if err != nil {
		return err
	}
	if *asJSON {
		err = printJSON(std.out, r)
	} else {
		err = r.Write(std.out)
	}
	if err == nil && !r.Kept {
		err = &failure{code: exitFailed, err: errors.New("something is older than allowed"), hint: "start the unit: it deletes it; copies have to be deleted by hand"}
	}
	return err
}

func runAuditVerify(_ context.Context, std stdio, args []string) error {
	f := newHotlistFlags("audit verify")
	var known []audit.Link
	f.Func("known", "`NUMBER:HASH` of a record, from a health message or an earlier verify, that the trail must still hold; may be repeated", func(s string) error {
		number, hash, ok := strings.Cut(s, ":")
		n, err := strconv.ParseUint(number, 10, 64)
		if !ok || err != nil || hash == "" {
			return errors.New("write NUMBER:HASH")
		}
		known = append(known, audit.Link{Seq: n, Hash: hash})
		return nil
	})
	if err := f.parse(std, "[-db DIR] [-known NUMBER:HASH] [-json]\n\nVerifies that no record of the audit trail was changed, moved, inserted or removed.\n\nWhat it cannot see: that somebody put an older state of everything back together, while\nthe unit was off: lists, trust files and trail. Whoever keeps a copy elsewhere sees it:\n`platewatch watch` reports a trail or a list that went back while it runs, and -known\ncompares with the number and hash in a health message.\n", args, 0); err != nil {
		return err
	}
	trail, err := f.openTrail()
	if err != nil {
		return err
	}
	r, err := trail.Verify(known...)
	if err != nil {
		return err
	}
	if *f.json {
		return printJSON(std.out, r)
	}
	if r.Records == 0 {
		_, err = fmt.Fprintln(std.out, "ok: nothing was recorded yet")
		return err
	}
	compared := "not compared with a copy kept elsewhere: an older state of all files, put back together, would pass; compare with -known, see platewatch help audit verify"
	if r.Compared > 0 {
		compared = fmt.Sprintf("and it holds what the copies kept elsewhere say: %d", r.Compared)
	}
	_, err = fmt.Fprintf(std.out, "ok: records %d to %d are an unbroken chain; the last is %d:%s\n%s\n", r.First, r.Last, r.Last, r.Head, compared)
	return err
}
