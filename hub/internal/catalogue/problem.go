package catalogue

import (
	"errors"
	"regexp"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/i18n"
)

// Problem is a field that cannot be used as it is. Field is "name", "title",
// "provider", "client_id", "client_secret", "redirect_uri", "scopes",
// "options.NAME" or "" for the whole form.
type Problem struct {
	Field   string
	Message i18n.Words
}

// InvalidError is everything that is wrong with what was entered.
type InvalidError struct {
	// Hosts are those that an administrator may approve (ApprovedHostsField).
	Hosts []string
	// NewHosts are those that stored secrets or grants would go to from now on, Consent
	// the same if an owner may agree to them (ConsentHostsField).
	NewHosts, Consent []string
	Problems          []Problem
}

// Error implements error. It quotes no values.
func (e *InvalidError) Error() string {
	parts := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		parts = append(parts, strings.TrimPrefix(p.Field+": "+p.Message.EN, ": "))
	}
	return strings.Join(parts, "; ")
}

// Refusal marks it as a rule that says no, for the audit record.
func (e *InvalidError) Refusal() bool { return true }

func (e *InvalidError) add(field, en, ru string) {
	e.Problems = append(e.Problems, Problem{Field: field, Message: i18n.Words{EN: en, RU: ru}})
}

func (e *InvalidError) orNil() error {
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}

var slugRE = regexp.MustCompile(`^[a-z0-9]+([-_.][a-z0-9]+)*$`)

// checkName reports a name that cannot be part of an address.
func (e *InvalidError) checkName(name string) {
	if !slugRE.MatchString(name) || len(name) > 100 {
		e.add("name",
			"Use lower-case Latin letters, digits and hyphens, for example sales-bitrix24.",
			"Используйте строчные латинские буквы, цифры и дефисы, например sales-bitrix24.")
	}
}

// taken is the error for a name that is in use.
func taken() error {
	e := &InvalidError{}
	e.add("name", "This name is taken; choose another.", "Это имя уже занято, выберите другое.")
	return e
}

// unserved is the error for a provider that no plugin serves.
func unserved() error {
	e := &InvalidError{}
	e.add("provider", "No plugin serves this provider.", "Ни один плагин не предоставляет этот тип сервиса.")
	return e
}

// Slug proposes a name for a title: Cyrillic is transliterated, all else that
// is no letter or digit becomes a hyphen.
func Slug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch latin, ok := translit[r]; {
		case ok:
			b.WriteString(latin)
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		default:
			if s := b.String(); s != "" && !strings.HasSuffix(s, "-") {
				b.WriteByte('-')
			}
		}
	}
	s := b.String()
	return strings.Trim(s[:min(len(s), 60)], "-")
}

var translit = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ё': "e", 'ж': "zh", 'з': "z", 'и': "i", 'й': "y",
	'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f",
	'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "sch", 'ъ': "", 'ы': "y", 'ь': "", 'э': "e", 'ю': "yu", 'я': "ya",
}

// FirstProblem is the first thing that is wrong with what was entered; false for another
// error.
func FirstProblem(err error) (Problem, bool) {
	invalid, ok := errors.AsType[*InvalidError](err)
	if !ok || len(invalid.Problems) == 0 {
		return Problem{}, false
	}
	return invalid.Problems[0], true
}
