package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// module is a module in which each rule of unusedExports has a case. What must
// be reported has "unused" in its name.
var module = map[string]string{
	"go.mod": "module example\n\ngo 1.26\n",
	"shop/shop.go": `package shop

import (
	_ "embed"
	"errors"
)

// ErrShut counts as used, as every error does.
var ErrShut = errors.New("shut")

type Price int

const (
	Low Price = iota // the values of a used type
	High
)

const (
	Open = "open" // a group of which one is used
	Shut = "shut"
)

const UnusedLimit = 3

//go:embed page.html
var page string

type Shop struct{ Stock []Good }

func (s *Shop) InThePage() int { return len(page) }

// Good is used, because a field of Shop is declared with it.
type Good struct{}

func (g Good) String() string { return "fits fmt.Stringer" }
func (g Good) Unused() int    { return UnusedLimit }

func New() *Shop { return &Shop{} }

func (s *Shop) Price() Price { return Low }

func (s *Shop) UnusedInTheProgram() {}

type UnusedType struct{}

func UnusedFunction() UnusedType { return UnusedType{} }
`,
	"shop/page.html": "{{range .Shops}}{{printf `%d` .InThePage}}{{end}} .UnusedInTheProgram",
	"shop/shop_test.go": `package shop_test

import "example/shop"

var _ = shop.UnusedFunction()
`,
	"shop/shoptest/shoptest.go": `package shoptest

import "example/shop"

func Empty() *shop.Shop { s := shop.New(); s.UnusedInTheProgram(); return s }
`,
	"main.go": `package main

import (
	"fmt"

	"example/shop"
)

func main() { fmt.Println(shop.New().Price(), shop.Open) }
`,
}

func TestUnusedExports(t *testing.T) {
	root := t.TempDir()
	for name, text := range module {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	found, err := unusedExports(root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, line := range found {
		_, rest, _ := strings.Cut(line, " example/")
		name, _, _ := strings.Cut(rest, " ")
		names = append(names, name)
	}
	want := []string{"shop.Good.Unused", "shop.Shop.UnusedInTheProgram", "shop.UnusedFunction", "shop.UnusedLimit", "shop.UnusedType"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("unused exports (-want +got):\n%s\n%s", diff, strings.Join(found, "\n"))
	}
}
