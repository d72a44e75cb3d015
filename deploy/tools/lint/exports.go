package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// unusedExports reports the exported top-level names and methods of the
// packages in dir that no other package uses. Tests do not count, neither
// *_test.go files nor packages made for them (isTestPackage). A type counts as
// used where something used is declared with it; a method also where its type
// fits an interface that has it, or a template of its package names it. Errors,
// and all values of a type or group of constants that is used, count as used:
// they belong to one interface.
//
// Objects are compared by name (objectName), because each package is checked
// against the export data of the others, not against their syntax: that takes
// seconds where loading all of them from source takes a minute.
func unusedExports(dir string) ([]string, error) {
	const mode = packages.NeedName | packages.NeedImports | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedEmbedFiles
	fset := token.NewFileSet()
	loaded, err := packages.Load(&packages.Config{Mode: mode, Dir: dir, Fset: fset}, "./...")
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for _, p := range loaded {
		for _, e := range p.Errors {
			return nil, fmt.Errorf("%s: %w", p.PkgPath, e)
		}
		own[p.PkgPath] = true
	}

	u := usage{own: own, declared: map[string]types.Object{}, used: map[string]bool{}, group: map[string][]string{}, templates: map[string]bool{}}
	methods := map[string]bool{} // of all interfaces: name and signature
	for _, p := range loaded {
		if isTestPackage(p.PkgPath) {
			continue
		}
		if p.Name != "main" {
			u.declare(p)
		}
		if err := u.useInTemplates(p); err != nil {
			return nil, err
		}
		for _, object := range p.TypesInfo.Uses {
			if object.Pkg() != nil && object.Pkg() != p.Types && own[object.Pkg().Path()] {
				u.use(object)
			}
		}
		for _, t := range p.TypesInfo.Types {
			if i, ok := t.Type.(*types.Interface); ok && t.IsType() {
				addMethods(methods, i)
			}
		}
	}
	for _, imported := range everyImport(loaded) {
		for _, name := range imported.Scope().Names() {
			if t, ok := imported.Scope().Lookup(name).(*types.TypeName); ok {
				if i, ok := t.Type().Underlying().(*types.Interface); ok {
					addMethods(methods, i)
				}
			}
		}
	}
	addMethods(methods, errorType)
	for _, name := range []string{"Is(error) bool", "As(any) bool", "Unwrap() error", "Unwrap() []error"} {
		methods[strings.Replace(name, "(", "func(", 1)] = true // package errors asks for them
	}

	var report []string
	for _, name := range slices.Sorted(maps.Keys(u.declared)) {
		object := u.declared[name]
		if u.used[name] || u.isPromise(object) {
			continue
		}
		if f, ok := object.(*types.Func); ok && f.Signature().Recv() != nil && (methods[methodName(f)] || u.templates[f.Pkg().Path()+"."+f.Name()]) {
			continue
		}
		at := fset.Position(object.Pos())
		report = append(report, fmt.Sprintf("%s:%d: %s is exported, but no other package uses it", relative(dir, at.Filename), at.Line, name))
	}
	return report, nil
}

var errorType = types.Universe.Lookup("error").Type().Underlying().(*types.Interface)

// isPromise reports whether an object is an error, or one of the values of a
// type or of a group of constants that is used.
func (u *usage) isPromise(object types.Object) bool {
	switch object := object.(type) {
	case *types.Const:
		if named, ok := object.Type().(*types.Named); ok && u.used[objectName(named.Obj())] {
			return true
		}
		return slices.ContainsFunc(u.group[objectName(object)], func(name string) bool { return u.used[name] })
	case *types.Var:
		return types.Implements(object.Type(), errorType)
	case *types.TypeName:
		return types.Implements(object.Type(), errorType) || types.Implements(types.NewPointer(object.Type()), errorType)
	}
	return false
}

// usage is what the packages declare for others, and what others use of it.
type usage struct {
	own      map[string]bool         // paths of the packages looked at
	declared map[string]types.Object // by objectName
	used     map[string]bool         // by objectName
	group    map[string][]string     // all names of a constant's group, by objectName

	templates map[string]bool // methods that a package's templates call: its path and the method's name
}

// declare notes the exported names and methods of a package.
func (u *usage) declare(p *packages.Package) {
	for _, file := range p.Syntax {
		for _, d := range file.Decls {
			if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.CONST {
				var names []string
				for _, spec := range d.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						names = append(names, p.PkgPath+"."+name.Name)
					}
				}
				for _, name := range names {
					u.group[name] = names
				}
			}
		}
	}
	scope := p.Types.Scope()
	for _, name := range scope.Names() {
		object := scope.Lookup(name)
		if !object.Exported() {
			continue
		}
		u.declared[objectName(object)] = object
		named, ok := object.Type().(*types.Named)
		if _, isType := object.(*types.TypeName); !ok || !isType || types.IsInterface(named) {
			continue
		}
		for m := range named.Methods() {
			if m.Exported() {
				u.declared[objectName(m)] = m
			}
		}
	}
}

// actions finds what is done in a template, fields what an action asks for.
var (
	actions = regexp.MustCompile(`{{[^}]*}}`)
	fields  = regexp.MustCompile(`\.([A-Z]\w*)`)
)

// useInTemplates notes what the templates call that a package embeds.
func (u *usage) useInTemplates(p *packages.Package) error {
	for _, file := range p.EmbedFiles {
		if filepath.Ext(file) != ".html" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, action := range actions.FindAll(text, -1) {
			for _, field := range fields.FindAllSubmatch(action, -1) {
				u.templates[p.PkgPath+"."+string(field[1])] = true
			}
		}
	}
	return nil
}

// use notes an object, and the types that it is declared with.
func (u *usage) use(object types.Object) {
	name := objectName(object)
	if name == "" || u.used[name] || object.Pkg() == nil || !u.own[object.Pkg().Path()] {
		return
	}
	u.used[name] = true
	u.useType(object.Type(), map[types.Type]bool{})
	if t, ok := object.(*types.TypeName); ok {
		u.useType(t.Type().Underlying(), map[types.Type]bool{})
	}
}

// useType notes the named types that a type is written with, and those of its
// exported fields.
func (u *usage) useType(t types.Type, seen map[types.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	switch t := t.(type) {
	case *types.Named:
		u.use(t.Obj())
		for a := range t.TypeArgs().Types() {
			u.useType(a, seen)
		}
	case *types.Alias:
		u.use(t.Obj())
		u.useType(t.Rhs(), seen)
	case *types.Pointer:
		u.useType(t.Elem(), seen)
	case *types.Slice:
		u.useType(t.Elem(), seen)
	case *types.Array:
		u.useType(t.Elem(), seen)
	case *types.Chan:
		u.useType(t.Elem(), seen)
	case *types.Map:
		u.useType(t.Key(), seen)
		u.useType(t.Elem(), seen)
	case *types.Signature:
		for v := range t.Params().Variables() {
			u.useType(v.Type(), seen)
		}
		for v := range t.Results().Variables() {
			u.useType(v.Type(), seen)
		}
	case *types.Struct:
		for f := range t.Fields() {
			if f.Exported() {
				u.useType(f.Type(), seen)
			}
		}
	case *types.Interface:
		for m := range t.Methods() {
			u.useType(m.Type(), seen)
		}
	}
}

// objectName is the path and name of a top-level object, with its receiver's
// type where it is a method; empty for others, as fields and local names.
func objectName(object types.Object) string {
	if object.Pkg() == nil {
		return ""
	}
	if f, ok := object.(*types.Func); ok {
		f = f.Origin()
		if receiver := f.Signature().Recv(); receiver != nil {
			t := receiver.Type()
			if p, ok := t.(*types.Pointer); ok {
				t = p.Elem()
			}
			named, ok := t.(*types.Named)
			if !ok {
				return ""
			}
			return f.Pkg().Path() + "." + named.Obj().Name() + "." + f.Name()
		}
	}
	if object.Parent() != object.Pkg().Scope() {
		return ""
	}
	return object.Pkg().Path() + "." + object.Name()
}

// methodName is a method's name and signature, which is the same in each
// package's view of it.
func methodName(f *types.Func) string {
	s := f.Signature()
	return f.Name() + types.TypeString(types.NewSignatureType(nil, nil, nil, unnamed(s.Params()), unnamed(s.Results()), s.Variadic()), nil)
}

// unnamed is a list of parameters without their names.
func unnamed(list *types.Tuple) *types.Tuple {
	var vars []*types.Var
	for v := range list.Variables() {
		vars = append(vars, types.NewParam(token.NoPos, nil, "", v.Type()))
	}
	return types.NewTuple(vars...)
}

func addMethods(methods map[string]bool, i *types.Interface) {
	for m := range i.Methods() {
		methods[methodName(m)] = true
	}
}

// everyImport is each package that the given ones import, directly or not.
func everyImport(loaded []*packages.Package) []*types.Package {
	seen := map[string]*types.Package{}
	var visit func(*types.Package)
	visit = func(p *types.Package) {
		if seen[p.Path()] == nil {
			seen[p.Path()] = p
			for _, i := range p.Imports() {
				visit(i)
			}
		}
	}
	for _, p := range loaded {
		visit(p.Types)
	}
	return slices.Collect(maps.Values(seen))
}

// isTestPackage reports whether a package is made for tests: its name ends in
// "test", as that of net/http/httptest does. Only tests may import it.
func isTestPackage(path string) bool { return strings.HasSuffix(path, "test") }
