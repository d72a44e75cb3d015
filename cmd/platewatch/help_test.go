package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"platewatch/cmd/platewatch/internal/cli"
	"platewatch/deploy/tools/goldentest"
)

// everyCommand calls f with the words of each command's name and with the command.
func everyCommand(c cli.Command, f func(words []string, c cli.Command)) {
	f(strings.Fields(c.Name), c)
	for _, s := range c.Sub {
		everyCommand(s, f)
	}
}

// TestFieldHelp: `help COMMAND` and `COMMAND -h` say the same, with usage, flags and
// examples, and each flag of an example exists.
func TestFieldHelp(t *testing.T) {
	n := 0
	everyCommand(program(), func(words []string, c cli.Command) {
		n++
		var texts [2]bytes.Buffer
		for i, args := range [][]string{append([]string{"help"}, words...), append(words[:len(words):len(words)], "-h")} {
			if code := report(&texts[i], run(t.Context(), stdio{strings.NewReader(""), &texts[i], &texts[i]}, args)); code != exitFine {
				t.Errorf("%v: exit code %d", args, code)
			}
		}
		text := texts[0].String()
		if text != texts[1].String() {
			t.Errorf("%q: help says\n%s-h says\n%s", c.Name, text, texts[1].String())
		}
		if !strings.HasPrefix(text, strings.TrimSpace("usage: platewatch "+c.Name)) || !strings.Contains(text, "\nexamples:\n  ") || strings.Contains(text, "\n\n\n") {
			t.Errorf("%q: the help lacks something, or has two empty lines:\n%s", c.Name, text)
		}
		for _, e := range c.Examples {
			words := strings.Fields(e.Line[strings.Index(e.Line, cli.Program):])[1:]
			at, used := find(program(), words)
			if c.Name != "" && len(c.Sub) == 0 && at.Name != c.Name {
				t.Errorf("%q has the example %q", c.Name, e.Line)
			}
			for _, w := range words[used:] {
				if name := strings.TrimLeft(w, "-"); name != w && name != "" && !hasFlag(at, name) {
					t.Errorf("%q: there is no flag %s", e.Line, w)
				}
			}
		}
	})
	var out bytes.Buffer
	if err := run(t.Context(), stdio{nil, &out, &out}, []string{"--version"}); err != nil || !strings.HasPrefix(out.String(), "platewatch ") {
		t.Errorf("--version: %v, %q", err, out.String())
	}
	t.Logf("%d commands", n)
}

// find returns the command that words begin with, and how many of them it took.
func find(c cli.Command, words []string) (found cli.Command, used int) {
	for _, w := range words {
		i := slices.IndexFunc(c.Sub, func(s cli.Command) bool { return s.Name == strings.TrimSpace(c.Name+" "+w) })
		if i < 0 {
			break
		}
		c = c.Sub[i]
		used++
	}
	return c, used
}

func hasFlag(c cli.Command, name string) bool {
	for _, f := range c.Flags {
		if f.Name == name {
			return true
		}
	}
	return false
}

// TestFieldTypos: a mistyped command, flag or address is named with what was probably
// meant, and the exit code is that of wrong usage. testdata/usage.golden has every
// message.
func TestFieldTypos(t *testing.T) {
	var got strings.Builder
	for _, line := range []string{
		"", "raed x.jpg", "hotlsit", "help hotlist inport", "config chek", "audit verfy", "outbox ls", "nonsense",
		"read -jsno x.jpg", "read x.jpg -anotate d", "watch -brokr mqtts://b", "watch -broker b.example", "watch -broker http://b.example",
		"watch -broker mqtt://b.example", "watch -broker ws://b.example/mqtt", "watch -broker mqtt://127.0.0.1 -cot udp://192.0.2.7:4242", "read rtps://192.0.2.7/stream",
		"version x", "completion tcsh", "man a b", "config check a b", "hotlist import -list l a b", "outbox stats",
	} {
		var out, errs bytes.Buffer
		code := report(&errs, run(t.Context(), stdio{strings.NewReader(""), &out, &errs}, strings.Fields(line)))
		said := strings.Split(strings.TrimSpace(errs.String()), "\n")
		if code != exitUsage || line != "" && len(said) != 1 {
			t.Errorf("%s: exit code %d, %s", line, code, errs.String())
		}
		fmt.Fprintf(&got, "$ platewatch %s\n%s\n\n", line, said[len(said)-1])
	}
	goldentest.Compare(t, filepath.Join("testdata", "usage.golden"), got.String())
}

// TestFieldCompletion: real shells complete commands, those of outbox, audit, hotlist
// and config too, and flags.
func TestFieldCompletion(t *testing.T) {
	dir := t.TempDir()
	for _, shell := range cli.Shells {
		var script bytes.Buffer
		if err := program().Completion(&script, shell); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, shell), script.Bytes())
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				t.Skip(shell + " is not installed")
			}
			for line, want := range map[string]string{
				"":                              "audit hotlist outbox read",
				"ho":                            "hotlist",
				"hotlist imp":                   "import",
				"outbox ":                       "list stats",
				"audit ver":                     "verify",
				"config ":                       "check show",
				"hotlist import -tol":           "-tolerant",
				"read x.jpg -js":                "-json",
				"hotlist -x import -list l -ye": "-yes",
			} {
				out, err := exec.Command(shell, "-c", completer(shell, filepath.Join(dir, shell), line)).CombinedOutput()
				got := map[string]bool{}
				for _, l := range strings.Split(string(out), "\n") {
					word, _, _ := strings.Cut(strings.Split(l, "\t")[0], ":")
					got[word] = true
				}
				for _, w := range strings.Fields(want) {
					if err != nil || !got[w] {
						t.Errorf("platewatch %s: %q is missing in %q, %v", line, w, out, err)
					}
				}
			}
		})
	}
}

// completer is a program of a shell that prints what it would complete a line to.
func completer(shell, script, line string) string {
	switch shell {
	case "bash":
		return `source ` + script + `; line="platewatch ` + line + `"; read -ra COMP_WORDS <<< "$line"; [[ $line == *" " ]] && COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _platewatch; printf '%s\n' "${COMPREPLY[@]}"`
	case "zsh":
		// The menu is zsh's own; what the script hands to it is printed.
		return `compdef() { : }; _files() { : }; _describe() { print -l -- "${(@P)2}" }; source ` + script + `; words=("${(@s: :)${:-platewatch ` + line + `}}"); CURRENT=$#words; _platewatch`
	}
	return `source ` + script + `; complete -C "platewatch ` + line + `"`
}

// TestFieldManPages: man shows every page without a warning, and there is one for
// each command.
func TestFieldManPages(t *testing.T) {
	dir := t.TempDir()
	names, err := program().ManPages(dir, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 25 {
		t.Errorf("%d pages", len(names))
	}
	if _, err := exec.LookPath("man"); err != nil {
		t.Skip("man is not installed")
	}
	for _, name := range names {
		cmd := exec.Command("man", "--warnings", "-l", filepath.Join(dir, name))
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MANROFFSEQ=", "MANWIDTH=80")
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		for l := range strings.Lines(errs.String()) {
			if !strings.Contains(l, "can't break line") && !strings.Contains(l, "cannot adjust") {
				t.Errorf("%s: %s", name, l)
			}
		}
		if err != nil || !bytes.Contains(out, []byte("EXIT STATUS")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
