package main

import (
	"context"
	"net/url"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// standard is what sdk/oauth makes of the configuration below.
type standard interface {
	provider.Provider
	provider.ServicePreparer
	provider.AuthorizationCodeGrant
	provider.Refresher
	provider.Revoker
	provider.Identifier
}

// calendar is the provider google-calendar: the standard one, with Google's
// scopes and the meaning of its refusals.
type calendar struct{ standard }

func newProvider() provider.Provider {
	p, ok := oauth.New(oauth.Config{
		Description: description,
		AuthURL:     authURL, TokenURL: tokenURL, RevokeURL: revokeURL, UserinfoURL: userinfoURL,
		Auth:          oauth.AuthPost,
		AuthParams:    url.Values{"access_type": {"offline"}},
		ConsentParams: url.Values{"prompt": {"consent"}},
		Decode:        oauth.Decode{Codes: codes},
		Account:       oauth.Account{ID: []string{"sub"}, Name: []string{"email", "name"}},
		Resolve:       resolve,
		Prepare:       prepare,
	}).(standard)
	if !ok {
		panic("sdk/oauth serves less than its configuration asks for")
	}
	return calendar{p}
}

func resolve(svc provider.Service) (oauth.Endpoints, error) {
	e, err := endpoints(svc)
	if svc.Bool(optionInclude) {
		e.AuthParams = url.Values{"include_granted_scopes": {"true"}}
	}
	if svc.Bool(optionDPoP) {
		e.Keys.DPoP = dpopKey
	}
	return e, err
}

// AuthCodeURL implements provider.AuthorizationCodeGrant. It requests the sign-in scopes
// as well.
func (p calendar) AuthCodeURL(ctx context.Context, req *provider.AuthCodeURLRequest) (*provider.AuthCodeURL, error) {
	with := *req
	with.Service.Scopes = asked(req.Service)
	return p.standard.AuthCodeURL(ctx, &with)
}

// Exchange implements provider.AuthorizationCodeGrant. A reply without a refresh
// token is handed on as it is: the hub flags the grant.
func (p calendar) Exchange(ctx context.Context, req *provider.ExchangeRequest) (*provider.Token, error) {
	with, watch := *req, &watch{}
	with.HTTP = watch.client(req.HTTP)
	token, err := p.standard.Exchange(ctx, &with)
	if err != nil {
		return nil, explain(err, watch.subtype, ofExchange)
	}
	token.Scopes = asAsked(token.Scopes, req.Service)
	return token, nil
}

// Refresh implements provider.Refresher. Google's reply holds no refresh token:
// the old one stays in force.
func (p calendar) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	with, watch := *req, &watch{}
	with.HTTP = watch.client(req.HTTP)
	token, err := p.standard.Refresh(ctx, &with)
	if err != nil {
		return nil, explain(err, watch.subtype, ofRefresh(req.Service))
	}
	token.Scopes = asAsked(token.Scopes, req.Service)
	return token, nil
}

// Identify implements provider.Identifier. It makes no request that Google can
// only refuse.
func (p calendar) Identify(ctx context.Context, req *provider.IdentifyRequest) (*provider.Account, error) {
	granted := req.Current.Scopes
	if granted == nil {
		granted = asked(req.Service)
	}
	if !identifies(granted) {
		return nil, &provider.Error{
			Kind: provider.Blocked, Option: optionAccount,
			Message: "the grant does not say whose it is: neither openid nor userinfo.email was asked for",
			Remedy: provider.Text{
				EN: "Turn on “Ask for the account's e-mail” in the service's options, then authorize again.",
				RU: "Включите «Запрашивать адрес почты аккаунта» в параметрах сервиса и авторизуйтесь снова.",
			},
		}
	}
	return p.standard.Identify(ctx, req)
}
