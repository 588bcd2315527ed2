package definition

import (
	"context"
	"maps"
	"net/url"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Provider returns the provider that the document describes.
func (d *Definition) Provider() provider.Provider { return served{d} }

// served is the provider of a definition. Each operation has a standard provider of its
// own, whose placeholders are filled in.
type served struct{ d *Definition }

var (
	_ provider.Selective              = served{}
	_ provider.AuthorizationCodeGrant = served{}
	_ provider.Refresher              = served{}
	_ provider.ClientCredentialsGrant = served{}
	_ provider.DeviceGrant            = served{}
	_ provider.StaticGrant            = served{}
	_ provider.Revoker                = served{}
	_ provider.Identifier             = served{}
	_ provider.Introspector           = served{}
)

// standard is what sdk/oauth makes of a configuration.
type standard interface {
	provider.AuthorizationCodeGrant
	provider.Refresher
	provider.ClientCredentialsGrant
	provider.DeviceGrant
	provider.Revoker
	provider.Identifier
	provider.Introspector
}

// Serves implements provider.Selective.
func (p served) Serves(grant provider.Grant) bool {
	switch d := p.d; grant {
	case provider.GrantAuthorizationCode:
		return d.Authorization != nil
	case provider.GrantRefresh:
		return d.Renewal.Auto == string(provider.AutoRenewRefreshToken) && (d.Authorization != nil || d.Device != nil) || d.Token.RefreshForm != nil
	case provider.GrantClientCredentials:
		return d.ClientCredentials
	case provider.GrantDevice:
		return d.Device != nil
	case provider.GrantStatic:
		return d.StaticKey != nil
	case provider.GrantRevoke:
		return d.Revocation != nil
	case provider.GrantIdentify:
		return d.Userinfo != nil
	case provider.GrantIntrospect:
		return d.Introspection != nil
	}
	return false
}

// Describe implements provider.Provider.
func (p served) Describe(context.Context) (*provider.Description, error) { return p.d.Describe(), nil }

// AuthCodeURL implements provider.AuthorizationCodeGrant.
func (p served) AuthCodeURL(ctx context.Context, req *provider.AuthCodeURLRequest) (*provider.AuthCodeURL, error) {
	s, err := p.standard(values{call: req.Call, redirect: req.RedirectURI}, p.d.authorizationAddress)
	if err != nil {
		return nil, err
	}
	return s.AuthCodeURL(ctx, req)
}

// Exchange implements provider.AuthorizationCodeGrant.
func (p served) Exchange(ctx context.Context, req *provider.ExchangeRequest) (*provider.Token, error) {
	kept := p.kept(req.Params)
	s, err := p.standard(values{call: req.Call, callback: req.Params, redirect: req.RedirectURI, current: provider.Token{Private: kept}}, p.d.tokenAddress)
	if err != nil {
		return nil, err
	}
	token, err := s.Exchange(ctx, req)
	if err == nil && len(kept) > 0 {
		token.Private = with(kept, token.Private)
	}
	return token, err
}

// kept are the parameters of a callback that renewals need.
func (p served) kept(callback url.Values) map[string]any {
	kept := map[string]any{}
	if p.d.Authorization == nil {
		return kept
	}
	for name, parameter := range p.d.Authorization.Keep {
		if value := callback.Get(parameter); value != "" {
			kept[name] = value
		}
	}
	return kept
}

// with is a copy of base with more on top.
func with(base, more map[string]any) map[string]any {
	all := maps.Clone(base)
	maps.Copy(all, more)
	return all
}

// Refresh implements provider.Refresher. What was kept stays, unless the reply replaces it.
func (p served) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	s, err := p.standard(values{call: req.Call, current: req.Current, redirect: req.RedirectURI}, p.d.refreshAddress)
	if err != nil {
		return nil, err
	}
	token, err := s.Refresh(ctx, req)
	if err == nil && len(token.Private) > 0 {
		token.Private = with(req.Current.Private, token.Private)
	}
	return token, err
}

// ClientCredentials implements provider.ClientCredentialsGrant.
func (p served) ClientCredentials(ctx context.Context, req *provider.ClientCredentialsRequest) (*provider.Token, error) {
	s, err := p.standard(values{call: req.Call}, p.d.tokenAddress)
	if err != nil {
		return nil, err
	}
	return s.ClientCredentials(ctx, req)
}

// DeviceAuthorization implements provider.DeviceGrant.
func (p served) DeviceAuthorization(ctx context.Context, req *provider.DeviceAuthorizationRequest) (*provider.DeviceAuthorization, error) {
	s, err := p.standard(values{call: req.Call}, p.d.endpointAddress(p.d.Device, func(c *oauth.Config) *string { return &c.DeviceURL }))
	if err != nil {
		return nil, err
	}
	return s.DeviceAuthorization(ctx, req)
}

// DeviceToken implements provider.DeviceGrant.
func (p served) DeviceToken(ctx context.Context, req *provider.DeviceTokenRequest) (*provider.Token, error) {
	s, err := p.standard(values{call: req.Call}, p.d.tokenAddress)
	if err != nil {
		return nil, err
	}
	return s.DeviceToken(ctx, req)
}

// Revoke implements provider.Revoker.
func (p served) Revoke(ctx context.Context, req *provider.RevokeRequest) error {
	s, err := p.standard(values{call: req.Call, current: req.Current}, p.d.endpointAddress(p.d.Revocation, func(c *oauth.Config) *string { return &c.RevokeURL }))
	if err != nil {
		return err
	}
	return s.Revoke(ctx, req)
}

// Identify implements provider.Identifier.
func (p served) Identify(ctx context.Context, req *provider.IdentifyRequest) (*provider.Account, error) {
	s, err := p.standard(values{call: req.Call, current: req.Current}, p.d.endpointAddress(&p.d.Userinfo.Endpoint, func(c *oauth.Config) *string { return &c.UserinfoURL }))
	if err != nil {
		return nil, err
	}
	return s.Identify(ctx, req)
}

// Introspect implements provider.Introspector.
func (p served) Introspect(ctx context.Context, req *provider.IntrospectRequest) (*provider.Introspection, error) {
	s, err := p.standard(values{call: req.Call, current: req.Current}, p.d.endpointAddress(p.d.Introspection, func(c *oauth.Config) *string { return &c.IntrospectURL }))
	if err != nil {
		return nil, err
	}
	return s.Introspect(ctx, req)
}
