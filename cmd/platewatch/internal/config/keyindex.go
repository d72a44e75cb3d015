package config

import (
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// keyIndex knows on which line each key of a TOML text stands. Keys are paths:
// "uplink.brokers", "camera[1].source"; parts that are no bare key are quoted.
//
// The TOML library knows the positions too, but tells them only for its own
// errors, and keeps one for all elements of an array of tables. So the text is
// gone over once more. It has been parsed by then, which is why the scanner may
// take its shape for granted: on a text that is no TOML it finds wrong lines,
// but it always ends.
type keyIndex struct {
	line  map[string]int
	order []string // in the order of the text
}

// at returns the line of the key, or of the innermost table around it that the
// text holds; 0 if there is none.
func (x *keyIndex) at(path string) int {
	for path != "" {
		if n, ok := x.line[path]; ok {
			return n
		}
		path = parentPath(path)
	}
	return 0
}

func (x *keyIndex) has(path string) bool { _, ok := x.line[path]; return ok }

func (x *keyIndex) add(path string, line int) {
	if _, ok := x.line[path]; !ok {
		x.line[path] = line
		x.order = append(x.order, path)
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
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}

func isBare(key string) bool {
	for i := range len(key) {
		if !isBareByte(key[i]) {
			return false
		}
	}
	return key != ""
}

func isBareByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// indexKeys finds every key of a TOML text.
func indexKeys(text string) *keyIndex {
	s := &keyScanner{
		text:   strings.TrimPrefix(text, "\ufeff"),
		line:   1,
		index:  &keyIndex{line: map[string]int{}},
		arrays: map[string]int{},
	}
	s.document()
	return s.index
}

type keyScanner struct {
	text  string
	pos   int
	line  int
	index *keyIndex
	// arrays counts the [[…]] headers seen for a path.
	arrays map[string]int
}

func (s *keyScanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *keyScanner) has(prefix string) bool { return strings.HasPrefix(s.text[s.pos:], prefix) }

// next steps over n bytes and counts the lines among them.
func (s *keyScanner) next(n int) {
	end := min(s.pos+n, len(s.text))
	s.line += strings.Count(s.text[s.pos:end], "\n")
	s.pos = end
}

func (s *keyScanner) spaces() {
	for c := s.peek(); c == ' ' || c == '\t'; c = s.peek() {
		s.pos++
	}
}

// blanks steps over spaces, line ends and comments.
func (s *keyScanner) blanks() {
	for s.pos < len(s.text) {
		switch s.peek() {
		case ' ', '\t', '\r', '\n':
			s.next(1)
		case '#':
			s.rest()
		default:
			return
		}
	}
}

// rest steps over what is left of the line.
func (s *keyScanner) rest() {
	if n := strings.IndexByte(s.text[s.pos:], '\n'); n >= 0 {
		s.pos += n
		return
	}
	s.pos = len(s.text)
}

func (s *keyScanner) document() {
	table := ""
	for s.blanks(); s.pos < len(s.text); s.blanks() {
		if s.peek() == '[' {
			table = s.header()
			continue
		}
		s.pair(table)
	}
}

// header reads [a.b] or [[a.b]] and returns the path of the table it opens.
func (s *keyScanner) header() string {
	line := s.line
	element := s.has("[[")
	s.next(1)
	if element {
		s.next(1)
	}
	keys := s.keys()
	s.rest()
	path := ""
	for i, key := range keys {
		path = joinPath(path, key)
		if element && i == len(keys)-1 {
			s.index.add(path, line)
			s.arrays[path]++
		}
		if n := s.arrays[path]; n > 0 {
			path = indexPath(path, n-1)
		}
		s.index.add(path, line)
	}
	return path
}

// pair reads key = value inside a table.
func (s *keyScanner) pair(table string) {
	start, path := s.pos, table
	for _, key := range s.keys() {
		path = joinPath(path, key)
		s.index.add(path, s.line)
	}
	if s.peek() == '=' {
		s.next(1)
		s.value(path, 0)
	}
	if s.pos == start { // no TOML: never stand still
		s.rest()
	}
}

// keys reads a dotted key.
func (s *keyScanner) keys() []string {
	var keys []string
	for {
		s.spaces()
		start := s.pos
		switch c := s.peek(); {
		case c == '"' || c == '\'':
			s.quoted(c)
			keys = append(keys, unquote(s.text[start:s.pos]))
		case isBareByte(c):
			for isBareByte(s.peek()) {
				s.pos++
			}
			keys = append(keys, s.text[start:s.pos])
		default:
			return keys
		}
		s.spaces()
		if s.peek() != '.' {
			return keys
		}
		s.pos++
	}
}

// unquote lets the library take a quoted key apart, with all its escapes.
func unquote(quoted string) string {
	var v struct{ K string }
	if _, err := toml.Decode("K="+quoted, &v); err != nil {
		return quoted
	}
	return v.K
}

// maxNesting ends the scanner's recursion on a text made to exhaust the stack.
const maxNesting = 100

func (s *keyScanner) value(path string, depth int) {
	if depth > maxNesting {
		s.pos = len(s.text)
		return
	}
	s.spaces()
	switch c := s.peek(); c {
	case '"', '\'':
		if triple := strings.Repeat(string(c), 3); s.has(triple) {
			s.multiline(triple)
			return
		}
		s.quoted(c)
	case '[':
		s.next(1)
		for i := 0; s.pos < len(s.text); {
			s.blanks()
			switch s.peek() {
			case ']':
				s.next(1)
				return
			case ',':
				s.next(1)
			default:
				before := s.pos
				element := indexPath(path, i)
				s.index.add(element, s.line)
				s.value(element, depth+1)
				if s.pos == before {
					s.next(1)
				}
				i++
			}
		}
	case '{':
		s.next(1)
		for s.pos < len(s.text) {
			s.blanks()
			switch s.peek() {
			case '}':
				s.next(1)
				return
			case ',':
				s.next(1)
			default:
				before, inner := s.pos, path
				for _, key := range s.keys() {
					inner = joinPath(inner, key)
					s.index.add(inner, s.line)
				}
				if s.peek() == '=' {
					s.next(1)
					s.value(inner, depth+1)
				}
				if s.pos == before {
					s.next(1)
				}
			}
		}
	default: // a number, a boolean, a time
		for s.pos < len(s.text) && !strings.ContainsRune(",]}#\r\n", rune(s.peek())) {
			s.pos++
		}
	}
}

// quoted steps over a one-line string.
func (s *keyScanner) quoted(quote byte) {
	for s.pos++; s.pos < len(s.text) && s.peek() != '\n'; s.pos++ {
		switch c := s.peek(); {
		case c == '\\' && quote == '"' && s.pos+1 < len(s.text) && s.text[s.pos+1] != '\n':
			s.pos++
		case c == quote:
			s.pos++
			return
		}
	}
}

// multiline steps over a string in three quotes. It may end in up to five of
// them, of which the last three close it.
func (s *keyScanner) multiline(triple string) {
	for s.next(3); s.pos < len(s.text); s.next(1) {
		if triple[0] == '"' && s.peek() == '\\' {
			s.next(1)
			continue
		}
		if s.has(triple) {
			s.next(3)
			for range 2 {
				if s.peek() == triple[0] {
					s.pos++
				}
			}
			return
		}
	}
}
