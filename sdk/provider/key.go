package provider

import (
	"context"
	"time"
)

// KeyUse is what a key of the hub is for.
type KeyUse string

// The uses of keys.
const (
	// KeySignature signs claims: private_key_jwt, JWT bearer.
	KeySignature KeyUse = "signature"
	// KeyClientCertificate authenticates the client by a TLS certificate (RFC 8705).
	KeyClientCertificate KeyUse = "client_certificate"
	// KeyDPoP proves possession (RFC 9449).
	KeyDPoP KeyUse = "dpop"
)

// KeyOrigin is where a key comes from.
type KeyOrigin string

// The origins of keys. KeyFromEither is the default.
const (
	// KeyFromHub is made by the hub, which publishes the public part.
	KeyFromHub KeyOrigin = "hub"
	// KeyImported is made by the service or a certification authority.
	KeyImported   KeyOrigin = "imported"
	KeyFromEither KeyOrigin = "either"
)

// Key is a key that the hub keeps for each service. A plugin names it and never sees it.
type Key struct {
	// Name is unique in the description: lower-case letters, digits, hyphens.
	Name  string `json:"name"`
	Use   KeyUse `json:"use"`
	Title Text   `json:"title"`
	// Algorithms are those of JWS (RFC 7518) that the service accepts, preferred first;
	// empty for certificates. The hub has ES256, ES384, RS256, PS256 and EdDSA.
	Algorithms []string  `json:"algorithms,omitempty"`
	Origin     KeyOrigin `json:"origin,omitempty"`
	// Steps explain to an administrator how to enter it at the service. The placeholders
	// {jwks_uri} and {certificate} are replaced.
	Steps []Text `json:"steps,omitempty"`
	// Optional is set if a service works without it.
	Optional bool `json:"optional,omitempty"`
}

// KeyClientSecret is the name by which Signer signs with the service's client secret
// (client_secret_jwt). It is not declared.
const KeyClientSecret = "client-secret"

// Signer signs with keys of the hub. Each signature is a step of the operation, which is
// journaled like a request, so that a repeated run gets the same one.
type Signer interface {
	// Sign returns a JWT in compact serialization.
	Sign(ctx context.Context, req SignRequest) (string, error)
}

// SignRequest is what is to be signed.
type SignRequest struct {
	// Key is the name of a declared key with KeySignature, or KeyClientSecret.
	Key string
	// Claims of the JWT. The hub sets iat, exp and jti unless they are there, so that a
	// repeated run asks for the same.
	Claims map[string]any
	// Lifetime of the JWT; zero is a minute, an hour at most.
	Lifetime time.Duration
	// Type is the header's typ; "" is JWT.
	Type string
}

type keyContext int

const (
	certificateKey keyContext = iota
	dpopKey
)

// WithClientCertificate has the requests of ctx present a certificate that the hub keeps
// under a name.
func WithClientCertificate(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, certificateKey, key)
}

// WithDPoP has the hub add a DPoP proof by the named key to the requests of ctx.
func WithDPoP(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, dpopKey, key)
}

// ClientCertificate returns the name that WithClientCertificate was given, or "".
func ClientCertificate(ctx context.Context) string {
	name, _ := ctx.Value(certificateKey).(string)
	return name
}

// DPoP returns the name that WithDPoP was given, or "".
func DPoP(ctx context.Context) string {
	name, _ := ctx.Value(dpopKey).(string)
	return name
}
