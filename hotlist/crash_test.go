package hotlist

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"platewatch/hotlist/internal/folder"
)

// importForever, in the environment, makes the test binary a process that
// imports version after version of a list into the directory it names.
const importForever = "HOTLIST_TEST_IMPORT_FOREVER"

const crashEntries = 2000

func TestMain(m *testing.M) {
	if dir := os.Getenv(importForever); dir != "" {
		for i := 0; ; i++ {
			text := "plate,note\n" + strings.ReplaceAll(manyLines(crashEntries, "A%d,NOTE\n"), "NOTE", fmt.Sprint("v", i))
			_, err := Import(context.Background(), dir, strings.NewReader(text), ImportOptions{List: "l", Version: fmt.Sprint("v", i)})
			if err != nil {
				fmt.Println("failed:", err)
				os.Exit(1)
			}
			fmt.Println("imported")
		}
	}
	if prepared := os.Getenv(powerEnv); prepared != "" {
		if err := powerChild(prepared); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// Half of rapid's own number; -rapid.checks on the command line asks for more.
	if err := flag.Set("rapid.checks", "50"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// An import that is killed at any moment leaves a whole list: all entries of
// one version, the one that was in use or the new one.
func TestKilledImportLeavesAWholeList(t *testing.T) {
	t.Parallel()
	cycles := 30
	if testing.Short() || underRace {
		cycles = 10
	}
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(5, 6))
	seen := map[string]int{}
	leftOver := 0
	for i := range cycles {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), importForever+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() || lines.Text() != "imported" {
			t.Fatalf("the importing process says %q", lines.Text())
		}
		time.Sleep(time.Duration(rng.IntN(60_000)) * time.Microsecond) // the random moment, not something waited for
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if _, err := os.Stat(dir + "/" + folder.BuildName); err == nil {
			leftOver++
		}

		db, err := Open(dir, strictly)
		if err != nil {
			t.Fatal(err)
		}
		if d := db.Damage(); len(d) > 0 {
			t.Fatalf("cycle %d: %+v", i, d)
		}
		lists, err := db.Lists()
		if err != nil || len(lists) != 1 || lists[0].Entries != crashEntries || lists[0].Fallback {
			t.Fatalf("cycle %d: %+v, %v", i, lists, err)
		}
		n := 0
		for e, err := range db.Entries(t.Context(), "l") {
			if err != nil || e.Note != lists[0].Version {
				t.Fatalf("cycle %d: %+v of version %s, %v", i, e, lists[0].Version, err)
			}
			n++
		}
		if n != crashEntries {
			t.Fatalf("cycle %d: %d entries", i, n)
		}
		seen[lists[0].Version]++
		if err := db.checkAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if leftOver == 0 {
		t.Error("no import was killed half way: the test shows nothing")
	}
	t.Logf("%d of %d imports were killed half way; last versions: %v", leftOver, cycles, seen)
	importList(t, dir, "l", "plate\nA1\n") // nothing that was left over is in the way
	if _, err := os.Stat(dir + "/" + folder.BuildName); err == nil {
		t.Error("what a killed import left over was not removed")
	}
}

// A power cut loses what was not synced. Whatever prefix of the file's blocks
// made it to disk, a half-written file that got the list's name all the same
// is not served.
func TestHalfWrittenFileIsNotServed(t *testing.T) {
	t.Parallel()
	src := t.TempDir()
	importList(t, src, "l", "plate\n"+manyLines(2000, "A%d\n"))
	whole, err := os.ReadFile(folder.ListPath(src, "l"))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	dir := t.TempDir()
	giveKey(t, src, dir)
	for range 300 {
		b := append([]byte(nil), whole...)
		for p := 0; p < len(b); p += 4096 {
			if rng.IntN(8) == 0 {
				clear(b[p:min(p+4096, len(b))]) // blocks that were allocated and not written
			}
		}
		if string(b) == string(whole) {
			continue
		}
		write(t, folder.ListPath(dir, "l"), b)
		db, err := OpenReadOnly(dir, strictly)
		if err != nil {
			t.Fatal(err)
		}
		if lists, _ := db.Lists(); len(lists) != 0 || len(db.Damage()) != 1 {
			t.Fatalf("%+v, %+v", lists, db.Damage())
		}
		db.Close()
	}
}
