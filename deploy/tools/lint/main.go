// Command lint holds the code to this project's rules.
//
//	go run ./deploy/tools/lint            all checks
//	go run ./deploy/tools/lint vet dead   some of them
//
// The checks are those of the table below; each prints what it found and where.
// All tools are modules that go.mod pins, so that nothing is fetched after the
// first run. Which package may import which, how much one may export and how
// long a file may be is checked by cmd/platewatch/imports_test.go.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// check is one rule. run returns what breaks it in the module at root, a line
// each, and an error where that could not be found out.
type check struct {
	name, about string
	run         func(root string) ([]string, error)
}

var checks = []check{
	{name: "gofmt", about: "formatted as gofmt does", run: gofmt},
	{name: "vet", about: "go vet", run: command("go", "vet", "./...")},
	{name: "arm", about: "go vet where int has 32 bits", run: vet32},
	{name: "staticcheck", about: "staticcheck; doc comments begin with the name they are about", run: command("go", "tool", "staticcheck", "-checks", "inherit,ST1000,ST1020,ST1021,ST1022", "./...")},
	{name: "errors", about: "no lost error, no error compared with ==, no shadowed predeclared name", run: errorsAndNames},
	{name: "exports", about: "no exported name that no other package uses", run: unusedExports},
	{name: "dead", about: "no function that no program reaches", run: deadFunctions},
	{name: "documents", about: "documents link to files that are there; the README has at most 1000 words", run: documents},
	{name: "subjects", about: "commit subjects of at most 72 characters", run: longSubjects},
}

func main() {
	if isVetCall(os.Args[1:]) {
		runVetTool() // does not return
	}
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lint: not in the module:", err)
		os.Exit(1)
	}
	if !lint(strings.TrimSpace(string(root)), os.Args[1:]) {
		os.Exit(1)
	}
}

// lint runs the checks of the given names, or all, side by side. It prints what
// each found in the order of the table, and reports whether that was nothing.
func lint(root string, names []string) bool {
	type result struct {
		found []string
		err   error
	}
	results := make([]result, len(checks))
	var all sync.WaitGroup
	for i, c := range checks {
		if len(names) > 0 && !slices.Contains(names, c.name) {
			continue
		}
		all.Go(func() { results[i].found, results[i].err = c.run(root) })
	}
	all.Wait()
	clean := true
	for i, r := range results {
		for _, line := range r.found {
			fmt.Println(line)
		}
		if r.err != nil {
			fmt.Println(r.err)
		}
		if len(r.found) > 0 || r.err != nil {
			clean = false
			fmt.Printf("lint %s: the rule is: %s\n", checks[i].name, checks[i].about)
		}
	}
	return clean
}

// command is a check by a program that prints what it finds and then fails.
func command(name string, args ...string) func(string) ([]string, error) {
	return func(root string) ([]string, error) {
		c := exec.Command(name, args...)
		c.Dir = root
		return findings(c)
	}
}

// findings are the lines that a program prints where it fails.
func findings(c *exec.Cmd) ([]string, error) {
	out, err := c.CombinedOutput()
	if err == nil {
		return nil, nil
	}
	found := slices.DeleteFunc(lines(string(out)), func(line string) bool { return strings.HasPrefix(line, "# ") }) // a package's name, as go vet says it
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: %w", strings.Join(c.Args, " "), err)
	}
	return found, nil
}

func gofmt(root string) ([]string, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	args := []string{"-l"}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && e.Name() != "build" {
			args = append(args, e.Name())
		}
	}
	out, err := output(root, "gofmt", args...)
	var found []string
	for _, file := range lines(out) {
		found = append(found, file+": not formatted; run gofmt -w on it")
	}
	return found, err
}

// deadFunctions are those that can be reached from no main function, in
// packages that are not made for tests.
func deadFunctions(root string) ([]string, error) {
	out, err := output(root, "go", "tool", "deadcode", "./...")
	if err != nil {
		return lines(out), fmt.Errorf("go tool deadcode: %w", err)
	}
	return slices.DeleteFunc(lines(out), func(line string) bool {
		file, _, _ := strings.Cut(line, ":")
		return isTestPackage(filepath.ToSlash(filepath.Dir(file)))
	}), nil
}

// output is what a program prints on both its outputs.
func output(root, name string, args ...string) (string, error) {
	c := exec.Command(name, args...)
	c.Dir = root
	out, err := c.CombinedOutput()
	return string(out), err
}

func lines(s string) []string {
	return slices.DeleteFunc(strings.Split(s, "\n"), func(line string) bool { return line == "" })
}

// relative is a file's path from root, as it is where it lies elsewhere.
func relative(root, file string) string {
	if r, err := filepath.Rel(root, file); err == nil && filepath.IsLocal(r) {
		return r
	}
	return file
}
