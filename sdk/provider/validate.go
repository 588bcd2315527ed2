package provider

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// OptionProblem is a field of a form that cannot be used as it is.
type OptionProblem struct {
	Option string
	// Message describes what to enter instead. It never quotes the value.
	Message Text
}

// Validate checks what was entered against the schema and returns the values in
// their types, defaults filled in, with every problem found. Numbers and yes/no
// may be given as text, as forms send them. Options that others have replaced are
// taken under their new names.
func (s Schema) Validate(entered map[string]any) (map[string]any, []OptionProblem) {
	entered = s.replaced(entered)
	values := make(map[string]any, len(s.Options))
	var problems []OptionProblem
	for _, o := range s.Options {
		v, given := entered[o.Name]
		if given && isEmpty(v) {
			given = false
		}
		switch {
		case !given && o.Default != nil:
			v = o.Default
		case !given && o.Required:
			problems = append(problems, OptionProblem{o.Name, Text{EN: "Fill in this field.", RU: "Заполните это поле."}})
			continue
		case !given:
			continue
		}
		value, msg := o.parse(v)
		if !msg.IsZero() {
			problems = append(problems, OptionProblem{o.Name, msg})
			continue
		}
		values[o.Name] = value
	}
	for name := range entered {
		if _, ok := s.Option(name); !ok {
			problems = append(problems, OptionProblem{name, Text{EN: "There is no such option.", RU: "Такого параметра нет."}})
		}
	}
	slices.SortFunc(problems, func(a, b OptionProblem) int { return strings.Compare(a.Option, b.Option) })
	return values, problems
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case []string:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

func (o Option) parse(v any) (any, Text) {
	switch o.Type {
	case OptionInteger:
		return o.parseInteger(v)
	case OptionBoolean:
		return parseBoolean(v)
	case OptionList:
		return parseList(v)
	default:
		return o.parseString(v)
	}
}

func (o Option) parseString(v any) (any, Text) {
	s, ok := v.(string)
	if !ok {
		return nil, Text{EN: "Enter text.", RU: "Введите текст."}
	}
	s = strings.TrimSpace(s)
	if len(o.Choices) > 0 && !slices.ContainsFunc(o.Choices, func(c Choice) bool { return c.Value == s }) {
		return nil, Text{EN: "Choose one of the offered values.", RU: "Выберите одно из предложенных значений."}
	}
	if o.Pattern != "" && !regexp.MustCompile(`^(?:`+o.Pattern+`)$`).MatchString(s) {
		if !o.PatternHint.IsZero() {
			return nil, o.PatternHint
		}
		return nil, Text{
			EN: fmt.Sprintf("Write it like the example: %s", o.Example),
			RU: fmt.Sprintf("Введите по образцу: %s", o.Example),
		}
	}
	if o.Format == "uri" && !isHTTPAddress(s) {
		return nil, Text{
			EN: "Enter a full address that starts with https:// (or http:// inside your network).",
			RU: "Введите полный адрес, начинающийся с https:// (или http:// внутри вашей сети).",
		}
	}
	return s, Text{}
}

func isHTTPAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil
}

func (o Option) parseInteger(v any) (any, Text) {
	var n int64
	var err error
	switch v := v.(type) {
	case int:
		n = int64(v)
	case int64:
		n = v
	case float64:
		if n = int64(v); float64(n) != v || math.Abs(v) > 1<<53 {
			err = strconv.ErrSyntax
		}
	case json.Number:
		n, err = v.Int64()
	case string:
		n, err = strconv.ParseInt(strings.TrimSpace(v), 10, 64)
	default:
		err = strconv.ErrSyntax
	}
	if err != nil {
		return nil, Text{EN: "Enter a whole number.", RU: "Введите целое число."}
	}
	if o.Minimum != o.Maximum && (n < o.Minimum || n > o.Maximum) {
		return nil, Text{
			EN: fmt.Sprintf("Enter a number from %d to %d.", o.Minimum, o.Maximum),
			RU: fmt.Sprintf("Введите число от %d до %d.", o.Minimum, o.Maximum),
		}
	}
	return n, Text{}
}

func parseBoolean(v any) (any, Text) {
	switch v := v.(type) {
	case bool:
		return v, Text{}
	case string:
		if b, err := strconv.ParseBool(v); err == nil {
			return b, Text{}
		}
		if v == "on" { // what an HTML checkbox sends
			return true, Text{}
		}
	}
	return nil, Text{EN: "Answer yes or no.", RU: "Ответьте «да» или «нет»."}
}

func parseList(v any) (any, Text) {
	var list []string
	switch v := v.(type) {
	case []string:
		list = v
	case string:
		list = strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' })
	case []any:
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil, Text{EN: "Enter a list of words.", RU: "Введите список слов."}
			}
			list = append(list, s)
		}
	default:
		return nil, Text{EN: "Enter a list of words.", RU: "Введите список слов."}
	}
	return list, Text{}
}
