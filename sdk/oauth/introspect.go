package oauth

import (
	"context"
	"net/url"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Introspect implements provider.Introspector by RFC 7662: it asks about the refresh token,
// or, for a grant without one, about the access token.
func (p core) Introspect(ctx context.Context, req *provider.IntrospectRequest) (*provider.Introspection, error) {
	e, err := p.endpoints(req.Service)
	if err != nil {
		return nil, err
	}
	if e.IntrospectURL == "" {
		return nil, provider.Errorf(provider.Blocked, "", "service %s has no introspection endpoint", req.Service.Name)
	}
	token, hint := req.Current.RefreshToken, "refresh_token"
	if token == "" {
		token, hint = req.Current.AccessToken, "access_token"
	}
	reply, err := Do(ctx, req.HTTP, p.request(req.Call, e, e.IntrospectURL, url.Values{"token": {token}, "token_type_hint": {hint}}))
	if err != nil {
		return nil, err
	}
	if err := reply.Err(p.c.Decode.Codes); err != nil {
		return nil, err
	}
	active, said := reply.Fields["active"].(bool)
	if !said {
		return nil, provider.Errorf(provider.Internal, "", "the service's introspection does not say whether the token is active")
	}
	return introspection(reply, req, hint, active), nil
}

func introspection(reply *Reply, req *provider.IntrospectRequest, hint string, active bool) *provider.Introspection {
	found, activity := &provider.Introspection{}, provider.Inactive
	if active {
		activity = provider.Active
	}
	life := seconds(reply.Fields["exp"])
	left := provider.Seconds(int64(life.Seconds()) - req.Now.Unix())
	if life == 0 || !active {
		left = nil
	}
	if hint == "refresh_token" {
		found.RefreshToken, found.RefreshExpiresIn = activity, left
	} else {
		found.AccessToken, found.ExpiresIn = activity, left
	}
	if scope, ok := reply.Fields["scope"].(string); ok {
		found.Scopes = strings.Fields(scope)
	}
	return found
}
