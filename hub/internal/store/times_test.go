package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// timely are the names of what is a time or a duration.
var timely = regexp.MustCompile(`(At|Until|Due|By|Since|Before|After|Time|Life|Millis|Ms|AfterKey|NextKey)$`)

// counters are numbers with the name of a time.
var counters = map[string]bool{"AuditFilter.Before": true} // of records

// Milliseconds stay in the rows: what the packages of the store take and return are times.
func TestNoTimeOfTheStoreIsANumber(t *testing.T) {
	files, err := filepath.Glob("*.go")
	check(t, err)
	below, err := filepath.Glob("*db/*.go")
	check(t, err)
	for _, file := range append(files, below...) {
		if strings.HasSuffix(file, "_test.go") || filepath.Dir(file) == "db" {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		check(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if s, ok := n.Type.(*ast.StructType); ok && n.Name.IsExported() && !isRow(n.Name.Name) {
					noNumbers(t, file, n.Name.Name, s.Fields)
				}
				return false
			case *ast.FuncDecl:
				if n.Name.IsExported() {
					noNumbers(t, file, n.Name.Name, n.Type.Params)
				}
				return false
			}
			return true
		})
	}
}

// isRow reports whether a type is the row of a table, which packages of rows share.
func isRow(name string) bool { return strings.HasSuffix(name, "Row") && name != "PullRow" }

func noNumbers(t *testing.T, file, of string, fields *ast.FieldList) {
	t.Helper()
	for _, field := range fields.List {
		kind, ok := field.Type.(*ast.Ident)
		if !ok || kind.Name != "int64" {
			continue
		}
		for _, name := range field.Names {
			if timely.MatchString(strings.ToUpper(name.Name[:1])+name.Name[1:]) && !counters[of+"."+name.Name] {
				t.Errorf("%s: %s.%s is a number; a time.Time or time.Duration belongs there", file, of, name.Name)
			}
		}
	}
}
