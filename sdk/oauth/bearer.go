package oauth

import (
	"context"
	"net/url"

	"github.com/evergrant/evergrant/sdk/provider"
)

const bearerGrantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// Assertion implements provider.AssertionGrant (RFC 7523 section 2.1): the claims are the
// Config's, a key of the hub signs them.
func (p core) Assertion(ctx context.Context, req *provider.AssertionRequest) (*provider.Token, error) {
	if p.c.Assertion == nil {
		return nil, provider.Errorf(provider.Internal, "", "the provider has no claims for an assertion")
	}
	claims, err := p.c.Assertion(req.Call)
	if err != nil {
		return nil, err
	}
	jwt, err := req.Keys.Sign(ctx, claims)
	if err != nil {
		return nil, err
	}
	return p.token(ctx, req.Call, url.Values{"grant_type": {bearerGrantType}, "assertion": {jwt}}, nil)
}
