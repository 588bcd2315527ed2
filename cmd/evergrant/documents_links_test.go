package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// slug is how a heading is named in a link, as GitHub does it.
func slug(heading string) string {
	heading = regexp.MustCompile("[`*]").ReplaceAllString(heading, "")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(heading))
}

func TestDocumentsLinkToWhatThereIs(t *testing.T) {
	links := regexp.MustCompile(`\]\(([^)\s]+)\)|<img src="([^"]+)"`)
	headings := regexp.MustCompile(`(?m)^#+ (.+)$`)
	for _, d := range documents(t) {
		for _, m := range links.FindAllStringSubmatch(blockRE.ReplaceAllString(d.text, ""), -1) {
			target := m[1] + m[2]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(target, "#")
			path := filepath.Join(root, filepath.Dir(d.name), file)
			if file == "" {
				path = filepath.Join(root, d.name)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s links to %s, which there is not", d.name, target)
				continue
			}
			if anchor == "" {
				continue
			}
			found := false
			for _, h := range headings.FindAllStringSubmatch(read(t, path), -1) {
				found = found || slug(h[1]) == anchor
			}
			if !found {
				t.Errorf("%s links to %s, where there is no such heading", d.name, target)
			}
		}
	}
}
