package i18n_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/evergrant/evergrant/hub/internal/i18n"
)

// catalogue maps keys to their forms: "" for a sentence without a number.
func catalogue(t *testing.T, lang string) map[string]map[string]string {
	t.Helper()
	files, err := filepath.Glob("*." + lang + ".toml")
	if err != nil || len(files) == 0 {
		t.Fatal("no catalogues", err)
	}
	keys := map[string]map[string]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := toml.Unmarshal(data, &tree); err != nil {
			t.Fatal(file, err)
		}
		flatten(tree, "", keys)
	}
	return keys
}

func flatten(tree map[string]any, at string, keys map[string]map[string]string) {
	for name, value := range tree {
		switch v := value.(type) {
		case string:
			keys[at+name] = map[string]string{"": v}
		case map[string]any:
			if _, plural := v["other"]; plural {
				forms := map[string]string{}
				for form, text := range v {
					forms[form], _ = text.(string)
				}
				keys[at+name] = forms
				continue
			}
			flatten(v, at+name+".", keys)
		}
	}
}

var placeholder = regexp.MustCompile(`{{\s*\.(\w+)\s*}}`)

func placeholders(forms map[string]string) []string {
	var names []string
	for _, text := range forms {
		for _, found := range placeholder.FindAllStringSubmatch(text, -1) {
			names = append(names, found[1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestBothLanguagesSayTheSameThings(t *testing.T) {
	en, ru := catalogue(t, "en"), catalogue(t, "ru")
	for key, forms := range en {
		other, ok := ru[key]
		if !ok {
			t.Errorf("%s is not in Russian", key)
			continue
		}
		if a, b := placeholders(forms), placeholders(other); !slices.Equal(a, b) {
			t.Errorf("%s: English names %v, Russian %v", key, a, b)
		}
		for lang, have := range map[string]map[string]string{"English": forms, "Russian": other} {
			wanted := []string{""}
			if _, plural := have[""]; !plural {
				wanted = map[string][]string{"English": {"one", "other"}, "Russian": {"one", "few", "many", "other"}}[lang]
			}
			for _, form := range wanted {
				if strings.TrimSpace(have[form]) == "" {
					t.Errorf("%s has no form %q in %s", key, form, lang)
				}
			}
		}
	}
	for key := range ru {
		if _, ok := en[key]; !ok {
			t.Errorf("%s is not in English", key)
		}
	}
}

var (
	called  = regexp.MustCompile(`i18n\.[TN]\(ctx, "([a-z0-9_.]+)"(\s*\+)?`)
	literal = regexp.MustCompile(`"([a-z0-9_]+\.[a-z0-9_.]*)"`)
)

// Every sentence that the pages ask for is there, and none is left over.
func TestThePagesFindTheirSentences(t *testing.T) {
	en := catalogue(t, "en")
	var source strings.Builder
	for _, root := range []string{".", "../web"} {
		err := fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".templ") && (!strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go")) ||
				strings.HasSuffix(path, "_templ.go") {
				return err
			}
			data, err := os.ReadFile(filepath.Join(root, path))
			source.Write(data)
			for _, found := range called.FindAllStringSubmatch(string(data), -1) {
				if _, ok := en[found[1]]; !ok && found[2] == "" {
					t.Errorf("%s says %q, which is in no catalogue", path, found[1])
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var whole, beginnings []string
	for _, found := range literal.FindAllStringSubmatch(source.String(), -1) {
		whole = append(whole, found[1])
		if strings.HasSuffix(found[1], ".") || strings.HasSuffix(found[1], "_") {
			beginnings = append(beginnings, found[1])
		}
	}
	for key := range en {
		used := slices.Contains(whole, key) ||
			slices.ContainsFunc(whole, func(w string) bool { return strings.HasPrefix(key, w+".") }) ||
			slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(key, b) })
		if !used && !strings.HasPrefix(key, "month.") {
			t.Errorf("nothing says %q", key)
		}
	}
}

func TestNumbersAndTimesAreSaidAsPeopleSayThem(t *testing.T) {
	now := time.Date(2026, 5, 12, 11, 35, 0, 0, time.UTC)
	moscow := time.FixedZone("MSK", 3*3600)
	ru, en := i18n.NewSpeaker("ru", moscow, now), i18n.NewSpeaker("en", moscow, now)
	for n, want := range map[int]string{
		1: "1 день", 2: "2 дня", 5: "5 дней", 11: "11 дней", 21: "21 день", 22: "22 дня", 25: "25 дней", 111: "111 дней",
	} {
		if got := ru.Duration(time.Duration(n) * 24 * time.Hour); got != want {
			t.Errorf("%d days are %q, want %q", n, got, want)
		}
	}
	for got, want := range map[string]string{
		en.Duration(24 * time.Hour):                 "1 day",
		en.Duration(41*24*time.Hour + 16*time.Hour): "41 days 16 hours",
		en.Relative(now.Add(42 * time.Minute)):      "in 42 min",
		ru.Relative(now.Add(42 * time.Minute)):      "через 42 мин",
		en.Clock(now):                               "14:35 MSK",
		en.Clock(now.AddDate(0, 0, 3)):              "15 May, 14:35 MSK",
		ru.Date(now.AddDate(1, 0, 0)):               "12 мая 2027",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for wish, want := range map[string]string{"ru": "ru", "ru-RU,ru;q=0.9,en;q=0.8": "ru", "de,en;q=0.5": "en", "de": "en", "": "en", "xx;;": "en"} {
		if got := i18n.Match(wish); got != want {
			t.Errorf("%q gets %s, want %s", wish, got, want)
		}
	}
}
