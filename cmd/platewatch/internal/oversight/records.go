package oversight

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"platewatch/hotlist/audit"
)

// RecordHeader names the columns of [RecordCells].
var RecordHeader = []string{"number", "at", "kind", "operator", "reason", "case", "list", "version", "signer", "entries", "added", "removed", "what"}

// RecordCells are the cells of a record of the audit trail.
func RecordCells(r *audit.Record) []string {
	return []string{strconv.FormatUint(r.Seq, 10), r.At.Format(time.RFC3339), string(r.Kind), r.Operator, r.Reason, r.Case, r.List, r.Version, r.Signer,
		number(r.Entries), number(r.Added), number(r.Removed), words(r)}
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// words describes what is specific to a record's kind.
func words(r *audit.Record) string {
	switch r.Kind {
	case audit.Refuse:
		if r.Times > 1 {
			return fmt.Sprintf("%d times; the last: %s", r.Times, r.Refused)
		}
		return r.Refused
	case audit.Gap:
		return r.Reason
	case audit.Delete:
		return fmt.Sprintf("%d hits: %s", r.Removed, r.Reason)
	case audit.Lookup:
		return fmt.Sprintf("%d matches", r.Matches)
	case audit.Hit:
		return strings.TrimSpace(fmt.Sprintf("%s %s %s %s", r.Hit, r.Category, r.How, r.Record))
	case audit.Verdict:
		was := ""
		if r.Before != "" {
			was = " instead of " + r.Before
		}
		return fmt.Sprintf("%s %s: %s%s", r.Hit, r.How, r.Verdict, was)
	case audit.View:
		if r.Since.IsZero() {
			return fmt.Sprintf("%s from %s, begun", r.Viewed, r.Source)
		}
		return fmt.Sprintf("%s from %s, since %s", r.Viewed, r.Source, r.Since.Format(time.RFC3339))
	case audit.Counts:
		if r.Counts != nil {
			return fmt.Sprintf("%s: %d reads, %d passages, %d hits", r.Counts.Day, r.Counts.Reads, r.Counts.Passages, r.Counts.Hits.Sum())
		}
	}
	return strings.TrimSpace(r.Source + " " + r.Category + " " + r.Record)
}
