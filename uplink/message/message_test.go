package message

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// schemaNode is the part of JSON Schema that the files here use.
type schemaNode struct {
	Ref        string                `json:"$ref"`
	Type       string                `json:"type"`
	Format     string                `json:"format"`
	Const      any                   `json:"const"`
	Enum       []string              `json:"enum"`
	Required   []string              `json:"required"`
	Else       *schemaNode           `json:"else"` // applies to all hits but withdrawals
	Properties map[string]schemaNode `json:"properties"`
	Items      *schemaNode           `json:"items"`
	Additional *schemaNode           `json:"additionalProperties"`
	Encoding   string                `json:"contentEncoding"`
	Defs       map[string]schemaNode `json:"$defs"`
}

// The Go types and the schema files describe the same fields, of the same types; a
// schema requires a field exactly where the Go type always writes it.
func TestSchemaMatchesTypes(t *testing.T) {
	for kind, typ := range map[Kind]reflect.Type{
		KindHits: reflect.TypeFor[Hit](), KindState: reflect.TypeFor[State](),
		KindHealth: reflect.TypeFor[Health](), KindHotlists: reflect.TypeFor[HotlistReport](),
		KindAcks: reflect.TypeFor[Acks](), KindVerdicts: reflect.TypeFor[Verdicts](),
	} {
		t.Run(string(kind), func(t *testing.T) {
			b, err := schemaFile(schemaNames[kind])
			if err != nil {
				t.Fatal(err)
			}
			var root schemaNode
			if err := json.Unmarshal(b, &root); err != nil {
				t.Fatal(err)
			}
			used := map[string]bool{}
			for _, d := range drift(typ, root, root.Defs, used, typ.Name()) {
				t.Error(d)
			}
			for name := range root.Defs {
				if !used[name] {
					t.Errorf("$defs/%s is used nowhere", name)
				}
			}
		})
	}
}

