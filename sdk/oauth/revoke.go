package oauth

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Revoke implements provider.Revoker by RFC 7009. It revokes the refresh token; for a
// grant without one, the access token.
func (p core) Revoke(ctx context.Context, req *provider.RevokeRequest) error {
	e, err := p.endpoints(req.Service)
	if err != nil {
		return err
	}
	if e.RevokeURL == "" {
		return provider.Errorf(provider.Blocked, "", "service %s has no revocation endpoint; withdraw the grant at the service itself", req.Service.Name)
	}
	form := url.Values{"token": {req.Current.RefreshToken}, "token_type_hint": {"refresh_token"}}
	if req.Current.RefreshToken == "" {
		form = url.Values{"token": {req.Current.AccessToken}, "token_type_hint": {"access_token"}}
	}
	request := p.request(req.Call, e, e.RevokeURL, form).sentBy(p.c.Revocation)
	if request.Header.Get("Authorization") != "" { // it proves itself otherwise: no client secret in an address
		request.Auth, request.ClientID = AuthNone, ""
	}
	reply, err := Do(ctx, req.HTTP, request)
	if err != nil {
		return err
	}
	return revoked(reply, p.c.Decode.Codes)
}

// revoked reads the reply of RFC 7009 section 2.2: any 200 without an error,
// mostly with an empty body, or 204. A token that is unknown there is gone.
func revoked(reply *Reply, codes map[string]provider.Kind) error {
	said := reply.errorFields()
	candidates := append(said.codes, said.weak...)
	if (reply.Status == http.StatusOK || reply.Status == http.StatusNoContent) && len(candidates) == 0 {
		return nil
	}
	if reply.Status < 500 && slices.ContainsFunc(candidates, func(c string) bool {
		return strings.EqualFold(c, "invalid_token") || strings.EqualFold(c, "invalid_grant")
	}) {
		return nil
	}
	return reply.Err(codes)
}
