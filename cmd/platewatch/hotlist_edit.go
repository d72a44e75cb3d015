package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"

	"golang.org/x/term"

	"platewatch/hotlist"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/importer"
)

// byFlags name who acts, and why, for the audit trail.
type byFlags struct{ operator, reason, caseNumber *string }

func newByFlags(f hotlistFlags) byFlags {
	return byFlags{
		operator: f.String("operator", "", "`name` of who does this (default: the user who is logged in)"),
		reason:   f.String("reason", "", "why: a case number, or a `sentence`"),
	}
}

// newCaseFlags are newByFlags with a case number, for look-ups and exports.
func newCaseFlags(f hotlistFlags) byFlags {
	b := newByFlags(f)
	b.caseNumber = f.String("case", "", "`number` of the case or incident")
	return b
}

// withCase returns the actor with a reason and a case number. A person at a terminal
// is asked for what is missing.
func (b byFlags) withCase(std stdio) (hotlist.Actor, error) {
	if err := askFor(std, b.reason, "reason"); err != nil {
		return hotlist.Actor{}, err
	}
	if err := askFor(std, b.caseNumber, "case number"); err != nil {
		return hotlist.Actor{}, err
	}
	by, err := b.by(true)
	if by.Case = strings.TrimSpace(*b.caseNumber); err == nil && by.Case == "" {
		err = usageError("-case is missing", "give the number of the case or incident: it goes into the audit trail")
	}
	return by, err
}

// askFor asks a person at a terminal for a value that is missing.
func askFor(std stdio, value *string, what string) error {
	in, ok := std.in.(*os.File)
	if *value != "" || !ok || !term.IsTerminal(int(in.Fd())) {
		return nil
	}
	fmt.Fprintf(std.err, "%s: ", what)
	line, err := bufio.NewReader(in).ReadString('\n')
	*value = strings.TrimSpace(line)
	return err
}

// by returns the actor. It demands a reason if needed.
func (b byFlags) by(needed bool) (hotlist.Actor, error) {
	by := hotlist.Actor{Operator: strings.TrimSpace(*b.operator), Reason: strings.TrimSpace(*b.reason)}
	if by.Operator == "" {
		by.Operator = login()
	}
	if needed && by.Reason == "" {
		return by, usageError("-reason is missing", "say why, as a case number or a sentence: it goes into the audit trail")
	}
	return by, nil
}

// login is the name of the person behind sudo, or of the user.
func login() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

// openToChange opens the hotlist to change it.
func (f hotlistFlags) openToChange() (*hotlist.DB, error) {
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	return hotlist.Open(*f.db, o)
}

func runHotlistAdd(ctx context.Context, std stdio, args []string) error {
	f := newHotlistFlags("add")
	list := f.String("list", "", "`name` of the list, which is made if it does not exist")
	who := newByFlags(f)
	columns := map[string]string{}
	f.Func("set", "`field=value`, for any other field of an import; may be repeated", func(s string) error {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("%q is not field=value", s)
		}
		columns[name] = value
		return nil
	})
	for _, name := range []string{"state", "category", "expires", "handling"} {
		f.Func(name, "the entry's `"+name+"`", func(s string) error { columns[name] = s; return nil })
	}
	if err := f.parse(std, "[-db DIR] -list NAME -reason R [-operator O] [-state S] [-category C] [-set FIELD=VALUE] PLATE\n\n"+
		"Adds an entry by hand, or replaces the one with the same plate, state, type, category and record.\n"+
		"fields for -set: "+strings.Join(importer.Fields(), ", ")+"\n", args, 1); err != nil {
		return err
	}
	switch {
	case *list == "":
		return usageError("-list is missing", "name the list")
	case f.NArg() == 0:
		return usageError("PLATE is missing", "name the plate, or a pattern such as AB?12*")
	}
	for name := range columns {
		if !slices.Contains(importer.Fields(), name) {
			return usageError(fmt.Sprintf("there is no field %q", name), "there are "+strings.Join(importer.Fields(), ", "))
		}
	}
	by, err := who.by(true)
	if err != nil {
		return err
	}
	columns["plate"] = f.Arg(0)
	db, err := f.openToChange()
	if err != nil {
		return err
	}
	defer db.Close()
	r, err := db.Add(ctx, *list, columns, by)
	return printEdit(std, f, r, err)
}

func printEdit(std stdio, f hotlistFlags, r hotlist.EditReport, err error) error {
	if errors.Is(err, entry.ErrOptions) {
		return &failure{code: exitUsage, err: err, hint: hint(err)}
	}
	if err != nil {
		return err
	}
	if *f.json {
		return printJSON(std.out, r)
	}
	_, err = fmt.Fprintf(std.out, "list %s: %d added, %d removed, %d entries\n", r.List.Name, r.Added, r.Removed, r.List.Entries)
	return err
}

func runHotlistRemove(ctx context.Context, std stdio, args []string) error {
	f := newHotlistFlags("remove")
	list := f.String("list", "", "`name` of the list")
	plate := f.String("plate", "", "remove the entries with this `plate`, and not the list")
	who := newByFlags(f)
	if err := f.parse(std, "[-db DIR] -list NAME [-plate PLATE] -reason R [-operator O]", args, 0); err != nil {
		return err
	}
	if *list == "" {
		return usageError("-list is missing", "name the list to delete")
	}
	by, err := who.by(true)
	if err != nil {
		return err
	}
	if _, err := os.Stat(*f.db); err != nil && *f.config == "" { // Open would make it
		_, err := f.open()
		return err
	}
	db, err := f.openToChange()
	if err != nil {
		return err
	}
	defer db.Close()
	if *plate != "" {
		r, err := db.RemovePlate(ctx, *list, *plate, by)
		return printEdit(std, f, r, err)
	}
	if err := db.Remove(ctx, *list, by); err != nil {
		return err
	}
	if *f.json {
		return printJSON(std.out, map[string]string{"removed": *list})
	}
	_, err = fmt.Fprintf(std.out, "removed list %s\n", *list)
	return err
}
