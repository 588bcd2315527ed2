package main

import (
	"cmp"
	"context"
	"net/url"
	"slices"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// anyService is the provider oauth2. Every service is a standard provider of its
// own, made for the length of an operation.
type anyService struct{}

// standard is what sdk/oauth makes of a service.
type standard interface {
	provider.AuthorizationCodeGrant
	provider.Refresher
	provider.Revoker
	provider.Identifier
}

// standardFor is the provider of one service, and where that is.
func standardFor(svc provider.Service) (standard, endpoints, error) {
	e, err := endpointsOf(svc)
	if err != nil {
		return nil, e, err
	}
	params, err := authorizeParams(svc)
	if err != nil {
		return nil, e, err
	}
	tokenParams, err := furtherParams(svc, optionTokenParams)
	if err != nil {
		return nil, e, err
	}
	refreshParams, err := furtherParams(svc, optionRefreshParams)
	if err != nil {
		return nil, e, err
	}
	config := oauth.Config{
		Description: provider.Description{ScopeSeparator: separators[svc.Option(optionSeparator)]},
		AuthURL:     e.Authorization, TokenURL: e.Token, RevokeURL: e.Revocation, UserinfoURL: e.Userinfo,
		Auth:       e.ClientAuth,
		AuthParams: params, TokenParams: tokenParams, RefreshParams: refreshParams,
		Account: oauth.Account{ID: []string{cmp.Or(svc.Option(optionAccountID), "sub")}, Name: accountNames(svc)},
		Grants:  []provider.Grant{provider.GrantRevoke, provider.GrantIdentify},
	}
	if slices.Contains(svc.Scopes, "openid") && !params.Has("prompt") { // what the administrator wrote wins
		// OpenID Connect Core section 11: offline_access is granted with it only.
		config.ConsentParams = url.Values{"prompt": {"consent"}}
	}
	s, ok := oauth.New(config).(standard)
	if !ok {
		return nil, e, provider.Errorf(provider.Internal, "", "sdk/oauth serves less than its configuration asks for")
	}
	return s, e, nil
}

// Describe implements provider.Provider.
func (anyService) Describe(context.Context) (*provider.Description, error) {
	d := description
	return &d, nil
}

// AuthCodeURL implements provider.AuthorizationCodeGrant.
func (anyService) AuthCodeURL(ctx context.Context, req *provider.AuthCodeURLRequest) (*provider.AuthCodeURL, error) {
	s, _, err := standardFor(req.Service)
	if err != nil {
		return nil, err
	}
	if req.Service.Option(optionLoginHint) == hintNone {
		with := *req
		with.LoginHint = ""
		req = &with
	}
	return s.AuthCodeURL(ctx, req)
}

// Exchange implements provider.AuthorizationCodeGrant.
func (anyService) Exchange(ctx context.Context, req *provider.ExchangeRequest) (*provider.Token, error) {
	s, _, err := standardFor(req.Service)
	if err != nil {
		return nil, err
	}
	token, err := s.Exchange(ctx, req)
	return token, explained(err)
}

// Refresh implements provider.Refresher.
func (anyService) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	s, _, err := standardFor(req.Service)
	if err != nil {
		return nil, err
	}
	token, err := s.Refresh(ctx, req)
	return token, explained(err)
}

// Revoke implements provider.Revoker.
func (anyService) Revoke(ctx context.Context, req *provider.RevokeRequest) error {
	s, _, err := standardFor(req.Service)
	if err != nil {
		return err
	}
	return s.Revoke(ctx, req)
}
