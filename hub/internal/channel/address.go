package channel

import (
	"errors"
	"net/mail"
	"regexp"
	"strings"
)

var (
	errPhone    = errors.New("a telephone number begins with + and the country's code, for example +79123456789")
	errEmail    = errors.New("an e-mail address looks like anna@example.com")
	errTelegram = errors.New("a Telegram address is the number of a chat, which is negative for a group, or the @name of a channel")
	errURL      = errors.New("a webhook's address begins with https:// or http:// and holds no name and password")
	errKind     = errors.New("there is no such kind of channel")
)

var (
	// phone is E.164 with the leading plus. Shorter numbers exist, but none that
	// takes messages from abroad.
	phone = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	// chat is the number of a person, group (-…) or supergroup (-100…), or the
	// name of a public channel or group.
	chatID   = regexp.MustCompile(`^-?[1-9][0-9]{0,17}$`)
	chatName = regexp.MustCompile(`^@[A-Za-z][A-Za-z0-9_]{3,31}$`)
)

// CheckAddress reports why no message can reach an address over a kind of channel: a
// telephone number in the form of E.164 for short messages, a bare e-mail address, the
// number or @name of a Telegram chat, an http or https URL for a webhook. The caller
// trims spaces. The errors are English sentences for a log; a page has its own for each
// form.
func CheckAddress(k Kind, address string) error {
	switch {
	case !k.Known():
		return errKind
	case k == Telegram && !chatID.MatchString(address) && !chatName.MatchString(address):
		return errTelegram
	case k == Webhook:
		_, err := webAddress(address)
		return err
	case k.Form() == Rich && !isEmail(address):
		return errEmail
	case k.Form() == Short && !phone.MatchString(address):
		return errPhone
	}
	return nil
}

// isEmail accepts one bare address. Quoted local parts and comments are legal and
// refused: services accept lists and names in the same field, so a text that could be
// read as more than one address is invalid.
func isEmail(v string) bool {
	if len(v) > 254 || strings.ContainsAny(v, " \t\r\n,;:<>()[]\"\\") || !isLine(v) {
		return false
	}
	a, err := mail.ParseAddress(v)
	return err == nil && a.Name == "" && a.Address == v
}
