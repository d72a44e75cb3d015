package message_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/deploy/tools/goldentest"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
)

// messages holds every kind of message in every state that a receiver can meet.
func messages() map[string]any {
	at := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	hit := func(change func(h *message.Hit)) message.Hit {
		h := uplinktest.Hit("M5XSX")
		h.ID, h.Number, h.Previous, h.Revision, h.Unit = "unit-7-42", 42, 41, 1, "unit-7"
		h.Reader = &message.Reader{Model: "plate", Version: "67cd2b25fd79", Software: "0.4.0"}
		h.Matches[0].ListDated, h.Matches[0].ListAge = at.Add(-time.Hour), 3600
		change(&h)
		return h
	}
	pictures := func(h *message.Hit) {
		h.PlatePicture = &message.Picture{ContentType: "image/jpeg", Width: 2, Height: 1, JPEG: []byte{0xff, 0xd8, 0xff, 0xd9}}
		h.ContextPicture = h.PlatePicture
	}
	health := func(change func(h *message.Health)) message.Health {
		h := message.Health{Unit: "unit-7", At: at, Clock: message.ClockSynchronised, Uptime: 3600, Software: "0.4.0", Passages: 100, Hits: 2, LastHit: at,
			Cameras: []message.CameraHealth{{Name: "north", State: "online", FPS: 25, Frames: 90000, LastFrame: at, Opens: 1}},
			Outbox:  message.OutboxHealth{MaxEntries: 20000, MaxBytes: 64 << 20, LastNumber: 42, Accepted: 2, Delivered: 2},
			Link:    message.LinkHealth{Broker: "mqtts://broker:8883", Connects: 1, Delivered: 2},
			Lists:   []message.ListHealth{{Name: "stolen", Version: "41", Entries: 50000, Imported: at, Expires: at.Add(time.Hour)}},
			Disk:    &message.DiskHealth{Free: 5 << 30, Total: 16 << 30}, Temperature: new(51.5), Headline: "Watching, hits reach the server"}
		change(&h)
		return h
	}
	return map[string]any{
		"hits-full": hit(func(h *message.Hit) {
			pictures(h)
			h.Issuer, h.Colour = &message.Issuer{Code: "us-tx", Confidence: 0.91}, &message.Colour{Name: "white", Confidence: 0.74}
		}),
		"hits-follow":    hit(func(h *message.Hit) { h.PicturesFollow = true }),
		"hits-unchanged": hit(func(h *message.Hit) { h.Revision, h.PicturesUnchanged = 2, true }),
		"hits-dropped":   hit(func(h *message.Hit) { h.PicturesDropped = true }),
		"hits-late":      hit(func(h *message.Hit) { h.Historical = true }),
		"hits-no-clock":  hit(func(h *message.Hit) { h.Clock, h.Matches[0].ListAge = message.ClockUnsynchronised, 0 }),
		"hits-overdue":   hit(func(h *message.Hit) { h.Matches[0].ListOverdue, h.Matches[0].Covert = true, true }),
		"hits-withdrawn": hit(func(h *message.Hit) { h.Revision, h.Withdrawn = 3, true }),
		"hits-parked":    hit(func(h *message.Hit) { h.Revision, h.PicturesUnchanged, h.Direction = 2, true, "parked" }),
		"hits-many": hit(func(h *message.Hit) {
			more := h.Matches[0]
			h.Matches[0].How, h.Matches[0].Probability, h.Matches[0].Caution = message.HowConfusable, 0.93, "probability that this is the listed plate: 93 %"
			more.How, more.List, more.Probability = message.HowOneCharacter, "local", 0.41
			more.Caution = "probability that this is the listed plate: 41 %; the entry says the vehicle is red: likely another vehicle"
			h.Matches = append(h.Matches, more)
		}),
		"hits-least": message.Hit{ID: "u-1", Number: 1, Revision: 1, Unit: "u", Camera: "c", CapturedAt: at, Text: "A", Characters: []message.Character{},
			Matches: []message.Match{{List: "l", Category: "c", How: message.HowWildcard, Entry: message.Entry{Plate: "A*"}}}},
		"state-online":   message.State{Unit: "unit-7", State: message.Online, Since: at, Software: "0.4.0"},
		"state-birth":    message.State{Unit: "unit-7", State: message.Online, Since: at, Software: "0.4.0", Installation: "k3f9xq2b", Run: "mfrggzdfmztw"},
		"state-anew":     message.State{Unit: "unit-7", State: message.Offline, Since: at, Reason: "connecting anew", Installation: "k3f9xq2b", Run: "mfrggzdfmztw"},
		"state-insecure": message.State{Unit: "unit-7", State: message.Online, Since: at, Insecure: true},
		"state-stopped":  message.State{Unit: "unit-7", State: message.Offline, Since: at, Reason: "stopped"},
		"state-will":     message.State{Unit: "unit-7", State: message.Offline, Reason: "connection lost", Software: "0.4.0"},
		"health-ok":      health(func(*message.Health) {}),
		"health-warn": health(func(h *message.Health) {
			h.Level, h.Headline, h.Problems = message.LevelWarn, "Hotlist amber is followed and has never arrived", []string{"Hotlist amber is followed and has never arrived."}
			h.Lists = append(h.Lists, message.ListHealth{Name: "amber", Missing: true})
			h.Lists[0].Overdue = true
			h.Link.Awaiting, h.Link.LastProblem = 3, "the server does not acknowledge hits that the broker has"
		}),
		"health-bad": health(func(h *message.Health) {
			h.Level, h.Headline, h.Problems = message.LevelBad, "Camera north is offline: unplugged", []string{"Camera north is offline: unplugged."}
			h.Cameras[0].State, h.Cameras[0].LastError = "offline", "unplugged"
			h.Outbox.DiskProblem, h.Outbox.Unsaved, h.Outbox.Damage = "no space", 2, "torn page"
			h.Outbox.DroppedEntries, h.Outbox.DroppedByPriority = 1, map[string]uint64{"p3": 1}
		}),
		"health-doubt": health(func(h *message.Health) {
			h.Level, h.Clock, h.Installation = message.LevelWarn, message.ClockUnsynchronised, "k3f9xq2b"
			h.Headline, h.Problems = "The audit trail was changed: records up to 9 are missing (and 2 more)", []string{
				"The audit trail was changed: records up to 9 are missing.", "Hotlist stolen is version 41, although version 43 was accepted: somebody put older files back.",
				"3 acknowledgements were ignored: not valid, retained, or for hits that were not sent. Somebody may be forging them."}
			h.Audit = &message.AuditHealth{Number: 7, Hash: strings.Repeat("0a", 32), Problem: "records up to 9 are missing"}
			h.Lists[0].Accepted, h.Link.UnexpectedAcks, h.Link.Insecure = "43", 3, true
			h.Cameras[0].Drops, h.Outbox.NumberFileProblem = map[string]uint64{"newer": 12}, "no space"
		}),
		"health-new": message.Health{Unit: "u", At: at, Cameras: []message.CameraHealth{}, Lists: []message.ListHealth{}},
		"hotlists-held": message.HotlistReport{Unit: "unit-7", At: at, Lists: []message.ListHealth{
			{Name: "stolen", Version: "41", Entries: 50000, Imported: at, Expires: at, Overdue: true}, {Name: "amber", Missing: true},
			{Name: "local", Version: "8", Entries: 12, Imported: at, Accepted: "9"}}},
		"hotlists-refused": message.HotlistReport{Unit: "unit-7", At: at, Lists: []message.ListHealth{},
			Refused: []message.ListRefusal{{Name: "stolen", Version: "42", Reason: "the signature is not valid", At: at}}},
		"acks":       message.Acks{Unit: "unit-7", Stored: []message.Ack{{ID: "unit-7-42", Revision: 1}}},
		"acks-probe": message.Acks{Unit: "unit-7", Stored: []message.Ack{}, Probe: "abcdefghijklmnop234567"},
		"health-verdicts": health(func(h *message.Health) {
			h.Level, h.Headline = message.LevelWarn, "Of the last 20 verdicts on hits of list stolen that matched one character, 8 are wrong"
			h.Problems = []string{h.Headline + "."}
			h.Verdicts = &message.VerdictHealth{Ignored: 1, Counts: []message.VerdictCount{
				{List: "stolen", How: "exact", Right: 31, Wrong: 1}, {List: "stolen", How: "one_character", Right: 12, Wrong: 8, TooMany: true}},
				Latest: []message.VerdictAnswer{{ID: "unit-7-42", At: at, Answer: message.VerdictCounted}, {ID: "unit-7-41", At: at, Answer: message.VerdictUnknown},
					{ID: "unit-7-42", At: at.Add(time.Second), Answer: message.VerdictChanged}, {ID: "unit-7-42", At: at, Answer: message.VerdictOlder}, {ID: "unit-7-40", At: at, Answer: message.VerdictRepeated},
					{ID: "unit-7-39", At: at, Answer: message.VerdictRefused}, {ID: "unit-7-38", At: at, Answer: message.VerdictFailed}}}
		}),
		"verdicts": message.Verdicts{Unit: "unit-7", Verdicts: []message.Verdict{
			{ID: "unit-7-42", Verdict: message.Wrong, Reason: "misread, a Q for an O", By: "officer 1182", At: at},
			{ID: "unit-7-41", Verdict: message.Right, Reason: "vehicle stopped", At: at}}},
	}
}

