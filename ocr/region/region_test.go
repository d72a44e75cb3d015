package region

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func mustParse(t testing.TB, spec string) *Set {
	t.Helper()
	s, err := Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The plates are made up, each as its country issues them.
func TestFormats(t *testing.T) {
	plates := map[string]string{
		"at": "W12345B KU217BH ZE48KJK PDXN1 ME639A", "be": "1ABC234 2XYZ001 123ABC KLP345", "bg": "CB1234AB A0001KH",
		"hr": "ZG1234AB ST123CD", "cy": "KAA123", "cz": "1A23456 4AB0001 EL012AB", "dk": "AB12345", "ee": "123ABC",
		"fi": "ABC123 XYZ1", "fr": "AB123CD 1234AB56 99ABC2A", "de": "BAB1234 MZ9 HHAB123E LDKX77", "gr": "YZK1234",
		"hu": "ABC123 AAAB123", "ie": "99D12345 141C1234 02KK9", "it": "AB123CD", "lv": "AB1234 KK7", "lt": "ABC123 EA1234",
		"lu": "AB1234 12345", "mt": "ABC123", "nl": "AB12CD", "pl": "WA12345 KR1234A GDA12CE", "pt": "12AB34 1234AB AB12CD",
		"ro": "B123ABC CJ12XYZ", "sk": "BA123CD ZA456EF", "si": "LJ12ABC MBAB123", "es": "1234BCD M1234AB", "se": "ABC123 ABC12D",
		"ch": "ZH123456 GE1", "no": "AB12345", "ua": "AA1234BC", "tr": "34AB1234 06A1234", "uk": "AB12CDE A123BCD ABC1D",
		"uk-ni": "AIG1234", "br-old": "ABC1234", "br-mercosul": "ABC1D23", "tw": "ABC1235 1234AB ABC123",
		"us-ca": "7ABC123", "us-tx": "BCD1234", "us-mo": "AB1C2D", "us-ny": "ABC1234", "us-fl": "ABCD12", "us-mt": "123456A",
	}
	delete(plates, "nl") // AB12CD is Dutch only without vowels and C: below
	for name, texts := range plates {
		s := mustParse(t, name)
		for text := range strings.FieldsSeq(texts) {
			if got := s.Name(text); got != name {
				t.Errorf("%s: the format of %s is %q", name, text, got)
			}
			if s.Prior(text) <= s.Prior("AAAAAAAAA") {
				t.Errorf("%s: %s is no likelier than a row of A", name, text)
			}
		}
	}
	for name, texts := range map[string]string{
		"nl": "AB12CD ABC12D", "fr": "AB123CO IB123CD", "es": "1234ABC", "de": "BAB0123 123ABC", "us-tx": "AAA1234",
		"cz": "1A2345O 0A12345", "br": "ABCD123 AB12345", "dk": "AO12345", "gr": "YZK0234 SZK1234", "sk": "XX1234D",
	} {
		s := mustParse(t, name)
		for text := range strings.FieldsSeq(texts) {
			if got := s.Name(text); got != "" {
				t.Errorf("%s: %s fits %q", name, text, got)
			}
			if got := s.Prior(text); math.Abs(got-math.Log(s.vanity)) > 1e-9 {
				t.Errorf("%s: the prior of %s is %g", name, text, got)
			}
		}
	}
	for text := range strings.FieldsSeq("GB123B 12BBDF 1BDF23 BD123F B123DF 12BDF3") {
		if got := mustParse(t, "nl").Name(text); got != "nl" {
			t.Errorf("nl: the format of %s is %q", text, got)
		}
	}
}

// All 27 countries of the European Union and all 50 states are there.
func TestComplete(t *testing.T) {
	if got := len(world().groups["eu"]); got < 27 {
		t.Errorf("eu has %d sections", got)
	}
	for name := range strings.FieldsSeq("at be bg hr cy cz dk ee fi fr de gr hu ie it lv lt lu mt nl pl pt ro sk si es se") {
		if !slices.ContainsFunc(world().members("eu"), func(m member) bool { return m.name == name && m.part == 1 }) {
			t.Errorf("eu is without %s", name)
		}
	}
	states := "al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc sd tn tx ut vt va wa wv wi wy dc"
	for name := range strings.FieldsSeq(states) {
		if len(world().members("us-"+name)) != 1 {
			t.Errorf("there is no us-%s", name)
		}
	}
}

// The probabilities of all texts, those of no format among them, add up to 1.
func TestProbabilities(t *testing.T) {
	for _, spec := range append(names(), "br,us", "nl,br-mercosul,us-ca") {
		s := mustParse(t, spec)
		sum := s.vanity
		for _, formats := range s.formats {
			for i := range formats {
				sum += math.Exp(formats[i].log) / formats[i].each
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("%s adds up to %g", spec, sum)
		}
	}
}

func TestName(t *testing.T) {
	for _, test := range []struct{ spec, text, want string }{
		{"eu", "AB123CD", "eu"}, // France, Italy, Slovakia, …
		{"eu", "BA123IO", "sk"}, // France and Italy have no I and O
		{"br,us", "ABC1D23", "br-mercosul"},
		{"br,us", "7ABC123", "us-ca"},
		{"us", "ABC1234", "us"},
		{"us", "VANITY", ""},
		{"", "ABC1234", ""},
	} {
		if got := mustParse(t, test.spec).Name(test.text); got != test.want {
			t.Errorf("%s among %q is %q, want %q", test.text, test.spec, got, test.want)
		}
	}
}

func TestParse(t *testing.T) {
	for spec, want := range map[string]string{"": "", " , ": "", "br": "br", " br, us ,br": "br,us"} {
		if s, err := Parse(spec); err != nil || s.String() != want {
			t.Errorf("Parse(%q) is %q, %v", spec, s, err)
		}
	}
	for _, spec := range []string{"atlantis", "br,atlantis", "us-", "e"} {
		_, err := Parse(spec)
		var unknown *UnknownError
		if !errors.As(err, &unknown) || !strings.Contains(unknown.Hint(), "br, eu, us, ad") {
			t.Errorf("Parse(%q): %v", spec, err)
		}
	}
	for _, s := range world().sections {
		if _, err := Parse(s.name); err != nil {
			t.Errorf("section %s: %v", s.name, err)
		}
	}
}

// The more regions, the less each says.
func TestSeveral(t *testing.T) {
	br, both := mustParse(t, "br"), mustParse(t, "br,us")
	if a, b := br.Prior("ABC1D23"), both.Prior("ABC1D23"); a <= b || b <= 0 {
		t.Errorf("a Mercosul plate has %.2f with br, %.2f with br and us", a, b)
	}
	if a, b := br.Prior("7ABC123"), both.Prior("7ABC123"); a >= 0 || b <= 0 {
		t.Errorf("a Californian plate has %.2f with br, %.2f with br and us", a, b)
	}
}

func TestBadLines(t *testing.T) {
	for text, want := range map[string]string{
		"[aa] A\nx lll":                   "x.txt:2: strconv",
		"[aa] A\n0 lll":                   "not a valid weight",
		"[aa] A\n1 l-l":                   "'-' cannot be on a plate",
		"[aa] A\n1 [AB":                   "without",
		"[aa] A\n1 []d":                   "without",
		"[aa] A\n1 {town}ddd":             "list town is not defined",
		"[aa] A\n1":                       "needs a value",
		"[aa] A\n1 lllddddlddd":           "11 characters",
		"[aa] A\n1 l?":                    "0 characters",
		"[aa] A\nlist town a\n1 {town}d":  "'a' cannot be on a plate",
		"[aa] A\nletters ABc\n1 l":        "'c' cannot be on a plate",
		"[aa] A\nvanity 100\n1 l":         "100 percent",
		"[aa] A\nlist town\n1 l":          "no words",
		"list town AB":                    "outside of a section",
		"1 lll":                           "outside of a section",
		"[aa] A\n1 lll\n[aa] B\n1 ll":     "[aa] is defined twice",
		"[aa] A":                          "[aa] has no format",
		"[aa]\n1 lll":                     "[aa] needs a title",
		"group g aa bb\n[aa] A\n1 lll":    "no section [bb]",
		"group aa 0.5 aa\n[aa] A\n1 lll":  "both a section and a group",
		"[aa] A\n1 lll\nvanity 4 percent": "",
	} {
		a := &atlas{groups: map[string][]member{}}
		err := a.parse("x.txt", text)
		if err == nil {
			err = a.check()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// places makes choices of alternatives, the first of each the likeliest.
func places(alternatives ...string) [][]Choice {
	var out [][]Choice
	for _, letters := range alternatives {
		var at []Choice
		for i := range len(letters) {
			at = append(at, Choice{letters[i], -float64(i)})
		}
		out = append(out, at)
	}
	return out
}

func TestLikeliest(t *testing.T) {
	for _, test := range []struct {
		spec   string
		places [][]Choice
		want   string // the first; empty: none
	}{
		{"br-old", places("0O", "I1", "8B", "O0", "B8", "1I", "SZ5"), "OIB0815"},
		{"br", places("A", "B", "C", "1", "2D", "3", "4"), "ABC1234"},
		{"br", places("A", "B", "C", "D", "2", "3", "4"), ""},
		{"hr", places("2Z", "6OG", "1", "2", "3", "4", "A", "B"), "ZG1234AB"}, // ZO is no town
		{"hr", places("Q", "Q", "1", "2", "3", "4", "A", "B"), ""},
		{"", places("A", "B", "C", "1", "2", "3", "4"), ""},
	} {
		got := append(mustParse(t, test.spec).Likeliest(test.places, 3), "")
		if got[0] != test.want || len(got) > 4 {
			t.Errorf("%s: %q, want %q first", test.spec, got, test.want)
		}
	}
}

func BenchmarkPrior(b *testing.B) {
	s := mustParse(b, "eu")
	b.ReportAllocs()
	for b.Loop() {
		s.Prior("AB123CD")
	}
}

func BenchmarkLikeliest(b *testing.B) {
	s := mustParse(b, "eu")
	at := places("A4", "B8", "1I", "2Z", "30", "CG", "D0O")
	b.ReportAllocs()
	for b.Loop() {
		s.Likeliest(at, 4)
	}
}

func BenchmarkParse(b *testing.B) {
	world()
	for b.Loop() {
		mustParse(b, "eu")
	}
}

// A state whose plates have any letters and figures says nothing about O and 0 on a vanity
// plate, and did not issue it.
func TestStampedAlike(t *testing.T) {
	us, err := Parse("us")
	if err != nil {
		t.Fatal(err)
	}
	if o, zero := us.Prior("H8ROAD"), us.Prior("H8R0AD"); math.Abs(o-zero) > 1e-9 {
		t.Errorf("with an O %.2f, with a 0 %.2f", o, zero)
	}
	if name := us.Name("H8ROAD"); name != "" {
		t.Errorf("H8ROAD is a plate of %s", name)
	}
	if o, zero := us.Prior("ABCO234"), us.Prior("ABC0234"); o >= zero { // by position
		t.Errorf("with an O %.2f, with a 0 %.2f", o, zero)
	}
}
