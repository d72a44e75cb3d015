package uplink

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// crashEnv makes the test binary the child that accepts hits.
const crashEnv = "PLATEWATCH_TEST_CRASH_DIR"

// crashChild accepts hits and says so, removes some, and never ends by itself.
func crashChild(dir string) {
	o, err := OpenOutbox(filepath.Join(dir, "outbox.db"), "unit-7", OutboxOptions{}, slog.New(slog.DiscardHandler))
	if err != nil {
		fmt.Println("fail", err)
		os.Exit(1)
	}
	prefix := os.Getenv(crashEnv + "_CYCLE")
	for i := 0; ; i++ {
		text := fmt.Sprintf("C%sN%d", prefix, i)
		id, err := o.Accept(testHit(text))
		if err != nil {
			fmt.Println("fail", err)
			os.Exit(1)
		}
		fmt.Println("accepted", id, text)
		if i%3 == 2 {
			e, err := o.Next(nil)
			if err != nil {
				fmt.Println("fail", err)
				os.Exit(1)
			}
			// Said before it is done: whether it was is then unknown.
			fmt.Println("removing", e.Hit.ID)
			if err := o.Remove(e.Ref); err != nil {
				fmt.Println("fail", err)
				os.Exit(1)
			}
		}
	}
}

func TestKillNine(t *testing.T) {
	dir := t.TempDir()
	cycles := 50
	if testing.Short() {
		cycles = 10
	}
	accepted := map[string]string{} // id to text, over all cycles
	removing := map[string]bool{}
	var order []string
	for cycle := range cycles {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), crashEnv+"="+dir, fmt.Sprintf("%s_CYCLE=%d", crashEnv, cycle))
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// The kill comes after a random number of lines, while the child goes
		// on with the next write.
		killAfter := 1 + rand.IntN(12)
		s := bufio.NewScanner(out)
		for lines := 0; s.Scan(); lines++ {
			word, rest, _ := strings.Cut(s.Text(), " ")
			switch word {
			case "accepted":
				id, text, _ := strings.Cut(rest, " ")
				if other, twice := accepted[id]; twice {
					t.Fatalf("id %s was given to %s and again to %s", id, other, text)
				}
				accepted[id] = text
				order = append(order, id)
			case "removing":
				removing[rest] = true
			default:
				t.Fatalf("child: %s", s.Text())
			}
			if lines == killAfter {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	}
	o := openTestOutbox(t, filepath.Join(dir, "outbox.db"), OutboxOptions{})
	if d := o.Damage(); d != nil {
		t.Fatalf("kill -9 damaged the file: %+v", d)
	}
	have := map[string]bool{}
	var last uint64
	skip := map[Ref]bool{}
	for {
		e, err := o.Next(func(r Ref) bool { return skip[r] })
		if err != nil {
			t.Fatal(err)
		}
		if e == nil {
			break
		}
		skip[e.Ref] = true
		have[e.Hit.ID] = true
		if e.Hit.Number <= last {
			t.Fatalf("number %d comes after %d", e.Hit.Number, last)
		}
		last = e.Hit.Number
		// The child may have been killed between the write and the word.
		if text, ok := accepted[e.Hit.ID]; ok && text != e.Hit.Text {
			t.Fatalf("id %s is %s in the file and was %s when accepted", e.Hit.ID, e.Hit.Text, text)
		}
	}
	for _, id := range order {
		if !have[id] && !removing[id] {
			t.Errorf("accepted hit %s is lost", id)
		}
	}
	if len(order) < cycles {
		t.Fatalf("only %d hits were accepted in %d cycles", len(order), cycles)
	}
	t.Logf("%d cycles, %d hits accepted, %d left", cycles, len(order), len(have))
}
