package provider

import (
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// Token is a token set as a service returned it (RFC 6749 section 5.1). The hub
// turns its lifetimes into times counted from before the request was sent.
type Token struct {
	// AccessToken is required.
	AccessToken string
	// TokenType is as the service wrote it; empty if it did not.
	TokenType string
	// RefreshToken is the new refresh token; empty means: keep the old one.
	RefreshToken string
	// ExpiresIn is the life of the access token from now on. Nil, and zero, mean
	// that the service did not say; the description's lifetime then counts. A
	// negative value makes no sense and is read likewise, with a note for people.
	ExpiresIn *time.Duration
	// RefreshExpiresIn is the lifetime of the refresh token; nil if not given.
	RefreshExpiresIn *time.Duration
	// Scopes are the granted ones; nil if the service did not say.
	Scopes []string
	// Extra holds the other fields of the reply as JSON values. Processes get
	// them as "extra"; Refresh gets them back in RefreshRequest.Current.
	Extra map[string]any
	// Private is what a renewal needs and no process may see. Refresh gets it back in
	// RefreshRequest.Current; nil in its answer keeps the old one.
	Private map[string]any
	// IDToken is OpenID Connect's, if any.
	IDToken string
	// Parts are the token sets of the description's Parts that an authorization by a
	// code or on a device has brought, each once. The result of any other operation has
	// none: a renewal brings one set, and the hub does not keep parts of it.
	Parts []PartToken
}

// PartToken is the token set of a part of an authorization.
type PartToken struct {
	// Part is the name of the description's Part.
	Part string
	// Token has no parts of its own.
	Token Token
	// Account, if it is known; else the hub asks by Identify.
	Account Account
}

// Text returns an extra field that is a string, or "".
func (t Token) Text(field string) string {
	v, _ := t.Extra[field].(string)
	return v
}

// HasScopes reports whether all the wanted scopes were granted. A token without scopes
// has all requested ones (RFC 6749 section 5.1).
func (t Token) HasScopes(want []string) bool {
	if t.Scopes == nil {
		return true
	}
	for _, w := range want {
		if !slices.Contains(t.Scopes, w) {
			return false
		}
	}
	return true
}

// LogValue implements slog.LogValuer and shows no secret.
func (t Token) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.Bool("access_token", t.AccessToken != ""),
		slog.Bool("refresh_token", t.RefreshToken != ""),
	}
	if t.ExpiresIn != nil {
		attrs = append(attrs, slog.Duration("expires_in", *t.ExpiresIn))
	}
	return slog.GroupValue(attrs...)
}

// GoString keeps secrets out of %#v.
func (t Token) GoString() string { return "provider.Token{…}" }

// Format implements fmt.Formatter: no verb prints a secret.
func (t Token) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "token(access=%t refresh=%t)", t.AccessToken != "", t.RefreshToken != "")
}

// Seconds is the duration of n seconds, in the form of Token.ExpiresIn.
func Seconds(n int64) *time.Duration {
	const most = int64(1<<63-1) / int64(time.Second)
	return new(time.Duration(min(max(n, -most), most)) * time.Second)
}
