package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"

	"platewatch/hotlist"
	"platewatch/hotlist/audit"
	"platewatch/hotlist/importer"
)

func runHotlistExport(ctx context.Context, std stdio, args []string) error {
	f := newHotlistFlags("export")
	list := f.String("list", "", "`name` of the list")
	who := newCaseFlags(f)
	out := f.String("o", "", "write to this new `file` instead of standard output")
	if err := f.parse(std, "[-db DIR] [-json] -list NAME -reason R -case N [-o FILE]\n\n"+
		"Writes a list as CSV that import reads back, or with -json one entry a line.\n"+
		"The output is not encrypted. The audit trail records who took it, why, and for which case.\n", args, 0); err != nil {
		return err
	}
	if *list == "" {
		return usageError("-list is missing", "name the list to export")
	}
	db, err := f.open()
	if err != nil {
		return err
	}
	defer db.Close()
	by, err := who.withCase(std)
	if err != nil {
		return err
	}
	trail, err := db.Trail()
	if err != nil {
		return firstError(damaged(db), err)
	}
	if err := trail.Append(ctx, audit.Record{Kind: audit.Export, Operator: by.Operator, Reason: by.Reason, Case: by.Case, List: *list}); err != nil {
		return err
	}
	w := std.out
	if *out != "" {
		file, err := os.OpenFile(*out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return existing(err, *out)
		}
		defer file.Close()
		w = file
	}
	if *f.json {
		err = exportJSON(ctx, w, db, *list)
	} else {
		err = exportCSV(ctx, w, db, *list)
	}
	return firstError(err, damaged(db))
}

func exportJSON(ctx context.Context, w io.Writer, db *hotlist.DB, list string) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for e, err := range db.Entries(ctx, list) {
		if err != nil {
			return err
		}
		if err := enc.Encode(e); err != nil {
			return err
		}
	}
	return nil
}

// exportCSV writes the fields of an import, in its order.
func exportCSV(ctx context.Context, w io.Writer, db *hotlist.DB, list string) error {
	c := csv.NewWriter(w)
	err := c.Write(importer.Fields())
	for e, failed := range db.Entries(ctx, list) {
		if err = errors.Join(err, failed); err != nil {
			break
		}
		err = c.Write(importer.Row(&e))
	}
	c.Flush()
	return errors.Join(err, c.Error())
}
