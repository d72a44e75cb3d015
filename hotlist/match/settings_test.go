package match

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a list's settings leave out follows its size.
func TestListSettingsChangeTheDefault(t *testing.T) {
	yes, no, half, tenth := true, false, 0.5, 0.1
	for _, c := range []struct {
		name   string
		s      ListSettings
		change func(*Rules)
	}{
		{"nothing", ListSettings{}, func(*Rules) {}},
		{"exact", ListSettings{Level: LevelExact}, func(r *Rules) { r.Confusable, r.OneCharacter = false, false }},
		{"confusable", ListSettings{Level: LevelConfusable}, func(r *Rules) { r.OneCharacter = false }},
		{"one character", ListSettings{Level: LevelOneCharacter}, func(r *Rules) { r.OneCharacter = true }},
		{"patterns", ListSettings{Wildcards: &yes}, func(*Rules) {}},
		{"no patterns", ListSettings{Wildcards: &no}, func(r *Rules) { r.Wildcards = false }},
		{"probability", ListSettings{MinProbability: &half}, func(r *Rules) { r.MinProbability, r.MinLookalike = half, half }},
		{"look-alikes", ListSettings{MinProbability: &half, MinLookalike: &tenth}, func(r *Rules) { r.MinProbability, r.MinLookalike = half, tenth }},
		{"exact text", ListSettings{MinExact: &tenth}, func(r *Rules) { r.MinExact = tenth }},
	} {
		for _, entries := range []int{10, 50_000, 1_000_000} {
			want := DefaultRules(entries)
			c.change(&want)
			if d := cmp.Diff(want, c.s.Rules(entries)); d != "" {
				t.Errorf("%s, %d entries: %s", c.name, entries, d)
			}
		}
	}
}

// A longer list is never matched more loosely than a shorter one.
func TestDefaultRulesFollowTheSize(t *testing.T) {
	last := DefaultRules(1)
	for _, entries := range []int{250, 251, 2_000, 2_001, 10_000, 10_001, 30_000, 30_001, 100_000, 100_001, 200_000, 200_001, 10_000_000} {
		r := DefaultRules(entries)
		if r.MinProbability < last.MinProbability || r.MinLookalike < last.MinLookalike || r.MinExact < last.MinExact || r.OneCharacter && !last.OneCharacter {
			t.Errorf("%d entries: %+v after %+v", entries, r, last)
		}
		if !r.Confusable || !r.Wildcards || r.MinLookalike > r.MinProbability {
			t.Errorf("%d entries: %+v", entries, r)
		}
		last = r
	}
	if last.OneCharacter || last.MinExact == 0 {
		t.Errorf("the longest lists: %+v", last)
	}
}
