package hotlist

import (
	"fmt"
	"iter"
	"slices"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/match"
	"platewatch/hotlist/signed"
)

// Settings are what the configuration file says about the hotlist.
type Settings struct {
	// Path is the hotlist's directory.
	Path string `toml:"path"`
	// KeyFile holds the key that the lists are stored under. Empty: the file "key" in
	// the directory, which does not protect the lists from a thief of the disk.
	KeyFile string `toml:"key_file"`
	// Trust names files with minisign public keys. If there are any, lists must
	// be signed by one of them, except those that Local names.
	Trust []string `toml:"trust"`
	// Local names lists that are imported on this machine and need no signature.
	Local []string `toml:"local"`
	// State is the issuing state or country that most plates here have, as the
	// lists write it, and StateShare (0–1) the share of plates that have it.
	State      string  `toml:"state"`
	StateShare float64 `toml:"state_share"`
	// Confusions is a file with a table for [match.LoadConfusions]. Empty: the
	// built-in table.
	Confusions string `toml:"confusions"`
	// Purpose limits the categories that this unit may be used for.
	Purpose entry.Purpose `toml:",inline"`
	// Lists say how single lists are matched. Others follow their size.
	Lists []match.ListSettings `toml:"list"`
}

// DefaultSettings are those of a hotlist in the folder "hotlist".
func DefaultSettings() Settings { return Settings{Path: "hotlist", StateShare: 0.8} }

// Problems yields what the configuration file may not set, by its key. Files
// are not opened: see [Settings.Options]. Errors are of the type [*entry.Error].
func (s Settings) Problems() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		add := func(key, advice, format string, args ...any) bool {
			return yield(key, &entry.Error{Err: fmt.Errorf(format, args...), Advice: advice})
		}
		if s.Path == "" && !add("path", "name the hotlist's directory", "is empty") {
			return
		}
		if !(s.StateShare >= 0 && s.StateShare <= 1) && !add("state_share", "write the share of plates of that state, from 0 to 1", "= %v is out of range", s.StateShare) {
			return
		}
		if len(s.Local) > 0 && len(s.Trust) == 0 &&
			!add("local", "name the signers' keys in trust, or remove local", "names lists that need no signature, but without trust no list needs one") {
			return
		}
		for i, l := range s.Lists {
			for key, err := range l.Problems() {
				if !yield(fmt.Sprintf("list[%d].%s", i, key), err) {
					return
				}
			}
			twice := slices.ContainsFunc(s.Lists[:i], func(before match.ListSettings) bool { return before.Name == l.Name })
			if twice && l.Name != "" && !add(fmt.Sprintf("list[%d].name", i), "write one section for each list", "= %q is defined twice", l.Name) {
				return
			}
		}
	}
}

// Options are how [Open] opens the hotlist: the keys and the table that the
// settings name are read from their files.
func (s Settings) Options() (Options, error) {
	o := Options{KeyFile: s.KeyFile, Local: s.Local, Purpose: s.Purpose, RulesOf: s.rules}
	for _, path := range s.Trust {
		k, err := signed.LoadTrustedKey(path)
		if err != nil {
			return o, err
		}
		o.Trust = append(o.Trust, k)
	}
	if s.Confusions != "" {
		var err error
		if o.Confusions, err = match.LoadConfusions(s.Confusions); err != nil {
			return o, err
		}
	}
	return o, nil
}

// rules are those of a list with a name and so many entries.
func (s Settings) rules(name string, entries int) match.Rules {
	for _, l := range s.Lists {
		if l.Name == name {
			return l.Rules(entries)
		}
	}
	return match.DefaultRules(entries)
}
