package config

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// bind copies what the TOML library parsed into the struct tree. The library's
// own decoding stops at the first value of a wrong type and cannot tell the
// elements of an array of tables apart; this goes on, and names each key with
// its line.
type bind struct {
	*findings
}

// table copies the keys of one TOML table into the struct v.
func (b bind) table(path string, t map[string]any, v reflect.Value) {
	fields := fieldsOf(v.Type())
	for key, value := range t {
		at := joinPath(path, key)
		i, ok := fields[key]
		if !ok {
			b.unknown(at, path, key, v.Type())
			continue
		}
		b.value(at, value, v.Field(i))
	}
}

// value copies one TOML value into v. A value of a wrong type is reported and
// leaves the default in place.
func (b bind) value(path string, value any, v reflect.Value) {
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		s, ok := value.(string)
		if !ok {
			b.wrong(path, value, v)
		} else if err := text.UnmarshalText([]byte(s)); err != nil {
			b.add(path, path+": "+err.Error(), "write "+wants(v))
		}
		return
	}
	switch x := value.(type) {
	case string:
		if v.Kind() == reflect.String {
			v.SetString(x)
			return
		}
	case bool:
		switch v.Kind() {
		case reflect.Bool:
			v.SetBool(x)
			return
		case reflect.Pointer:
			b.pointer(path, value, v)
			return
		}
	case int64:
		switch v.Kind() {
		case reflect.Int:
			if x >= math.MinInt32 && x <= math.MaxInt32 {
				v.SetInt(x)
			} else {
				b.addf(path, "", "= %d is far out of range", x)
			}
			return
		case reflect.Float64:
			v.SetFloat(float64(x))
			return
		case reflect.Pointer:
			b.pointer(path, value, v)
			return
		}
	case float64:
		switch v.Kind() {
		case reflect.Float64:
			v.SetFloat(x)
			return
		case reflect.Pointer:
			b.pointer(path, value, v)
			return
		}
	case map[string]any:
		switch v.Kind() {
		case reflect.Struct:
			b.table(path, x, v)
			return
		case reflect.Pointer:
			b.pointer(path, value, v)
			return
		}
	case []any:
		if v.Kind() == reflect.Slice {
			b.slice(path, x, v)
			return
		}
	case []map[string]any:
		if v.Kind() == reflect.Slice {
			list := make([]any, len(x))
			for i := range x {
				list[i] = x[i]
			}
			b.slice(path, list, v)
			return
		}
	}
	b.wrong(path, value, v)
}

func (b bind) pointer(path string, value any, v reflect.Value) {
	p := reflect.New(v.Type().Elem())
	b.value(path, value, p.Elem())
	v.Set(p)
}

func (b bind) slice(path string, list []any, v reflect.Value) {
	out := reflect.MakeSlice(v.Type(), len(list), len(list))
	for i, value := range list {
		element := out.Index(i)
		if c, ok := element.Addr().Interface().(*Camera); ok {
			*c = DefaultCamera()
		}
		b.value(indexPath(path, i), value, element)
	}
	v.Set(out)
}

func (b bind) wrong(path string, value any, v reflect.Value) {
	b.addf(path, "write "+wants(v), "is %s", describe(value))
}

// wants says in words what a field takes.
func wants(v reflect.Value) string {
	if w, ok := v.Interface().(interface{ wants() string }); ok {
		return w.wants()
	}
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return `a string in quotes`
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Struct:
		return "a section in [brackets] of its own"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.String {
			return `a list of strings such as ["…"]`
		}
		if t.Elem().Kind() == reflect.Float64 {
			return "a corner [x, y]"
		}
		if t.Elem().Kind() == reflect.Slice {
			return "a list of corners such as [[0.0, 0.3], [1.0, 0.3], [1.0, 1.0]]"
		}
		return "one section in [[double brackets]] for each"
	}
	return t.String()
}

func describe(value any) string {
	switch x := value.(type) {
	case string:
		return "a string"
	case bool:
		return fmt.Sprintf("the boolean %v", x)
	case int64, float64:
		return fmt.Sprintf("the number %v", x)
	case map[string]any:
		return "a section"
	case []any, []map[string]any:
		return "a list"
	}
	return "a date or time"
}

// unknown reports a key that no field takes, with the key that was probably
// meant: a sibling spelt alike, or the same name in another section.
func (b bind) unknown(at, path, key string, t reflect.Type) {
	what := "unknown key " + at
	if path == "" {
		what = "unknown key or section " + at
	}
	if near := nearest(key, slices.Collect(mapKeys(fieldsOf(t)))); near != "" {
		b.add(at, what, fmt.Sprintf("did you mean %s?", joinPath(path, near)))
		return
	}
	if places := placesOf(key); len(places) > 0 {
		b.add(at, what, "it belongs into "+strings.Join(places, " or "))
		return
	}
	b.add(at, what, "remove it, or see the example file for the keys there are")
}

// fieldsOf maps the TOML keys of a struct to its fields.
func fieldsOf(t reflect.Type) map[string]int {
	fields := map[string]int{}
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("toml"); key != "" {
			fields[key] = i
		}
	}
	return fields
}

func mapKeys(m map[string]int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// placesOf lists the sections that do have the key, as "[section]".
func placesOf(key string) []string {
	var places []string
	var visit func(t reflect.Type, path, open, end string)
	visit = func(t reflect.Type, path, open, end string) {
		for i := range t.NumField() {
			f := t.Field(i)
			name := f.Tag.Get("toml")
			if name == "" {
				continue
			}
			ft, o, e := f.Type, "[", "]"
			if ft.Kind() == reflect.Slice {
				ft, o, e = ft.Elem(), "[[", "]]"
			}
			if ft.Kind() == reflect.Pointer {
				ft = ft.Elem()
			}
			if ft.Kind() == reflect.Struct {
				visit(ft, joinPath(path, name), o, e)
			} else if name == key {
				if path == "" {
					places = append(places, "the top of the file, above all sections")
				} else {
					places = append(places, open+path+end)
				}
			}
		}
	}
	visit(reflect.TypeFor[Config](), "", "", "")
	return places
}

// nearest returns the name that a typing error most likely stands for, or "".
func nearest(key string, names []string) string {
	slices.Sort(names)
	best, bestDistance := "", max(1, (len(key)+1)/3)+1
	for _, name := range names {
		if strings.EqualFold(strings.ReplaceAll(key, "-", "_"), name) {
			return name
		}
		d := editDistance(strings.ToLower(key), name)
		if d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// editDistance counts insertions, removals, changes and swaps of neighbours
// (optimal string alignment). Keys are short: longer ones are cut, because the
// text comes from outside.
func editDistance(a, b string) int {
	a, b = a[:min(len(a), 64)], b[:min(len(b), 64)]
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
