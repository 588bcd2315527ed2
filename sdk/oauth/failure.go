package oauth

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Err returns nil for a reply with a 2xx status and a body that is an object
// without an error in it, else the *provider.Error that the reply means.
//
// The error code in the body decides, whatever the status, compared without
// regard to case: codes first (its keys in lower case; may be nil), then the
// RFCs and the codes of services in wide use. Without a known code the service's
// words do, where they leave no doubt, and else the status. A reply whose status
// passes by itself (5xx, 429, 408, 425) is Transient unless codes says otherwise,
// and never ReauthorizationRequired: an outage must not end a grant. Nor does an
// answer that says "too early", which has Error.TooEarly, or "too many requests".
func (r *Reply) Err(codes map[string]provider.Kind) error {
	s := r.errorFields()
	if len(s.codes)+len(s.weak) == 0 {
		switch {
		case r.Status < 200 || r.Status > 299 || s.words != "" && r.refused():
			return r.failWithoutCode(s)
		case r.Fields == nil:
			return r.fail(provider.Internal, "", "the service answered with %s instead of JSON", r.malformed)
		}
		return nil
	}
	return r.refusal(s, codes)
}

// failWithoutCode is the error of a reply that names none.
func (r *Reply) failWithoutCode(s said) *provider.Error {
	if own, ok := r.ownFailure(s); ok && s.words == "" {
		e := r.fail(own.kind, "", "the service answered with status %d and %s", r.Status, r.shape())
		e.TooEarly, e.Remedy = own.tooEarly, own.remedy
		return e
	}
	if s.words == "" {
		kind := statusKind(r.Status)
		if r.challenged() {
			kind = provider.Transient
		}
		return r.fail(kind, "", "the service answered with status %d and %s", r.Status, r.shape())
	}
	return r.refusal(s, nil)
}

// refusal is the error that a body with words of its own means.
func (r *Reply) refusal(s said, codes map[string]provider.Kind) *provider.Error {
	m := r.classify(s, codes)
	e := r.fail(m.kind, m.code, "the service answered with an error and status %d", r.Status)
	if s.words != "" {
		e.Message += ": " + quote(s.words, r.secrets)
	}
	e.TooEarly, e.Remedy = m.tooEarly, m.remedy
	return e
}

// shape describes a body without quoting it.
func (r *Reply) shape() string {
	if r.malformed != "" {
		return r.malformed
	}
	return "no error code"
}

// class is the classification of an error.
type class struct {
	code     string
	kind     provider.Kind
	tooEarly bool
	remedy   provider.Text
}

// classify takes the first known code, and compares it with the error's text: an answer
// whose text implies a valid grant never ends it.
func (r *Reply) classify(s said, codes map[string]provider.Kind) class {
	m, known := r.known(s, codes)
	if own, ok := r.ownFailure(s); ok {
		return own
	}
	switch {
	case passing(r.Status):
		return m
	case (!known || m.kind != provider.Blocked) && saysThrottled(s.words), known && m.kind == provider.ReauthorizationRequired && saysPassing(s.words):
		m.kind = provider.Transient
	case saysTooEarly(append(s.codes, s.weak...), s.words) && m.kind != provider.Blocked:
		m.kind, m.tooEarly = provider.Transient, true
	case m.kind == provider.ReauthorizationRequired && ofRedirectURI(s.words):
		m.kind = provider.Blocked
	case known:
	case ofRedirectURI(s.words) && strings.EqualFold(m.code, "invalid_request"):
		m.kind = provider.Blocked
	case saysDead(s.words) && (m.code == "" || len(s.codes) == 0 || slices.Contains(vague, strings.ToLower(m.code)) || isNumber(m.code)):
		m.kind = provider.ReauthorizationRequired
	}
	return m
}

// ownFailure is the first of the service's own failures that fits.
func (r *Reply) ownFailure(s said) (m class, ok bool) {
	codes := append(slices.Clone(s.codes), s.weak...)
	for _, f := range r.failures {
		is := func(code string) bool { return strings.EqualFold(code, f.Code) }
		if f.Status != 0 && f.Status != r.Status || f.Code != "" && !slices.ContainsFunc(codes, is) ||
			!strings.Contains(strings.ToLower(s.words), strings.ToLower(f.Text)) {
			continue
		}
		if m = (class{kind: f.Kind, tooEarly: f.TooEarly, remedy: f.Remedy}); len(codes) > 0 {
			m.code = codes[0]
		}
		if passing(r.Status) && m.kind == provider.ReauthorizationRequired {
			m.kind = provider.Transient
		}
		return m, true
	}
	return class{}, false
}

// isNumber reports whether a code is a number, which is not specific.
func isNumber(code string) bool { return code != "" && strings.Trim(code, "0123456789") == "" }

// ofRedirectURI reports whether an answer complains of the redirect URI, which the
// operator has to mend.
func ofRedirectURI(words string) bool {
	words = strings.ToLower(words)
	return strings.Contains(words, "redirect_ur") || strings.Contains(words, "redirect ur")
}

// known finds the first known code; without one the first code, and the kind of the
// status where no field for codes was present.
func (r *Reply) known(s said, codes map[string]provider.Kind) (m class, known bool) {
	all := append(slices.Clone(s.codes), s.weak...)
	for _, table := range []map[string]provider.Kind{codes, kinds} {
		for _, code := range all {
			key := strings.ToLower(code)
			kind, ok := table[key]
			if !ok {
				key = snake(code)
				kind, ok = table[key]
			}
			if !ok {
				continue
			}
			if passing(r.Status) && (kind == provider.ReauthorizationRequired || codes[key] != kind) {
				kind = provider.Transient
			}
			return class{code: code, kind: kind}, true
		}
	}
	if len(all) > 0 {
		m.code = all[0]
	}
	if m.kind = provider.Internal; passing(r.Status) || len(s.codes) == 0 {
		m.kind = statusKind(r.Status)
	}
	return m, false
}

// passing reports whether a status passes by itself.
func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

// statusKind is what a reply without an error code means.
func statusKind(status int) provider.Kind {
	switch {
	case passing(status):
		return provider.Transient
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return provider.Blocked // RFC 6749 section 5.2: 401 is invalid_client
	}
	return provider.Internal
}

// fail builds an error with the reply's details beside its code.
func (r *Reply) fail(kind provider.Kind, code, format string, args ...any) *provider.Error {
	return &provider.Error{
		Kind: kind, Code: trim(quote(code, r.secrets), 100), Message: fmt.Sprintf(format, args...),
		HTTPStatus: r.Status, RetryAfter: r.retryAfter(),
	}
}

// retryAfter reads Retry-After (RFC 9110 section 10.2.3): seconds, or a date
// that is compared with the clock of the call.
func (r *Reply) retryAfter() time.Duration {
	value := strings.TrimSpace(r.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return max(0, *provider.Seconds(seconds))
	}
	if at, err := http.ParseTime(value); err == nil && !r.now.IsZero() {
		return max(0, at.Sub(r.now))
	}
	return 0
}
