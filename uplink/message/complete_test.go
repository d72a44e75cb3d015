package message_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestGoldenComplete: the golden files of each kind of message show every field and
// every enumerated word of its schema, and at least one name of a colour.
func TestGoldenComplete(t *testing.T) {
	files := map[string]string{"hits": "hit", "state": "state", "health": "health", "hotlists": "hotlists", "acks": "acks", "verdicts": "verdicts"}
	for kind, name := range files {
		var schema map[string]any
		readJSON(t, "schema/"+name+".schema.json", &schema)
		known := map[string]bool{}
		states(schema, schema, "", known)
		goldens, err := filepath.Glob("testdata/" + kind + "*.json")
		if err != nil || len(goldens) == 0 {
			t.Fatalf("%s: no golden files, %v", kind, err)
		}
		for _, file := range goldens {
			var m any
			readJSON(t, file, &m)
			shows(m, "", known)
		}
		for _, state := range slices.Sorted(maps.Keys(known)) {
			if !known[state] && !strings.Contains(state, ".colour.name=") {
				t.Errorf("no golden file of %s shows %s", kind, state)
			}
		}
	}
}

func readJSON(t *testing.T, file string, v any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// states collects what a schema says may be in a message: "matches[].how=exact".
func states(root, s map[string]any, at string, known map[string]bool) {
	if ref, ok := s["$ref"].(string); ok {
		defs := root["$defs"].(map[string]any)
		states(root, defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any), at, known)
		return
	}
	if at != "" {
		known[at] = false
	}
	if words, ok := s["enum"].([]any); ok {
		for _, w := range words {
			known[fmt.Sprintf("%s=%v", at, w)] = false
		}
	}
	for name, p := range properties(s) {
		states(root, p.(map[string]any), at+"."+name, known)
	}
	if items, ok := s["items"].(map[string]any); ok {
		states(root, items, at+"[]", known)
	}
}

// properties returns a schema's properties, with those that only hits other than
// withdrawals have.
func properties(s map[string]any) map[string]any {
	all := map[string]any{}
	for _, part := range []any{s, s["else"]} {
		if m, ok := part.(map[string]any); ok {
			if p, ok := m["properties"].(map[string]any); ok {
				maps.Copy(all, p)
			}
		}
	}
	return all
}

// shows marks what a message shows.
func shows(v any, at string, known map[string]bool) {
	mark := func(state string) {
		if _, ok := known[state]; ok {
			known[state] = true
		}
	}
	if at != "" {
		mark(at)
	}
	switch v := v.(type) {
	case map[string]any:
		for name, p := range v {
			shows(p, at+"."+name, known)
		}
	case []any:
		for _, item := range v {
			shows(item, at+"[]", known)
		}
	case string:
		mark(at + "=" + v)
	}
}
