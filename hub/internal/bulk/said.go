package bulk

import (
	"errors"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// saidError is an error of the hub's own: key names its words in the reader's language, said
// are the words of a service, if it has said something.
type saidError struct{ key, said string }

// Error implements error. Said takes it apart.
func (e *saidError) Error() string { return mark + e.key + " " + e.said }

// BothKey is the key of words that stand behind it in both languages.
const BothKey = "both"

// between parts the languages of words with BothKey.
const between = "\x1f"

// Both takes words apart that are in both languages.
func Both(said string) (en, ru string) {
	en, ru, _ = strings.Cut(said, between)
	return en, ru
}

// mark begins the message of an item that has a key.
const mark = "@"

// Said takes the message of an item apart: a key of the hub's own words and what a service
// said. ours is false for a message without a key.
func Said(message string) (key, said string, ours bool) {
	rest, ours := strings.CutPrefix(message, mark)
	key, said, _ = strings.Cut(rest, " ")
	return key, said, ours
}

// message is an error as an item keeps it.
func message(err error) string {
	if invalid, ok := errors.AsType[*catalogue.InvalidError](err); ok && len(invalid.Problems) > 0 && invalid.Problems[0].Field == "name" {
		err = &saidError{key: "name_taken"}
	}
	if errors.Is(err, store.ErrNotFound) {
		err = &saidError{key: "gone"}
	}
	return strings.TrimSpace(err.Error())
}