// drift lists where a type and a schema differ.
func drift(typ reflect.Type, s schemaNode, defs map[string]schemaNode, used map[string]bool, at string) []string {
	if s.Ref != "" {
		name := strings.TrimPrefix(s.Ref, "#/$defs/")
		used[name] = true
		var ok bool
		if s, ok = defs[name]; !ok {
			return []string{fmt.Sprintf("%s: $defs/%s is missing", at, name)}
		}
	}
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	want := func(kind string) []string {
		if s.Type != kind {
			return []string{fmt.Sprintf("%s: the schema says %q, Go writes %q", at, s.Type, kind)}
		}
		return nil
	}
	fixed := func(v any) []string {
		if !reflect.DeepEqual(s.Const, v) {
			return []string{fmt.Sprintf("%s: the schema says const %v, Go writes %v", at, s.Const, v)}
		}
		return nil
	}
	enum := func(values ...string) []string {
		if diff := cmp.Diff(values, s.Enum); diff != "" {
			return []string{fmt.Sprintf("%s: the enumerations differ (-Go +schema):\n%s", at, diff)}
		}
		return nil
	}
	switch typ {
	case reflect.TypeFor[Version]():
		return fixed(float64(schemaVersion))
	case reflect.TypeFor[Verified]():
		return fixed(false)
	case reflect.TypeFor[Notice]():
		return fixed(noticeText)
	case reflect.TypeFor[time.Time]():
		if s.Format != "date-time" {
			return []string{at + ": the schema does not say date-time"}
		}
		return want("string")
	case reflect.TypeFor[How]():
		return enum(string(HowExact), string(HowConfusable), string(HowOneCharacter), string(HowWildcard))
	case reflect.TypeFor[ClockState]():
		return enum(string(ClockSynchronised), string(ClockUnsynchronised))
	case reflect.TypeFor[Level]():
		return enum(string(LevelOK), string(LevelWarn), string(LevelBad))
	case reflect.TypeFor[Presence]():
		return enum(string(Online), string(Offline))
	case reflect.TypeFor[Finding]():
		return enum(string(Right), string(Wrong))
	case reflect.TypeFor[Answer]():
		return enum(string(VerdictCounted), string(VerdictChanged), string(VerdictRepeated), string(VerdictOlder), string(VerdictUnknown), string(VerdictRefused), string(VerdictFailed))
	}
	switch typ.Kind() {
	case reflect.String:
		if s.Const != nil {
			return nil
		}
		return want("string")
	case reflect.Bool:
		return want("boolean")
	case reflect.Float64:
		return want("number")
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return want("integer")
	case reflect.Map:
		if s.Additional == nil {
			return []string{at + ": the schema does not describe the map's values"}
		}
		return append(want("object"), drift(typ.Elem(), *s.Additional, defs, used, at+"[]")...)
	case reflect.Slice, reflect.Array:
		if typ.Elem().Kind() == reflect.Uint8 {
			if s.Encoding != "base64" {
				return []string{at + ": the schema does not say base64"}
			}
			return want("string")
		}
		if s.Items == nil {
			return []string{at + ": the schema does not describe the items"}
		}
		return append(want("array"), drift(typ.Elem(), *s.Items, defs, used, at+"[]")...)
	case reflect.Struct:
		out := want("object")
		names := map[string]bool{}
		var required []string
		for i := range typ.NumField() {
			name, opts, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			names[name] = true
			if !strings.Contains(opts, "omit") {
				required = append(required, name)
			}
			p, ok := s.Properties[name]
			if !ok {
				out = append(out, fmt.Sprintf("%s.%s is not in the schema", at, name))
				continue
			}
			out = append(out, drift(typ.Field(i).Type, p, defs, used, at+"."+name)...)
		}
		for name := range s.Properties {
			if !names[name] {
				out = append(out, fmt.Sprintf("%s.%s is not in the Go type", at, name))
			}
		}
		slices.Sort(required)
		inSchema := slices.Clone(s.Required)
		if s.Else != nil {
			inSchema = append(inSchema, s.Else.Required...)
		}
		slices.Sort(inSchema)
		if !slices.Equal(required, inSchema) {
			out = append(out, fmt.Sprintf("%s: always written are %v, required are %v", at, required, inSchema))
		}
		return out
	}
	return []string{fmt.Sprintf("%s: the test does not know %s", at, typ)}
}

// The test above notices a field that one side lacks.
func TestDriftIsNoticed(t *testing.T) {
	type message struct {
		A string `json:"a"`
		B int    `json:"b,omitempty"`
	}
	s := schemaNode{Type: "object", Required: []string{"a"}, Properties: map[string]schemaNode{"a": {Type: "string"}, "b": {Type: "integer"}}}
	if d := drift(reflect.TypeFor[message](), s, nil, map[string]bool{}, "m"); len(d) != 0 {
		t.Errorf("equal: %v", d)
	}
	for name, change := range map[string]func(){
		"type":        func() { s.Properties["b"] = schemaNode{Type: "string"} },
		"missing":     func() { delete(s.Properties, "b") },
		"extra":       func() { s.Properties["c"] = schemaNode{Type: "string"} },
		"requirement": func() { s.Required = []string{"a", "b"} },
	} {
		keep, required := maps.Clone(s.Properties), s.Required
		change()
		if d := drift(reflect.TypeFor[message](), s, nil, map[string]bool{}, "m"); len(d) == 0 {
			t.Errorf("%s: not noticed", name)
		}
		s.Properties, s.Required = keep, required
	}
}

