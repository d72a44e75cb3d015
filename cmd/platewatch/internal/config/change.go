package config

import (
	"reflect"
	"slices"
)

// Changed lists the keys in which two configurations differ, without the indexes of
// cameras: "camera.exclude". Sections that come in lists, and sections that may be
// missing, are one key each where they differ in more than single values: "camera"
// where cameras came, went or have other names, "hotlist.list".
func Changed(a, b *Config) []string {
	var keys []string
	walk("", reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem(), func(key string, a, b reflect.Value) {
		if key = indexes.ReplaceAllString(key, ""); !reflect.DeepEqual(a.Interface(), b.Interface()) && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	})
	return keys
}

// With returns a copy of c that has those keys of n (as [Changed] names them) that
// take accepts.
func (c *Config) With(n *Config, take func(key string) bool) *Config {
	out := *c
	out.Cameras = slices.Clone(c.Cameras)
	walk("", reflect.ValueOf(&out).Elem(), reflect.ValueOf(n).Elem(), func(key string, to, from reflect.Value) {
		if take(indexes.ReplaceAllString(key, "")) {
			to.Set(from)
		}
	})
	return &out
}

// walk visits each pair of values of two structs of one type by its key.
func walk(path string, a, b reflect.Value, visit func(key string, a, b reflect.Value)) {
	for _, f := range fieldsOf(a.Type()) {
		at, av, bv := joinPath(path, f.key), a.FieldByIndex(f.index), b.FieldByIndex(f.index)
		switch {
		case f.typ.Kind() == reflect.Struct && f.isSection():
			walk(at, av, bv, visit)
		case f.typ == reflect.TypeFor[[]Camera]() && sameNames(av.Interface().([]Camera), bv.Interface().([]Camera)):
			for i := range av.Len() {
				walk(indexPath(at, i), av.Index(i), bv.Index(i), visit)
			}
		default:
			visit(at, av, bv)
		}
	}
}

func sameNames(a, b []Camera) bool {
	return slices.EqualFunc(a, b, func(a, b Camera) bool { return a.Name == b.Name })
}
