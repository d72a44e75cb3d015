// Command cases runs the tests of one kind, and writes a table: case, outcome, what
// was tried (tab separated).
//
//	go run ./deploy/tools/cases attack build/attack.tsv             what was tried against the unit
//	go run ./deploy/tools/cases field build/field.tsv               what the field sends to it
//	go run ./deploy/tools/cases attack build/attack.tsv ./uplink    those of some packages
//
// A case of the kind attack is a test whose name begins with TestAttack, or one that
// held.txt names; for other kinds the same. The first sentence of its comment says
// what is tried; the test reports what it measured with t.Attr("outcome", "…").
// PLATEWATCH_ATTACK (in capitals: the kind) is set, so that a test can run a longer
// form here than in every run of the tests.
package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// held lists tests, a line each, of attacks that never succeeded.
//
//go:embed held.txt
var held string

// named lists, for each kind, the tests that belong to it under another name.
var named = map[string]string{"attack": held, "field": ""}

// testCase is one test.
type testCase struct {
	folder, test string
	tried        string
	outcome      string // ok, FAILED, skipped or not run
	measured     []string
	output       []byte
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: cases attack|field TABLE [PACKAGE ...]")
		os.Exit(64)
	}
	ok, err := run(os.Args[1], os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "cases:", err)
		os.Exit(1)
	}
	if !ok {
		os.Exit(1)
	}
}

// run runs the cases of a kind and writes the table; ok means that all of them held.
func run(kind, table string, packages []string) (ok bool, err error) {
	listed, known := named[kind]
	if !known {
		return false, fmt.Errorf("there is no kind %q", kind)
	}
	cases, err := find(".", kind, listed)
	if err != nil {
		return false, err
	}
	folders := map[string][]*testCase{}
	for _, c := range cases {
		if len(packages) == 0 || slices.Contains(packages, "./"+c.folder) {
			folders[c.folder] = append(folders[c.folder], c)
		}
	}
	if err := os.MkdirAll(filepath.Dir(table), 0o755); err != nil {
		return false, err
	}
	out, err := os.Create(table)
	if err != nil {
		return false, err
	}
	defer out.Close()
	ok = true
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		group := folders[folder]
		if err := runFolder(folder, kind, group, table); err != nil {
			return false, err
		}
		for _, c := range group {
			row := fmt.Sprintf("%s:%s\t%s\t%s", c.folder, c.test, c.outcome, strings.Join(append([]string{c.tried}, c.measured...), " → "))
			if _, err := fmt.Fprintln(out, row); err != nil {
				return false, err
			}
			fmt.Println(strings.ReplaceAll(row, "\t", "  "))
			if c.outcome != "ok" && c.outcome != "skipped" {
				ok = false
				fmt.Printf("%s\n", c.output)
			}
		}
	}
	return ok, nil
}

// event is a line of go test -json.
type event struct {
	Action, Test, Output, Key, Value string
}

// runFolder runs the cases of one folder in one run of go test.
func runFolder(folder, kind string, cases []*testCase, table string) error {
	var names []string
	byName := map[string]*testCase{}
	for _, c := range cases {
		c.outcome = "not run"
		names = append(names, c.test)
		byName[c.test] = c
	}
	full, err := filepath.Abs(table)
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "test", "-json", "-count=1", "-timeout", "20m", "-run", "^("+strings.Join(names, "|")+")$", "./"+folder)
	cmd.Env = append(os.Environ(), "PLATEWATCH_"+strings.ToUpper(kind)+"="+full)
	text, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	if exit != nil && len(text) == 0 {
		return fmt.Errorf("%s: %s", folder, exit.Stderr)
	}
	var rest []byte // of the package: why it did not build
	for dec := json.NewDecoder(bytes.NewReader(text)); ; {
		var e event
		if err := dec.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		top, _, _ := strings.Cut(e.Test, "/")
		c := byName[top]
		if c == nil {
			rest = append(rest, e.Output...)
			continue
		}
		c.take(e, e.Test == top)
	}
	for _, c := range cases {
		if c.outcome == "not run" {
			c.output = append(c.output, rest...)
		}
	}
	return nil
}

// take notes what a test, or one below it, says.
func (c *testCase) take(e event, top bool) {
	switch e.Action {
	case "output":
		c.output = append(c.output, e.Output...)
	case "attr":
		if e.Key == "outcome" {
			c.measured = append(c.measured, e.Value)
		}
	case "pass", "fail", "skip":
		if top {
			c.outcome = map[string]string{"pass": "ok", "fail": "FAILED", "skip": "skipped"}[e.Action]
		}
	}
}

// find collects the cases of a kind below root: by their names, and those that are
// listed, a line each: folder and test. Listed tests that do not exist are an error.
func find(root, kind, listed string) ([]*testCase, error) {
	prefix := "Test" + strings.ToUpper(kind[:1]) + kind[1:]
	wanted := map[string]bool{}
	for line := range strings.Lines(listed) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] != "#" {
			wanted[path.Join(fields[0], fields[1])] = true
		}
	}
	var cases []*testCase
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && file != root {
			return fs.SkipDir
		}
		if !strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil {
				continue
			}
			key := path.Join(filepath.ToSlash(folder), f.Name.Name)
			if !strings.HasPrefix(f.Name.Name, prefix) && !wanted[key] {
				continue
			}
			delete(wanted, key)
			cases = append(cases, &testCase{folder: filepath.ToSlash(folder), test: f.Name.Name, tried: firstSentence(f)})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(wanted) > 0 {
		return nil, fmt.Errorf("the list of %s names tests that do not exist: %v", kind, slices.Sorted(maps.Keys(wanted)))
	}
	return cases, nil
}

// firstSentence is what a test's comment says is tried, in one line.
func firstSentence(f *ast.FuncDecl) string {
	text := strings.TrimPrefix(f.Doc.Text(), f.Name.Name)
	text = new(doc.Package).Synopsis(strings.TrimLeft(text, ": "))
	var line []string
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		line = append(line, strings.TrimSpace(s.Text()))
	}
	return strings.Join(line, " ")
}
