package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// texts are those of the web hub in a language.
func texts(t *testing.T, lang string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(root, "hub/internal/i18n/*."+lang+".toml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no texts in %s: %v", lang, err)
	}
	entry := regexp.MustCompile(`(?m)^"?[\w-]+"? = "(.*)"$`)
	for _, file := range files {
		for _, m := range entry.FindAllStringSubmatch(read(t, file), -1) {
			all[m[1]] = true
		}
	}
	return all
}

var (
	boldRE = regexp.MustCompile(`(?s)(\S+)?\s*\*\*([^*\n]+(?:\n[^*\n]+)?)\*\*`)
	// before are the words after which something bold is a button or a page.
	before = map[string]bool{"press": true, "under": true, "page": true, "lists": true, "нажмите": true, "странице": true}
)

// named are the buttons and pages that a document names: ways with arrows, and what is
// bold after such a word.
func named(text string) (names []string) {
	for _, m := range boldRE.FindAllStringSubmatch(text, -1) {
		bold := strings.Join(strings.Fields(m[2]), " ")
		if !strings.Contains(bold, "→") && !before[strings.ToLower(strings.Trim(m[1], "(,"))] {
			continue
		}
		for part := range strings.SplitSeq(bold, "→") {
			if part = strings.TrimSpace(part); part != "…" {
				names = append(names, part)
			}
		}
	}
	return names
}

func TestDocumentsNameButtonsAndPagesThatThereAre(t *testing.T) {
	total := 0
	for _, d := range documents(t) {
		lang := "en"
		if strings.HasSuffix(d.name, ".ru.md") {
			lang = "ru"
		}
		known := texts(t, lang)
		for _, name := range named(d.text) {
			total++
			if !known[name] {
				t.Errorf("%s names %q, which no page says", d.name, name)
			}
		}
	}
	if total < 30 {
		t.Errorf("only %d buttons and pages were found", total)
	}
}
