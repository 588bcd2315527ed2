package oauth

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// core is every provider of New. Which of its grants are served is the Config's.
type core struct {
	c Config
	// dpop replaces the key that proves possession: a renewal uses the one that its
	// refresh token is bound to.
	dpop *string
}

// privateDPoP is the field of Token.Private that names the key which the refresh token is
// bound to.
const privateDPoP = "dpop_key"

// endpoints are those of a service.
func (p core) endpoints(svc provider.Service) (Endpoints, error) {
	e, err := p.c.endpoints(svc)
	if p.dpop != nil {
		e.Keys.DPoP = *p.dpop
	}
	return e, err
}

// boundTo is p for a renewal: a grant from before the service's refresh tokens were bound
// is renewed without a proof, and a bound one with it, whatever the options say now.
func (p core) boundTo(current provider.Token) core {
	name, _ := current.Private[privateDPoP].(string)
	p.dpop = &name
	return p
}

// noteKey notes the key that an authorization's refresh token is bound to.
func (p core) noteKey(svc provider.Service, token *provider.Token, err error) (*provider.Token, error) {
	if e, endpointsErr := p.endpoints(svc); err == nil && endpointsErr == nil && e.Keys.DPoP != "" {
		token.Private = merged(token.Private, map[string]any{privateDPoP: e.Keys.DPoP})
	}
	return token, err
}

// Serves implements provider.Selective.
func (p core) Serves(grant provider.Grant) bool {
	switch grant {
	case provider.GrantAuthorizationCode:
		return p.c.AuthURL != "" || p.c.Resolve != nil
	case provider.GrantRefresh:
		return p.Serves(provider.GrantAuthorizationCode) || p.Serves(provider.GrantDevice) || slices.Contains(p.c.Grants, grant)
	case provider.GrantRevoke:
		return p.c.RevokeURL != "" || slices.Contains(p.c.Grants, grant)
	case provider.GrantIdentify:
		return p.c.UserinfoURL != "" || slices.Contains(p.c.Grants, grant)
	case provider.GrantDevice:
		return p.c.DeviceURL != "" || slices.Contains(p.c.Grants, grant)
	case provider.GrantIntrospect:
		return p.c.IntrospectURL != "" || slices.Contains(p.c.Grants, grant)
	case provider.GrantAssertion:
		return p.c.Assertion != nil
	case provider.GrantPrepareService:
		return p.c.Prepare != nil
	default:
		return slices.Contains(p.c.Grants, grant)
	}
}

// Describe implements provider.Provider.
func (p core) Describe(context.Context) (*provider.Description, error) {
	d := p.c.Description
	d.AutoRenew = cmp.Or(d.AutoRenew, provider.AutoRenewRefreshToken)
	d.PKCE = cmp.Or(d.PKCE, provider.PKCENone)
	if d.ClientAuth == nil {
		method := string(cmp.Or(p.c.Auth, AuthPost))
		d.ClientAuth = []provider.ClientAuth{
			{Grant: provider.GrantAuthorizationCode, Method: method}, {Grant: provider.GrantRefresh, Method: method},
		}
	}
	return &d, nil
}

// AuthCodeURL implements provider.AuthorizationCodeGrant.
func (p core) AuthCodeURL(ctx context.Context, req *provider.AuthCodeURLRequest) (*provider.AuthCodeURL, error) {
	e, err := p.endpoints(req.Service)
	if err != nil {
		return nil, err
	}
	params := merged(e.AuthParams, url.Values{
		"response_type": {"code"}, "client_id": {req.Service.ClientID},
		"redirect_uri": {req.RedirectURI}, "state": {req.State},
	})
	if scope := p.scope(req.Service); scope != "" {
		params.Set("scope", scope)
	}
	if req.CodeChallenge != "" {
		params.Set("code_challenge", req.CodeChallenge)
		params.Set("code_challenge_method", "S256")
	}
	if req.Nonce != "" && slices.Contains(req.Service.Scopes, "openid") {
		params.Set("nonce", req.Nonce)
	}
	if req.LoginHint != "" && !params.Has("login_hint") {
		params.Set("login_hint", req.LoginHint)
	}
	if req.ForceConsent {
		maps.Copy(params, p.c.ConsentParams)
	}
	if len(e.Resources) > 0 {
		params["resource"] = e.Resources
	}
	if e.PushedURL != "" {
		if params, err = p.push(ctx, req.Call, e, params); err != nil {
			return nil, err
		}
	}
	address, err := WithQuery(e.AuthURL, renamed(params, p.c.Rename))
	if err != nil {
		return nil, err
	}
	return &provider.AuthCodeURL{URL: address}, nil
}

