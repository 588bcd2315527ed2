package channel

import (
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Problem is a setting that has to be changed. Field is its name, Code is
// ProblemMissing or ProblemInvalid.
type Problem struct{ Field, Code string }

// The codes of problems.
const (
	ProblemMissing = "missing"
	ProblemInvalid = "invalid"
)

// Check validates settings before anything is sent: required but empty, and malformed
// ones. It makes no request, so a wrong password passes. Unknown settings of the kind are
// ignored.
func Check(k Kind, settings Settings) []Problem {
	var out []Problem
	for _, f := range fields[k] {
		switch v := settings.of(k, f.Name); {
		case v == "" && f.Required:
			out = append(out, Problem{f.Name, ProblemMissing})
		case v == "":
		case !isLine(v),
			len(f.Choices) > 0 && !slices.Contains(f.Choices, v),
			f.valid != nil && !f.valid(v):
			out = append(out, Problem{f.Name, ProblemInvalid})
		}
	}
	return append(out, together(k, settings)...)
}

// together finds what is wrong with settings that are right one by one.
func together(k Kind, settings Settings) []Problem {
	empty := func(name string) bool { return settings.of(k, name) == "" }
	switch {
	case k == Twilio && empty("from") && empty("messaging_service_sid"):
		return []Problem{{"from", ProblemMissing}}
	case k == SMTP && !empty("user") && empty("password"):
		return []Problem{{"password", ProblemMissing}}
	case k == SMTP && empty("user") && !empty("password"):
		return []Problem{{"user", ProblemMissing}}
	}
	return nil
}

var (
	word     = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)
	digits   = regexp.MustCompile(`^[0-9]{1,18}$`)
	botToken = regexp.MustCompile(`^[0-9]+:[A-Za-z0-9_-]+$`)
	hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$`)
)

func isWord(v string) bool     { return word.MatchString(v) }
func isDigits(v string) bool   { return digits.MatchString(v) }
func isBotToken(v string) bool { return botToken.MatchString(v) }

// isLine reports whether a value is one line without anything invisible: such a
// value can end no header and no command.
func isLine(v string) bool { return len(v) <= 4096 && !strings.ContainsFunc(v, unicode.IsControl) }

func isHost(v string) bool { return hostName.MatchString(v) || net.ParseIP(v) != nil }

func isPort(v string) bool {
	n, err := strconv.Atoi(v)
	return err == nil && n > 0 && n < 1<<16
}

// isSender accepts a sender of short messages, a telephone number or a name. The
// permitted names differ by service and country.
func isSender(limit int) func(string) bool {
	return func(v string) bool { return len(v) <= limit && isLine(v) }
}

// isMailbox accepts "hub@example.com" and "Evergrant <hub@example.com>".
func isMailbox(v string) bool {
	a, err := mail.ParseAddress(v)
	return err == nil && isEmail(a.Address)
}

// isBase accepts the address of a service: http or https, with a path at most.
func isBase(v string) bool {
	u, err := webAddress(v)
	return err == nil && u.RawQuery == ""
}

func isSigningSecret(v string) bool {
	_, err := signingKey(v)
	return err == nil
}

// webAddress parses an address that a message may be posted to. Names and
// passwords in it are refused: net/http would send them, and logs would hold them.
func webAddress(v string) (*url.URL, error) {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" ||
		u.User != nil || u.Fragment != "" || len(v) > 2048 || strings.ContainsFunc(v, invisible) {
		return nil, errURL
	}
	return u, nil
}

func invisible(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }
