package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"

	"codeberg.org/polyfloyd/go-errorlint/errorlint"
	"github.com/kisielk/errcheck/errcheck"
	"github.com/nishanths/predeclared/passes/predeclared"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/unitchecker"
)

// errorsAndNames runs this program's own analyzers through go vet, which keeps
// the results of packages that did not change.
func errorsAndNames(root string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return command("go", "vet", "-vettool="+self, "./...")(root)
}

// vet32 runs go vet for a processor with 32 bits: a constant that overflows int is an error only
// there, and of the analyzers these two look at sizes. It leaves out packages that need a C
// compiler, by themselves or in their tests.
func vet32(root string) ([]string, error) {
	withC, err := goList(root, "-deps", "-test", "-f", "{{if and .CgoFiles (not .Standard)}}{{.ImportPath}}{{end}}", "./...")
	if err != nil {
		return nil, err
	}
	all, err := goList(root, "-test", "-f", "{{.ImportPath}} {{join .Deps \" \"}}", "./...")
	if err != nil {
		return nil, err
	}
	pure := map[string]bool{}
	for _, line := range all {
		name, deps, _ := strings.Cut(line, " ")
		if strings.HasPrefix(deps, "[") {
			continue // a package as its test sees it; the test's own line has all that it imports
		}
		name = strings.TrimSuffix(name, ".test")
		before, seen := pure[name]
		needsC := slices.Contains(withC, name) || slices.ContainsFunc(strings.Fields(deps), func(d string) bool { return slices.Contains(withC, d) })
		pure[name] = (before || !seen) && !needsC
	}
	maps.DeleteFunc(pure, func(_ string, pure bool) bool { return !pure })
	vet := exec.Command("go", append([]string{"vet", "-shift", "-unsafeptr"}, slices.Sorted(maps.Keys(pure))...)...)
	vet.Dir, vet.Env = root, append(os.Environ(), "CGO_ENABLED=0", "GOARCH=arm")
	return findings(vet)
}

func goList(root string, args ...string) ([]string, error) {
	c := exec.Command("go", append([]string{"list"}, args...)...)
	c.Dir = root
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", strings.Join(args, " "), err)
	}
	return lines(string(out)), nil
}

// isVetCall reports whether go vet called this program as its tool.
func isVetCall(args []string) bool {
	return len(args) > 0 && (strings.HasPrefix(args[0], "-") || strings.HasSuffix(args[len(args)-1], ".cfg"))
}

func runVetTool() {
	unitchecker.Main(errorlint.NewAnalyzer(), predeclared.Analyzer, lostErrors)
}

// lostErrors reports calls whose error nobody looks at. An error that may be
// lost is assigned to the blank identifier. Tests are not looked at: what
// fails there shows in what is asserted.
var lostErrors = &analysis.Analyzer{
	Name:     "losterrors",
	Doc:      "reports errors that nobody looks at",
	Requires: []*analysis.Analyzer{errcheck.Analyzer},
	Run: func(pass *analysis.Pass) (any, error) {
		for _, e := range pass.ResultOf[errcheck.Analyzer].(errcheck.Result).UncheckedErrors {
			if strings.HasSuffix(e.Pos.Filename, "_test.go") || mayBeLost(e) {
				continue
			}
			for _, f := range pass.Files {
				if file := pass.Fset.File(f.Pos()); file.Name() == e.Pos.Filename {
					pass.Reportf(file.Pos(e.Pos.Offset), "the error of %s is lost", name(e))
				}
			}
		}
		return nil, nil
	},
}

// mayBeLost reports whether a function's error says nothing that the program
// could act on.
func mayBeLost(e errcheck.UncheckedError) bool {
	f := name(e)
	if strings.HasSuffix(f, ".Close") {
		return true // what is written is synced first, and that error is looked at
	}
	for _, prefix := range []string{
		"fmt.Fprint", "(*github.com/schollz/progressbar", // texts for people: without their terminal there is nobody to tell
		"(net/http.ResponseWriter).Write", "(*net/http.ResponseController).SetWriteDeadline", // the client is gone
		"os.Remove",                         // tidying up; what must be gone is looked for afterwards
		"(*bufio.Writer).Write",             // Flush reports it
		"(*go.etcd.io/bbolt.Tx).Rollback",   // fails only when the transaction is over
		"github.com/coreos/go-systemd/v22/", // systemd's watchdog notices
	} {
		if strings.HasPrefix(f, prefix) {
			return true
		}
	}
	return false
}

// name is the function that was called, with its package or type where known.
func name(e errcheck.UncheckedError) string {
	switch {
	case e.FuncName != "":
		return e.FuncName
	case e.SelectorName != "":
		return e.SelectorName
	}
	return fmt.Sprintf("%q", strings.TrimSpace(e.Line))
}
