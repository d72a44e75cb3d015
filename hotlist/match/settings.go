package match

import (
	"fmt"
	"iter"

	"platewatch/hotlist/entry"
)

// Level is how far a reading may differ from an entry's plate.
type Level string

// The levels, each with those before it.
const (
	LevelExact        Level = "exact"         // except that O equals 0, and I equals 1
	LevelConfusable   Level = "confusable"    // look-alikes, and characters between which the reader wavered
	LevelOneCharacter Level = "one_character" // any one character wrong, missing or added
)

// ListSettings say how one list is matched. What they leave out follows the
// list's size: see [DefaultRules].
type ListSettings struct {
	Name           string   `toml:"name"`            // of the list
	Level          Level    `toml:"level"`           // empty: by the list's size
	Wildcards      *bool    `toml:"wildcards"`       // whether patterns match; nil: yes
	MinProbability *float64 `toml:"min_probability"` // 0–1, for matches that are not exact; nil: by the list's size
	MinLookalike   *float64 `toml:"min_lookalike"`   // 0–1, for those that differ in look-alikes only; nil: MinProbability, or by the list's size
	MinExact       *float64 `toml:"min_exact"`       // 0–1, for the entry's own text, unless it was read surely; nil: by the list's size
	Agree          bool     `toml:"agree"`           // no match where another state or colour was seen than the entry has
}

// Problems yields what the configuration file may not set, by its key. Errors
// are of the type [*entry.Error].
func (s ListSettings) Problems() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := entry.CheckListName(s.Name); err != nil {
			problem := &entry.Error{Err: fmt.Errorf("= %q cannot be the name of a list", s.Name), Advice: entry.ListNameAdvice}
			if s.Name == "" {
				problem = &entry.Error{Err: fmt.Errorf("is missing: the list has no name"), Advice: `write name = "…", as in hotlist import -list`}
			}
			if !yield("name", problem) {
				return
			}
		}
		switch s.Level {
		case "", LevelExact, LevelConfusable, LevelOneCharacter:
		default:
			problem := &entry.Error{Err: fmt.Errorf("= %q is not known", s.Level),
				Advice: fmt.Sprintf("write %s, %s or %s", LevelExact, LevelConfusable, LevelOneCharacter)}
			if !yield("level", problem) {
				return
			}
		}
		for _, p := range []struct {
			key   string
			value *float64
		}{{"min_probability", s.MinProbability}, {"min_lookalike", s.MinLookalike}, {"min_exact", s.MinExact}} {
			if p.value == nil || *p.value >= 0 && *p.value <= 1 {
				continue
			}
			if !yield(p.key, &entry.Error{Err: fmt.Errorf("= %v is out of range", *p.value), Advice: "write a probability from 0 to 1"}) {
				return
			}
		}
	}
}

// Rules are those of the list when it has so many entries.
func (s ListSettings) Rules(entries int) Rules {
	r := DefaultRules(entries)
	switch s.Level {
	case LevelExact:
		r.Confusable, r.OneCharacter = false, false
	case LevelConfusable:
		r.Confusable, r.OneCharacter = true, false
	case LevelOneCharacter:
		r.Confusable, r.OneCharacter = true, true
	}
	if s.Wildcards != nil {
		r.Wildcards = *s.Wildcards
	}
	if s.MinProbability != nil {
		r.MinProbability, r.MinLookalike = *s.MinProbability, *s.MinProbability
	}
	if s.MinLookalike != nil {
		r.MinLookalike = *s.MinLookalike
	}
	if s.MinExact != nil {
		r.MinExact = *s.MinExact
	}
	r.Agree = s.Agree
	return r
}
