// Package apptest helps the tests of the packages of acts.
package apptest

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// Recorder is a recorder on a store.
func Recorder(st *store.Store) *act.Recorder {
	return act.NewRecorder(st, audit.New(st, hclog.NewNullLogger()))
}

// As is a context of a test with a caller.
func As(tb testing.TB, login, id, role string) context.Context {
	tb.Helper()
	return act.With(tb.Context(), act.Person(peopledb.User{ID: id, Login: login, Role: role}, "192.0.2.1", "a browser"))
}

// Records are the audit records as "actor act outcome object", oldest first; reasons are
// left out.
func Records(tb testing.TB, st *store.Store) (list []string) {
	tb.Helper()
	records, err := st.Audit.AuditRecords(tb.Context(), auditdb.AuditFilter{})
	if err != nil {
		tb.Fatal(err)
	}
	for _, r := range slices.Backward(records) {
		list = append(list, strings.TrimSpace(strings.Join([]string{r.Actor, r.Act, r.Outcome, r.Object}, " ")))
	}
	return list
}

// Want fails the test if the newest audit records are not these.
func Want(tb testing.TB, st *store.Store, want ...string) {
	tb.Helper()
	got := Records(tb, st)
	if len(got) < len(want) || !slices.Equal(got[len(got)-len(want):], want) {
		tb.Errorf("recorded\n%s\nwant at the end\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// EveryActIsRecorded fails the test for each exported method of a type in the folder of
// the test that neither reaches the recorder, by itself or by other methods of the type,
// nor is named as one that reads.
func EveryActIsRecorded(tb testing.TB, typeName string, reads ...string) {
	tb.Helper()
	methods := methodsOf(tb, typeName)
	var records func(name string, seen map[string]bool) bool
	records = func(name string, seen map[string]bool) bool {
		if seen[name] {
			return false
		}
		seen[name] = true
		return slices.ContainsFunc(methods[name], func(called string) bool {
			return slices.Contains([]string{"Recorder.Change", "Recorder.Ask", "Recorder.Prepared", "Recorder.Look", "Recorder.Attempted", "Recorder.Ended", "Recorder.TurnedAway"}, called) || records(called, seen)
		})
	}
	acts := 0
	for name := range methods {
		recorded := records(name, map[string]bool{})
		switch listed := slices.Contains(reads, name); {
		case !ast.IsExported(name):
		case listed && recorded:
			tb.Errorf("%s is said to read, and records something", name)
		case !listed && !recorded:
			tb.Errorf("%s is not recorded", name)
		case recorded:
			acts++
		}
	}
	if acts == 0 {
		tb.Errorf("no act of %s was found", typeName)
	}
}

// methodsOf are the methods of a type with what each calls: those of the type by their
// names, and those of its recorder.
func methodsOf(tb testing.TB, typeName string) map[string][]string {
	tb.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		tb.Fatal(err)
	}
	methods := map[string][]string{}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, 0)
		if err != nil {
			tb.Fatal(err)
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && receiverOf(f) == typeName {
				methods[f.Name.Name] = calledIn(f)
			}
		}
	}
	return methods
}

func receiverOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	star, ok := f.Recv.List[0].Type.(*ast.StarExpr)
	if !ok {
		return ""
	}
	name, _ := star.X.(*ast.Ident)
	if name == nil {
		return ""
	}
	return name.Name
}

// calledIn names what a method calls or hands on: "Recorder.Change" for
// p.o.Recorder.Change, "manage" for p.manage.
func calledIn(f *ast.FuncDecl) (called []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		method, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		switch on := method.X.(type) {
		case *ast.Ident:
			if on.Name == f.Recv.List[0].Names[0].Name {
				called = append(called, method.Sel.Name)
			}
		case *ast.SelectorExpr:
			called = append(called, on.Sel.Name+"."+method.Sel.Name)
		}
		return true
	})
	return called
}
