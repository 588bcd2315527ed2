package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// identifiable reports whether a service can identify the account of a grant: userinfo of
// OpenID Connect requires the scope openid, which also brings an ID token; userinfo
// entered by hand is assumed to answer without.
func identifiable(svc provider.Service) bool {
	return svc.Option(optionUserinfo) != "" || slices.Contains(svc.Scopes, "openid")
}

// Identify implements provider.Identifier: over userinfo; from the ID token where the
// service has no userinfo, or has bound the access token to a key (RFC 9449), because
// userinfo would want a proof of that key with it.
func (anyService) Identify(ctx context.Context, req *provider.IdentifyRequest) (*provider.Account, error) {
	s, e, err := standardFor(req.Service)
	if err != nil {
		return nil, err
	}
	if (e.Userinfo == "" || strings.EqualFold(req.Current.TokenType, "DPoP")) && req.Current.IDToken != "" {
		return accountIn(req.Current.IDToken, req.Service)
	}
	return s.Identify(ctx, req)
}

// accountIn reads the claims of an ID token (OpenID Connect Core section 2). It came from
// the token endpoint itself, so TLS replaces the check of its signature (section
// 3.1.3.7).
func accountIn(idToken string, svc provider.Service) (*provider.Account, error) {
	var claims map[string]any
	parts := strings.Split(idToken, ".")
	if len(parts) == 3 {
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil || json.Unmarshal(payload, &claims) != nil {
			claims = nil
		}
	}
	id, _ := claims[svc.Option(optionAccountID)].(string)
	if id == "" {
		id, _ = claims["sub"].(string)
	}
	if id == "" {
		return nil, provider.Errorf(provider.Internal, "", "the service's ID token does not say whose account it is")
	}
	account := &provider.Account{ID: id}
	for _, field := range accountNames(svc) {
		if account.Name, _ = claims[field].(string); account.Name != "" {
			break
		}
	}
	return account, nil
}

// accountNames are the fields that name an account, the chosen one first.
func accountNames(svc provider.Service) []string {
	return []string{svc.Option(optionAccountName), "email", "preferred_username", "name"}
}