// Exchange implements provider.AuthorizationCodeGrant.
func (p core) Exchange(ctx context.Context, req *provider.ExchangeRequest) (*provider.Token, error) {
	token, err := p.token(ctx, req.Call, url.Values{
		"grant_type": {"authorization_code"}, "code": {req.Code},
		"redirect_uri": {req.RedirectURI}, "code_verifier": {req.CodeVerifier},
	}, func(e Endpoints) (*Reply, error) { return standardExchange(ctx, e, req) })
	if err != nil {
		return nil, err
	}
	if !nonceFits(token.IDToken, req.Nonce) {
		return nil, provider.Errorf(provider.Denied, "nonce_mismatch", "the service's ID token belongs to another authorization; start again")
	}
	return p.noteKey(req.Service, token, nil)
}

// Refresh implements provider.Refresher.
func (p core) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	if form := p.c.RefreshForm; form != nil {
		return p.boundTo(req.Current).token(ctx, req.Call, form, nil)
	}
	if req.Current.RefreshToken == "" {
		return nil, provider.Errorf(provider.ReauthorizationRequired, "", "the service gave no refresh token; a person must authorize again")
	}
	return p.boundTo(req.Current).token(ctx, req.Call, url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {req.Current.RefreshToken},
	}, func(e Endpoints) (*Reply, error) { return standardRefresh(ctx, e, req) })
}

// token makes one token request: the standard one, or over Do with form where
// golang.org/x/oauth2 does not know the client authentication.
func (p core) token(ctx context.Context, call provider.Call, form url.Values, standard func(Endpoints) (*Reply, error)) (*provider.Token, error) {
	e, err := p.endpoints(call.Service)
	if err != nil {
		return nil, err
	}
	if _, err := WithQuery(e.TokenURL, nil); err != nil {
		return nil, err
	}
	more := p.c.TokenParams
	if form.Get("grant_type") == "refresh_token" {
		more = merged(more, p.c.RefreshParams)
	}
	if len(e.Resources) > 0 {
		more = merged(more, url.Values{"resource": e.Resources})
	}
	var reply *Reply
	if _, ok := authStyles[e.Auth]; ok && standard != nil && len(more) == 0 && len(p.c.Rename) == 0 && e.Keys.DPoP == "" && p.c.Send.standard() {
		reply, err = standard(e)
	} else {
		form = merged(more, form)
		maps.DeleteFunc(form, func(_ string, v []string) bool { return v[0] == "" })
		reply, err = Do(ctx, call.HTTP, p.request(call, e, e.TokenURL, form).sentBy(p.c.Send))
	}
	if err != nil {
		return nil, err
	}
	decode := p.c.Decode
	decode.ScopeSeparator = cmp.Or(decode.ScopeSeparator, p.c.Description.ScopeSeparator)
	return reply.Token(decode)
}

// request is a request to one of the service's endpoints with client authentication.
func (p core) request(call provider.Call, e Endpoints, endpoint string, form url.Values) TokenRequest {
	return TokenRequest{
		Endpoint: endpoint, Form: form, Auth: e.Auth, Now: call.Now, Rename: p.c.Rename,
		ClientID: call.Service.ClientID, ClientSecret: e.secret(call.Service), Signer: call.Keys, Keys: e.Keys,
	}
}

// scope joins the scopes that the administrator chose.
func (p core) scope(svc provider.Service) string {
	if p.c.Description.ScopesFixed {
		return ""
	}
	return strings.Join(svc.Scopes, cmp.Or(p.c.Description.ScopeSeparator, " "))
}

// ClientCredentials implements provider.ClientCredentialsGrant.
func (p core) ClientCredentials(ctx context.Context, req *provider.ClientCredentialsRequest) (*provider.Token, error) {
	if form := p.c.ClientCredentialsForm; form != nil {
		return p.token(ctx, req.Call, form, nil)
	}
	scope := p.scope(req.Service)
	return p.token(ctx, req.Call, url.Values{"grant_type": {"client_credentials"}, "scope": {scope}},
		func(e Endpoints) (*Reply, error) { return standardClientCredentials(ctx, e, req, scope) })
}

// PrepareService implements provider.ServicePreparer.
func (p core) PrepareService(ctx context.Context, req *provider.PrepareServiceRequest) (*provider.PreparedService, error) {
	return p.c.Prepare(ctx, req)
}

// nonceFits compares the nonce claim of an ID token with the expected one (OpenID Connect
// Core section 3.1.3.7). The token came from the token endpoint itself, so TLS replaces
// the check of its signature. A missing claim is accepted.
func nonceFits(idToken, nonce string) bool {
	parts := strings.Split(idToken, ".")
	if nonce == "" || len(parts) != 3 {
		return true
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return true
	}
	var claims struct {
		Nonce string `json:"nonce"`
	}
	return json.Unmarshal(payload, &claims) != nil || claims.Nonce == "" || claims.Nonce == nonce
}

// merged is a copy of base with over on top.
func merged[M ~map[string]V, V any](base, over M) M {
	m := make(M, len(base)+len(over))
	maps.Copy(m, base)
	maps.Copy(m, over)
	return m
}
