package entry

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// Purpose says for which categories a unit may be used.
type Purpose struct {
	// Allow names the categories that may be matched, as lists write them; empty:
	// all but those in Deny.
	Allow []string `toml:"allow"`
	// Deny names categories that may not be matched. It counts before Allow.
	Deny []string `toml:"deny"`
}

// Problems yields words that are not categories, by their key.
func (p Purpose) Problems() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, list := range []struct {
			key   string
			words []string
		}{{"allow", p.Allow}, {"deny", p.Deny}} {
			for i, w := range list.words {
				if c := CategoryOf(w); c != "" {
					continue
				}
				if !yield(fmt.Sprintf("%s[%d]", list.key, i), &Error{Err: fmt.Errorf("= %q is not a category", w), Advice: "write a category as the lists have it, such as " + StolenVehicle}) {
					return
				}
			}
		}
	}
}

// Limited reports whether some categories are not permitted.
func (p Purpose) Limited() bool { return len(p.Allow)+len(p.Deny) > 0 }

// Permits reports whether entries of a category may be matched.
func (p Purpose) Permits(category string) bool {
	is := func(w string) bool { return CategoryOf(w) == category }
	if slices.ContainsFunc(p.Deny, is) {
		return false
	}
	return len(p.Allow) == 0 || slices.ContainsFunc(p.Allow, is)
}

// Check refuses a list that has entries of categories that are not permitted, by
// their numbers, as an [ErrRefused].
func (p Purpose) Check(categories map[string]int) error {
	var words []string
	for _, c := range slices.Sorted(maps.Keys(categories)) {
		if !p.Permits(c) {
			words = append(words, fmt.Sprintf("%s (%d entries)", c, categories[c]))
		}
	}
	if len(words) == 0 {
		return nil
	}
	const most = 5
	if n := len(words); n > most {
		words = append(words[:most], fmt.Sprintf("%d more", n-most))
	}
	return fmt.Errorf("%w: this unit may not be used for %s", ErrRefused, strings.Join(words, ", "))
}
