package page

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/i18n"
)

// recorded finds the acts that the hub's code puts into the audit record: by name, and by an
// act on many connections.
var recorded = []struct {
	in, as string
	find   *regexp.Regexp
}{
	{"internal/app/", "$1", regexp.MustCompile(`(?:Name: |about\()"([a-z]+\.[a-z_]+)"`)},
	{"internal/bulk/", "$1", regexp.MustCompile(`act\.Act\{Name: "([a-z]+\.[a-z_]+)"`)},
	{"", "$1", regexp.MustCompile(`(?:Record\([^"\n]*|act\.Act\{Name: |act\.Act\{\n\t*Name: |\.change\(ctx, [^"\n]*|act :?= |ActPull = )"([a-z]+\.[a-z_]+)"`)},
	{"internal/bulk/bulk.go", "bulk.$1", regexp.MustCompile(`(?m)^\t[A-Z][a-z]+ += "([a-z_]+)"`)},
}

func TestEveryActThatIsRecordedHasANameAndAKind(t *testing.T) {
	acts := map[string]bool{}
	err := fs.WalkDir(os.DirFS("../../.."), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_templ.go") {
			return err
		}
		source, err := os.ReadFile("../../../" + path)
		for _, r := range recorded {
			if !strings.HasPrefix(path, r.in) {
				continue
			}
			for _, found := range r.find.FindAllSubmatchIndex(source, -1) {
				act := string(r.find.Expand(nil, []byte(r.as), source, found))
				acts[act] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(acts) < 60 {
		t.Fatalf("only %d acts were found in the code", len(acts))
	}
	for act := range acts {
		for _, lang := range i18n.Languages {
			ctx := i18n.With(t.Context(), i18n.NewSpeaker(lang, nil, time.Now()))
			if actName(ctx, act) == act {
				t.Errorf("%s has no name in %q", act, lang)
			}
		}
		if kind, _, _ := strings.Cut(act, "."); !slices.Contains(auditKinds, kind+".") {
			t.Errorf("%s is of a kind that cannot be looked for", act)
		}
	}
}

func TestADetailIsToldInTheReadersWords(t *testing.T) {
	noon := time.Date(2027, 5, 12, 12, 0, 0, 0, time.UTC)
	ctx := i18n.With(t.Context(), i18n.NewSpeaker(i18n.Russian, nil, noon))
	got := actDetail(ctx, map[string]string{"pulls": "3", "since": "2027-05-12T11:58:00Z", "batch": "01a1", "role": "", "unheard_of": "x"})
	if got != "получений: 3; с: 11:58 UTC; unheard_of: x" {
		t.Errorf("%q", got)
	}
}
