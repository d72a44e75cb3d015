package message_test

import (
	"encoding/json"
	"strings"
	"testing"

	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/message"
)

func TestValidateMessages(t *testing.T) {
	h := uplinktest.WithPictures(uplinktest.Hit("M5XSX"), 10, 10)
	h.ID, h.Number, h.Revision, h.Unit = "unit-7-1", 1, 1, "unit-7"
	good, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := message.Validate(message.KindHits, good); err != nil {
		t.Errorf("a good hit: %v", err)
	}
	extra := strings.Replace(string(good), `{`, `{"from_the_future":1,`, 1)
	if err := message.Validate(message.KindHits, []byte(extra)); err != nil {
		t.Errorf("unknown fields are ignored: %v", err)
	}
	for name, change := range map[string]func(h map[string]any){
		"no matches":        func(h map[string]any) { h["matches"] = []any{} },
		"confidence 2":      func(h map[string]any) { h["confidence"] = 2 },
		"no time zone":      func(h map[string]any) { h["captured_at"] = "2026-05-04T03:02:01" },
		"verified":          func(h map[string]any) { h["verified"] = true },
		"wildcard in unit":  func(h map[string]any) { h["unit"] = "a/b" },
		"id without number": func(h map[string]any) { h["id"] = "unit-7-" },
		"picture no base64": func(h map[string]any) { h["plate_picture"].(map[string]any)["jpeg"] = "%%%%" },
		"how":               func(h map[string]any) { h["matches"].([]any)[0].(map[string]any)["how"] = "guess" },
		"no notice":         func(h map[string]any) { delete(h, "notice") },
	} {
		var m map[string]any
		if err := json.Unmarshal(good, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := message.Validate(message.KindHits, b); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, bad := range []string{"", "{", "[]", string(good) + "{}", "null"} {
		if err := message.Validate(message.KindHits, []byte(bad)); err == nil {
			t.Errorf("%.20q: accepted", bad)
		}
	}
}

// A withdrawal tells nothing of the plate, whatever the hit holds, and the schema
// refuses one that does.
func TestWithdrawal(t *testing.T) {
	h := uplinktest.WithPictures(uplinktest.Hit("M5XSX"), 10, 10)
	h.ID, h.Number, h.Revision, h.Unit, h.Withdrawn = "unit-7-1", 1, 2, "unit-7", true
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := message.Validate(message.KindHits, b); err != nil {
		t.Errorf("%v: %s", err, b)
	}
	var fields map[string]any
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"version", "id", "number", "revision", "unit", "passage", "camera", "captured_at", "clock", "withdrawn", "historical", "verified", "notice"} {
		if _, ok := fields[name]; !ok {
			t.Errorf("%s is missing", name)
		}
		delete(fields, name)
	}
	if len(fields) > 0 {
		t.Errorf("it also tells %v", fields)
	}
	h.Withdrawn = false
	full, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(full, &all); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"text", "confidence", "characters", "region", "direction", "frame", "matches", "plate_picture", "context_picture"} {
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		m[name] = all[name]
		told, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := message.Validate(message.KindHits, told); err == nil {
			t.Errorf("a withdrawal with %s is accepted", name)
		}
		delete(all, name)
	}
	rest, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := message.Validate(message.KindHits, rest); err == nil {
		t.Error("a hit without text that is not withdrawn is accepted")
	}
}
