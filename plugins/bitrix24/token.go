package main

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// extraPortal is the extra field of a token set with the portal's host. The
// vendor's own field, domain, names the portal in a redirect and the
// authorization server in a reply.
const extraPortal = "portal_domain"

// anyScope is what replies have in place of the granted scopes.
const anyScope = "app"

// readToken reads a reply of server. All of its fields stay in Extra.
func readToken(reply *oauth.Reply, now time.Time, server string) (*provider.Token, error) {
	token, err := reply.Token(oauth.Decode{ScopeSeparator: ",", Codes: codes()})
	if err != nil {
		return nil, refused(reply, err)
	}
	if len(token.Scopes) == 1 && token.Scopes[0] == anyScope {
		token.Scopes = nil
	}
	expires, dated := number(token.Extra["expires"])
	if token.ExpiresIn == nil && dated {
		token.ExpiresIn = until(reply, expires, now)
	}
	if token.RefreshExpiresIn == nil && dated {
		token.RefreshExpiresIn = refreshLife(token, expires)
	}
	if token.Extra == nil {
		token.Extra = map[string]any{}
	}
	token.Extra[extraAuthServer] = server
	// After the portal has moved to another address, a reply has the new one.
	if host := hostOf(token.Text("client_endpoint")); host != "" {
		token.Extra[extraPortal] = host
	}
	return token, nil
}

// until is the lifetime of a token whose reply has only its expiry, by the service's
// clock: it is counted from the reply's own Date, and without one from the local clock.
// Nil is an expiry in the past, which cannot be meant; the description's lifetime is
// used.
func until(reply *oauth.Reply, expires int64, now time.Time) *time.Duration {
	if date, err := http.ParseTime(reply.Header.Get("Date")); err == nil {
		now = date
	}
	if life := time.Unix(expires, 0).Sub(now); life > 0 {
		return &life
	}
	return nil
}

// fromCallback adds what only the redirect has: the granted scopes, and the portal's host
// if the reply lacks it. Both are only shown.
func fromCallback(token *provider.Token, callback url.Values) {
	if scopes := splitScopes(callback.Get("scope")); len(scopes) > 0 {
		token.Scopes = scopes
	}
	if host := hostOf(callback.Get("domain")); host != "" && token.Text(extraPortal) == "" {
		token.Extra[extraPortal] = host
	}
}

// refreshLife reads how long the refresh token lives from the tokens themselves,
// because no field says so and the vendor has changed it (28, 30 and 180 days were
// seen). A token begins with its Unix time of expiry, lowest byte first, in
// hexadecimal. This is not documented, so it is believed only if the access token,
// whose expiry the reply states, proves it in the same reply; nil otherwise, and
// the description's lifetime counts. It can shorten what is believed of a refresh
// token, which brings the next renewal forward. Only differences of the service's
// own times are used, so that its clock does not matter.
func refreshLife(token *provider.Token, expires int64) *time.Duration {
	access, ok := hintOf(token.AccessToken)
	if !ok || abs(access-expires) > 5 || token.ExpiresIn == nil {
		return nil
	}
	refresh, ok := hintOf(token.RefreshToken)
	if !ok || refresh <= access {
		return nil
	}
	return new(*token.ExpiresIn + time.Duration(refresh-access)*time.Second)
}

// hintOf is the time that a token begins with.
func hintOf(token string) (unix int64, ok bool) {
	if len(token) < 32 {
		return 0, false
	}
	b, err := hex.DecodeString(token[:8])
	if err != nil {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint32(b)), true
}

func abs(n int64) int64 { return max(n, -n) }

// number reads a whole number, also one in a string.
func number(v any) (int64, bool) {
	var s string
	switch v := v.(type) {
	case json.Number:
		s = v.String()
	case string:
		s = v
	case float64: // from a host that does not keep numbers exact
		return int64(v), true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// hostOf is the host, with its port, of an address or a host name; "" if there is
// none.
func hostOf(named string) string {
	u, ok := address(named)
	if !ok {
		return ""
	}
	return u.Host
}

// splitScopes reads the comma list of a redirect.
func splitScopes(list string) []string {
	return slices.DeleteFunc(strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }),
		func(s string) bool { return s == anyScope })
}
