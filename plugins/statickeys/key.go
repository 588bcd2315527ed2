package main

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

//go:embed icon.svg
var icon []byte

// key is a provider of one kind of keys.
type key struct {
	description provider.Description
	// token is the name of the field that processes send, extra are those that they need
	// beside it.
	token string
	extra []string
	// jwt is set if the key is a JWT, whose exp claim is its end.
	jwt bool
}

// Describe implements provider.Provider.
func (k key) Describe(context.Context) (*provider.Description, error) {
	d := k.description
	d.Icon, d.PublicClient, d.PKCE, d.AutoRenew = icon, true, provider.PKCENone, provider.AutoRenewNone
	return &d, nil
}

// Static implements provider.StaticGrant.
func (k key) Static(_ context.Context, req *provider.StaticRequest) (*provider.Token, error) {
	token, err := tokenOf(req.Fields, k.token, k.extra)
	if err != nil || !k.jwt {
		return token, err
	}
	return token, withEnd(token, req.Now)
}

// tokenOf is the token set of what was entered. Keys are copied by hand, often with a space
// or a line break at the end.
func tokenOf(fields provider.Fields, name string, extra []string) (*provider.Token, error) {
	token := &provider.Token{AccessToken: strings.TrimSpace(fields.Text(name))}
	if token.AccessToken == "" || strings.ContainsAny(token.AccessToken, " \t\r\n") {
		e := provider.Errorf(provider.ReauthorizationRequired, "no_key", "what was entered is no key: it is empty, or has spaces inside")
		e.Remedy = provider.Text{EN: "Copy the key once more, whole and without spaces.", RU: "Скопируйте ключ ещё раз: целиком и без пробелов."}
		return nil, e
	}
	for _, name := range extra {
		if token.Extra == nil {
			token.Extra = map[string]any{}
		}
		token.Extra[name] = strings.TrimSpace(fields.Text(name))
	}
	return token, nil
}

// withEnd reads the end of a JWT (RFC 7519 section 4.1.4). The service vouches for it, so
// its signature is not checked.
func withEnd(token *provider.Token, now time.Time) error {
	parts := strings.Split(token.AccessToken, ".")
	var claims struct {
		Exp *json.Number `json:"exp"`
	}
	payload := []byte(nil)
	if len(parts) == 3 {
		payload, _ = base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	}
	if len(payload) == 0 || json.Unmarshal(payload, &claims) != nil {
		e := provider.Errorf(provider.ReauthorizationRequired, "not_a_jwt", "what was entered is no key of this service: it is not a JWT")
		e.Remedy = provider.Text{EN: "Copy the whole key: three parts with dots between them.", RU: "Скопируйте ключ целиком: это три части, разделённые точками."}
		return e
	}
	if claims.Exp == nil {
		return nil
	}
	seconds, err := claims.Exp.Float64()
	if err != nil {
		return nil //nolint:nilerr // an end that makes no sense is no end
	}
	life := time.Unix(int64(seconds), 0).Sub(now)
	if life <= 0 {
		e := provider.Errorf(provider.ReauthorizationRequired, "expired", "the key has ended already")
		e.Remedy = provider.Text{EN: "Make a new key at the service and enter that.", RU: "Создайте в сервисе новый ключ и введите его."}
		return e
	}
	token.ExpiresIn = &life
	return nil
}
