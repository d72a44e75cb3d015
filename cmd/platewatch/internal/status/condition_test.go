package status

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"platewatch/cmd/platewatch/internal/aim"
	"platewatch/deploy/tools/goldentest"
	"platewatch/uplink/message"
)

// trouble is one thing that can be wrong with a unit.
type trouble struct {
	name  string
	level Level
	cause func(d *Document)
	words string // what the sentence contains
}

var certificateEnd = time.Now().Add(time.Hour)

// troubles are the dimensions of the table: of each group one at a time, or none.
var troubles = [][]trouble{
	{
		{"stalled", Bad, func(d *Document) { d.ProgressAge = 31 }, "Stalled"},
	}, {
		{"no camera", Bad, func(d *Document) { d.Cameras = nil }, "No camera is configured"},
		{"keyframe", Bad, func(d *Document) { d.Cameras[1].State, d.Cameras[1].Hint = "waiting", "set it shorter" }, "Camera yard is waiting for a keyframe"},
		{"camera offline", Bad, func(d *Document) { d.Cameras[1].State, d.Cameras[1].LastError = "offline", "unplugged" }, "Camera yard is offline: unplugged"},
		{"camera connecting", Bad, func(d *Document) { d.Cameras[0].State = "connecting" }, "Camera front is connecting"},
		{"control", Warn, func(d *Document) { d.Cameras[0].Controls = []Control{{Name: "gain", Error: "has no effect"}} }, "Camera front, gain: has no effect"},
		{"frames lost", Warn, func(d *Document) { d.Cameras[0].Lost, d.Cameras[0].Losing = 0.12, "look at its network" }, "Camera front: 12 % of its frames are lost"},
		{"frames fail", Warn, func(d *Document) { d.Cameras[0].Failures, d.Cameras[0].FailureAge = 3, 7 }, "cannot be processed"},
		{"aim", Warn, func(d *Document) {
			d.Cameras[0].Aim = &aim.Report{Level: aim.Poor, Judged: 3, Instruction: "Zoom in: characters are 11 px high, 20 are needed"}
		}, "Camera front: Zoom in: characters are 11 px high"},
		{"light", Warn, func(d *Document) { d.Cameras[0].Advice = "plates are small: zoom in" }, "Camera front: plates are small"},
	}, {
		{"outbox not open", Bad, func(d *Document) { d.Outbox.Open = false }, "outbox is not open"},
		{"disk", Bad, func(d *Document) { d.Outbox.DiskProblem = "read-only file system" }, "Cannot write to disk (read-only file system)"},
		{"number file", Warn, func(d *Document) { d.Outbox.NumberFileProblem = "no space" }, "number file"},
		{"outbox damaged", Warn, func(d *Document) { d.Outbox.Damage = "torn page" }, "outbox was damaged"},
		{"dropped", Warn, func(d *Document) { d.Outbox.Dropped = map[string]uint64{"age": 2} }, "2 hits were dropped"},
		{"quarantine", Warn, func(d *Document) { d.Outbox.Quarantined = 1 }, "1 hit can never be delivered"},
		{"hot", Warn, func(d *Document) { d.Temperature = new(83.0) }, "has 83 °C"},
		{"too hot", Bad, func(d *Document) { d.Temperature = new(95.0) }, "about to stop"},
		{"disk full", Warn, func(d *Document) { d.Disk = &Disk{Free: 1, Total: 100} }, "1 % of the disk"},
		{"voltage", Warn, func(d *Document) { d.Board = &Board{ThrottlingKnown: true, UnderVoltage: true} }, "supply voltage"},
		{"slowed", Warn, func(d *Document) { d.Board = &Board{ThrottlingKnown: true, Slowed: true} }, "slowed down"},
		{"memory", Warn, func(d *Document) { d.Board = &Board{MemoryAvailable: 20 << 20, MemoryTotal: 1 << 30} }, "Only 20 MiB"},
		{"read-only", Bad, func(d *Document) { d.Board = &Board{ReadOnly: true} }, "read-only"},
		{"wear", Warn, func(d *Document) { d.Board = &Board{DiskWear: new(0.9)} }, "90 % of the disk's life"},
		{"page certificate", Warn, func(d *Document) { d.Board, d.Page = &Board{}, &Page{Expires: certificateEnd} }, "status page's certificate"},
	}, {
		{"hotlist not open", Bad, func(d *Document) { d.Hotlist.Open = false }, "hotlist is not open"},
		{"hotlist empty", Bad, func(d *Document) { d.Hotlist.Lists = nil }, "hotlist is empty"},
		{"list unusable", Bad, func(d *Document) { d.Hotlist.Damage = []ListDamage{{List: "x", Reason: "torn"}} }, "Hotlist x cannot be used"},
		{"list set aside", Warn, func(d *Document) { d.Hotlist.Damage = []ListDamage{{List: "x", Reason: "torn", SetAside: true}} }, "set aside"},
		{"list never arrived", Warn, func(d *Document) { d.Hotlist.Lists[0].Missing = true }, "has never arrived"},
		{"list lost", Warn, func(d *Document) { d.Hotlist.Lists[0].Missing, d.Hotlist.Lists[0].Lost = true, true }, "although a version of it was accepted"},
		{"list overdue", Warn, func(d *Document) { d.Hotlist.Lists[0].Overdue = true }, "is overdue since"},
		{"list fallback", Warn, func(d *Document) { d.Hotlist.Lists[0].Fallback = true }, "previous version is in use"},
		{"older list", Warn, func(d *Document) { d.Hotlist.Lists[0].Accepted = 10 }, "although version 10 was accepted"},
		{"unrecorded list", Warn, func(d *Document) { d.Hotlist.Lists[0].Unrecorded = true }, "does not record"},
		{"audit trail", Warn, func(d *Document) { d.Hotlist.AuditProblem = "records up to 9 are missing" }, "records up to 9 are missing"},
		{"wrong hits", Warn, func(d *Document) {
			d.Verdicts = &message.VerdictHealth{Counts: []message.VerdictCount{{List: "regional", How: "one_character", Right: 12, Wrong: 8, TooMany: true}}}
		}, "8 of the last 20 hits that persons looked at were wrong (40 %)"},
		{"update refused", Warn, func(d *Document) { d.Hotlist.Lists[0].Refused = "bad signature" }, "refused: bad signature"},
	}, {
		{"no broker", Warn, func(d *Document) { d.Uplink.State = "off" }, "No broker is configured"},
		{"connecting", Warn, func(d *Document) { d.Uplink.State = "connecting" }, "Connecting to the broker"},
		{"offline", Warn, func(d *Document) { d.Uplink.State, d.Uplink.LastError = "offline", "i/o timeout" }, "No connection to the broker: i/o timeout"},
		{"server silent", Warn, func(d *Document) { d.Uplink.ServerSilent, d.Outbox.Awaiting = true, 60 }, "does not acknowledge hits: 60"},
		{"namesake", Warn, func(d *Document) { d.Uplink.Namesake = "k3f9xq2b" }, "Another unit uses this unit's name"},
		{"forged acks", Warn, func(d *Document) { d.Uplink.UnexpectedAcks = 3 }, "3 acknowledgements were ignored"},
		{"certificate", Warn, func(d *Document) { d.Uplink.Certificate = certificateEnd }, "renew it"},
		{"plaintext", Note, func(d *Document) { d.Uplink.Insecure = true }, "not encrypted"},
	}, {
		{"clock", Warn, func(d *Document) { d.Clock.State = ClockUnsynchronised }, "clock is not set"},
	},
}

