package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Cases are found by name and by list; a listed test that was renamed is noticed.
func TestFind(t *testing.T) {
	root := t.TempDir()
	folder := filepath.Join(root, "room", "part")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	const text = "package part\n\n// TestAttackDoor: somebody tries\n// the door. It is shut.\nfunc TestAttackDoor() {}\n\n// A wall is climbed.\nfunc TestWall() {}\n\nfunc TestOther() {}\n"
	if err := os.WriteFile(filepath.Join(folder, "x_test.go"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cases, err := find(root, "attack", "# comment here\nroom/part TestWall\n")
	if err != nil || len(cases) != 2 {
		t.Fatalf("%v, %v", cases, err)
	}
	if c := cases[0]; c.folder != "room/part" || c.test != "TestAttackDoor" || c.tried != "somebody tries the door." {
		t.Errorf("%+v", c)
	}
	if c := cases[1]; c.test != "TestWall" || c.tried != "A wall is climbed." {
		t.Errorf("%+v", c)
	}
	if _, err := find(root, "attack", "room/part TestGone"); err == nil {
		t.Error("a listed test that does not exist is not noticed")
	}
}

// Every listed test of this repository exists.
func TestHeldExist(t *testing.T) {
	cases, err := find("../../..", "attack", held)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.tried == "" {
			t.Errorf("%s:%s does not say what is tried", c.folder, c.test)
		}
	}
}
