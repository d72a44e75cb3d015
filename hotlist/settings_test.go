package hotlist

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"aead.dev/minisign"
	"github.com/google/go-cmp/cmp"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/match"
)

func TestSettingsNameTheirProblems(t *testing.T) {
	half, two, nan := 0.5, 2.0, math.NaN()
	s := Settings{StateShare: 1.5, Local: []string{"amber"}, Lists: []match.ListSettings{
		{Name: "stolen", MinProbability: &half, MinExact: &two}, {Name: "stolen", Level: "loose"}, {}, {Name: "../x", MinLookalike: &nan}}}
	var got []string
	for key, err := range s.Problems() {
		var advised interface{ Hint() string }
		if !errors.As(err, &advised) || advised.Hint() == "" {
			t.Errorf("%s: %v without advice", key, err)
		}
		got = append(got, fmt.Sprint(key, " ", err))
	}
	want := []string{
		"path is empty",
		"state_share = 1.5 is out of range",
		"local names lists that need no signature, but without trust no list needs one",
		"list[0].min_exact = 2 is out of range",
		`list[1].level = "loose" is not known`,
		`list[1].name = "stolen" is defined twice`,
		"list[2].name is missing: the list has no name",
		`list[3].name = "../x" cannot be the name of a list`,
		"list[3].min_lookalike = NaN is out of range",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for n := range len(want) { // a caller may stop at any of them
		left := n
		for range s.Problems() {
			if left--; left < 0 {
				break
			}
		}
	}
	for key, err := range DefaultSettings().Problems() {
		t.Errorf("the default: %s %v", key, err)
	}
}

func TestSettingsBecomeOptions(t *testing.T) {
	dir := t.TempDir()
	public, _, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := public.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	key, table := filepath.Join(dir, "hq.pub"), filepath.Join(dir, "table")
	write(t, key, text)
	write(t, table, []byte("9 3 1\n"))
	least := 0.25
	s := DefaultSettings()
	s.Trust, s.Confusions = []string{key}, table
	s.Lists = []match.ListSettings{{Name: "l", MinProbability: &least}}
	o, err := s.Options()
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Trust) != 1 || o.Trust[0].Name != "hq" || !o.Confusions.Confusable('9', '3') || o.Confusions.Confusable('O', '0') {
		t.Errorf("%+v", o)
	}
	if r := o.RulesOf("l", 10); r.MinProbability != least || r.MinLookalike != least || !r.OneCharacter {
		t.Errorf("%+v", r)
	}
	if d := cmp.Diff(match.DefaultRules(50_000), o.RulesOf("other", 50_000)); d != "" {
		t.Error(d)
	}
	for _, missing := range []Settings{{Trust: []string{filepath.Join(dir, "nowhere")}}, {Confusions: filepath.Join(dir, "nowhere")}} {
		if _, err := missing.Options(); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%+v: %v", missing, err)
		}
	}
	write(t, table, []byte("9 3\n"))
	var typed *entry.Error
	if _, err := s.Options(); !errors.As(err, &typed) || typed.Hint() == "" {
		t.Error(err)
	}
}
