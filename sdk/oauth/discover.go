package oauth

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Metadata is the metadata of an authorization server (RFC 8414 and OpenID Connect
// Discovery). Missing fields are empty.
type Metadata struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	RevocationEndpoint    string `json:"revocation_endpoint"`
	UserinfoEndpoint      string `json:"userinfo_endpoint"`
	DeviceEndpoint        string `json:"device_authorization_endpoint"`
	IntrospectionEndpoint string `json:"introspection_endpoint"`
	PushedEndpoint        string `json:"pushed_authorization_request_endpoint"`
	// PushRequired is set if authorization requests have to be pushed (RFC 9126 section 5).
	PushRequired     bool     `json:"require_pushed_authorization_requests"`
	Scopes           []string `json:"scopes_supported"`
	GrantTypes       []string `json:"grant_types_supported"`
	AuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	ChallengeMethods []string `json:"code_challenge_methods_supported"`
	// IssParameter is set if callbacks have the parameter iss (RFC 9207).
	IssParameter bool `json:"authorization_response_iss_parameter_supported"`
}

// Endpoints are the addresses of m for a Config.
func (m *Metadata) Endpoints() Endpoints {
	e := Endpoints{
		AuthURL: m.AuthorizationEndpoint, TokenURL: m.TokenEndpoint,
		RevokeURL: m.RevocationEndpoint, UserinfoURL: m.UserinfoEndpoint, Auth: m.ClientAuth(),
		DeviceURL: m.DeviceEndpoint, IntrospectURL: m.IntrospectionEndpoint,
	}
	if m.PushRequired {
		e.PushedURL = m.PushedEndpoint
	}
	return e
}

// ClientAuth picks a way of client authentication that m supports. A server that
// names none takes HTTP Basic (RFC 8414 section 2).
func (m *Metadata) ClientAuth() ClientAuth {
	for _, auth := range []ClientAuth{AuthBasic, AuthPost, AuthPrivateKeyJWT, AuthSelfSignedTLS, AuthNone} {
		if slices.Contains(m.AuthMethods, string(auth)) {
			return auth
		}
	}
	return AuthBasic
}

// PKCE reports whether m supports S256.
func (m *Metadata) PKCE() provider.PKCE {
	if slices.Contains(m.ChallengeMethods, "S256") {
		return provider.PKCES256
	}
	return provider.PKCENone
}

// Discover gets the metadata of an issuer: at the location of OpenID Connect, and if
// there is none, at that of RFC 8414. A provider.ServicePreparer calls it. An issuer
// without metadata, or with another issuer's, is a Blocked error: the operator entered a
// wrong address.
func Discover(ctx context.Context, call provider.Call, issuer string) (*Metadata, error) {
	issuer = strings.TrimSuffix(strings.TrimSpace(issuer), "/")
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return nil, errAddress(issuer)
	}
	reply, err := getMetadata(ctx, call, issuer+"/.well-known/openid-configuration")
	if err != nil {
		return nil, err
	}
	if reply.Status == http.StatusNotFound {
		path := u.Path
		u.Path, u.RawPath = "/.well-known/oauth-authorization-server"+path, ""
		if reply, err = getMetadata(ctx, call, u.String()); err != nil {
			return nil, err
		}
	}
	return readMetadata(reply, issuer)
}

// tenantNames are what an address of many tenants has in place of one's own.
var tenantNames = []string{"common", "organizations", "consumers"}

// Fits reports whether the metadata may be those of the issuer that was asked for: the
// same one, or, where one address serves many tenants, one of the same host that differs
// in nothing but the tenant, as Microsoft publishes
// https://login.microsoftonline.com/{tenantid}/v2.0 for …/common/v2.0.
func (m *Metadata) Fits(asked string) bool {
	published, asked := strings.TrimSuffix(m.Issuer, "/"), strings.TrimSuffix(asked, "/")
	if published == asked {
		return true
	}
	theirs, ours := strings.Split(published, "/"), strings.Split(asked, "/")
	if len(theirs) != len(ours) || len(ours) < 4 || !slices.Equal(theirs[:3], ours[:3]) {
		return false
	}
	many := false
	for i := 3; i < len(ours); i++ {
		if theirs[i] == ours[i] {
			continue
		}
		if many || !slices.Contains(tenantNames, ours[i]) && !strings.EqualFold(theirs[i], "{tenantid}") {
			return false
		}
		many = true
	}
	return many
}

func getMetadata(ctx context.Context, call provider.Call, address string) (*Reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errAddress(address)
	}
	req.Header.Set("Accept", "application/json")
	return send(call.HTTP, req, call.Now, []string{call.Service.ClientSecret})
}

// readMetadata makes the checks of RFC 8414 section 3.3: metadata of another issuer are
// an attack or a mistake.
func readMetadata(reply *Reply, issuer string) (*Metadata, error) {
	if passing(reply.Status) {
		return nil, reply.Err(nil)
	}
	if reply.Status != http.StatusOK || reply.Fields == nil {
		return nil, reply.fail(provider.Blocked, "", "%q publishes no metadata (status %d); check the issuer, or enter the endpoints by hand", issuer, reply.Status)
	}
	m := &Metadata{}
	if err := json.Unmarshal(reply.Body, m); err != nil {
		return nil, reply.fail(provider.Blocked, "", "the metadata of %q cannot be read", issuer)
	}
	switch {
	case !m.Fits(issuer):
		return nil, reply.fail(provider.Blocked, "", "the metadata at %q belongs to another issuer, %q; enter that one", issuer, quote(m.Issuer, reply.secrets))
	case m.AuthorizationEndpoint == "" || m.TokenEndpoint == "":
		return nil, reply.fail(provider.Blocked, "", "the metadata of %q names no authorization or token endpoint", issuer)
	}
	return m, nil
}
