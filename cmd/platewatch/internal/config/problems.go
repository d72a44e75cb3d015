package config

import (
	"errors"
	"fmt"
	"iter"
	"net"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"platewatch/cmd/platewatch/internal/setting"
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

// maxCameras bounds what one board is asked to do.
const maxCameras = 16

// Validate finds everything that is wrong with the configuration, and returns
// nil or an [*Error]. It does not look at the file system.
func (c *Config) Validate() error {
	f := &findings{origin: c.origin}
	c.validate(f)
	return f.err()
}

// validate collects what the settings find wrong with themselves, and then what
// is wrong between them.
func (c *Config) validate(f *findings) {
	f.unread = len(f.list)
	f.check("", reflect.ValueOf(c).Elem())
	problem := func(key, advice, format string, args ...any) {
		f.settings(key, setting.Problemf(advice, format, args...))
	}
	if !filepath.IsAbs(c.StateDir) {
		problem("state_dir", "write an absolute path", "= %q is relative", c.StateDir)
	}
	if c.Unit.Position != nil && c.origin != nil {
		for _, key := range []string{"unit.position.latitude", "unit.position.longitude"} {
			if !c.origin.set(key) {
				problem(key, "a position needs latitude and longitude", "is missing")
			}
		}
	}
	switch n := len(c.Cameras); {
	case n == 0:
		problem("camera", `add a [[camera]] section with name = "front" and source = "…"`, "is missing: there is no camera")
	case n > maxCameras:
		problem("camera", "", "defines %d cameras, one unit may have %d", n, maxCameras)
	}
	names := map[string]int{}
	for i, cam := range c.Cameras {
		if first, ok := names[cam.Name]; ok && cam.Name != "" {
			problem(indexPath("camera", i)+".name", "every camera needs a name of its own", "= %q is also the name of %s", cam.Name, indexPath("camera", first))
		} else {
			names[cam.Name] = i
		}
	}
	if len(c.Uplink.Lists.Lists) > 0 && len(c.Hotlist.Trust) == 0 {
		problem("uplink.hotlists", "name the signer's public key in hotlist.trust", "takes lists from the network, and no key is trusted to sign them")
	}
	// A program may ask for any free port, and is told which one it got.
	if _, port, err := net.SplitHostPort(c.Status.Listen); err == nil && port == "0" && c.origin != nil {
		problem("status.listen", "name a port", "= %q would listen on another port after every start", c.Status.Listen)
	}
}
