// Package cli makes help, completion scripts and manual pages from one table of
// commands, parses flags in any place, and suggests what a mistyped word was.
package cli

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// Program is the name that every usage line begins with.
const Program = "platewatch"

// Command is a command as it describes itself: see [Describer].
type Command struct {
	Name     string // all words after the program's name: "hotlist import"
	Args     string // what follows it, short, for a table of commands
	Summary  string // one line
	Synopsis string // after the name in the usage line; further lines explain it
	Flags    []*flag.Flag
	Examples []Example
	Sub      []Command
}

// Example is a command line that works, and what it does.
type Example struct{ Line, Does string }

// Describer is an output to which a command describes itself, instead of printing
// its help: parsing -h with it fills in flags and synopsis.
type Describer struct {
	io.Writer
	Flags    []*flag.Flag
	Synopsis string
}

// Describe notes the flags of a command.
func (d *Describer) Describe(fs *flag.FlagSet, synopsis string) {
	d.Synopsis = synopsis
	fs.VisitAll(func(f *flag.Flag) { d.Flags = append(d.Flags, f) })
}

// Parse parses flags and arguments in any order; after -- there are only arguments.
// fs.Args are then the arguments.
func Parse(fs *flag.FlagSet, args []string) error {
	var arguments []string
	for rest := args; len(rest) > 0; {
		if err := fs.Parse(rest); err != nil {
			return err
		}
		left := fs.NArg()
		if used := len(rest) - left; used > 0 && rest[used-1] == "--" {
			arguments = append(arguments, fs.Args()...)
			break
		}
		rest = fs.Args()
		if left > 0 {
			arguments, rest = append(arguments, rest[0]), rest[1:]
		}
	}
	return fs.Parse(append([]string{"--"}, arguments...))
}

// FlagError puts an error of [flag.FlagSet.Parse] into words, with a hint: for a flag
// that does not exist, the one that was probably meant.
func FlagError(fs *flag.FlagSet, err error) (what, hint string) {
	hint = fmt.Sprintf("`%s %s -h` lists the flags", Program, fs.Name())
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return err.Error(), hint
	}
	name = strings.TrimPrefix(name, "-")
	var names []string
	fs.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	if s := Nearest(name, names); s != "" {
		hint = fmt.Sprintf("did you mean -%s? %s", s, hint)
	}
	return "there is no flag -" + name, hint
}

// Nearest returns the known word that a mistyped one most likely stands for, or "".
// At most one in three characters may be wrong.
func Nearest(word string, known []string) string {
	best, least := "", len(word)/3+1
	for _, k := range known {
		if d := distance(strings.ToLower(word), k); d <= least && (best == "" || d < least) {
			best, least = k, d
		}
	}
	if best == "" {
		for _, k := range known {
			if len(word) >= 3 && strings.HasPrefix(k, word) {
				return k
			}
		}
	}
	return best
}

// distance is how many characters were left out, added, changed or exchanged with
// their neighbour (optimal string alignment).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}

// Help writes what a command does, how it is called, its flags and examples.
func (c Command) Help(w io.Writer) {
	usage, explained, _ := strings.Cut(c.Synopsis, "\n")
	fmt.Fprintf(w, "usage: %s\n\n%s\n", strings.TrimSpace(c.whole()+" "+usage), sentence(c.Summary))
	if explained = strings.Trim(explained, "\n"); explained != "" {
		fmt.Fprintf(w, "\n%s\n", explained)
	}
	if len(c.Sub) > 0 {
		fmt.Fprintln(w)
		c.table(w)
		fmt.Fprintf(w, "\n%s COMMAND -h explains a command and its flags.\n", c.whole())
	}
	if len(c.Flags) > 0 {
		fmt.Fprint(w, "\nflags, before or after the arguments:\n")
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		for _, f := range c.Flags {
			fs.Var(f.Value, f.Name, f.Usage)
			fs.Lookup(f.Name).DefValue = f.DefValue
		}
		fs.SetOutput(w)
		fs.PrintDefaults()
	}
	if len(c.Examples) > 0 {
		fmt.Fprint(w, "\nexamples:\n")
		for _, e := range c.Examples {
			fmt.Fprintf(w, "  %s\n        %s\n", e.Line, e.Does)
		}
	}
}

// table lists the commands in c, their arguments and what they do.
func (c Command) table(w io.Writer) {
	name, args := 0, 0
	for _, s := range c.Sub {
		name, args = max(name, len(s.last())), max(args, len(s.Args))
	}
	for _, s := range c.Sub {
		fmt.Fprintf(w, "  %-*s %-*s  %s\n", name, s.last(), args, s.Args, s.Summary)
	}
}

// whole is the name with the program's.
func (c Command) whole() string { return strings.TrimSpace(Program + " " + c.Name) }

// last is the last word of the name.
func (c Command) last() string { return c.Name[strings.LastIndexByte(c.Name, ' ')+1:] }

// all returns c and all commands in it, in order.
func (c Command) all() []Command {
	list := []Command{c}
	for _, s := range c.Sub {
		list = append(list, s.all()...)
	}
	return list
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
