package config

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
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

// findings collects problems while a configuration is gone over.
type findings struct {
	origin *origin
	list   []Problem
	unread int // how many of them are of values that could not be read
}

// check collects what the settings in v find wrong with themselves: every
// struct in the tree that has a method Problems names keys relative to itself.
func (f *findings) check(path string, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		if !v.IsNil() {
			f.check(path, v.Elem())
		}
		return
	}
	if v.Kind() == reflect.Slice {
		for i := range v.Len() {
			f.check(indexPath(path, i), v.Index(i))
		}
		return
	}
	if v.Kind() != reflect.Struct {
		return
	}
	if settings, ok := v.Interface().(interface {
		Problems() iter.Seq2[string, error]
	}); ok {
		for key, err := range settings.Problems() {
			f.settings(joinKeys(path, key), err)
		}
	}
	for i := range v.NumField() {
		t := v.Type().Field(i)
		switch key := t.Tag.Get("toml"); {
		case !t.IsExported() || key == "-":
		case isInline(t):
			f.check(path, v.Field(i))
		case key != "":
			f.check(joinPath(path, key), v.Field(i))
		}
	}
}

// joinKeys joins the path of a section and a path relative to it, which may be
// empty.
func joinKeys(path, key string) string {
	if path == "" || key == "" {
		return path + key
	}
	return path + "." + key
}

// settings adds a problem of a Problems method: err continues its key. The first
// problem of a key counts: an embedded struct lends its method to the one around
// it, so that some come twice.
func (f *findings) settings(key string, err error) {
	if f.bad(key) {
		return
	}
	text := err.Error()
	if !strings.HasPrefix(text, ":") {
		text = " " + text
	}
	advice := ""
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		advice = h.Hint()
	}
	f.add(key, key+text, advice)
}

func (f *findings) add(key, text, advice string) {
	p := Problem{Key: key, Text: text, Advice: advice}
	if f.origin != nil {
		p.File, p.Line = f.origin.file, f.origin.line(key)
	}
	f.list = append(f.list, p)
}

// addf is add with the text "KEY <format>".
func (f *findings) addf(key, advice, format string, args ...any) {
	f.add(key, key+" "+fmt.Sprintf(format, args...), advice)
}

// bad reports whether something was already found about a key, or the file's
// value of one around or below it could not be read.
func (f *findings) bad(key string) bool {
	for i, p := range f.list {
		if p.Key == key || i < f.unread && (parentOf(p.Key, key) || parentOf(key, p.Key)) {
			return true
		}
	}
	return false
}

func parentOf(path, key string) bool {
	rest, ok := strings.CutPrefix(key, path)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '[')
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
