package i18n

import (
	"context"
	"regexp"
	"strings"
)

// phrase is a sentence that the hub, a plugin or the SDK reports, and the same in
// Russian. Groups of the pattern are $1, $2; the last one, where the pattern ends with
// it, is a sentence of its own.
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
	for i := range phrases {
		if at := phrases[i].said.FindStringSubmatchIndex(said); at != nil {
			return &phrases[i], at
		}
	}
	return nil, nil
}

func russian(said string) string {
	p, at := phraseOf(said)
	if p == nil {
		return said
	}
	text := string(p.said.ExpandString(nil, p.ru, said, at))
	if last := len(at) - 2; last > 0 && at[last] >= 0 && at[last+1] == len(said) {
		rest := said[at[last]:]
		text = strings.TrimSuffix(text, rest) + russian(rest)
	}
	return text
}

// p makes a phrase; pattern is anchored, and its first letter may be of either case.
func p(pattern, ru string) phrase {
	return phrase{regexp.MustCompile(`(?s)^(?i:` + pattern[:1] + `)` + pattern[1:] + `$`), ru}
}
