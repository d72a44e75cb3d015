package hotlist

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"platewatch/hotlist/audit"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
)

// trustSuffix names the file, NAME.trust, with the version that was accepted of a list,
// so that neither damage nor removal permits an older one.
const trustSuffix = ".trust"

// trustRecord is the content of a trust file.
type trustRecord struct {
	// Version and Digest are those of the newest version ever accepted.
	Version uint64        `json:"version"`
	Digest  entry.Digest  `json:"digest"`
	Signed  *entry.Signed `json:"signed,omitempty"`
	// Refused is the last refused update, if none was accepted since.
	Refused *Refusal `json:"refused,omitempty"`
}

// Refusal is an update that was refused.
type Refusal struct {
	Version uint64    `json:"version,omitempty"` // 0: the manifest was not authentic
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
}

func trustPath(dir, name string) string { return filepath.Join(dir, name+trustSuffix) }

// readTrust reads the trust file of a list. A changed file is an [entry.ErrDamaged]; a
// missing one is an empty record.
func readTrust(dir, name string, key folder.Key) (trustRecord, error) {
	var r trustRecord
	payload, err := folder.ReadSealed(trustPath(dir, name), key.Derive(nil, "trust"))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(payload, &r)
}

// writeTrust replaces the trust file of a list, atomically.
func writeTrust(dir, name string, key folder.Key, r trustRecord) error {
	payload, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return folder.WriteSealed(trustPath(dir, name), key.Derive(nil, "trust"), payload)
}

// ListState is the state of a list: for the status page, the health message and the
// server.
type ListState struct {
	entry.List
	// Overdue: its manifest has expired, and no newer one has arrived. Always false
	// while the clock is not synchronised.
	Overdue bool `json:"overdue"`
	// Missing: a version was accepted once, but none is matched.
	Missing bool `json:"missing,omitempty"`
	// Accepted is the highest version that the audit trail says was accepted, if it is
	// higher than the one in use: older files were put back.
	Accepted uint64 `json:"accepted,omitempty"`
	// Unrecorded: the audit trail does not know that this version, or a newer one, was
	// accepted: the trail was removed, or an older one put back.
	Unrecorded bool `json:"unrecorded,omitempty"`
	// Forbidden are the categories of its entries that this unit may not be used for:
	// the purpose was limited after the list came. They are not matched.
	Forbidden []string `json:"forbidden,omitempty"`
	// Refused is the last update refused since the list came into use.
	Refused *Refusal `json:"refused,omitempty"`
}

// States returns the state of each list at a time, including lists of which no version
// was accepted but one refused.
func (db *DB) States(at time.Time, clockSynchronised bool) ([]ListState, error) {
	lists, err := db.Lists()
	if err != nil {
		return nil, err
	}
	var states []ListState
	known := map[string]bool{}
	for _, l := range lists {
		known[l.Name] = true
		s := ListState{List: l}
		for _, c := range slices.Sorted(maps.Keys(l.Categories)) {
			if !db.o.Purpose.Permits(c) {
				s.Forbidden = append(s.Forbidden, c)
			}
		}
		if l.Signed != nil {
			s.Overdue = clockSynchronised && !l.Signed.Expires.After(at)
		}
		states = append(states, s)
	}
	paths, err := filepath.Glob(filepath.Join(db.dir, "*"+trustSuffix))
	if err != nil {
		return nil, &entry.Error{Op: "list", Path: db.dir, Err: err}
	}
	db.refusing.Lock()
	refused := maps.Clone(db.refusals.latest)
	db.refusing.Unlock()
	key, keyErr := db.key()
	for _, path := range paths {
		name := filepath.Base(path[:len(path)-len(trustSuffix)])
		if entry.CheckListName(name) != nil || keyErr != nil {
			continue
		}
		r, err := readTrust(db.dir, name, key)
		if err != nil {
			r.Refused = &Refusal{Reason: err.Error()}
		}
		if latest, ok := refused[name]; ok {
			r.Refused = &latest
			delete(refused, name)
		}
		if !known[name] {
			if r.Version == 0 && r.Refused == nil {
				continue
			}
			states = append(states, ListState{List: entry.List{Name: name, Signed: r.Signed}, Missing: r.Version > 0, Refused: r.Refused})
			continue
		}
		for i := range states {
			if states[i].Name == name {
				states[i].Refused = r.Refused
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(refused)) { // not on disk yet
		latest := refused[name]
		if i := slices.IndexFunc(states, func(s ListState) bool { return s.Name == name }); i >= 0 {
			states[i].Refused = &latest
		} else {
			states = append(states, ListState{List: entry.List{Name: name}, Refused: &latest})
		}
	}
	if keyErr == nil {
		if accepted, err := audit.New(db.dir, key).Accepted(); err == nil { // else the trail itself is reported
			states = compareAccepted(states, accepted)
		}
	}
	return states, nil
}

// compareAccepted compares the signed versions in use with those that the audit trail
// says were accepted. A list that was accepted and is not there any more is added.
func compareAccepted(states []ListState, accepted map[string]uint64) []ListState {
	rest := maps.Clone(accepted)
	for i := range states {
		s := &states[i]
		if s.Signed == nil {
			continue
		}
		switch v := accepted[s.Name]; {
		case s.Signed.Version < v && !s.Fallback: // a fallback is reported as damage
			s.Accepted = v
		case s.Signed.Version > v:
			s.Unrecorded = true
		}
	}
	for _, s := range states {
		delete(rest, s.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		states = append(states, ListState{List: entry.List{Name: name}, Accepted: rest[name], Missing: true})
	}
	return states
}
