package main

import (
	"context"
	"net/url"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// taxcomKassa is the provider. It keeps nothing between calls.
type taxcomKassa struct{}

var (
	_ provider.ServicePreparer        = taxcomKassa{}
	_ provider.AuthorizationCodeGrant = taxcomKassa{}
	_ provider.Refresher              = taxcomKassa{}
)

// onlyScope is the one scope there is.
const onlyScope = "api"

// AuthCodeURL implements provider.AuthorizationCodeGrant. The vendor's page has
// redirect_url where RFC 6749 and IdentityServer3 have redirect_uri: both are
// sent.
func (taxcomKassa) AuthCodeURL(_ context.Context, req *provider.AuthCodeURLRequest) (*provider.AuthCodeURL, error) {
	e, err := endpointsOf(req.Service)
	if err != nil {
		return nil, err
	}
	address, err := oauth.WithQuery(e.authorize, url.Values{
		"response_type": {"code"}, "client_id": {req.Service.ClientID}, "scope": {onlyScope}, "state": {req.State},
		"redirect_url": {req.RedirectURI}, "redirect_uri": {req.RedirectURI},
	})
	if err != nil {
		return nil, err
	}
	return &provider.AuthCodeURL{URL: address}, nil
}

// Exchange implements provider.AuthorizationCodeGrant.
func (taxcomKassa) Exchange(ctx context.Context, req *provider.ExchangeRequest) (*provider.Token, error) {
	e, err := endpointsOf(req.Service)
	if err != nil {
		return nil, err
	}
	reply, err := oauth.Do(ctx, req.HTTP, oauth.TokenRequest{
		Endpoint: e.token,
		Form: url.Values{
			"grant_type": {"authorization_code"}, "code": {req.Code}, "redirect_uri": {req.RedirectURI},
		},
		Auth: clientAuthOf(req.Service), ClientID: req.Service.ClientID, ClientSecret: req.Service.ClientSecret, Now: req.Now,
	})
	if err != nil {
		return nil, err
	}
	inWordsOfOAuth(reply)
	token, err := reply.Token(oauth.Decode{ExpiresInUnit: unitOf(req.Service), Codes: exchangeCodes})
	if err != nil {
		return nil, explainClient(err)
	}
	return asAgreed(token, req.Service), nil
}

// clientAuthOf is the client authentication that was chosen. None of them
// percent-encodes: IdentityServer3 does not decode.
func clientAuthOf(svc provider.Service) oauth.ClientAuth {
	switch svc.Option(optionClientAuth) {
	case authRawBase64:
		return oauth.AuthRawBase64
	case authBody:
		return oauth.AuthPost
	}
	return oauth.AuthBasicRaw
}

// unitOf is what expires_in counts.
func unitOf(svc provider.Service) time.Duration {
	if svc.Option(optionExpiresInUnit) == unitMilliseconds {
		return time.Millisecond
	}
	return time.Second
}
