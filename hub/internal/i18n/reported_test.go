package i18n_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/i18n"
)

// reporting are the folders whose sentences people meet: what the SDK, the plugins and the
// hub report of services.
var reporting = []string{
	"sdk/oauth", "sdk/provider", "sdk/definition", "plugins/bitrix24", "plugins/google", "plugins/oauth2", "plugins/taxcomkassa", "plugins/logins", "plugins/statickeys",
	"hub/internal/tokensource", "hub/internal/operation", "hub/internal/egress", "hub/internal/authflow", "hub/internal/endpoint", "hub/internal/exchange",
	"hub/internal/testcall", "hub/internal/connection", "hub/internal/channel",
}

// Every sentence that a provider.Error, a failure or a refusal is made of has Russian: one
// without would stand in English amid a Russian page.
func TestEverySentenceThatIsReportedHasRussian(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	n := 0
	for _, folder := range reporting {
		if _, err := os.Stat(filepath.Join(root, folder)); err != nil {
			continue
		}
		for at, said := range sentences(t, filepath.Join(root, folder)) {
			n++
			if said != "x" && !i18n.IsPhrase(said) { // a value alone is a sentence of another place
				t.Errorf("%s: %q has no Russian: add it to phrases_ru.go", strings.TrimPrefix(at, root+"/"), said)
			}
		}
	}
	if n < 60 {
		t.Errorf("only %d sentences were found", n)
	}
}

// sentences are the texts that a package reports, by where they stand, with something in
// the place of each value.
func sentences(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && path != folder || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			if entry != nil && entry.IsDir() && path != folder {
				return filepath.SkipDir
			}
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			for at, text := range returned(n) {
				found[files.Position(at).String()] = filled(text)
			}
			if text := reported(n); text != "" {
				found[files.Position(n.Pos()).String()] = filled(text)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// reported is the text that a node reports; "" for others.
func reported(n ast.Node) string {
	switch n := n.(type) {
	case *ast.CallExpr:
		name := ""
		switch f := n.Fun.(type) {
		case *ast.SelectorExpr:
			name = f.Sel.Name
		case *ast.Ident:
			name = f.Name
		}
		at := map[string]int{"Errorf": 2, "refuse": 0, "refused": 0}
		i, is := at[name]
		if sel, ok := n.Fun.(*ast.SelectorExpr); ok && name == "Errorf" {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name != "provider" {
				return ""
			}
		}
		if is && i < len(n.Args) {
			return literalOf(n.Args[i])
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && (key.Name == "Message" || key.Name == "Failure" || key.Name == "Said") {
			return literalOf(n.Value)
		}
	}
	return ""
}

// returned are the texts that a function returns which says something to people.
func returned(n ast.Node) map[token.Pos]string {
	f, ok := n.(*ast.FuncDecl)
	if !ok || f.Body == nil || f.Name.Name != "Said" && f.Name.Name != "networkWords" {
		return nil
	}
	found := map[token.Pos]string{}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) == 1 {
			if text := literalOf(r.Results[0]); text != "" {
				found[r.Pos()] = text
			}
		}
		return true
	})
	return found
}

// literalOf is a string that is written out, alone or before what is added to it.
func literalOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return text
		}
	case *ast.BinaryExpr:
		left := literalOf(e.X)
		if left == "" {
			return ""
		}
		if right := literalOf(e.Y); right != "" {
			return left + right
		}
		return left + "x"
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Sprintf" && len(e.Args) > 0 {
			return literalOf(e.Args[0])
		}
	}
	return ""
}

var verb = regexp.MustCompile(`%[-+# 0]*[0-9.]*[a-zA-Z]`)

// filled has a value in the place of each verb.
func filled(text string) string {
	return verb.ReplaceAllStringFunc(strings.ReplaceAll(text, "%%", "%"), func(v string) string {
		switch v[len(v)-1] {
		case 'd':
			return "7"
		case 'q':
			return `"x"`
		}
		return "x"
	})
}
