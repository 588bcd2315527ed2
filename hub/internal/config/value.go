package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// assign sets a field from a value of YAML, a variable or a flag. It returns
// what to write instead if it cannot. It quotes no value: it may be a secret.
func assign(field reflect.Value, value any) (problem string) {
	switch target := field.Addr().Interface().(type) {
	case *string:
		text, ok := value.(string)
		if !ok {
			return "write text, in quotes if it looks like a number"
		}
		*target = text
	case *time.Duration:
		d, ok := durationOf(value)
		if !ok {
			return "write a time with its unit, for example 30s, 15m, 12h or 30d"
		}
		*target = d
	case *bool:
		b, err := strconv.ParseBool(fmt.Sprint(value))
		if err != nil {
			return "write true or false"
		}
		*target = b
	case *int:
		n, err := strconv.Atoi(fmt.Sprint(value))
		if err != nil {
			return "write a whole number, for example 32"
		}
		*target = n
	case *float64:
		n, err := strconv.ParseFloat(fmt.Sprint(value), 64)
		if err != nil {
			return "write a number, for example 0.1"
		}
		*target = n
	case *[]string:
		list, ok := listOf(value)
		if !ok {
			return "write a list of texts, or one text with commas between its parts"
		}
		*target = list
	default:
		return fmt.Sprintf("has a type that cannot be configured: %s", field.Type())
	}
	return ""
}

// durationOf reads a duration in the units of time.ParseDuration and in days.
func durationOf(value any) (time.Duration, bool) {
	if d, ok := value.(time.Duration); ok {
		return d, true
	}
	text, ok := value.(string)
	if !ok {
		return 0, false
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}

// timeText writes a time as a person would enter it: 7d and not 168h0m0s.
func timeText(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d != 0 && d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	case d != 0 && d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d != 0 && d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return d.String()
}

func listOf(value any) ([]string, bool) {
	var list []string
	switch v := value.(type) {
	case string:
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
	case []string:
		list = append(list, v...)
	case []any:
		for _, item := range v {
			text, ok := item.(string)
			if !ok {
				return nil, false
			}
			list = append(list, text)
		}
	default:
		return nil, false
	}
	return list, true
}
