package apptest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

// Walk finds exported methods of the type of an application package that record nothing:
// each has to carry out its act with a Recorder, itself or by another function of the
// package, unless it is one of the reads. It returns how many acts there are.
func Walk(t *testing.T, of string, reads ...string) (acts int) {
	t.Helper()
	functions := map[string]*ast.FuncDecl{}
	var methods []string
	paths, err := fs.Glob(os.DirFS("."), "*.go")
	Must(t, err)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		Must(t, err)
		for _, d := range file.Decls {
			f, is := d.(*ast.FuncDecl)
			if !is {
				continue
			}
			functions[f.Name.Name] = f
			if f.Name.IsExported() && receiver(f) == of {
				methods = append(methods, f.Name.Name)
			}
		}
	}
	for _, name := range methods {
		records := recording(functions, name, map[string]bool{})
		switch read := slices.Contains(reads, name); {
		case read && records:
			t.Errorf("%s is listed as a read and records an act", name)
		case !read && !records:
			t.Errorf("%s changes something and leaves no record: carry it out with Record.Change or Record.Ask", name)
		case !read:
			acts++
		}
	}
	return acts
}

func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	star, is := f.Recv.List[0].Type.(*ast.StarExpr)
	if !is {
		return ""
	}
	name, _ := star.X.(*ast.Ident)
	return name.Name
}

// recording reports whether a function, or one of the package that it calls, uses a
// Recorder.
func recording(functions map[string]*ast.FuncDecl, name string, seen map[string]bool) (found bool) {
	f := functions[name]
	if f == nil || seen[name] {
		return false
	}
	seen[name] = true
	ast.Inspect(f.Body, func(n ast.Node) bool {
		s, is := n.(*ast.SelectorExpr)
		if !is || found {
			return !found
		}
		recorder, _ := s.X.(*ast.SelectorExpr)
		owner, _ := s.X.(*ast.Ident)
		switch {
		case recorder != nil && recorder.Sel.Name == "Record" && slices.Contains([]string{"Change", "Ask", "Ended"}, s.Sel.Name):
			found = true
		case owner != nil && f.Recv != nil && owner.Name == f.Recv.List[0].Names[0].Name:
			found = recording(functions, s.Sel.Name, seen)
		}
		return !found
	})
	return found
}
