package hit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHowIsTheSame: each way in which a reading can match an entry is one that
// a message can name, and the other way round. So [Match] may convert one into
// the other.
func TestHowIsTheSame(t *testing.T) {
	if diff := cmp.Diff(valuesOfHow(t, "hotlist/match"), valuesOfHow(t, "uplink/message")); diff != "" {
		t.Errorf("the values of How (-hotlist/match +uplink/message):\n%s", diff)
	}
}

// valuesOfHow are the constants of the type How in a package.
func valuesOfHow(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../../../..", dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if named, ok := spec.Type.(*ast.Ident); ok && named.Name == "How" && len(spec.Values) == 1 {
				if text, ok := spec.Values[0].(*ast.BasicLit); ok {
					value, err := strconv.Unquote(text.Value)
					if err != nil {
						t.Fatal(err)
					}
					values = append(values, value)
				}
			}
			return true
		})
	}
	if len(values) < 4 {
		t.Fatalf("%s has only the values %q of How", dir, values)
	}
	slices.Sort(values)
	return values
}
