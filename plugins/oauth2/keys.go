package main

import (
	"cmp"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// The names of keys that the hub keeps for a service.
const (
	bearerKey = "service-account"
	dpopKey   = "dpop"
)

// bearerLife is the life of a service account's assertion.
const bearerLife = 10 * time.Minute

// optionSubject is the connection's option that names for whom a service account acts.
const optionSubject = "subject"

// subjectOptions are asked for each connection of a service account.
var subjectOptions = provider.Schema{Options: []provider.Option{{
	Name: optionSubject, Example: "anna@example.com",
	Title: provider.Text{EN: "Acts for", RU: "Действует от имени"},
	Help: provider.Text{
		EN: "The user in whose name the service account acts, if the service allows that (sub). Left empty: the service account itself.",
		RU: "Пользователь, от имени которого действует сервисный аккаунт, если сервис это разрешает (sub). Если пусто: сам сервисный аккаунт.",
	},
}}}

var jwksStep = provider.Text{
	EN: "Enter this address as the application's JWKS address (jwks_uri) at the service: {jwks_uri}",
	RU: "Укажите в сервисе этот адрес как адрес JWKS приложения (jwks_uri): {jwks_uri}",
}

// keysOf are the keys that a service needs by its options.
func keysOf(svc provider.Service, e endpoints) []provider.Key {
	signs := []string{"ES256", "RS256", "PS256", "ES384", "EdDSA"}
	var keys []provider.Key
	switch e.ClientAuth {
	case oauth.AuthPrivateKeyJWT:
		keys = append(keys, provider.Key{
			Name: oauth.DefaultSignatureKey, Use: provider.KeySignature, Algorithms: signs, Origin: provider.KeyFromEither, Steps: []provider.Text{jwksStep},
			Title: provider.Text{EN: "Key of the client (private_key_jwt)", RU: "Ключ клиента (private_key_jwt)"},
		})
	case oauth.AuthTLS, oauth.AuthSelfSignedTLS:
		origin := provider.KeyFromEither
		if e.ClientAuth == oauth.AuthTLS {
			origin = provider.KeyImported
		}
		keys = append(keys, provider.Key{
			Name: oauth.DefaultCertificateKey, Use: provider.KeyClientCertificate, Origin: origin,
			Title: provider.Text{EN: "Certificate of the client (mTLS)", RU: "Сертификат клиента (mTLS)"},
		})
	}
	if svc.Option(optionGrants) == grantsBearer {
		keys = append(keys, provider.Key{
			Name: bearerKey, Use: provider.KeySignature, Algorithms: []string{"RS256", "ES256", "PS256", "ES384", "EdDSA"}, Origin: provider.KeyFromEither, Steps: []provider.Text{jwksStep},
			Title: provider.Text{EN: "Key of the service account", RU: "Ключ сервисного аккаунта"},
		})
	}
	if svc.Bool(optionDPoP) {
		keys = append(keys, provider.Key{
			Name: dpopKey, Use: provider.KeyDPoP, Algorithms: []string{"ES256"}, Origin: provider.KeyFromHub,
			Title: provider.Text{EN: "Key that refresh tokens are bound to (DPoP)", RU: "Ключ, к которому привязаны refresh-токены (DPoP)"},
		})
	}
	return keys
}

// clientKeys names the keys that token requests use.
func clientKeys(svc provider.Service) oauth.ClientKeys {
	keys := oauth.ClientKeys{Audience: svc.Option(optionAudience)}
	if svc.Bool(optionDPoP) {
		keys.DPoP = dpopKey
	}
	return keys
}

// bearerClaims are the claims of a service account (RFC 7523 section 3). The scopes are
// among them, as Google has it; servers that take them as a parameter ignore them.
func bearerClaims(call provider.Call, e endpoints) provider.SignRequest {
	claims := map[string]any{
		"iss": call.Service.ClientID, "sub": cmp.Or(call.Connection.Option(optionSubject), call.Service.ClientID),
		"aud": cmp.Or(call.Service.Option(optionAudience), e.Token),
	}
	if len(call.Service.Scopes) > 0 {
		claims["scope"] = strings.Join(call.Service.Scopes, " ")
	}
	return provider.SignRequest{Key: bearerKey, Claims: claims, Lifetime: bearerLife}
}
