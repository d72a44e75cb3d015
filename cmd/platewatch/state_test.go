package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"platewatch/hotlist"
	"platewatch/hotlist/audit"
	"platewatch/hotlist/match"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// statesFolder holds the state directories that versions of this program left behind,
// one archive for each version that changed a format. One is made by
//
//	PLATEWATCH_STATE=0.4 go test ./cmd/platewatch -run TestStates
//
// and never again changed.
const statesFolder = "testdata/states"

// TestStates opens what earlier versions wrote: the lists match, the hits wait under
// their ids, the audit trail is unbroken, and all of it goes on.
func TestStates(t *testing.T) {
	if version := os.Getenv("PLATEWATCH_STATE"); version != "" {
		makeState(t, version)
	}
	archives, err := filepath.Glob(filepath.Join(statesFolder, "*.tar.gz"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no states in %s: %v", statesFolder, err)
	}
	for _, archive := range archives {
		t.Run(filepath.Base(archive), func(t *testing.T) {
			dir := t.TempDir()
			if out, err := exec.Command("tar", "-xzf", archive, "-C", dir).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			openState(t, dir)
			openState(t, dir) // once more, after what the first time wrote
		})
	}
}

// stateHits are the ids of the hits that wait in a state.
var stateHits = []string{"roadside-7.1", "roadside-7.2"}

func openState(t *testing.T, dir string) {
	t.Helper()
	lists, err := hotlist.Open(filepath.Join(dir, "hotlist"), hotlist.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer lists.Close()
	found, err := lists.Match(match.Query{Text: "KR64VHT"})
	if err != nil || len(found) != 1 || len(lists.Damage()) > 0 {
		t.Errorf("matched %+v, damage %+v: %v", found, lists.Damage(), err)
	}
	trail, err := audit.Open(filepath.Join(dir, "hotlist"), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trail.Verify(); err != nil {
		t.Errorf("the audit trail: %v", err)
	}
	if err := trail.Append(t.Context(), audit.Record{Kind: audit.Hit, Hit: "roadside-7.3", List: "gate"}); err != nil {
		t.Error(err)
	}
	key, err := lists.DeriveKey("outbox")
	if err != nil {
		t.Fatal(err)
	}
	s := outbox.Default()
	s.Key, s.Machine = key, []string{"test"}
	o, err := outbox.Open(filepath.Join(dir, "outbox.db"), "roadside-7", s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	var ids []string
	for _, p := range o.List() {
		_, n, err := message.ParseID(p.ID)
		if err != nil {
			t.Error(err)
		}
		ids = append(ids, fmt.Sprintf("roadside-7.%d", n))
	}
	if !slices.Equal(ids, stateHits) || o.Damage() != nil {
		t.Errorf("waiting are %v, want %v; damage %+v", ids, stateHits, o.Damage())
	}
	q, err := o.Next(func(outbox.Ref) bool { return false })
	if err != nil || q == nil || q.Hit.Text != "KR64VHT" {
		t.Errorf("the first hit is %+v: %v", q, err)
	}
}

// makeState writes the state of this version.
func makeState(t *testing.T, version string) {
	t.Helper()
	dir := t.TempDir()
	if _, err := hotlist.Import(t.Context(), filepath.Join(dir, "hotlist"), strings.NewReader("plate,category\nKR64VHT,stolen vehicle\n"),
		hotlist.ImportOptions{List: "gate"}); err != nil {
		t.Fatal(err)
	}
	lists, err := hotlist.Open(filepath.Join(dir, "hotlist"), hotlist.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer lists.Close()
	key, err := lists.DeriveKey("outbox")
	if err != nil {
		t.Fatal(err)
	}
	s := outbox.Default()
	s.Key, s.Machine = key, []string{"test"}
	o, err := outbox.Open(filepath.Join(dir, "outbox.db"), "roadside-7", s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for range stateHits {
		id, err := o.Accept(message.Hit{Camera: "front", CapturedAt: time.Unix(1764288000, 0), Text: "KR64VHT", Confidence: 0.97,
			Matches: []message.Match{{List: "gate", Category: "stolen vehicle", Entry: message.Entry{Plate: "KR64VHT"}}}})
		if err != nil {
			t.Fatal(err)
		}
		trail, err := audit.Open(filepath.Join(dir, "hotlist"), "")
		if err == nil {
			err = trail.Append(t.Context(), audit.Record{Kind: audit.Hit, Hit: id, List: "gate"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(statesFolder, 0o755); err != nil {
		t.Fatal(err)
	}
	archive, err := filepath.Abs(filepath.Join(statesFolder, version+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("tar", "-czSf", archive, "--owner=0", "--group=0", "--numeric-owner", "--sort=name", ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
