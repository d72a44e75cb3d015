package listfile

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
)

// genEntry generates entries as an import makes them.
func genEntry() *rapid.Generator[entry.Entry] {
	return rapid.Custom(func(t *rapid.T) entry.Entry {
		text := rapid.StringN(0, 30, 90)
		stamp := rapid.Custom(func(t *rapid.T) time.Time {
			if rapid.Bool().Draw(t, "unbounded") {
				return time.Time{}
			}
			return time.Unix(rapid.Int64Range(-1e10, 1e11).Draw(t, "seconds"), 0).UTC()
		})
		return entry.Entry{
			Plate: rapid.StringMatching(`[A-Z0-9]{1,16}`).Draw(t, "plate"), State: text.Draw(t, "state"), PlateType: text.Draw(t, "type"),
			Category: text.Draw(t, "category"), Priority: rapid.IntRange(1, 9).Draw(t, "priority"), Covert: rapid.Bool().Draw(t, "covert"),
			Handling: text.Draw(t, "handling"), Record: text.Draw(t, "record"), Agency: text.Draw(t, "agency"), Note: text.Draw(t, "note"),
			Vehicle: entry.Vehicle{Year: rapid.IntRange(0, 9999).Draw(t, "year"), Make: text.Draw(t, "make"), Model: text.Draw(t, "model"),
				Style: text.Draw(t, "style"), Colour: text.Draw(t, "colour")},
			Effective: stamp.Draw(t, "effective"), Expires: stamp.Draw(t, "expires"),
			Written: rapid.SampledFrom([]string{"", "AB 12", "Ä-1"}).Draw(t, "written"), Policy: rapid.SampledFrom(entry.Policies).Draw(t, "policy"),
		}
	})
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := genEntry().Draw(t, "entry")
		keys := NewKeys(folder.NewKey(), NewSalt())
		key := rapid.SliceOfN(rapid.Byte(), keyLength, keyLength).Draw(t, "key")
		value := sealRecord(keys.entries, key, AppendPayload(nil, &e))
		payload, err := openRecord(nil, keys.entries, key, value)
		if err != nil {
			t.Fatal(err)
		}
		if trimmed := trimPayload(payload, &e); !bytes.Equal(trimmed, AppendPayload(nil, &e)) {
			t.Fatalf("trimmed to %d bytes", len(trimmed))
		}
		if plate, err := PayloadPlate(payload); err != nil || string(plate) != e.Plate {
			t.Fatalf("the plate is %q, %v", plate, err)
		}
		got, err := decodePayload(payload)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(e, got); d != "" {
			t.Error(d)
		}
		// Any single changed bit, in the key or the value, is noticed.
		bit := rapid.IntRange(0, 8*(len(key)+len(value))-1).Draw(t, "bit")
		if at := bit / 8; at < len(key) {
			key[at] ^= 1 << (bit % 8)
		} else {
			value[at-len(key)] ^= 1 << (bit % 8)
		}
		if _, err := openRecord(nil, keys.entries, key, value); !errors.Is(err, entry.ErrDamaged) {
			t.Errorf("with bit %d flipped: %v", bit, err)
		}
	})
}

// TestEveryFieldIsStored: each field of an entry comes back from a record.
func TestEveryFieldIsStored(t *testing.T) {
	var check func(at string, e *entry.Entry, v reflect.Value)
	check = func(at string, e *entry.Entry, v reflect.Value) {
		switch x := v.Addr().Interface().(type) {
		case *time.Time:
			*x = time.Unix(2e9, 0).UTC()
		case *entry.Policy:
			*x = entry.PolicyFuzzy
		case *string:
			*x = "TEXT"
		case *int:
			*x = 7
		case *bool:
			*x = true
		default:
			for i := range v.NumField() {
				check(at+"."+v.Type().Field(i).Name, e, v.Field(i))
			}
			return
		}
		if got, err := decodePayload(AppendPayload(nil, e)); err != nil || got != *e {
			t.Errorf("%s is not stored: add it to Texts of entry, or here; %v", at, err)
		}
		v.SetZero()
	}
	var e entry.Entry
	check("Entry", &e, reflect.ValueOf(&e).Elem())
}

// TestLaterTexts: a text that a later version added is read where it is written,
// and is empty in the records of before; those stay as they are without it.
func TestLaterTexts(t *testing.T) {
	values := make([]string, firstTexts+2)
	texts := func(v []string) (out []*string) {
		for i := range v {
			out = append(out, &v[i])
		}
		return out
	}
	values[0] = "AB12"
	before := appendTexts(nil, texts(values[:firstTexts]))
	if with := appendTexts(nil, texts(values)); !bytes.Equal(before, with) {
		t.Errorf("an empty new text changes the record: % x, was % x", with, before)
	}
	values[firstTexts+1] = "new"
	for name, c := range map[string]struct {
		written []byte
		want    []string
	}{
		"with":                   {appendTexts(nil, texts(values)), values},
		"before":                 {before, append([]string{"AB12"}, make([]string, firstTexts+1)...)},
		"before, and one zero":   {append(bytes.Clone(before), 0), append([]string{"AB12"}, make([]string, firstTexts+1)...)},
		"before, and four zeros": {append(bytes.Clone(before), 0, 0, 0, 0), append([]string{"AB12"}, make([]string, firstTexts+1)...)},
	} {
		got := make([]string, firstTexts+2)
		r := payloadReader{b: c.written}
		r.texts(texts(got))
		if d := cmp.Diff(c.want, got); d != "" || r.bad {
			t.Errorf("%s: bad is %t; (-want +got):\n%s", name, r.bad, d)
		}
	}
}

// A record with a right checksum can still come from another version's bug.
func FuzzDecodePayload(f *testing.F) {
	e := entry.Entry{Plate: "AB12", Category: entry.Wanted, Priority: 2, Note: "note", Effective: time.Unix(1e9, 0), Expires: time.Unix(2e9, 0)}
	f.Add(AppendPayload(nil, &e))
	f.Add(AppendPayload(nil, &entry.Entry{}))
	f.Add([]byte{recordSchema, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodePayload(b)
		if err != nil {
			return
		}
		again, err := decodePayload(AppendPayload(nil, &e))
		if err != nil {
			t.Fatalf("%+v cannot be read back: %v", e, err)
		}
		if d := cmp.Diff(e, again); d != "" {
			t.Error(d)
		}
	})
}
