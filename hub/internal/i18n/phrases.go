package i18n

import (
	"context"
	"regexp"
	"strconv"
	"strings"
)

// phrase is a sentence that the hub, a plugin or the SDK reports, and the same in
// Russian. Groups of the pattern are $1 to $9; one that is such a sentence again is said
// in Russian as well.
type phrase struct {
	said *regexp.Regexp
	ru   string
}

// Phrase says what the hub, its plugins or their SDK report in a fixed English sentence
// in the reader's language. What a service itself said stays as it was said.
func Phrase(ctx context.Context, said string) string {
	if Lang(ctx) != Russian {
		return said
	}
	return russian(said)
}

// IsPhrase reports whether a text is a sentence of ours, with or without words of a
// service in it, and not a service's alone.
func IsPhrase(said string) bool {
	p, _ := phraseOf(said)
	return p != nil
}

func phraseOf(said string) (*phrase, []int) {
	for _, list := range [][]phrase{pluginPhrases, phrases} {
		for i := range list {
			if at := list[i].said.FindStringSubmatchIndex(said); at != nil {
				return &list[i], at
			}
		}
	}
	return nil, nil
}

// russian says a sentence in Russian, and the sentences within it.
func russian(said string) string {
	p, at := phraseOf(said)
	if p == nil {
		return said
	}
	var groups []string
	for i := 2; i < len(at); i += 2 {
		group := ""
		if at[i] >= 0 {
			group = said[at[i]:at[i+1]]
		}
		if group != said { // a pattern that is a group alone has nothing within it
			group = russian(group)
		}
		groups = append(groups, "$"+strconv.Itoa(i/2), group)
	}
	return strings.NewReplacer(groups...).Replace(p.ru)
}

// p makes a phrase; pattern is anchored, and its first letter may be of either case.
func p(pattern, ru string) phrase {
	if strings.HasPrefix(pattern, "(") {
		return phrase{regexp.MustCompile(`(?s)^` + pattern + `$`), ru}
	}
	return phrase{regexp.MustCompile(`(?s)^(?i:` + pattern[:1] + `)` + pattern[1:] + `$`), ru}
}
