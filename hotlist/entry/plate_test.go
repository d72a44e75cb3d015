package entry

import (
	"strings"
	"testing"
)

func TestNormalize(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"AB12CDE", "AB12CDE"},
		{"ab12 cde", "AB12CDE"},
		{"B-MW 1234", "BMW1234"},
		{"HH·AB‑12", "HHAB12"},
		{"TÜ-ÄÖ 77", "TUAO77"},
		{"Tu\u0308-1", "TU1"}, // decomposed
		{"ÆØÅ1", "AEOA1"},
		{"straße", "STRASSE"},
		{"ＡＢ１２", "AB12"},        // full width
		{"А123ВС", "A123BC"},    // Cyrillic
		{"ΙΗΖ-4501", "IHZ4501"}, // Greek
		{"京A·12345", "A12345"},
		{"№12½", "12"},
		{"\x00\xff\xfeA1", "A1"},
		{"***", ""},
	} {
		if got := Normalize(c.in); got != c.want {
			t.Errorf("Normalize(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestFold(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""}, {"AB12CDE", "AB12CDE"}, {"OQ0I1", "0Q011"}, {"QUICK", "QU1CK"},
	} {
		if got := Fold(c.in); got != c.want {
			t.Errorf("Fold(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"", "ab 12-Ö", "А123ВС", "\xff\xfe", "ﬁ℡½", "O0QI1", "\u0130\u0131"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := Normalize(s)
		if i := strings.IndexFunc(n, func(r rune) bool { return r > 0x7f || !IsPlateByte(byte(r)) }); i >= 0 {
			t.Errorf("Normalize(%q) = %q", s, n)
		}
		if again := Normalize(n); again != n {
			t.Errorf("Normalize(%q) = %q, and again %q", s, n, again)
		}
		if lower := Normalize(strings.ToLower(n)); lower != n {
			t.Errorf("Normalize of the lower case of %q is %q", n, lower)
		}
		folded := Fold(n)
		if len(folded) != len(n) || Fold(folded) != folded || strings.ContainsAny(folded, "OI") {
			t.Errorf("Fold(%q) = %q", n, folded)
		}
	})
}

func TestNormalizeNeedsNoMemoryForPlates(t *testing.T) {
	var buf [MaxPlate]byte
	allocs := testing.AllocsPerRun(100, func() {
		AppendNormal(buf[:0], "ab-123 cd")
		Normalize("AB123CD")
		Fold("AB123CD")
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
