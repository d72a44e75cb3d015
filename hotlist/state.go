package hotlist

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
)

// trustSuffix names the file, NAME.trust, that remembers what was accepted of a
// list, so that neither damage nor removal opens the way back to an old version.
const trustSuffix = ".trust"

// trustRecord is what is remembered of a signed list.
type trustRecord struct {
	// Version and Digest are of the newest version that was ever accepted.
	Version uint64        `json:"version"`
	Digest  entry.Digest  `json:"digest"`
	Signed  *entry.Signed `json:"signed,omitempty"`
	// Refused is the last update that was refused, if none was accepted since.
	Refused *Refusal `json:"refused,omitempty"`
}

// Refusal is an update that was refused.
type Refusal struct {
	Version uint64    `json:"version,omitempty"` // 0: it could not be believed even that much
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
}

func trustPath(dir, name string) string { return filepath.Join(dir, name+trustSuffix) }

// readTrust reads what is remembered of a list. A file that is not what was
// written is [ErrDamaged]; none is an empty record.
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

// writeTrust replaces it, atomically.
func writeTrust(dir, name string, key folder.Key, r trustRecord) error {
	payload, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return folder.WriteSealed(trustPath(dir, name), key.Derive(nil, "trust"), payload)
}

// ListState is where a list stands: for the status page, the health message and
// the server.
type ListState struct {
	entry.List
	// Overdue: its manifest has expired, and no newer one came. Always false
	// while the clock is not synchronised.
	Overdue bool `json:"overdue"`
	// Missing: nothing is matched, though a version was accepted once.
	Missing bool `json:"missing,omitempty"`
	// Refused is the last update that was refused since the list came into use.
	Refused *Refusal `json:"refused,omitempty"`
}

// States returns where each list stands at a time, by name. Lists that were
// never accepted but refused are among them.
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
		if l.Signed != nil {
			s.Overdue = clockSynchronised && !l.Signed.Expires.After(at)
		}
		states = append(states, s)
	}
	paths, err := filepath.Glob(filepath.Join(db.dir, "*"+trustSuffix))
	if err != nil {
		return nil, &entry.Error{Op: "list", Path: db.dir, Err: err}
	}
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
	return states, nil
}
