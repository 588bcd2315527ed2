package oauth

import (
	"cmp"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Decode describes the format of a service's token replies. The zero value is RFC 6749
// section 5.
type Decode struct {
	// ExpiresInUnit of expires_in; zero is a second.
	ExpiresInUnit time.Duration
	// ScopeSeparator between granted scopes; "" is a space.
	ScopeSeparator string
	// Fields are the places of what the service names otherwise than RFC 6749 does.
	Fields TokenFields
	// Private are fields that a renewal needs and no process may see: they are in
	// Token.Private instead of Token.Extra.
	Private []string
	// Failures are answers that mean something of the service's own. The first that fits
	// decides, before Codes.
	Failures []Failure
	// Codes overrides what the service's error codes mean. Keys are in lower
	// case. A reply with a status that passes by itself (5xx, 429) is never
	// ReauthorizationRequired, whatever its code.
	Codes map[string]provider.Kind
}

// TokenFields are paths of fields, in which a dot leads into an object. An empty one is the
// standard's name.
type TokenFields struct {
	AccessToken, RefreshToken, IDToken, TokenType, Scope string
	// ExpiresIn is a lifetime, in Decode.ExpiresInUnit; ExpiresAt is a moment instead, in
	// units since 1970 or as RFC 3339 has it.
	ExpiresIn, ExpiresAt string
	ExpiresAtUnit        time.Duration
	// RefreshExpiresIn is the lifetime of the refresh token, in seconds.
	RefreshExpiresIn string
}

// Failure is an answer of a service and what it means. Whatever is empty fits all.
type Failure struct {
	Status int
	// Code is the code of the error, compared without regard to case.
	Code string
	// Text is a part of what the service says, compared likewise.
	Text string
	// Kind is who has to act. A status that passes by itself (5xx, 429, 408, 425) never
	// ends a grant, whatever is said here.
	Kind provider.Kind
	// TooEarly is set if the answer says that the token may not be renewed yet.
	TooEarly bool
	// Remedy is what people read beside it; zero is nothing.
	Remedy provider.Text
}

// tokenFields are those that are no Extra.
var tokenFields = []string{
	"access_token", "refresh_token", "id_token", "token_type", "expires_in", "scope",
	"refresh_token_expires_in", "refresh_expires_in", "client_secret",
}

// Token reads a token set, or fails with the *provider.Error that the reply
// means. No reply that is malformed or carries an error gives a token.
//
// Fields that the service adds are in Extra, without the tokens themselves. An
// expires_in that is absent, zero or makes no sense leaves ExpiresIn nil: the
// tokens are good, and may be the only live ones. A negative one is handed on, for
// the hub to note. A reply that reports success and holds no access token, but a
// refresh token, is an error that carries it: Error.RefreshToken.
func (r *Reply) Token(d Decode) (*provider.Token, error) {
	r.failures = d.Failures
	if err := r.Err(d.Codes); err != nil {
		return nil, r.withRefreshToken(err)
	}
	f := d.Fields
	access, _ := r.at(cmp.Or(f.AccessToken, "access_token")).(string)
	if strings.TrimSpace(access) == "" {
		return nil, r.withRefreshToken(r.withoutToken(d.Codes))
	}
	if strings.ContainsFunc(access, func(c rune) bool { return unicode.IsControl(c) || unicode.IsSpace(c) }) {
		return nil, r.withRefreshToken(r.fail(provider.Internal, "", "the service's access token holds characters that no token may have"))
	}
	unit := d.ExpiresInUnit
	if unit == 0 {
		unit = time.Second
	}
	refresh, _ := r.at(cmp.Or(f.RefreshToken, "refresh_token")).(string)
	id, _ := r.at(cmp.Or(f.IDToken, "id_token")).(string)
	private := r.private(d.Private)
	return &provider.Token{
		AccessToken:      access,
		TokenType:        text(r.at(cmp.Or(f.TokenType, "token_type"))),
		RefreshToken:     refresh,
		IDToken:          id,
		ExpiresIn:        r.accessLifetime(f, unit),
		RefreshExpiresIn: r.refreshLifetime(f.RefreshExpiresIn),
		Scopes:           scopes(r.at(cmp.Or(f.Scope, "scope")), d.ScopeSeparator),
		Private:          private,
		Extra:            r.extra(d.Private, access, refresh, id),
	}, nil
}

// withoutToken is the error of a reply that reports success without a token. One
// that names an error that is known, in a field of its own, means that.
func (r *Reply) withoutToken(codes map[string]provider.Kind) error {
	if s := r.otherCodes(); len(s.weak) > 0 {
		if m, known := r.known(s, codes); known || m.kind != provider.Internal {
			return r.refusal(s, codes)
		}
	}
	return r.fail(provider.Internal, "", "the service reported success, but its reply holds no access token")
}

// refreshTokenRE finds the refresh token in JSON that is broken elsewhere.
var refreshTokenRE = regexp.MustCompile(`"refresh_token"\s*:\s*("(?:[^"\\\x00-\x1f]|\\.)+")`)

// withRefreshToken adds to an error the refresh token of a reply that reports success
// and is of no use otherwise: the service may have replaced the old one by it. Without
// it the next request would send one that is spent.
func (r *Reply) withRefreshToken(err error) error {
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || r.Status < 200 || r.Status > 299 || e.Kind != provider.Internal || e.Code != "" {
		return err
	}
	if e.RefreshToken, ok = r.Fields["refresh_token"].(string); !ok && r.Fields == nil {
		if found := refreshTokenRE.FindSubmatch(r.Body); found != nil {
			_ = json.Unmarshal(found[1], &e.RefreshToken) // else it stays empty
		}
	}
	return err
}

// scopes reads a joined string or a list. Nil means that none were given.
func scopes(v any, separator string) []string {
	var list []string
	switch v := v.(type) {
	case string:
		list = strings.Split(v, cmp.Or(separator, " "))
		if other := ","; len(list) == 1 && cmp.Or(separator, " ") == " " && strings.Contains(v, other) {
			list = strings.Split(v, other) // many that take spaces answer with commas
		}
	case []any:
		for _, item := range v {
			list = append(list, text(item))
		}
	}
	var granted []string
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" {
			granted = append(granted, s)
		}
	}
	return granted
}

// private are fields that no process may see.
func (r *Reply) private(names []string) map[string]any {
	var private map[string]any
	for _, name := range names {
		if value, there := r.Fields[name]; there {
			private = merged(private, map[string]any{name: value})
		}
	}
	return private
}

// extra is what the service adds, without anything that is a secret of ours.
func (r *Reply) extra(private []string, tokens ...string) map[string]any {
	hidden := slices.DeleteFunc(append(tokens,
		r.Text("access_token"), r.Text("refresh_token"), r.Text("id_token"), r.clientSecret,
	), func(s string) bool { return s == "" })
	extra := map[string]any{}
	for name, value := range r.Fields {
		if !slices.Contains(tokenFields, name) && !slices.Contains(private, name) && !holds(value, hidden) {
			extra[name] = value
		}
	}
	if len(extra) == 0 {
		return nil
	}
	return extra
}

// holds reports whether a value is one of the hidden strings or has one inside.
func holds(value any, hidden []string) bool {
	switch v := value.(type) {
	case string:
		return slices.Contains(hidden, v)
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return holds(item, hidden) })
	case map[string]any:
		for _, item := range v {
			if holds(item, hidden) {
				return true
			}
		}
	case json.Number:
		return slices.Contains(hidden, v.String())
	}
	return false
}
