package oauth

import (
	"cmp"
	"context"

	"github.com/evergrant/evergrant/sdk/provider"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// assertion is the client assertion of RFC 7523 section 2.2, signed by a key that the hub
// keeps; "" where the client authenticates in another way.
func (req TokenRequest) assertion(ctx context.Context) (string, error) {
	key := provider.KeyClientSecret
	switch req.Auth {
	case AuthPrivateKeyJWT:
		key = cmp.Or(req.Keys.Signature, DefaultSignatureKey)
	case AuthSecretJWT:
	default:
		return "", nil
	}
	if req.Signer == nil {
		return "", provider.Errorf(provider.Internal, "", "the request has no signer; pass Call.Keys on")
	}
	return req.Signer.Sign(ctx, provider.SignRequest{Key: key, Claims: map[string]any{
		"iss": req.ClientID, "sub": req.ClientID, "aud": cmp.Or(req.Keys.Audience, req.Endpoint),
	}})
}

// withKeys has the hub use the keys that the request names.
func (req TokenRequest) withKeys(ctx context.Context) context.Context {
	if req.Auth == AuthTLS || req.Auth == AuthSelfSignedTLS {
		ctx = provider.WithClientCertificate(ctx, cmp.Or(req.Keys.Certificate, DefaultCertificateKey))
	}
	if req.Keys.DPoP != "" {
		ctx = provider.WithDPoP(ctx, req.Keys.DPoP)
	}
	return ctx
}
