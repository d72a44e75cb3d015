package config

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	File   string
	Line   int    // 1 is the first; 0 where no line is to blame
	Key    string // full path, as in "camera[1].source"
	Text   string // one sentence without a full stop
	Advice string // what to do, where it is not plain from the text
}

func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
	}
	b.WriteString(p.Text)
	if p.Advice != "" {
		b.WriteString("; " + p.Advice)
	}
	return b.String()
}

// Error is a refused configuration: every problem it has, in the order of the
// file.
type Error struct {
	File     string
	Problems []Problem
}

// Error is one line for one problem, and one line each, under a heading, for
// several.
func (e *Error) Error() string {
	if len(e.Problems) == 1 {
		return e.Problems[0].String()
	}
	var b strings.Builder
	name := e.File
	if name == "" {
		name = "the configuration"
	}
	fmt.Fprintf(&b, "%s has %d problems:", name, len(e.Problems))
	for _, p := range e.Problems {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// origin is the file that a configuration came from.
type origin struct {
	file string
	keys *keyIndex
}

// set reports whether the file itself holds the key.
func (o *origin) set(path string) bool { return o != nil && o.keys.has(path) }

// findings collects problems while a configuration is gone over.
type findings struct {
	origin *origin
	list   []Problem
}

func (f *findings) add(key, text, advice string) {
	p := Problem{Key: key, Text: text, Advice: advice}
	if f.origin != nil {
		p.File, p.Line = f.origin.file, f.origin.keys.at(key)
	}
	f.list = append(f.list, p)
}

// addf is add with the text "KEY <format>".
func (f *findings) addf(key, advice, format string, args ...any) {
	f.add(key, key+" "+fmt.Sprintf(format, args...), advice)
}

// bad reports whether something was already found about a key, so that a value
// that could not even be read is not judged as well.
func (f *findings) bad(key string) bool {
	return slices.ContainsFunc(f.list, func(p Problem) bool { return p.Key == key })
}

// err returns everything found, ordered by line, or nil.
func (f *findings) err() error {
	if len(f.list) == 0 {
		return nil
	}
	e := &Error{Problems: slices.Clone(f.list)}
	if f.origin != nil {
		e.File = f.origin.file
	}
	slices.SortStableFunc(e.Problems, func(a, b Problem) int { return a.Line - b.Line })
	return e
}
