package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A list goes from the server that signs it to a unit, with a user's commands.
func TestHotlistSignVerifyApply(t *testing.T) {
	s := newHotlistSession(t)
	// Made with -password-file; trying a password takes seconds, by design.
	s.file("encrypted.key", "untrusted comment: minisign encrypted secret key\nRWRTY0IyDi/GauGRhE6xTyHaZmauS4IVmDqJcdNJLSA1QQ4BPpUAAAACAAAAAAAAAEAAAAAAuOHfzUhk5JRM/R4jGHTxsywoGgft8T26p657iRl5mTLLnyHODup/imU7J26P1XzBsKvgAFeVuEJIPIxE3QuJQcAUm0r5C5PXW3LJb28GdYk26oFe+SJwIOfavW5lIp4C+iHBqq2qgI0=\n")
	s.want(exitFine, "hq.pub is for the units", "", "", "keygen", "$DIR/hq")
	s.want(exitFailed, "", "hq.key exists: an existing key is never overwritten", "", "keygen", "$DIR/hq")
	s.want(exitFine, "other.key signs", "", "", "keygen", "$DIR/other")
	s.want(exitFine, "storage.key encrypts lists", "", "", "keygen", "-storage", "$DIR/storage.key")

	s.want(exitFine, "2 entries", "", "plate,note\nAAA1111,\nBBB22*,\n", "import", "-db", "$DIR/server", "-list", "stolen", "-")
	s.want(exitFine, "list stolen, version 1: 2 entries in 1 parts, 0 changes in 0 parts", "", "", "sign", "-db", "$DIR/server", "-list", "stolen", "-key", "$DIR/hq.key", "-version", "1", "$DIR/v1")
	s.want(exitFine, "1 entries are new, 1 are gone", "", "plate,note\nAAA1111,changed\nCCC3333,\n", "import", "-db", "$DIR/server", "-list", "stolen", "-")
	s.want(exitFine, "3 changes in 1 parts", "", "", "sign", "-db", "$DIR/server", "-list", "stolen", "-key", "$DIR/hq.key", "-version", "2", "$DIR/v2")
	s.want(exitUsage, "", "encrypted.key is encrypted: name the file with its password", "", "sign", "-db", "$DIR/server", "-list", "stolen", "-key", "$DIR/encrypted.key", "$DIR/v3")
	s.want(exitFine, "version 3", "", "", "sign", "-db", "$DIR/server", "-list", "stolen", "-key", "$DIR/other.key", "-version", "3", "$DIR/v3")

	s.want(exitFine, "ok: list stolen, version 2, 2 entries, signed by hq, overdue after ", "", "", "verify", "-trust", "$DIR/hq.pub", "$DIR/v2")
	s.want(exitFailed, "", "which is not trusted here", "", "verify", "-trust", "$DIR/hq.pub", "$DIR/v3")
	s.want(exitUsage, "", "no key is trusted", "", "verify", "$DIR/v2")

	unit := []string{"apply", "-db", "$DIR/unit", "-storage-key", "$DIR/storage.key", "-trust", "$DIR/hq.pub"}
	s.want(exitFine, "2 entries, 2 added, 0 removed (whole list)", "", "", append(unit, "$DIR/v1")...)
	s.want(exitFine, "2 entries, 1 added, 1 removed (changes)", "", "", append(unit, "$DIR/v2")...)
	s.want(exitFine, "this version is already in use", "", "", append(unit, "$DIR/v2")...)
	s.want(exitFailed, "", "the update is older than the accepted version: list stolen, version 1 after 2: sign a newer version; the list in use is unchanged", "", append(unit, "$DIR/v1")...)
	s.want(exitFailed, "", "the update is not authentic: it is signed with key ", "", append(unit, "$DIR/v3")...)
	s.want(exitFailed, "", "the manifest of list stolen arrived as that of amber", "", append(unit, "-list", "amber", "$DIR/v2")...)
	s.want(exitMissing, "", "name a folder that `platewatch hotlist sign` wrote", "", append(unit, "$DIR/nowhere")...)
	s.want(exitFine, "AAA1111 matches 1 of 2", "", "", "check", "-case", "7", "-reason", "test", "-db", "$DIR/unit", "-storage-key", "$DIR/storage.key", "AAA1111")
	s.want(exitMissing, "", "the hotlist's key is missing or wrong", "", "check", "-case", "7", "-reason", "test", "-db", "$DIR/unit", "AAA1111")
	s.want(exitFailed, "", "the list is signed by ", "plate\nX12345\n", "import", "-db", "$DIR/unit", "-storage-key", "$DIR/storage.key", "-list", "stolen", "-")

	// An expired manifest is reported, and the list stays in use.
	s.want(exitFine, "refused: the update is older than the accepted version: list stolen", "", "", "list", "-db", "$DIR/unit", "-storage-key", "$DIR/storage.key")
	s.want(exitFine, "version 4", "", "", "sign", "-db", "$DIR/server", "-list", "stolen", "-key", "$DIR/hq.key", "-version", "4", "-expires", "1ms", "$DIR/v4")
	s.want(exitFine, "version 4", "", "", append(unit, "$DIR/v4")...)
	s.want(exitFine, "overdue since ", "", "", "list", "-db", "$DIR/unit", "-storage-key", "$DIR/storage.key")
	s.want(exitFine, "AAA1111 matches 1 of 2", "", "", "check", "-case", "7", "-reason", "test", "-db", "$DIR/unit", "-storage-key", "$DIR/storage.key", "AAA1111")
}

// What export writes import reads back.
func TestHotlistExportComesBack(t *testing.T) {
	s := newHotlistSession(t)
	text := "plate,state,category,priority,covert,effective,expires,vehicle_year,make,policy,handling\n" +
		"AB12345,CA,amber alert,,yes,2026-01-01T10:00:00Z,2030-01-02,1999,FORD,exact,\"do not stop, call\"\nXY?99*,,wanted,4,,,,,,,\n"
	s.want(exitFine, "2 entries", "", text, "import", "-db", "$DIR/db", "-list", "a", "-")
	out, errs, code := s.run("", "export", "-reason", "audit", "-case", "7", "-db", "$DIR/db", "-list", "a")
	if code != exitFine || strings.Count(out, "\n") != 3 {
		t.Fatal(code, errs, out)
	}
	s.want(exitFine, "2 entries", "", out, "import", "-db", "$DIR/db", "-list", "b", "-")
	a, _, _ := s.run("", "list", "-db", "$DIR/db", "-json", "-list", "a")
	if b, _, _ := s.run("", "list", "-db", "$DIR/db", "-json", "-list", "b"); a != b || a == "" {
		t.Errorf("%s\nbecame\n%s", a, b)
	}
	s.want(exitFine, "", "", "", "export", "-reason", "audit", "-case", "7", "-db", "$DIR/db", "-list", "a", "-o", "$DIR/a.csv")
	if b, err := os.ReadFile(filepath.Join(s.dir, "a.csv")); err != nil || string(b) != out {
		t.Error(err, string(b))
	}
	s.want(exitFailed, "", "a.csv exists", "", "export", "-reason", "audit", "-case", "7", "-db", "$DIR/db", "-list", "a", "-o", "$DIR/a.csv")
}
