package oauth

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// kinds is what the error codes of the RFCs mean at a token endpoint.
var kinds = map[string]provider.Kind{
	// RFC 6749 section 5.2
	"invalid_grant":          provider.ReauthorizationRequired,
	"invalid_client":         provider.Blocked,
	"unauthorized_client":    provider.Blocked,
	"unsupported_grant_type": provider.Blocked,
	"invalid_scope":          provider.Blocked,
	// RFC 6749 section 4.1.2.1
	"access_denied":             provider.Denied,
	"unsupported_response_type": provider.Blocked,
	"server_error":              provider.Transient,
	"temporarily_unavailable":   provider.Transient,
	// RFC 6750 section 3.1
	"insufficient_scope": provider.Blocked,
	// RFC 8628 section 3.5
	"authorization_pending": provider.Transient,
	"slow_down":             provider.Transient,
	"expired_token":         provider.ReauthorizationRequired,
	// RFC 8707 section 2
	"invalid_target": provider.Blocked,
	// OpenID Connect Core section 3.1.2.6
	"interaction_required":       provider.ReauthorizationRequired,
	"login_required":             provider.ReauthorizationRequired,
	"consent_required":           provider.ReauthorizationRequired,
	"account_selection_required": provider.ReauthorizationRequired,
	// In wide use
	"redirect_uri_mismatch": provider.Blocked,
}

// Err returns nil for a reply with a 2xx status and a body that is an object
// without an error in it, else the *provider.Error that the reply means.
//
// The error code in the body decides, whatever the status, compared without
// regard to case: codes first (its keys in lower case; may be nil), then the
// RFCs. Without a known code the status does. A reply whose status passes by
// itself (5xx, 429, 408, 425) is Transient unless codes says otherwise, and
// never ReauthorizationRequired: an outage must not end a grant.
func (r *Reply) Err(codes map[string]provider.Kind) error {
	candidates, description := r.errorFields()
	if len(candidates) == 0 {
		switch {
		case r.Status < 200 || r.Status > 299:
			return r.fail(statusKind(r.Status), "", "the service answered with status %d and %s", r.Status, r.shape())
		case r.Fields == nil:
			return r.fail(provider.Internal, "", "the service answered with %s instead of JSON", r.malformed)
		}
		return nil
	}
	code, kind := r.meaning(candidates, description, codes)
	if description == "" {
		return r.fail(kind, code, "the service answered with an error and status %d", r.Status)
	}
	return r.fail(kind, code, "the service answered with an error and status %d: %s", r.Status, quote(description, r.secrets))
}

// shape names a body without a word of it.
func (r *Reply) shape() string {
	if r.malformed != "" {
		return r.malformed
	}
	return "no error code"
}

// meaning finds the first candidate that somebody knows.
func (r *Reply) meaning(candidates []string, description string, codes map[string]provider.Kind) (string, provider.Kind) {
	for _, known := range []map[string]provider.Kind{codes, kinds} {
		for _, code := range candidates {
			kind, ok := known[strings.ToLower(code)]
			if !ok {
				continue
			}
			if passing(r.Status) && (kind == provider.ReauthorizationRequired || codes[strings.ToLower(code)] != kind) {
				kind = provider.Transient
			}
			return code, kind
		}
	}
	code := candidates[0]
	if passing(r.Status) {
		return code, provider.Transient
	}
	if strings.EqualFold(code, "invalid_request") && strings.Contains(strings.ToLower(description), "redirect_ur") {
		return code, provider.Blocked
	}
	return code, provider.Internal
}

// errorFields finds the codes that a body offers, the most telling first, and
// its description. Besides RFC 6749 it knows error objects, as in
// {"error": {"message": …, "type": …, "code": 190}}.
func (r *Reply) errorFields() (codes []string, description string) {
	switch e := r.Fields["error"].(type) {
	case map[string]any:
		for _, name := range []string{"code", "status", "type", "error"} {
			if code := strings.TrimSpace(text(e[name])); code != "" {
				codes = append(codes, code)
			}
		}
		if len(codes) == 0 {
			codes = []string{"error"}
		}
		for _, name := range []string{"message", "error_description", "description"} {
			if description = text(e[name]); description != "" {
				return codes, description
			}
		}
	default:
		code := strings.TrimSpace(text(e))
		if code == "" || (code == "0" && r.Status < 300) {
			return nil, ""
		}
		codes = []string{code}
	}
	for _, name := range []string{"error_description", "error_message", "message"} {
		if description = r.Text(name); description != "" {
			break
		}
	}
	return codes, description
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

// fail builds an error with what the reply says beside its code.
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
