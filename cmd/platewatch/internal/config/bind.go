package config

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"platewatch/cmd/platewatch/internal/setting"
)

// field is one key of a section: a field of its struct, or of a struct that is
// part of it, embedded or with the tag `toml:",inline"`.
type field struct {
	key   string // of the tag `toml:"key"`
	index []int
	typ   reflect.Type
	bytes bool // a number of bytes, of the tag `unit:"bytes"`
}

// fieldsOf lists the keys of a struct. Fields without a toml tag, or with
// `toml:"-"`, are the program's own.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		switch key := f.Tag.Get("toml"); {
		case isInline(f):
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				fields = append(fields, inner)
			}
		case key != "" && key != "-":
			fields = append(fields, field{key, []int{i}, f.Type, f.Tag.Get("unit") == "bytes"})
		}
	}
	return fields
}

func isInline(f reflect.StructField) bool {
	key := f.Tag.Get("toml")
	return f.Type.Kind() == reflect.Struct && (key == ",inline" || key == "" && f.Anonymous)
}

// isSection reports whether a field is a [section], or several [[sections]].
func (f field) isSection() bool {
	t := f.typ
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && !isTuple(t)
}

// isTuple reports whether a struct has no keys: the file writes it as a list of
// its values, as the corner [x, y] of a polygon.
func isTuple(t reflect.Type) bool { return t.Kind() == reflect.Struct && len(fieldsOf(t)) == 0 }

var durationType = reflect.TypeFor[time.Duration]()

// binder copies what the TOML library parsed into the struct tree. The
// library's own decoding stops at the first value of a wrong type; this goes on,
// and names each key with its line.
type binder struct {
	*findings
}

// table copies the keys of one TOML table into the struct v.
func (b binder) table(path string, t map[string]any, v reflect.Value) {
	fields := fieldsOf(v.Type())
	for key, value := range t {
		at := joinPath(path, key)
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == key })
		if i < 0 {
			b.unknown(at, path, key, fields)
			continue
		}
		b.value(at, value, v.FieldByIndex(fields[i].index), fields[i].bytes)
	}
}

// value copies one TOML value into v. A value of a wrong type is reported and
// leaves the default in place.
func (b binder) value(path string, value any, v reflect.Value, bytes bool) {
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		b.value(path, value, p.Elem(), bytes)
		v.Set(p)
		return
	}
	if v.CanInt() && (bytes || v.Type() == durationType) {
		b.quantity(path, value, v, bytes)
		return
	}
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		s, ok := value.(string)
		if !ok {
			b.wrong(path, value, v, bytes)
		} else if err := text.UnmarshalText([]byte(s)); err != nil {
			b.add(path, path+": "+err.Error(), "")
		}
		return
	}
	kind := v.Kind()
	switch x := value.(type) {
	case string:
		if kind == reflect.String {
			v.SetString(x)
			return
		}
	case bool:
		if kind == reflect.Bool {
			v.SetBool(x)
			return
		}
	case int64:
		switch {
		case v.CanInt() && (x < math.MinInt32 || x > math.MaxInt32 || v.OverflowInt(x)):
			b.addf(path, "", "= %d is far out of range", x)
			return
		case v.CanInt():
			v.SetInt(x)
			return
		case v.CanFloat():
			v.SetFloat(float64(x))
			return
		}
	case float64:
		if v.CanFloat() {
			v.SetFloat(x)
			return
		}
	case map[string]any:
		if kind == reflect.Struct && !isTuple(v.Type()) {
			b.table(path, x, v)
			return
		}
	case []any:
		switch {
		case kind == reflect.Slice:
			b.slice(path, x, v, bytes)
			return
		case isTuple(v.Type()) && len(x) == v.NumField():
			for i, value := range x {
				b.value(indexPath(path, i), value, v.Field(i), false)
			}
			return
		case isTuple(v.Type()):
			b.addf(path, "write "+wants(v.Type(), bytes), "has %d numbers", len(x))
			return
		}
	}
	b.wrong(path, value, v, bytes)
}

