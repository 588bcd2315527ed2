package providertest

import (
	"context"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// operation is one call of the contract. Its result is a *provider.Token, a
// *provider.Account, a *provider.Introspection, a *provider.DeviceAuthorization or nil.
type operation struct {
	grant provider.Grant
	name  string
	// token is set for operations that make one token request.
	token bool
	// once are the values that mark the token request. A request that carries one
	// of them is the token request.
	once []string
	run  func(ctx context.Context, relay providerplugin.Relay) (any, error)
}

// operations are those that the provider serves.
func (s *suite) operations() []operation {
	return s.operationsOn(s.client)
}

func (s *suite) operationsOn(client *providerplugin.Client) []operation {
	var served []operation
	for _, op := range []operation{
		s.exchange(client, s.exchangeRequest(codeSecret)),
		s.refresh(client, s.current),
		{
			grant: provider.GrantClientCredentials, name: "client_credentials", token: true,
			once: []string{s.service.ClientSecret, s.service.ClientID, signature},
			run: func(ctx context.Context, c providerplugin.Relay) (any, error) {
				return either(client.ClientCredentials(ctx, c, s.name, &provider.ClientCredentialsRequest{Call: s.call()}))
			},
		},
		{
			grant: provider.GrantAssertion, name: "assertion", token: true, once: []string{signature},
			run: func(ctx context.Context, c providerplugin.Relay) (any, error) {
				return either(client.Assertion(ctx, c, s.name, &provider.AssertionRequest{Call: s.call()}))
			},
		},
		{
			grant: provider.GrantLogin, name: "login", token: true, once: []string{password},
			run: func(ctx context.Context, c providerplugin.Relay) (any, error) {
				return either(client.Login(ctx, c, s.name, &provider.LoginRequest{Call: s.call(), Fields: s.fields(s.prepared.Login)}))
			},
		},
		{
			grant: provider.GrantStatic, name: "static", once: []string{password},
			run: func(ctx context.Context, c providerplugin.Relay) (any, error) {
				return either(client.Static(ctx, c, s.name, &provider.StaticRequest{Call: s.call(), Fields: s.fields(s.prepared.StaticKey.Fields)}))
			},
		},
		{
			grant: provider.GrantIntrospect, name: "introspect", once: []string{s.current.AccessToken, s.current.RefreshToken},
			run: func(ctx context.Context, c providerplugin.Relay) (any, error) {
				return either(client.Introspect(ctx, c, s.name, &provider.IntrospectRequest{Call: s.call(), Current: s.current}))
			},
		},
		{
			grant: provider.GrantDevice, name: "device_authorization",
			run: func(ctx context.Context, c providerplugin.Relay) (any, error) {
				return either(client.DeviceAuthorization(ctx, c, s.name, &provider.DeviceAuthorizationRequest{Call: s.call()}))
			},
		},
		{
			grant: provider.GrantDevice, name: "device_token", token: true, once: []string{deviceCode},
			run: func(ctx context.Context, c providerplugin.Relay) (any, error) {
				return either(client.DeviceToken(ctx, c, s.name, &provider.DeviceTokenRequest{Call: s.call(), DeviceCode: deviceCode}))
			},
		},
		{
			grant: provider.GrantRevoke, name: "revoke", once: []string{s.current.AccessToken, s.current.RefreshToken},
			run: func(ctx context.Context, c providerplugin.Relay) (any, error) {
				return nil, client.Revoke(ctx, c, s.name, &provider.RevokeRequest{Call: s.call(), Current: s.current})
			},
		},
		{
			grant: provider.GrantIdentify, name: "identify", once: []string{s.current.AccessToken},
			run: func(ctx context.Context, c providerplugin.Relay) (any, error) {
				return either(client.Identify(ctx, c, s.name, &provider.IdentifyRequest{Call: s.call(), Current: s.current}))
			},
		},
	} {
		if s.serves(op.grant) && s.offers(op.grant) {
			served = append(served, op)
		}
	}
	return served
}

// replayed are all operations that the provider serves, those before a grant as well.
func (s *suite) replayed(client *providerplugin.Client) []operation {
	all := s.operationsOn(client)
	if s.serves(provider.GrantPrepareService) {
		all = append(all, operation{
			grant: provider.GrantPrepareService, name: "prepare_service",
			run: func(ctx context.Context, c providerplugin.Relay) (any, error) {
				return either(client.PrepareService(ctx, c, s.name, &provider.PrepareServiceRequest{Call: s.call()}))
			},
		})
	}
	if s.serves(provider.GrantAuthorizationCode) {
		all = append(all, operation{
			grant: provider.GrantAuthorizationCode, name: "authorization_address",
			run: func(ctx context.Context, c providerplugin.Relay) (any, error) {
				return either(client.AuthCodeURL(ctx, c, s.name, &provider.AuthCodeURLRequest{Call: s.call(), State: "state", RedirectURI: redirectURI, CodeChallenge: "challenge"}))
			},
		})
	}
	return all
}

func (s *suite) exchange(client *providerplugin.Client, req *provider.ExchangeRequest) operation {
	return operation{
		grant: provider.GrantAuthorizationCode, name: "exchange", token: true, once: []string{req.Code},
		run: func(ctx context.Context, c providerplugin.Relay) (any, error) {
			return either(client.Exchange(ctx, c, s.name, req))
		},
	}
}

func (s *suite) refresh(client *providerplugin.Client, current provider.Token) operation {
	once := []string{current.RefreshToken}
	switch s.prepared.AutoRenew {
	case provider.AutoRenewRefreshToken:
	case provider.AutoRenewReissue:
		once = []string{s.service.ClientSecret, s.service.ClientID}
	default: // prolongs by the access token
		once = append(once, current.AccessToken)
	}
	return operation{
		grant: provider.GrantRefresh, name: "refresh", token: true, once: once,
		run: func(ctx context.Context, c providerplugin.Relay) (any, error) {
			return either(client.Refresh(ctx, c, s.name, &provider.RefreshRequest{Call: s.call(), Current: current, RedirectURI: redirectURI}))
		},
	}
}

// tokenOperations are those that make one token request.
func (s *suite) tokenOperations() []operation {
	var token []operation
	for _, op := range s.operations() {
		if op.token {
			token = append(token, op)
		}
	}
	return token
}

// either keeps a nil pointer from becoming a result that is not nil.
func either[T any](result *T, err error) (any, error) {
	if result == nil {
		return nil, err
	}
	return result, err
}
