package emulator

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Exchange is one request and its result. It holds no secret: parameters are listed by
// name, and codes and tokens by their Fingerprint.
type Exchange struct {
	// At is when the request came in.
	At time.Time
	// Host, Method and Path are the request's; the query is left out.
	Host, Method, Path string
	// GrantType is the parameter of that name, if there was one.
	GrantType string
	// Params are the names of all parameters of query and form, in order.
	Params []string
	// Status is the HTTP status of the reply; 0 if the connection was cut.
	Status int
	// Result is "ok", the service's error code, or "fault" if a Fault answered.
	Result string
	// Sent and Issued map parameter names (code, refresh_token, access_token, …)
	// to the fingerprint of what was presented and of what was handed out.
	Sent, Issued map[string]string
}

// secretParams are the parameters that are logged by fingerprint.
var secretParams = []string{"code", "refresh_token", "access_token", "auth", "token"}

type exchangeKey struct{}

func newExchange(now time.Time, r *http.Request) *Exchange {
	ex := &Exchange{
		At: now, Host: r.Host, Method: r.Method, Path: r.URL.Path, Result: "ok",
		GrantType: r.Form.Get("grant_type"), Params: slices.Sorted(maps.Keys(r.Form)),
		Sent: map[string]string{}, Issued: map[string]string{},
	}
	for _, name := range secretParams {
		if v := r.Form.Get(name); v != "" {
			ex.Sent[name] = Fingerprint(v)
		}
	}
	if token := BearerToken(r); token != "" {
		ex.Sent["bearer"] = Fingerprint(token)
	}
	return ex
}

func withExchange(r *http.Request, ex *Exchange) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), exchangeKey{}, ex))
}

// NoteResult notes in the log with which error code the service answers r.
func NoteResult(r *http.Request, code string) {
	if ex, ok := r.Context().Value(exchangeKey{}).(*Exchange); ok {
		ex.Result = code
	}
}

// NoteIssued notes in the log that a code or token was handed out in answer to r.
func NoteIssued(r *http.Request, kind Kind, value string) {
	if ex, ok := r.Context().Value(exchangeKey{}).(*Exchange); ok {
		ex.Issued[string(kind)] = Fingerprint(value)
	}
}

// BearerToken returns the token of the Authorization header (RFC 6750 section
// 2.1), or nothing.
func BearerToken(r *http.Request) string {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