// The AsyncAPI document names the topics, quality of service and schemas that
// are really used.
func TestAsyncAPI(t *testing.T) {
	b, err := schemaFile("asyncapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		AsyncAPI string `json:"asyncapi"`
		Channels map[string]struct {
			Address string `json:"address"`
		} `json:"channels"`
		Operations map[string]struct {
			Action   string `json:"action"`
			Bindings struct {
				MQTT struct {
					QoS    int  `json:"qos"`
					Retain bool `json:"retain"`
				} `json:"mqtt"`
			} `json:"bindings"`
		} `json:"operations"`
		Components struct {
			Messages map[string]struct {
				Payload struct {
					Schema struct {
						Ref string `json:"$ref"`
					} `json:"schema"`
				} `json:"payload"`
			} `json:"messages"`
		} `json:"components"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.AsyncAPI != "3.0.0" || len(doc.Channels) != len(schemaNames)+2 { // hotlists' manifests and parts are no JSON of ours
		t.Errorf("version %s with %d channels", doc.AsyncAPI, len(doc.Channels))
	}
	for kind, file := range schemaNames {
		name := string(kind)
		if got := doc.Channels[name].Address; got != Topic("{unit}", kind) {
			t.Errorf("%s: address %q", name, got)
		}
		op, action, qos := doc.Operations["publish_"+name], "send", 1
		toUnit := kind == KindAcks || kind == KindVerdicts
		if toUnit {
			op, action, qos = doc.Operations["receive_"+name], "receive", 0
		}
		if op.Action != action || op.Bindings.MQTT.QoS != qos || op.Bindings.MQTT.Retain != (kind != KindHits && !toUnit) {
			t.Errorf("%s: operation %+v", name, op)
		}
		if got := doc.Components.Messages[name].Payload.Schema.Ref; got != "./"+file {
			t.Errorf("%s: schema %q", name, got)
		}
	}
}

// The zero value of a message already says that nobody has verified the hit.
func TestHitIsNeverVerified(t *testing.T) {
	b, err := json.Marshal(Hit{})
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if m["verified"] != false || m["notice"] != noticeText || m["version"] != float64(schemaVersion) || m["clock"] != "unsynchronised" {
		t.Errorf("the zero hit is %s", b)
	}
	for _, bad := range []string{`{"verified":true}`, `{"verified":null}`, `{"version":2}`, `{"notice":7}`} {
		var h Hit
		err := json.Unmarshal([]byte(bad), &h)
		if verr := Validate(KindHits, []byte(bad)); verr == nil {
			t.Errorf("the schema accepts %s", bad)
		}
		if err == nil && bad != `{"verified":null}` { // encoding/json skips null
			t.Errorf("%s was decoded", bad)
		}
	}
}

func TestUnitNames(t *testing.T) {
	for _, good := range []string{"a", "unit-7", "A.b_c-9", strings.Repeat("x", 64)} {
		if err := ValidateName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "+", "#", "a/b", "a+", "a#", " a", "-a", ".a", "ä", "a b", "a\x00", strings.Repeat("x", 65)} {
		if err := ValidateName(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestIDsAndTopics(t *testing.T) {
	unit, number, err := ParseID(FormatID("unit-7", 42))
	if err != nil || unit != "unit-7" || number != 42 {
		t.Errorf("%s %d %v", unit, number, err)
	}
	for _, bad := range []string{"", "7", "-7", "u-", "u-x", "u-0", "u-07", "u-+7", "a/b-7", "u-18446744073709551616"} {
		if u, n, err := ParseID(bad); err == nil {
			t.Errorf("%q is taken for %s and %d", bad, u, n)
		}
	}
	unit, kind, ok := ParseTopic(Topic("unit-7", KindHits))
	if !ok || unit != "unit-7" || kind != KindHits {
		t.Errorf("%s %s %t", unit, kind, ok)
	}
	for _, bad := range []string{"", "platewatch/v1/units/", "platewatch/v1/units/a", "platewatch/v1/units/+/hits", "platewatch/v1/units/a/acks2", "platewatch/v2/units/a/hits", "platewatch/v1/units/a/hits/x"} {
		if _, _, ok := ParseTopic(bad); ok {
			t.Errorf("%q is taken for a unit's topic", bad)
		}
	}
}

func TestUrgency(t *testing.T) {
	h := Hit{Matches: []Match{{Priority: 4}, {Priority: 2}, {Priority: 0}}}
	if u := h.Urgency(); u != 2 {
		t.Errorf("urgency %d", u)
	}
	h = Hit{Matches: []Match{{}}}
	if u := h.Urgency(); u != defaultPriority {
		t.Errorf("urgency without a priority %d", u)
	}
}
