package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"text/tabwriter"
	"time"

	"platewatch/uplink/outbox"
)

// outboxCommands lists what `platewatch outbox` can do.
func outboxCommands() []command {
	return []command{
		{"stats", "-db FILE [-json]", "how many hits wait for the server", runOutboxStats},
		{"list", "-db FILE [-json]", "the hits that wait, one a line", runOutboxList},
	}
}

// openOutbox reads the outbox file that the flags name, without changing it.
func openOutbox(std stdio, name string, args []string) (in *outbox.Inspection, asJSON bool, err error) {
	fs := flag.NewFlagSet("outbox "+name, flag.ContinueOnError)
	db := fs.String("db", "", "the outbox `file`")
	fs.BoolVar(&asJSON, "json", false, "print JSON")
	if err := parse(fs, std, "-db FILE [-json]", args); err != nil {
		return nil, false, err
	}
	switch {
	case *db == "":
		return nil, false, usageError("-db is missing", "add -db FILE")
	case fs.NArg() > 0:
		return nil, false, usageError(fmt.Sprintf("unexpected argument %q", fs.Arg(0)), "name the outbox file with -db FILE")
	}
	in, err = outbox.Inspect(*db)
	return in, asJSON, err
}

func runOutboxList(_ context.Context, std stdio, args []string) error {
	in, asJSON, err := openOutbox(std, "list", args)
	if err != nil {
		return err
	}
	return listOutbox(std, in, asJSON)
}

func runOutboxStats(_ context.Context, std stdio, args []string) error {
	in, asJSON, err := openOutbox(std, "stats", args)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(std.out).Encode(in)
	}
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "unit\t%s\n", in.Unit)
	fmt.Fprintf(w, "hits waiting\t%d\n", in.Entries)
	fmt.Fprintf(w, "bytes waiting\t%d\n", in.Bytes)
	fmt.Fprintf(w, "file size\t%d\n", in.FileBytes)
	fmt.Fprintf(w, "in quarantine\t%d\n", in.Quarantined)
	fmt.Fprintf(w, "last number given out\t%d\n", in.LastNumber)
	if !in.Oldest.IsZero() {
		fmt.Fprintf(w, "oldest accepted\t%s\n", in.Oldest.UTC().Format(time.RFC3339))
	}
	return w.Flush()
}

func listOutbox(std stdio, in *outbox.Inspection, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(std.out)
		for _, p := range in.Pending {
			if err := enc.Encode(p); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tREVISION\tURGENCY\tACCEPTED\tBYTES\tPICTURES")
	for _, p := range in.Pending {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%d\t%t\n", p.ID, p.Revision, p.Urgency,
			p.Accepted.UTC().Format(time.RFC3339), p.Bytes, p.Pictures)
	}
	return w.Flush()
}
