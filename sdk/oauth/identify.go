package oauth

import (
	"context"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Identify implements provider.Identifier over the userinfo endpoint.
func (p core) Identify(ctx context.Context, req *provider.IdentifyRequest) (*provider.Account, error) {
	e, err := p.endpoints(req.Service)
	if err != nil {
		return nil, err
	}
	if e.UserinfoURL == "" {
		return nil, provider.Errorf(provider.Blocked, "", "service %s has no userinfo endpoint", req.Service.Name)
	}
	reply, err := Get(ctx, req.Call, e.UserinfoURL, req.Current.AccessToken)
	if err != nil {
		return nil, err
	}
	if err := reply.Err(merged(resourceCodes, p.c.Decode.Codes)); err != nil {
		return nil, err
	}
	fields := p.c.Account
	account := &provider.Account{ID: reply.first(fields.ID, "sub"), Name: reply.first(fields.Name, "email", "preferred_username", "name")}
	if account.ID == "" {
		return nil, provider.Errorf(provider.Internal, "", "the service's userinfo does not say whose account it is")
	}
	return account, nil
}

// resourceCodes are errors of a resource (RFC 6750 section 3.1): they speak of
// the access token, which a renewal mends, and not of the grant.
var resourceCodes = map[string]provider.Kind{
	"invalid_token": provider.Transient, "expired_token": provider.Transient, "invalid_grant": provider.Transient,
}

// first returns the first of the fields that is there, of the defaults if none
// is named.
func (r *Reply) first(fields []string, defaults ...string) string {
	if len(fields) == 0 {
		fields = defaults
	}
	for _, path := range fields {
		var value any = r.Fields
		for name := range strings.SplitSeq(path, ".") {
			object, _ := value.(map[string]any)
			value = object[name]
		}
		if s := text(value); s != "" {
			return s
		}
	}
	return ""
}
