package oauth

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
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
	reply, err := p.userinfo(ctx, req, e)
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

// userinfo asks whose an access token is, in the service's own way if it has one.
func (p core) userinfo(ctx context.Context, req *provider.IdentifyRequest, e Endpoints) (*Reply, error) {
	own := p.c.Userinfo
	if own.standard() {
		return Get(ctx, req.Call, e.UserinfoURL, req.Current.AccessToken)
	}
	header := own.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if own.Form == nil && header.Get("Authorization") == "" {
		header.Set("Authorization", "Bearer "+req.Current.AccessToken)
	}
	return Do(ctx, req.HTTP, TokenRequest{
		Endpoint: e.UserinfoURL, Method: cmp.Or(own.Method, http.MethodGet), JSON: own.JSON, Form: own.Form, Header: header,
		ClientSecret: req.Current.AccessToken, // is kept out of errors; nothing else is done with it
		Auth:         AuthNone, Now: req.Now,
	})
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
		if s := text(r.at(path)); s != "" {
			return s
		}
	}
	return ""
}

// at returns the value at a path of names and of places in lists, such as
// "response.0.id"; nil if it is not there.
func (r *Reply) at(path string) any {
	var value any = r.Fields
	for name := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			n, err := strconv.Atoi(name)
			if err != nil || n < 0 || n >= len(v) {
				return nil
			}
			value = v[n]
		default:
			return nil
		}
	}
	return value
}
