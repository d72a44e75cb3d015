package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"platewatch/capture"
	"platewatch/cmd/platewatch/internal/setting"
)

// maxFile bounds the configuration file, in bytes. A full one has a few
// kilobytes.
const maxFile = 1 << 20

// FileError is a configuration file, or a file it names, that cannot be read.
type FileError struct {
	Op     string // "read the configuration", …
	Path   string
	Err    error
	Advice string
}

func (e *FileError) Error() string {
	err := e.Err
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err // the path is already said
	}
	return fmt.Sprintf("cannot %s %s: %v", e.Op, e.Path, err)
}

func (e *FileError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *FileError) Hint() string { return e.Advice }

// Load reads and validates the file and makes every path in it absolute; getenv
// is [os.Getenv] or a test's own. A file that is refused gives an [*Error], one
// that cannot be read a [*FileError].
func Load(file string, getenv func(string) string) (*Config, error) {
	text, err := readBounded(file, maxFile)
	if err != nil {
		advice := ""
		switch {
		case errors.Is(err, fs.ErrNotExist):
			advice = "name the file with -config, or start from the example platewatch.toml"
		case errors.Is(err, fs.ErrPermission):
			advice = "run this as a user who may read it"
		}
		return nil, &FileError{Op: "read the configuration", Path: file, Err: err, Advice: advice}
	}
	c, err := parse(file, text)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, &FileError{Op: "find the folder of", Path: file, Err: err}
	}
	c.resolve(dir, getenv)
	return c, nil
}

// Check validates a text that is to become the file; it reads no file. A text that is
// refused gives an [*Error].
func Check(file string, text []byte) error {
	_, err := parse(file, text)
	return err
}

// readBounded reads a whole file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("it is larger than %s", setting.FormatSize(limit))
	}
	return b, nil
}

// parse reads a configuration from its text; file only names it in messages.
// It reads and writes no files. Paths stay as they are written: see
// [Config.Resolve].
func parse(file string, text []byte) (*Config, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	var tree map[string]any
	if err := toml.Unmarshal(text, &tree); err != nil {
		return nil, syntaxError(file, err)
	}
	c := Default()
	c.origin = &origin{file: file, lines: keyLines(text)}
	f := &findings{origin: c.origin}
	binder{f}.table("", tree, reflect.ValueOf(c).Elem())
	c.validate(f)
	if err := f.err(); err != nil {
		return nil, err
	}
	for i, cam := range c.Cameras {
		c.Cameras[i].Config = capture.WithDefaults(cam.Config)
	}
	return c, nil
}

// syntaxError is a text that is not TOML. The parser stops at the first place it
// does not understand, so there is always just this one problem.
func syntaxError(file string, err error) error {
	p := Problem{File: file, Text: "this is not TOML: " + strings.TrimPrefix(err.Error(), "toml: "),
		Advice: `every line is a [section], key = "value" with text in quotes, or a # comment`}
	var de *toml.DecodeError
	if errors.As(err, &de) {
		p.Line, _ = de.Position()
	}
	return &Error{File: file, Problems: []Problem{p}}
}

// origin is the file that a configuration came from, and the line of each of
// its keys. A key is a path: "uplink.brokers", "camera[1].source"; parts that
// are not bare keys are quoted.
type origin struct {
	file  string
	lines map[string]int
}

// set reports whether the file itself holds the key.
func (o *origin) set(path string) bool {
	if o == nil {
		return false
	}
	_, ok := o.lines[path]
	return ok
}

// line returns the line of the key, or of the innermost table around it that
// the file holds; 0 if there is none.
func (o *origin) line(path string) int {
	for path != "" {
		if n, ok := o.lines[path]; ok {
			return n
		}
		path = parentPath(path)
	}
	return 0
}

// maxDepth bounds the parts of an indexed path. The struct tree has five at
// most; a text made to exhaust memory has more.
const maxDepth = 32

// keyLines finds the line of every key in a text that has been parsed. The
// library's decoder does not tell them, so its parser goes over the text again.
func keyLines(text []byte) map[string]int {
	x := &keyIndexer{lines: map[string]int{}, tables: map[string]int{}}
	for i, c := range text {
		if c == '\n' {
			x.ends = append(x.ends, i)
		}
	}
	var p unstable.Parser
	p.Reset(text)
	table, depth := "", 0
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table, depth = x.header(e)
		case unstable.KeyValue:
			x.pair(table, e, depth)
		}
	}
	return x.lines
}

type keyIndexer struct {
	ends   []int // offsets of the line ends
	last   int   // line of the last node that has a place in the text
	lines  map[string]int
	tables map[string]int // how many [[…]] headers a path has had
}

func (x *keyIndexer) add(path string) {
	if _, ok := x.lines[path]; !ok {
		x.lines[path] = x.last
	}
}

// see takes over the line of a node. Arrays and inline tables have none.
func (x *keyIndexer) see(n *unstable.Node) {
	if n.Raw.Length > 0 {
		x.last = sort.SearchInts(x.ends, int(n.Raw.Offset)) + 1
	}
}

// header indexes [a.b] or [[a.b]] and returns the path of the table it opens.
func (x *keyIndexer) header(e *unstable.Node) (path string, depth int) {
	for keys := e.Key(); keys.Next(); depth++ {
		if depth >= maxDepth {
			continue
		}
		x.see(keys.Node())
		path = joinPath(path, string(keys.Node().Data))
		if e.Kind == unstable.ArrayTable && keys.IsLast() {
			x.add(path)
			x.tables[path]++
		}
		if n := x.tables[path]; n > 0 {
			path = indexPath(path, n-1)
		}
		x.add(path)
	}
	return path, depth
}

func (x *keyIndexer) pair(path string, e *unstable.Node, depth int) {
	for keys := e.Key(); keys.Next(); depth++ {
		if depth >= maxDepth {
			return
		}
		x.see(keys.Node())
		path = joinPath(path, string(keys.Node().Data))
		x.add(path)
	}
	x.value(path, e.Value(), depth)
}

func (x *keyIndexer) value(path string, v *unstable.Node, depth int) {
	if depth >= maxDepth {
		return
	}
	children := v.Children()
	switch v.Kind {
	case unstable.InlineTable:
		for children.Next() {
			x.pair(path, children.Node(), depth)
		}
	case unstable.Array:
		for i := 0; children.Next(); i++ {
			leaf := children.Node()
			for leaf.Raw.Length == 0 && leaf.Child() != nil {
				leaf = leaf.Child()
			}
			x.see(leaf)
			element := indexPath(path, i)
			x.add(element)
			x.value(element, children.Node(), depth+1)
		}
	}
}

// joinPath appends one key to a path.
func joinPath(path, key string) string {
	if !isBare(key) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func indexPath(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// parentPath drops the last key or index.
func parentPath(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

func isBare(key string) bool {
	return key != "" && !strings.ContainsFunc(key, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-'
	})
}
