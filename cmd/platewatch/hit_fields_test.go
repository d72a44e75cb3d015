package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"platewatch/cmd/platewatch/internal/hit"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/importer"
	"platewatch/hotlist/match"
	"platewatch/uplink/message"
)

// hitSurfaces are the places that show a match, each as text.
var hitSurfaces = map[string]func(t *testing.T, m match.Match) string{
	"the message": func(t *testing.T, m match.Match) string { return marshalled(t, hit.Match(m)) },
	"the status page": func(t *testing.T, m match.Match) string {
		row := hit.Page("u-1", &message.Hit{Matches: []message.Match{hit.Match(m)}}, 0, false)
		return fmt.Sprint(row.Head, row.Facts) // page.js shows these two
	},
	"platewatch watch": func(t *testing.T, m match.Match) string {
		var b bytes.Buffer
		if err := (&watchPrinter{out: &b}).hit(&message.Hit{Matches: []message.Match{hit.Match(m)}}, nil); err != nil {
			t.Fatal(err)
		}
		return b.String()
	},
	"platewatch hotlist check": func(_ *testing.T, m match.Match) string {
		var b strings.Builder
		printMatch(&b, m, "")
		return b.String()
	},
	"platewatch hotlist check -json": func(t *testing.T, m match.Match) string { return marshalled(t, m) },
	"platewatch hotlist export":      func(_ *testing.T, m match.Match) string { return strings.Join(importer.Row(&m.Entry), ",") },
}

// hitLeftOut names the fields that a surface does not show, and why.
var hitLeftOut = map[string]map[string]string{
	"Entry.Policy": {
		"the message":              "it limits how the entry may match; How says how it did",
		"the status page":          "as in the message",
		"platewatch watch":         "as in the message",
		"platewatch hotlist check": "as in the message",
	},
	"List":            {"platewatch hotlist export": ofTheMatch},
	"Version":         {"platewatch hotlist export": ofTheMatch},
	"How":             {"platewatch hotlist export": ofTheMatch},
	"Probability":     {"platewatch hotlist export": ofTheMatch},
	"Contradiction":   {"platewatch hotlist export": ofTheMatch},
	"StateDiffers":    {"platewatch hotlist export": ofTheMatch},
	"SpellingDiffers": {"platewatch hotlist export": ofTheMatch},
	"TimeUnsure":      {"platewatch hotlist export": ofTheMatch},
	"Dated":           {"platewatch hotlist export": ofTheMatch},
	"Overdue":         {"platewatch hotlist export": ofTheMatch},
}

const ofTheMatch = "it belongs to the match, not to the entry"

// TestEveryFieldReachesPeople changes every field of a match and of its entry, and
// demands that each surface shows the change, unless the field is left out above.
// That the schema of the message has every field is TestSchemaMatchesTypes of uplink.
func TestEveryFieldReachesPeople(t *testing.T) {
	base := match.Match{List: "list", Version: "7", How: match.Confusable, Probability: 0.5,
		Entry: entry.Entry{Plate: "AB12", Category: "wanted", Priority: 2}}
	fields := leaves(reflect.TypeFor[match.Match](), nil, "")
	if len(fields) < 20 {
		t.Fatalf("only %d fields were found: %v", len(fields), fields)
	}
	known := map[string]bool{}
	for _, f := range fields {
		known[f.name] = true
		changed := base
		mark := distinct(t, reflect.ValueOf(&changed).Elem().FieldByIndex(f.index))
		for surface, text := range hitSurfaces {
			got := text(t, changed)
			told := got != text(t, base) && strings.Contains(got, mark)
			_, leftOut := hitLeftOut[f.name][surface]
			switch {
			case !told && !leftOut:
				t.Errorf("%s does not show %s. Add it to internal/hit/match.go (or, for export, to hotlist/importer/columns.go), or name here why it is left out.\n%s", surface, f.name, got)
			case told && leftOut:
				t.Errorf("%s shows %s, which is named here as left out", surface, f.name)
			}
		}
	}
	for name := range hitLeftOut {
		if !known[name] {
			t.Errorf("%s is left out, and there is no such field", name)
		}
	}
}

