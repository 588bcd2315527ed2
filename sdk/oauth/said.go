package oauth

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// said holds the error fields of a body.
type said struct {
	// codes are those that it names as its error, the most telling first.
	codes []string
	// weak are words of it that may be codes.
	weak []string
	// words are its description, hints and links, joined.
	words string
}

// describing are the fields with text, in the order in which they are quoted.
var describing = []string{
	"error_description", "error_message", "errorDescription", "error_msg", "message", "msg", "detail", "details", "description", "title", "reason", "error_reason", "hint", "commonDescription",
}

// errorFields extracts the error fields of a body. Besides RFC 6749 it supports error
// objects, as in {"error": {"message": …, "type": …, "code": 190}}, lists of errors,
// problem details (RFC 9457) and the fields of services that have no "error".
func (r *Reply) errorFields() said {
	s := said{}
	fields := r.Fields
	switch e := r.Fields["error"].(type) {
	case map[string]any:
		s.codes, fields = codesIn(e), e
		if len(s.codes) == 0 {
			s.codes = []string{"error"}
		}
	default:
		if code := strings.TrimSpace(text(e)); code != "" && (code != "0" || r.Status >= 300) {
			s.codes = []string{code}
		} else if code := text(e); code == "" && e == true {
			s.codes = []string{"error"}
		}
	}
	s.words = wordsIn(fields)
	if len(s.codes) == 0 && r.refused() {
		s.weak = codesIn(r.Fields)
		for _, item := range listed(r.Fields["errors"]) {
			s.weak = append(s.weak, codesIn(item)...)
			s.words = strings.TrimSpace(s.words + " " + wordsIn(item))
		}
	}
	return s
}

// refused reports whether a body without "error" is a refusal.
func (r *Reply) refused() bool {
	return r.Status < 200 || r.Status > 299 || r.Fields["ok"] == false || r.Fields["success"] == false
}

// otherCodes is errorFields for a reply that should hold a token and does not.
func (r *Reply) otherCodes() said {
	return said{weak: codesIn(r.Fields), words: wordsIn(r.Fields)}
}

// codeRE is the format of an error code.
var codeRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:\-]{0,99}$`)

// codesIn are the values of an object's fields that name errors.
func codesIn(object map[string]any) []string {
	var codes []string
	for _, name := range []string{"code", "error_code", "errorCode", "errorType", "status", "type", "error", "name", "title", "detail"} {
		code := strings.TrimSpace(text(object[name]))
		if name == "type" { // RFC 9457: an address that ends in a name
			code = code[strings.LastIndexAny(code, "/#:")+1:]
		}
		if name == "status" && len(code) == 3 && strings.Trim(code, "0123456789") == "" {
			continue // the HTTP status again
		}
		if codeRE.MatchString(code) && code != "blank" && !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	return codes
}

// listed are the objects of a list; a text in it is an object with that message.
func listed(v any) []map[string]any {
	list, _ := v.([]any)
	var objects []map[string]any
	for _, item := range list {
		switch item := item.(type) {
		case map[string]any:
			objects = append(objects, item)
		case string:
			objects = append(objects, map[string]any{"message": item, "code": item})
		}
	}
	return objects
}

// wordsIn joins the texts of an object, each once, and its link to a description.
func wordsIn(object map[string]any) string {
	var parts []string
	add := func(part string) {
		part = strings.TrimSpace(part)
		if part != "" && !slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(p, part) }) {
			parts = append(parts, part)
		}
	}
	for _, name := range describing {
		add(text(object[name]))
	}
	if uri := strings.TrimSpace(text(object["error_uri"])); uri != "" {
		add("see " + uri)
	}
	return strings.Join(parts, "; ")
}

// challenged reports whether a proxy in front of the service answered in its place: a
// page that challenges the client as a browser or a person.
func (r *Reply) challenged() bool {
	if r.Status != http.StatusForbidden && r.Status != http.StatusUnauthorized || r.Fields != nil {
		return false
	}
	return r.Header.Get("Cf-Mitigated") != "" || r.Status == http.StatusForbidden && r.malformed == htmlPage
}
