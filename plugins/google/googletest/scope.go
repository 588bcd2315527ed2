package googletest

import (
	"slices"
	"strings"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// scopePrefix begins the scopes of Google's APIs.
const scopePrefix = "https://www.googleapis.com/auth/"

// fullNames are the scopes of OpenID Connect that Google answers by another name
// than they were asked for.
var fullNames = map[string]string{
	"email":   scopePrefix + "userinfo.email",
	"profile": scopePrefix + "userinfo.profile",
}

// parseScopes reads a scope parameter. It returns the scopes by their full names,
// and whether all of them exist.
func parseScopes(param string) ([]string, bool) {
	var scopes []string
	for scope := range strings.FieldsSeq(param) {
		if full, ok := fullNames[scope]; ok {
			scope = full
		}
		if scope != "openid" && !strings.HasPrefix(scope, scopePrefix) {
			return nil, false
		}
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes, len(scopes) > 0
}

// signIn returns the scopes that come with signing in and have no box to untick.
func signIn(scope string) bool {
	return scope == "openid" || strings.HasPrefix(scope, scopePrefix+"userinfo.")
}

func boxes(scopes []string) []emulator.Scope {
	var out []emulator.Scope
	for _, scope := range scopes {
		out = append(out, emulator.Scope{Value: scope, Optional: !signIn(scope)})
	}
	return out
}
