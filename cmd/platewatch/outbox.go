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

// runOutbox shows an outbox file without changing it.
func runOutbox(_ context.Context, std stdio, args []string) error {
	const what = "missing subcommand: stats or list"
	const hint = "write `platewatch outbox stats -db FILE` or `platewatch outbox list -db FILE`"
	if len(args) == 0 {
		return usageError(what, hint)
	}
	sub := args[0]
	switch sub {
	case "stats", "list":
	case "-h", "-help", "--help":
		fmt.Fprintln(std.out, "usage: platewatch outbox stats|list -db FILE [-json]\n"+
			"stats prints how many hits wait for the server; list prints one line per hit.\n"+
			"The daemon must be stopped meanwhile.")
		return flag.ErrHelp
	default:
		return usageError(fmt.Sprintf("unknown subcommand %q", sub), hint)
	}
	fs := flag.NewFlagSet("outbox "+sub, flag.ContinueOnError)
	db := fs.String("db", "", "the outbox `file`")
	asJSON := fs.Bool("json", false, "print JSON")
	if err := parse(fs, std, "-db FILE [-json]", args[1:]); err != nil {
		return err
	}
	switch {
	case *db == "":
		return usageError("-db is missing", "add -db FILE")
	case fs.NArg() > 0:
		return usageError(fmt.Sprintf("unexpected argument %q", fs.Arg(0)), hint)
	}
	in, err := outbox.Inspect(*db)
	if err != nil {
		return err
	}
	if sub == "list" {
		return listOutbox(std, in, *asJSON)
	}
	if *asJSON {
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
