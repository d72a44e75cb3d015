package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"platewatch/cmd/platewatch/internal/hit"
	"platewatch/hotlist"
	"platewatch/hotlist/audit"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/match"
)

func runHotlistCheck(ctx context.Context, std stdio, args []string) error {
	f := newHotlistFlags("check")
	who := newCaseFlags(f)
	machine := f.Bool("machine", false, "a program asks, not a person: no reason is needed")
	synopsis := "[-db DIR] [-json] [-reason R -case N PLATE]\n\n" +
		"With a plate: which entries it matches, and how. The audit trail records who asked, why, and for which case.\n" +
		"Without a plate: whether the lists' files are intact.\n"
	if err := f.parse(std, synopsis, args, 1); err != nil {
		return err
	}
	if f.NArg() == 1 && entry.Normalize(f.Arg(0)) == "" {
		return usageError(fmt.Sprintf("%q has no letters A-Z or digits", f.Arg(0)), "name a plate, such as AB12CDE")
	}
	var by hotlist.Actor
	if f.NArg() == 1 {
		var err error
		if *machine {
			by, err = who.by(false)
		} else {
			by, err = who.withCase(std)
		}
		if err != nil {
			return err
		}
		if *machine && by.Reason == "" {
			by.Reason = "asked by a program"
		}
	}
	db, err := f.open()
	if err != nil {
		return err
	}
	defer db.Close()
	if f.NArg() == 0 {
		return checkFiles(ctx, std.out, db, *f.json)
	}
	return checkPlate(ctx, std.out, db, f.Arg(0), by, *f.json)
}

// plateCheck is what `hotlist check PLATE -json` prints.
type plateCheck struct {
	Plate   string        `json:"plate"`
	Matches []match.Match `json:"matches"`
	// Inactive are entries that would match at another time.
	Inactive []match.Match `json:"inactive,omitempty"`
	Lists    int           `json:"lists"`
	Entries  int           `json:"entries"`
}

func checkPlate(ctx context.Context, w io.Writer, db *hotlist.DB, text string, by hotlist.Actor, asJSON bool) error {
	now := time.Now()
	// A query with an unsynchronised clock also returns what has expired.
	all, errAll := db.Match(match.Query{Text: text, At: now})
	active, errActive := db.Match(match.Query{Text: text, At: now, ClockSynchronised: true})
	inactive := slices.DeleteFunc(all, func(m match.Match) bool {
		return slices.ContainsFunc(active, func(a match.Match) bool {
			m.TimeUnsure = a.TimeUnsure
			return a == m
		})
	})
	for i := range inactive {
		inactive[i].TimeUnsure = false
	}
	stats := db.Stats()
	c := plateCheck{Plate: entry.Normalize(text), Matches: active, Inactive: inactive, Lists: stats.Lists, Entries: stats.Entries}
	if c.Matches == nil {
		c.Matches = []match.Match{}
	}
	// Record who asked before giving the answer.
	err := recordLookup(ctx, db, c, by)
	if err != nil {
		return firstError(damaged(db), err) // without its key, neither the hotlist nor the trail can be read
	}
	if asJSON {
		err = printJSON(w, c)
	} else {
		_, err = io.WriteString(w, c.text(now))
	}
	return firstError(err, damaged(db), errAll, errActive)
}

// recordLookup records a look-up by hand.
func recordLookup(ctx context.Context, db *hotlist.DB, c plateCheck, by hotlist.Actor) error {
	trail, err := db.Trail()
	if err != nil {
		return err
	}
	return trail.Append(ctx, audit.Record{Kind: audit.Lookup, Operator: by.Operator, Reason: by.Reason, Case: by.Case,
		Plate: trail.Token(c.Plate), Matches: len(c.Matches)})
}