// hitFieldsLeftOut names the fields of the message that the page (p) or watch (w)
// does not show, and why.
var hitFieldsLeftOut = map[string]struct{ where, why string }{
	"Version":           {"pw", "of the schema"},
	"Number":            {"pw", "part of the id"},
	"Previous":          {"pw", "watch reports gaps in the numbers"},
	"Revision":          {"p", "the page shows the newest"},
	"Unit":              {"p", "the page is about one unit"},
	"Passage":           {"pw", "a number within the camera, for programs"},
	"Position":          {"p", "the head of the page shows it"},
	"Characters":        {"pw", "for programs; the confidence sums them up"},
	"Frame":             {"pw", "for programs that cut the plate out"},
	"ContextPicture":    {"pw", "the page shows the picture of the plate; watch shows text"},
	"PlatePicture":      {"w", "watch shows text"},
	"PicturesDropped":   {"pw", "at the bound of the outbox, after the page has the hit; for programs"},
	"PicturesUnchanged": {"pw", "the page keeps the picture; watch shows text"},
	"PicturesFollow":    {"p", "set on delivery, after the page has the hit"},
	"Historical":        {"p", "set on delivery, after the page has the hit; the page shows the age"},
	"Verified":          {"pw", "always false; both say that a person must verify"},
	"Notice":            {"pw", "always the same; both have it in their own words"},
	"Matches":           {"pw", "TestEveryFieldReachesPeople"},
}

// TestEveryFieldOfAPassageReachesPeople demands the same of the fields of a hit
// that do not come from a match.
func TestEveryFieldOfAPassageReachesPeople(t *testing.T) {
	base := message.Hit{ID: "u-1", Clock: message.ClockSynchronised, Matches: []message.Match{{List: "l"}}}
	surfaces := map[string]func(h message.Hit) string{
		"p": func(h message.Hit) string {
			row := hit.Page(h.ID, &h, 0, false)
			row.Match = message.Match{}
			return marshalled(t, row)
		},
		"w": func(h message.Hit) string {
			var b bytes.Buffer
			if err := (&watchPrinter{out: &b}).hit(&h, nil); err != nil {
				t.Fatal(err)
			}
			return b.String()
		},
	}
	for f := range reflect.TypeFor[message.Hit]().Fields() {
		changed := base
		fill(t, reflect.ValueOf(&changed).Elem().FieldByIndex(f.Index))
		for name, text := range surfaces {
			told, leftOut := text(changed) != text(base), strings.Contains(hitFieldsLeftOut[f.Name].where, name)
			if f.Name == "Matches" {
				continue
			}
			if told == leftOut {
				t.Errorf("surface %s: tells %s is %t, named as left out is %t; add it to internal/hit/passage.go or name it here", name, f.Name, told, leftOut)
			}
		}
	}
}

// fill changes a value, and everything in it.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case reflect.Array:
		fill(t, v.Index(0))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			distinct(t, v)
			return
		}
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.Uint64, reflect.Uint8:
		v.SetUint(6)
	default:
		distinct(t, v)
	}
}

type leaf struct {
	name  string // "Entry.Vehicle.Make"
	index []int
}

// leaves lists the fields of a struct and of the structs in it.
func leaves(typ reflect.Type, index []int, prefix string) []leaf {
	var out []leaf
	for i := range typ.NumField() {
		f := typ.Field(i)
		at := append(append([]int{}, index...), i)
		if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[time.Time]() {
			out = append(out, leaves(f.Type, at, prefix+f.Name+".")...)
			continue
		}
		out = append(out, leaf{prefix + f.Name, at})
	}
	return out
}

// distinct gives a field a value that no other field has, and returns a text
// that has to show where the value does; empty where any change will do.
func distinct(t *testing.T, v reflect.Value) string {
	t.Helper()
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Date(2031, 2, 3, 12, 5, 6, 0, time.UTC)
		return "2031-02-03"
	case *match.How:
		*x = match.Wildcard
		return "wildcard"
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("DISTINCT")
		return "DISTINCT"
	case reflect.Int:
		v.SetInt(6)
		return "6"
	case reflect.Float64:
		v.SetFloat(0.25)
		return "25"
	case reflect.Bool:
		v.SetBool(true)
		return ""
	}
	t.Fatalf("this test knows no value for a field of type %s", v.Type())
	return ""
}

func marshalled(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestCovert: the words for a covert entry reach every place at which somebody could
// act on its hit.
func TestCovert(t *testing.T) {
	const words = "whoever stops the vehicle must not show that it was expected"
	m := match.Match{List: "l", How: match.Exact, Probability: 1, Entry: entry.Entry{Plate: "AB12", Covert: true}}
	for _, surface := range []string{"the status page", "platewatch watch", "platewatch hotlist check"} {
		if got := hitSurfaces[surface](t, m); !strings.Contains(got, words) {
			t.Errorf("%s does not say it:\n%s", surface, got)
		}
	}
	if got := hitSurfaces["the message"](t, m); !strings.Contains(got, `"covert":true`) {
		t.Errorf("the message does not say it: %s", got)
	}
}
