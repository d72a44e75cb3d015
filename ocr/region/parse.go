package region

import (
	"bufio"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed data/*.txt
var data embed.FS

// section is the formats of one country, state or series.
type section struct {
	name    string
	cars    float64 // millions
	vanity  float64 // 0–1, share of plates that fit no format
	shape   float64 // a car's plate's width over its height; 0: not known
	short   int     // fewest characters of those, where they have fewer than other lettering
	letters mask
	lists   map[string][]string
	formats []format // expanded
	says    []string // what its plates say beside the number, letters and figures only; the name first
	band    []string // the signs in its plates' blue band
	red     float64  // 0–1, share of its plates whose characters are red
	yellow  float64  // 0–1, share whose ground is yellow
}

// member is a section in a group.
type member struct {
	name string
	part float64 // share of its cars that count
}

// atlas is the content of all files.
type atlas struct {
	sections []*section // in the files' order
	groups   map[string][]member
}

// world is the content of the built-in files. Tests parse them all, so an error
// here is a bug.
var world = sync.OnceValue(func() *atlas {
	a := &atlas{groups: map[string][]member{}}
	names, err := fs.Glob(data, "data/*.txt")
	for _, name := range names {
		var text []byte
		if text, err = data.ReadFile(name); err == nil {
			err = a.parse(name, string(text))
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		err = a.check()
	}
	if err != nil {
		panic(fmt.Sprintf("region: %v", err))
	}
	return a
})

// someColour is the share of red characters, and of yellow grounds, where nothing is
// known of them.
const someColour = 0.1

// parse adds a file.
func (a *atlas) parse(file, text string) error {
	defaults := section{letters: anyLetter, cars: 1, red: someColour, yellow: someColour}
	at := &defaults
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if name, ok := strings.CutPrefix(words[0], "["); ok {
			if len(words) < 2 {
				return fmt.Errorf("%s:%d: section %s needs a title", file, n, words[0])
			}
			s := defaults
			s.name, s.lists = strings.TrimSuffix(name, "]"), map[string][]string{}
			s.says, s.band = nil, nil
			at = &s
			a.sections = append(a.sections, at)
			continue
		}
		if err := a.line(at, words); err != nil {
			return fmt.Errorf("%s:%d: %w", file, n, err)
		}
	}
	return lines.Err()
}

// line parses a line that does not begin a section.
func (a *atlas) line(at *section, words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("%q needs a value", words[0])
	}
	number := func(s string) (v float64, err error) {
		if v, err = strconv.ParseFloat(s, 64); err == nil && !(v > 0 && v < 1e6) {
			err = fmt.Errorf("%v is not a valid weight", v)
		}
		return v, err
	}
	percent := func(of *float64) (err error) {
		if *of, err = number(words[1]); err == nil && *of >= 100 {
			err = fmt.Errorf("%s %s is not below 100 percent", words[0], words[1])
		}
		*of /= 100
		return err
	}
	var err error
	switch words[0] {
	case "vanity":
		err = percent(&at.vanity)
	case "red":
		err = percent(&at.red)
	case "yellow":
		err = percent(&at.yellow)
	case "short":
		at.short, err = strconv.Atoi(words[1])
		if err == nil && (at.short < 1 || at.short > longest) {
			err = fmt.Errorf("short %d is not 1 to %d", at.short, longest)
		}
	case "shape":
		at.shape, err = number(words[1])
	case "cars":
		at.cars, err = number(words[1])
	case "letters":
		at.letters, err = maskOf(words[1])
	case "list":
		if at.lists == nil {
			return fmt.Errorf("a list outside of a section")
		}
		if len(words) < 3 {
			return fmt.Errorf("list %s has no words", words[1])
		}
		at.lists[words[1]] = words[2:]
	case "says":
		at.says = append(at.says, strings.Join(words[1:], ""))
	case "band":
		at.band = words[1:]
	case "group":
		part := 1.0
		members := words[2:]
		if len(members) > 0 {
			if p, err := number(members[0]); err == nil {
				part, members = p, members[1:]
			}
		}
		for _, name := range members {
			a.groups[words[1]] = append(a.groups[words[1]], member{name, part})
		}
	default:
		var weight float64
		if weight, err = number(words[0]); err != nil {
			return err
		}
		if at.name == "" {
			return fmt.Errorf("a format outside of a section")
		}
		err = at.add(weight, words[1])
	}
	return err
}

// check finds errors that involve several lines.
func (a *atlas) check() error {
	seen := map[string]bool{}
	for _, s := range a.sections {
		if seen[s.name] {
			return fmt.Errorf("section [%s] is defined twice", s.name)
		}
		seen[s.name] = true
		if len(s.formats) == 0 {
			return fmt.Errorf("[%s] has no format", s.name)
		}
		for _, w := range slices.Concat(s.says, s.band) {
			if i := strings.IndexFunc(w, func(r rune) bool { return r > 127 || bit(byte(r)) < 0 }); i >= 0 {
				return fmt.Errorf("[%s] says %q: only A to Z and 0 to 9 can be read", s.name, w)
			}
		}
	}
	for name, members := range a.groups {
		if seen[name] {
			return fmt.Errorf("%s is both a section and a group", name)
		}
		for _, m := range members {
			if !seen[m.name] {
				return fmt.Errorf("group %s: there is no section [%s]", name, m.name)
			}
		}
	}
	return nil
}

// members are the sections that a name denotes; none if it is unknown.
func (a *atlas) members(name string) []member {
	if m := a.groups[name]; m != nil {
		return m
	}
	var out []member
	for _, s := range a.sections {
		if s.name == name || strings.HasPrefix(s.name, name+"-") {
			out = append(out, member{s.name, 1})
		}
	}
	return out
}

func (a *atlas) section(name string) *section {
	i := slices.IndexFunc(a.sections, func(s *section) bool { return s.name == name })
	return a.sections[i]
}