// TestConditionTable goes through every combination of what can be wrong: the
// headline is the worst truth, no problem hides another, and only a unit without
// any says that all is well.
func TestConditionTable(t *testing.T) {
	combinations := 0
	var try func(group int, chosen []trouble)
	try = func(group int, chosen []trouble) {
		if group < len(troubles) {
			try(group+1, chosen)
			for _, w := range troubles[group] {
				try(group+1, append(chosen[:len(chosen):len(chosen)], w))
			}
			return
		}
		combinations++
		d := healthy().Status()
		names, worst := []string{}, OK
		for _, w := range chosen {
			w.cause(&d)
			names = append(names, w.name)
			if w.level.rank() > worst.rank() {
				worst = w.level
			}
		}
		c := Judge(&d)
		if err := checkCondition(c, worst, chosen); err != nil {
			t.Errorf("%s: %v\n%+v", strings.Join(names, ", "), err, c)
		}
	}
	try(0, nil)
	if combinations < 10_000 {
		t.Errorf("only %d combinations", combinations)
	}
}

func checkCondition(c Condition, worst Level, chosen []trouble) error {
	needing := 0
	for i, p := range c.Problems {
		if p.Level.rank() >= Warn.rank() {
			needing++
		}
		if i > 0 && p.Level.rank() > c.Problems[i-1].Level.rank() {
			return fmt.Errorf("%q stands below a lesser one", p.Text)
		}
		if (p.Advice == "") != (p.Level == Note) || strings.Contains(p.Advice, "%!") {
			return fmt.Errorf("%q: what to do is %q", p.Text, p.Advice)
		}
		if !strings.HasSuffix(p.Text, ".") || strings.Contains(p.Text, "%!") || strings.ContainsAny(p.Text, "\n\r") {
			return fmt.Errorf("%q is not a sentence", p.Text)
		}
	}
	if worst == Note {
		worst = OK
	}
	if c.Level != worst || c.ready() != (worst != Bad) {
		return fmt.Errorf("level %s, ready %t, want %s", c.Level, c.ready(), worst)
	}
	if (c.Headline == "Watching, hits reach the server") != (needing == 0) {
		return fmt.Errorf("headline %q with %d problems", c.Headline, needing)
	}
	if needing > 0 && !strings.HasPrefix(c.Headline, strings.TrimSuffix(c.Problems[0].Text, ".")) {
		return fmt.Errorf("headline %q is not the worst problem", c.Headline)
	}
	if more := fmt.Sprintf(" (and %d more)", needing-1); strings.Contains(c.Headline, " (and ") != (needing > 1) || needing > 1 && !strings.HasSuffix(c.Headline, more) {
		return fmt.Errorf("headline %q with %d problems", c.Headline, needing)
	}
	for _, w := range chosen {
		found := false
		for _, p := range c.Problems {
			found = found || strings.Contains(p.Text, w.words) && p.Level == w.level
		}
		if !found {
			return fmt.Errorf("%q is hidden", w.name)
		}
	}
	return nil
}

