package hotlist

import (
	"strings"
	"testing"

	"platewatch/hotlist/match"
)

// The owner's own spelling of a plate is kept, and two spellings of the same
// characters are two entries: BM W 555 and B MW 555 are two vehicles.
func TestSpellingIsKept(t *testing.T) {
	dir := t.TempDir()
	importList(t, dir, "wanted", "plate,category\nBM W 555,stolen\nB-MW 555,stolen\nB MW  555,stolen\nMÜ-A 1,stolen\nKR4827,stolen\n")
	db := openDB(t, dir)
	written := map[string]bool{}
	find := func(text string) map[string]match.Match {
		t.Helper()
		m, err := db.Match(match.Query{Text: text, ClockSynchronised: true})
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]match.Match{}
		for _, m := range m {
			found[m.Entry.Shown()] = m
			written[m.Entry.Shown()] = true
		}
		return found
	}
	if found := find("BMW555"); len(found) != 2 {
		t.Errorf("BMW555 matches %v", found)
	}
	found := find("BM-W 555")
	for shown, m := range found {
		if differs := !strings.HasPrefix(shown, "BM"); m.SpellingDiffers != differs {
			t.Errorf("BM-W 555 and %s: spelling differs %t", shown, m.SpellingDiffers)
		}
	}
	if m := find("MUA1")["MÜ-A 1"]; !m.Entry.HasDiacritics() || m.Entry.Plate != "MUA1" {
		t.Errorf("MUA1: %+v", m)
	}
	if m, ok := find("KR 4827")["KR4827"]; !ok || m.SpellingDiffers || m.Entry.Written != "" {
		t.Errorf("a list without spaces says nothing of them: %+v", m)
	}
}

// The text of a plate folds the way the lists do, whichever of the two has the
// diacritics.
func TestDiacriticsFoldBothWays(t *testing.T) {
	dir := t.TempDir()
	importList(t, dir, "wanted", "plate,category\nČK 123-Š,stolen\nZG 1234-C,stolen\n")
	db := openDB(t, dir)
	for text, plate := range map[string]string{"CK123S": "CK123S", "ČK123Š": "CK123S", "ck 123 š": "CK123S", "ŽG1234Č": "ZG1234C", "ZG 1234 Ć": "ZG1234C"} {
		var cs []match.Character
		for _, c := range text {
			if c != ' ' {
				cs = append(cs, match.Character{Text: string(c), Confidence: 0.99, Alternatives: []match.Alternative{{Text: "Č", Confidence: 0.005}}})
			}
		}
		for name, q := range map[string]match.Query{"typed": {Text: text}, "read": {Text: text, Characters: cs}} {
			q.ClockSynchronised = true
			if m, err := db.Match(q); err != nil || len(m) != 1 || m[0].Entry.Plate != plate || m[0].How != match.Exact {
				t.Errorf("%s %s: %+v, %v", text, name, m, err)
			}
		}
	}
}