func (c *plateCheck) text(now time.Time) string {
	var b strings.Builder
	if len(c.Matches) == 0 {
		fmt.Fprintf(&b, "%s matches none of %d entries in %d lists\n", c.Plate, c.Entries, c.Lists)
	} else {
		fmt.Fprintf(&b, "%s matches %d of %d entries in %d lists, most urgent first:\n", c.Plate, len(c.Matches), c.Entries, c.Lists)
	}
	for _, m := range c.Matches {
		printMatch(&b, m, "")
	}
	for _, m := range c.Inactive {
		why := "has expired, does not match"
		if now.Before(m.Entry.Effective) {
			why = "is not effective yet, does not match"
		}
		printMatch(&b, m, why)
	}
	if len(c.Matches) > 0 {
		b.WriteString("A hit is a lead: compare plate and issuing state before acting.\n")
	}
	return b.String()
}

// printMatch prints a match and what a person should know about it. why says why
// the entry does not match now; it is empty if it does.
func printMatch(b *strings.Builder, found match.Match, why string) {
	m := hit.Match(found)
	fmt.Fprintf(b, "\n  %s\n", hit.Head(&m))
	if why != "" {
		fmt.Fprintf(b, "    %-10s %s\n", "but", why)
	}
	for _, f := range hit.Facts(&m) {
		fmt.Fprintf(b, "    %-10s %s\n", f.Label, f.Text)
	}
}

// listCheck is one list in what `hotlist check -json` prints.
type listCheck struct {
	List    string `json:"list"`
	Version string `json:"version,omitempty"`
	Entries int    `json:"entries"`
	Fine    bool   `json:"fine"`
	// Problem and Advice say what is wrong and what to do.
	Problem string `json:"problem,omitempty"`
	Advice  string `json:"advice,omitempty"`
}

func checkFiles(ctx context.Context, w io.Writer, db *hotlist.DB, asJSON bool) error {
	checks, err := checkLists(ctx, db)
	if err != nil {
		return err
	}
	bad := slices.IndexFunc(checks, func(c listCheck) bool { return !c.Fine })
	if asJSON {
		err = printJSON(w, checks)
	} else {
		for _, c := range checks {
			words := fmt.Sprintf("ok, version %s, %d entries", c.Version, c.Entries)
			if !c.Fine {
				words = c.Problem
			}
			_, err = fmt.Fprintf(w, "%s: %s\n", c.List, words)
		}
		if len(checks) == 0 {
			_, err = fmt.Fprintln(w, "ok: there are no lists")
		}
	}
	if bad >= 0 && err == nil {
		return &failure{code: exitFailed, err: fmt.Errorf("list %s: %s", checks[bad].List, checks[bad].Problem), hint: checks[bad].Advice}
	}
	return err
}

const importAgain = "import the list again; if it happens again, replace the storage"

// checkLists checks every list, and reports those whose files are gone.
func checkLists(ctx context.Context, db *hotlist.DB) ([]listCheck, error) {
	checks := []listCheck{}
	for _, d := range db.Damage() {
		checks = append(checks, listCheck{List: d.List, Problem: d.Reason, Advice: hint(d.Err)})
	}
	lists, err := db.Lists()
	if err != nil {
		return nil, err
	}
	for _, l := range lists {
		c := listCheck{List: l.Name, Version: l.Version, Entries: l.Entries, Fine: true}
		err := db.CheckList(ctx, l.Name)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			c.Fine, c.Problem, c.Advice = false, err.Error(), hint(err)
		case l.Fallback:
			c.Fine, c.Advice = false, importAgain
			c.Problem = fmt.Sprintf("the newest version was damaged; using the previous one, %s", l.Version)
		}
		checks = append(checks, c)
	}
	aside, err := db.SetAsideFiles()
	if err != nil {
		return nil, err
	}
	for _, a := range aside {
		if !slices.ContainsFunc(checks, func(c listCheck) bool { return c.List == a.List }) {
			checks = append(checks, listCheck{List: a.List, Advice: importAgain,
				Problem: "it was damaged, is kept as " + a.Path + " and was not imported since"})
		}
	}
	return checks, nil
}