// TestConditionWords holds the sentences of each trouble alone: people and their
// scripts read them on the page, in the health message and in the journal.
func TestConditionWords(t *testing.T) {
	var b strings.Builder
	for _, group := range troubles {
		for _, w := range group {
			d := healthy().Status()
			d.Uplink.Broker = "mqtt://broker:1883"
			d.Hotlist.Lists[0].Expires = time.Date(2026, 5, 4, 3, 0, 0, 0, time.UTC)
			w.cause(&d)
			if !d.Uplink.Certificate.IsZero() {
				d.Uplink.Certificate, d.Now = time.Date(2026, 5, 4, 3, 0, 0, 0, time.UTC), time.Date(2026, 5, 1, 3, 0, 0, 0, time.UTC)
			}
			if d.Page != nil {
				d.Page.Expires, d.Now = time.Date(2026, 5, 4, 3, 0, 0, 0, time.UTC), time.Date(2026, 5, 1, 3, 0, 0, 0, time.UTC)
			}
			c := Judge(&d)
			for _, p := range c.Problems {
				line := fmt.Sprintf("%-18s %-8s %-5s %-30s %s → %s", w.name, p.About, p.Level, p.Key, p.Text, p.Advice)
				b.WriteString(strings.TrimSuffix(line, " → ") + "\n")
			}
		}
	}
	const file = "testdata/conditions.golden"
	goldentest.Compare(t, file, b.String())
}

// TestEverySurfaceSaysTheSame: page, /readyz and metrics take the condition from one
// place.
func TestEverySurfaceSaysTheSame(t *testing.T) {
	u := healthy()
	u.doc.Uplink.ServerSilent = true
	u.doc.Outbox.Awaiting = 60
	h := newServer(t, u, Options{}).handler()
	const truth = "The server does not acknowledge hits: 60 are kept and resent from time to time."
	if w := get(h, "/readyz"); w.Code != 200 || w.Body.String() != "ready\nwarn: "+truth+"\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	var d Document
	if err := json.Unmarshal(get(h, "/status.json").Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	if d.Condition.Level != Warn || d.Condition.Headline+"." != truth {
		t.Errorf("%+v", d.Condition)
	}
	if body := get(h, "/metrics").Body.String(); !strings.Contains(body, "\nplatewatch_ready 1\n") || !strings.Contains(body, "\nplatewatch_condition 1\n") {
		t.Error("the metrics say otherwise")
	}
}
