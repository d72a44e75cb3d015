package entry

import (
	"errors"
	"strings"
	"testing"
)

func TestPurpose(t *testing.T) {
	for name, tc := range map[string]struct {
		p    Purpose
		yes  []string
		no   []string
		want string // of the refusal of all of them, once each
	}{
		"all":         {Purpose{}, []string{StolenVehicle, "toll"}, nil, ""},
		"only these":  {Purpose{Allow: []string{"Stolen", "amber"}}, []string{StolenVehicle, AmberAlert}, []string{Immigration, "toll"}, "this unit may not be used for immigration (1 entries), toll (1 entries)"},
		"not these":   {Purpose{Deny: []string{"immigration"}}, []string{StolenVehicle, "toll"}, []string{Immigration}, "immigration (1 entries)"},
		"deny counts": {Purpose{Allow: []string{"wanted"}, Deny: []string{"wanted"}}, nil, []string{Wanted}, "wanted (1 entries)"},
	} {
		all := map[string]int{}
		for _, c := range tc.yes {
			if all[c] = 1; !tc.p.Permits(c) {
				t.Errorf("%s: %s is not permitted", name, c)
			}
		}
		for _, c := range tc.no {
			if all[c] = 1; tc.p.Permits(c) {
				t.Errorf("%s: %s is permitted", name, c)
			}
		}
		err := tc.p.Check(all)
		if tc.want == "" && err != nil || tc.want != "" && (!errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	n := 0
	for range (Purpose{Allow: []string{"ok", "--"}, Deny: []string{""}}).Problems() {
		n++
	}
	if n != 2 {
		t.Errorf("%d problems", n)
	}
}
