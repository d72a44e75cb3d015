package hotlist

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"platewatch/hotlist/audit"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/importer"
)

func openTrail(t testing.TB, dir string) *audit.Trail {
	t.Helper()
	trail, err := audit.Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return trail
}

func records(t testing.TB, trail *audit.Trail, f audit.Filter) []audit.Record {
	t.Helper()
	var all []audit.Record
	if err := trail.Records(f, func(r audit.Record) error { all = append(all, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWhatIsDoneIsRecorded(t *testing.T) {
	s := newSigner(t)
	db := s.unit()
	v1, v2 := s.sign("signed", "plate\nAAA1111\nBBB2222\n", 1), s.sign("signed", "plate\nAAA1111\nCCC3333\nDDD4444\n", 2)
	for _, folder := range []string{v1, v2} {
		if _, err := s.apply(db, "signed", folder); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 { // a retained message that comes again and again is one record
		if _, err := s.apply(db, "signed", v1); err == nil {
			t.Fatal("applied")
		}
	}
	by := Actor{Operator: "jane", Reason: "case 7"}
	if _, err := Import(t.Context(), db.dir, strings.NewReader("plate\nXYZ789\n"), ImportOptions{List: "local", Version: "7", By: by, Options: importer.Options{Source: "l.csv"}}); err != nil {
		t.Fatal(err)
	}
	local, err := Open(db.dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	if _, err := local.Add(t.Context(), "local", map[string]string{"plate": "new 123", "category": "amber alert"}, by); err != nil {
		t.Fatal(err)
	}
	if got := platesOf(t, local, "local"); got != "NEW123 XYZ789" {
		t.Error(got)
	}
	if r, err := local.RemovePlate(t.Context(), "local", "xyz 789", by); err != nil || r.Removed != 1 || r.List.Entries != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := local.Remove(t.Context(), "local", by); err != nil {
		t.Fatal(err)
	}
	trail := openTrail(t, db.dir)
	var got []string
	for _, r := range records(t, trail, audit.Filter{}) {
		got = append(got, fmt.Sprintf("%d %s %s %s +%d -%d =%d by %q", r.Seq, r.Kind, r.List, strings.Fields(r.Version + " -")[0], r.Added, r.Removed, r.Entries, r.Operator))
	}
	want := []string{
		`1 apply signed 1 +2 -0 =2 by ""`, `2 apply signed 2 +2 -1 =3 by ""`, `3 refuse signed 1 +0 -0 =0 by ""`,
		`4 import local 7 +1 -0 =1 by "jane"`, `5 add local edited +1 -0 =2 by "jane"`, `6 remove local edited +0 -1 =1 by "jane"`, `7 remove local - +0 -0 =0 by "jane"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if r, err := trail.Verify(); err != nil || r.Records != 7 {
		t.Errorf("%+v, %v", r, err)
	}
	if found := records(t, trail, audit.Filter{Plate: "NEW-123"}); len(found) != 1 || found[0].Kind != audit.Add {
		t.Errorf("%+v", found)
	}
	// A change by hand needs a name and a reason, and leaves signed lists alone.
	if _, err := local.Add(t.Context(), "local", map[string]string{"plate": "A12345"}, Actor{Operator: "jane", Reason: ""}); !errors.Is(err, entry.ErrOptions) {
		t.Error(err)
	}
	if _, err := local.Add(t.Context(), "signed", map[string]string{"plate": "A12345"}, by); !errors.Is(err, entry.ErrRefused) {
		t.Error(err)
	}
	b := readAll(t, filepath.Join(db.dir, "audit"))
	for _, plate := range []string{"AAA1111", "XYZ789", "NEW123", "new 123"} {
		if bytes.Contains(b, []byte(plate)) {
			t.Errorf("the trail shows %s", plate)
		}
	}
}

func readAll(t testing.TB, dir string) []byte {
	t.Helper()
	var all []byte
	for _, f := range names(t, dir) {
		b, err := os.ReadFile(filepath.Join(dir, strings.Fields(f)[0]))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}
