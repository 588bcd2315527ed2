package main

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// PrepareService implements provider.ServicePreparer: it checks the options,
// discovers the endpoints, and describes this one service.
func (anyService) PrepareService(ctx context.Context, req *provider.PrepareServiceRequest) (*provider.PreparedService, error) {
	svc := req.Service
	for _, option := range []string{optionParams, optionTokenParams, optionRefreshParams} {
		if _, err := furtherParams(svc, option); err != nil {
			return nil, err
		}
	}
	if svc.Option(optionRotation) == string(provider.RotationRotatesWithGrace) && graceOf(svc) <= 0 {
		return nil, wrongOption(optionGrace, "the time of grace is missing", remedyGrace)
	}
	m, err := discover(ctx, req.Call)
	if err != nil {
		return nil, err
	}
	if err := supports(m, svc); err != nil {
		return nil, err
	}
	found := endpoints{
		Issuer: m.Issuer, Authorization: m.AuthorizationEndpoint, Token: m.TokenEndpoint,
		Revocation: m.RevocationEndpoint, Userinfo: m.UserinfoEndpoint,
	}
	if svc.Option(optionIssuer) != "" {
		found.ClientAuth = m.ClientAuth()
	}
	e := found.under(svc)
	if err := e.check(svc); err != nil {
		return nil, err
	}
	data, err := json.Marshal(found)
	if err != nil {
		return nil, err
	}
	return &provider.PreparedService{Description: describe(svc, e, m), Data: data}, nil
}

// supports compares the administrator's choice with the server's metadata. A missing list
// is no contradiction: many servers omit them.
func supports(m *oauth.Metadata, svc provider.Service) error {
	if svc.Option(optionPKCE) != string(provider.PKCENone) && len(m.ChallengeMethods) > 0 && m.PKCE() == provider.PKCENone {
		return wrongOption(optionPKCE, "the server does not support PKCE with S256", remedyPKCE)
	}
	known := []string{string(oauth.AuthBasic), string(oauth.AuthPost), string(oauth.AuthNone)}
	if svc.Option(optionClientAuth) == "" && len(m.AuthMethods) > 0 &&
		!slices.ContainsFunc(m.AuthMethods, func(method string) bool { return slices.Contains(known, method) }) {
		return wrongOption(optionClientAuth, "the server has no way of client authentication that is served here", remedyClientAuth)
	}
	return nil
}

// describe fits the description to a service.
func describe(svc provider.Service, e endpoints, m *oauth.Metadata) *provider.Description {
	d := description
	d.Grants = served(svc, e)
	d.Issuer, d.IssuerSent = m.Issuer, m.Issuer != "" && m.IssParameter
	d.Hosts = e.hosts()
	d.PKCE = provider.PKCE(cmp.Or(svc.Option(optionPKCE), string(provider.PKCERequired)))
	d.Lifetimes.AccessToken = time.Duration(svc.Int(optionExpiresIn)) * time.Second
	d.ClientAuth = []provider.ClientAuth{
		{Grant: provider.GrantAuthorizationCode, Method: string(e.ClientAuth)},
		{Grant: provider.GrantRefresh, Method: string(e.ClientAuth)},
	}
	d.ScopeSeparator = separators[svc.Option(optionSeparator)]
	d.API.BaseURL = svc.Option(optionAPI)
	d.API.Prefix = cmp.Or(svc.Option(optionPrefix), "Bearer") + " "
	if scopes := catalogue(m.Scopes); len(scopes) > 0 {
		d.Scopes = scopes
	}
	d.Rotation = rotationOf(svc)
	d.RenewWindow.Kind = provider.RenewWindowKind(cmp.Or(svc.Option(optionWindow), string(provider.RenewBeforeExpiry)))
	d.Throttles = provider.Throttles(strings.TrimPrefix(svc.Option(optionThrottles), "unknown"))
	d.OneGrantPerAccount = svc.Bool(optionOneGrant)
	if svc.Option(optionRenew) == renewNone {
		d.AutoRenew = provider.AutoRenewNone
	}
	return &d
}

// served are the grants that work for this service.
func served(svc provider.Service, e endpoints) []provider.Grant {
	return slices.DeleteFunc(provider.GrantsOf(anyService{}), func(g provider.Grant) bool {
		return (g == provider.GrantRevoke && e.Revocation == "") || (g == provider.GrantIdentify && !identifiable(svc))
	})
}

// catalogue lists what the server supports, in its order.
func catalogue(supported []string) []provider.Scope {
	var scopes []provider.Scope
	for _, name := range supported {
		i := slices.IndexFunc(wellKnown, func(s provider.Scope) bool { return s.Name == name })
		if i >= 0 {
			scopes = append(scopes, wellKnown[i])
		} else if name != "" {
			scopes = append(scopes, provider.Scope{Name: name, Title: provider.Text{EN: name, RU: name}})
		}
	}
	return scopes
}