// TestGoldenMessages compares every message, as receivers see it, with its golden
// file.
func TestGoldenMessages(t *testing.T) {
	for name, m := range messages() {
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := strings.Cut(name, "-")
		if err := message.Validate(message.Kind(kind), b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got bytes.Buffer
		if err := json.Indent(&got, b, "", "  "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		file := filepath.Join("testdata", name+".json")
		goldentest.Compare(t, file, got.String())
	}
}

// otherValidator is a JSON Schema implementation that this project does not use:
// python3-jsonschema. It prints each file that it refuses.
const otherValidator = `
import glob, json, os, sys
from jsonschema import Draft202012Validator, FormatChecker
names = {"hits": "hit", "state": "state", "health": "health", "hotlists": "hotlists", "acks": "acks", "verdicts": "verdicts"}
for path in sorted(glob.glob(sys.argv[1] + "/*.json")):
    kind = os.path.basename(path).split(".")[0].split("-")[0]
    with open("schema/%s.schema.json" % names[kind]) as f:
        schema = json.load(f)
    Draft202012Validator.check_schema(schema)
    with open(path) as f:
        m = json.load(f)
    if any(True for _ in Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(m)):
        print(os.path.basename(path))
print("done")
`

// TestAnotherValidator validates the messages with another implementation, which must
// accept those above and refuse what no unit may send.
func TestAnotherValidator(t *testing.T) {
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import jsonschema").Run(); err != nil {
		t.Skip("no python3-jsonschema here: the messages were not validated by it (apt install python3-jsonschema)")
	}
	refusedBy := func(dir string) string {
		out, err := exec.Command(python, "-c", otherValidator, dir).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	if got := refusedBy("testdata"); got != "done\n" {
		t.Errorf("refused: %s", got)
	}
	bad, want := t.TempDir(), []string{}
	for name, change := range map[string]func(m map[string]any){
		"hits-full.a":      func(m map[string]any) { m["verified"] = true },
		"hits-full.b":      func(m map[string]any) { delete(m, "matches") },
		"hits-full.c":      func(m map[string]any) { m["confidence"] = 1.5 },
		"hits-withdrawn.a": func(m map[string]any) { m["text"] = "M5XSX" },
		"health-ok.a":      func(m map[string]any) { m["level"] = "fine" },
		"state-online.a":   func(m map[string]any) { m["version"] = 2 },
		"verdicts.a":       func(m map[string]any) { m["verdicts"] = []any{} },
		"verdicts.b":       func(m map[string]any) { m["verdicts"].([]any)[0].(map[string]any)["verdict"] = "perhaps" },
	} {
		golden, _, _ := strings.Cut(name, ".")
		b, err := os.ReadFile(filepath.Join("testdata", golden+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		if err := os.WriteFile(filepath.Join(bad, name+".json"), uplinktest.Marshal(t, m), 0o644); err != nil {
			t.Fatal(err)
		}
		want = append(want, name+".json")
	}
	slices.Sort(want)
	if diff := cmp.Diff(strings.Join(want, "\n")+"\ndone\n", refusedBy(bad)); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}
