package importer

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/hotlist/entry"
)

// TestRowComesBack: what an export writes of an entry is what an import reads,
// for every field that an entry has.
func TestRowComesBack(t *testing.T) {
	var want entry.Entry
	fill(t, reflect.ValueOf(&want).Elem())
	want.Written = "7-1" // in the column of the plate
	want.Policy, want.Effective = entry.PolicyFuzzy, want.Expires.AddDate(-1, 0, 0)
	p := newValueParser(&Options{Location: time.UTC})
	var got entry.Entry
	for i, value := range Row(&want) {
		if err := fields[i].set(p, &got, value); err != nil {
			t.Errorf("%s %q: %v", fields[i].name, value, err)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("columns.go lacks a field (-entry +read back):\n%s", d)
	}
	for i, value := range Row(&entry.Entry{Priority: 5}) {
		if value != "" && fields[i].name != "priority" {
			t.Errorf("%s of an empty entry is %q", fields[i].name, value)
		}
	}
}

// fill gives every field a value.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.String:
		v.SetString("71") // the same in capitals
	case reflect.Int:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	default:
		t.Fatalf("this test knows no value for a field of type %s", v.Type())
	}
}
