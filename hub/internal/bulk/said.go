package bulk

import (
	"errors"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// saidError is an error of the hub's own: key is its text in the reader's language, said
// the text of a service, if any.
type saidError struct{ key, said string }

// Error implements error. Said splits it.
func (e *saidError) Error() string { return mark + e.key + " " + e.said }

// BothKey is the key of a text in both languages, which follows it.
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

// Said splits the message of an item into a key of the hub's own text and a service's
// text. ours is false for a message without a key.
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
