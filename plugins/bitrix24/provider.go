package main

import (
	"context"
	"net/http"
	"net/url"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// bitrix24 is the provider. It keeps nothing between calls.
type bitrix24 struct{}

var (
	_ provider.ServicePreparer        = bitrix24{}
	_ provider.AuthorizationCodeGrant = bitrix24{}
	_ provider.Refresher              = bitrix24{}
	_ provider.Identifier             = bitrix24{}
)

// AuthCodeURL implements provider.AuthorizationCodeGrant. The portal reads no
// other parameter than these two.
func (bitrix24) AuthCodeURL(_ context.Context, req *provider.AuthCodeURLRequest) (*provider.AuthCodeURL, error) {
	portal, err := portalOf(req.Service)
	if err != nil {
		return nil, err
	}
	address, err := oauth.WithQuery(portal+"/oauth/authorize/", url.Values{
		"client_id": {req.Service.ClientID}, "state": {req.State},
	})
	if err != nil {
		return nil, err
	}
	return &provider.AuthCodeURL{URL: address}, nil
}

// Exchange implements provider.AuthorizationCodeGrant. A code that was pasted
// without the rest of its address is exchanged as well.
func (bitrix24) Exchange(ctx context.Context, req *provider.ExchangeRequest) (*provider.Token, error) {
	server, err := serverOfCallback(req.Service, req.Params)
	if err != nil {
		return nil, err
	}
	token, err := request(ctx, req.Call, server, url.Values{"grant_type": {"authorization_code"}, "code": {req.Code}})
	if err != nil {
		return nil, explain(err, spentCode)
	}
	fromCallback(token, req.Params)
	return token, nil
}

// Refresh implements provider.Refresher.
func (bitrix24) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	if req.Current.RefreshToken == "" {
		return nil, provider.Errorf(provider.ReauthorizationRequired, "", "the grant has no refresh token; a person must authorize again")
	}
	server, err := serverOfToken(req.Service, req.Current)
	if err != nil {
		return nil, err
	}
	token, err := request(ctx, req.Call, server, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {req.Current.RefreshToken}})
	if err != nil {
		return nil, explain(err, spentRefreshToken)
	}
	return token, nil
}

// request makes one token request to a server.
func request(ctx context.Context, call provider.Call, server string, form url.Values) (*provider.Token, error) {
	method := http.MethodPost
	if call.Service.Option(optionTokenMethod) == tokenByGet {
		method = http.MethodGet
	}
	reply, err := oauth.Do(ctx, call.HTTP, oauth.TokenRequest{
		Endpoint: server + "/oauth/token/", Method: method, Form: form, Auth: oauth.AuthPost,
		ClientID: call.Service.ClientID, ClientSecret: call.Service.ClientSecret, Now: call.Now,
	})
	if err != nil {
		return nil, err
	}
	return readToken(reply, call.Now, server)
}
