package hotlist

import (
	"bytes"
	"strings"
	"testing"

	"aead.dev/minisign"

	"platewatch/hotlist/match"
	"platewatch/hotlist/signed"
)

// TestConfigure changes whom an open hotlist trusts, and how strictly it matches.
func TestConfigure(t *testing.T) {
	dir := t.TempDir()
	if _, err := Import(t.Context(), dir, strings.NewReader("plate\nAB12CDE\n"), ImportOptions{List: "gate"}); err != nil {
		t.Fatal(err)
	}
	public, _, err := minisign.GenerateKey(bytes.NewReader(make([]byte, 64)))
	if err != nil {
		t.Fatal(err)
	}
	trust := []signed.TrustedKey{{Public: public}}
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i, step := range []struct {
		o    Options
		text string
		want int
	}{
		{Options{}, "AB12CDE", 1},
		{Options{Trust: trust}, "AB12CDE", 0}, // nobody signed it
		{Options{Trust: trust}, "AB12CDE", 0},
		{Options{Trust: trust, Local: []string{"gate"}}, "AB12CDE", 1},
		{Options{}, "AB1ZCDE", 1},
		{Options{RulesOf: func(string, int) match.Rules { return match.Rules{} }}, "AB1ZCDE", 0},
		{Options{}, "AB1ZCDE", 1},
	} {
		if err := db.Configure(t.Context(), step.o); err != nil {
			t.Fatal(err)
		}
		got, err := db.Match(match.Query{Text: step.text})
		if err != nil || len(got) != step.want {
			t.Errorf("step %d: %d matches, want %d: %v", i, len(got), step.want, err)
		}
	}
}