// quantity copies a length of time or a number of bytes.
func (b binder) quantity(path string, value any, v reflect.Value, bytes bool) {
	text, ok := value.(string)
	if !ok {
		b.wrong(path, value, v, bytes)
		return
	}
	var n int64
	var err error
	if bytes {
		n, err = setting.ParseSize(text)
	} else {
		var d time.Duration
		d, err = setting.ParseDuration(text)
		n = int64(d)
	}
	if err != nil {
		b.add(path, path+": "+err.Error(), "write "+wants(v.Type(), bytes))
		return
	}
	v.SetInt(n)
}

// defaulter is an element of a list of sections that does not start empty.
type defaulter interface{ setDefaults() }

func (b binder) slice(path string, list []any, v reflect.Value, bytes bool) {
	out := reflect.MakeSlice(v.Type(), len(list), len(list))
	for i, value := range list {
		element := out.Index(i)
		if d, ok := element.Addr().Interface().(defaulter); ok {
			d.setDefaults()
		}
		b.value(indexPath(path, i), value, element, bytes)
	}
	v.Set(out)
}

func (b binder) wrong(path string, value any, v reflect.Value, bytes bool) {
	b.addf(path, "write "+wants(v.Type(), bytes), "is %s", describe(value))
}

// wants says in words what a field takes.
func wants(t reflect.Type, bytes bool) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch kind := t.Kind(); {
	case bytes && kind != reflect.Slice:
		return `a size such as "64MiB"`
	case t == durationType:
		return `a length of time such as "2s" or "500ms"`
	case kind == reflect.String:
		return `a string in quotes`
	case kind == reflect.Bool:
		return "true or false"
	case kind >= reflect.Int && kind <= reflect.Int64:
		return "a whole number"
	case kind == reflect.Float64:
		return "a number"
	case isTuple(t):
		return "a corner [x, y]"
	case kind == reflect.Struct:
		return "a section in [brackets] of its own"
	case kind != reflect.Slice:
		return t.String()
	case t.Elem().Kind() == reflect.String:
		return `a list of strings such as ["…"]`
	case isTuple(t.Elem()):
		return "a list of corners such as [[0.0, 0.3], [1.0, 0.3], [1.0, 1.0]]"
	case t.Elem().Kind() == reflect.Slice:
		return "a list of lists of corners such as [[[0.0, 0.3], [1.0, 0.3], [1.0, 1.0]]]"
	}
	return "one section in [[double brackets]] for each"
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
	case []any:
		return "a list"
	}
	return "a date or time"
}

// unknown reports a key that no field takes, with the key that was probably
// meant: a sibling spelt alike, or the same name in another section.
func (b binder) unknown(at, path, key string, siblings []field) {
	what := "unknown key " + at
	if path == "" {
		what = "unknown key or section " + at
	}
	if near := nearest(key, siblings); near != "" {
		b.add(at, what, fmt.Sprintf("did you mean %s?", joinPath(path, near)))
		return
	}
	if places := placesOf(key); len(places) > 0 {
		b.add(at, what, "it belongs in "+strings.Join(places, " or "))
		return
	}
	b.add(at, what, "remove it, or see the example file for the keys there are")
}

// placesOf lists the sections that do have the key, as "[section]".
func placesOf(key string) []string {
	var places []string
	var visit func(t reflect.Type, path, open, end string)
	visit = func(t reflect.Type, path, open, end string) {
		for _, f := range fieldsOf(t) {
			switch {
			case f.isSection() && f.typ.Kind() == reflect.Slice:
				visit(f.typ.Elem(), joinPath(path, f.key), "[[", "]]")
			case f.isSection() && f.typ.Kind() == reflect.Pointer:
				visit(f.typ.Elem(), joinPath(path, f.key), "[", "]")
			case f.isSection():
				visit(f.typ, joinPath(path, f.key), "[", "]")
			case f.key == key && path == "":
				places = append(places, "the top of the file, above all sections")
			case f.key == key:
				places = append(places, open+path+end)
			}
		}
	}
	visit(reflect.TypeFor[Config](), "", "", "")
	return places
}

// nearest returns the key that a typing error most likely stands for, or "".
func nearest(key string, siblings []field) string {
	best, bestDistance := "", max(1, (len(key)+1)/3)+1
	for _, f := range siblings {
		if strings.EqualFold(strings.ReplaceAll(key, "-", "_"), f.key) {
			return f.key
		}
		d := editDistance(strings.ToLower(key), f.key)
		if d < bestDistance || d == bestDistance && best != "" && f.key < best {
			best, bestDistance = f.key, d
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
