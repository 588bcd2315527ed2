package oauth

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// ClientAuth is how the client proves itself at the token endpoint. The first
// three values are OpenID Connect's token_endpoint_auth_method.
type ClientAuth string

// The ways of client authentication. The empty value is AuthPost.
const (
	// AuthNone sends client_id in the form and no secret: a public client.
	AuthNone ClientAuth = "none"
	// AuthPost sends client_id and client_secret in the form.
	AuthPost ClientAuth = "client_secret_post"
	// AuthBasic sends both percent-encoded by HTTP Basic (RFC 6749 section 2.3.1).
	AuthBasic ClientAuth = "client_secret_basic"
	// AuthBasicRaw is AuthBasic without percent-encoding, for servers that do
	// not decode.
	AuthBasicRaw ClientAuth = "client_secret_basic_raw"
	// AuthRawBase64 is AuthBasicRaw without the scheme name Basic.
	AuthRawBase64 ClientAuth = "authorization_base64"
	// AuthQuery sends client_id and client_secret in the address, whatever the
	// method.
	AuthQuery ClientAuth = "client_secret_query"
	// AuthPrivateKeyJWT sends an assertion that a key of the hub has signed (RFC 7523
	// section 2.2).
	AuthPrivateKeyJWT ClientAuth = "private_key_jwt"
	// AuthSecretJWT sends an assertion that is signed by the client secret.
	AuthSecretJWT ClientAuth = "client_secret_jwt"
	// AuthTLS sends client_id and presents a certificate of a certification authority (RFC
	// 8705 section 2.1), AuthSelfSignedTLS one that the service knows (section 2.2).
	AuthTLS           ClientAuth = "tls_client_auth"
	AuthSelfSignedTLS ClientAuth = "self_signed_tls_client_auth"
)

// NeedsSecret reports whether the client secret proves the client.
func (a ClientAuth) NeedsSecret() bool {
	switch a {
	case AuthNone, AuthPrivateKeyJWT, AuthTLS, AuthSelfSignedTLS:
		return false
	}
	return true
}

// The names that keys have unless ClientKeys says otherwise.
const (
	DefaultSignatureKey   = "client-key"
	DefaultCertificateKey = "client-certificate"
)

// ClientKeys are the keys of the hub that requests use, by name.
type ClientKeys struct {
	// Signature signs the assertion of AuthPrivateKeyJWT; "" is DefaultSignatureKey.
	Signature string
	// Certificate is presented with AuthTLS and AuthSelfSignedTLS; "" is
	// DefaultCertificateKey.
	Certificate string
	// DPoP proves possession in token requests, whatever the authentication; "" for none.
	DPoP string
	// Audience is the aud of assertions; "" is the endpoint's address.
	Audience string
}

// TokenRequest is one request to a token endpoint, or to another endpoint that requires
// client authentication.
type TokenRequest struct {
	// Endpoint is the absolute address; a query that it has is kept.
	Endpoint string
	// Method is POST, the default, PUT, or GET or DELETE, which send Form in the address.
	Method string
	// Form holds the parameters without those of client authentication.
	Form url.Values
	// Auth determines where ClientID and ClientSecret are sent. AuthNone sends a
	// non-empty ClientID in the form.
	Auth         ClientAuth
	ClientID     string
	ClientSecret string
	// Header is added to the request's own.
	Header http.Header
	// Rename holds the service's own names of parameters, as Config.Rename.
	Rename map[string]string
	// JSON sends Form as a JSON object of strings instead of a form.
	JSON bool
	// Now is Call.Now, for a Retry-After that is a date.
	Now time.Time
	// Signer is Call.Keys, for an Auth that signs, and Keys names what it and the hub use.
	Signer provider.Signer
	Keys   ClientKeys
}

// Do sends exactly one request: no retry, no redirect, no second way of client
// authentication. The error, if there is no reply, is a *provider.Error of kind
// Transient that wraps the end of ctx if that was the cause; one of kind
// Internal is a request that cannot be built. A reply of any status is a Reply.
func Do(ctx context.Context, client *http.Client, req TokenRequest) (*Reply, error) {
	assertion, err := req.assertion(ctx)
	if err != nil {
		return nil, err
	}
	if assertion != "" {
		req.Form = merged(req.Form, url.Values{"client_assertion_type": {assertionType}, "client_assertion": {assertion}})
	}
	httpReq, err := req.build(req.withKeys(ctx))
	if err != nil {
		return nil, err
	}
	reply, err := send(client, httpReq, req.Now, req.secrets())
	if err != nil {
		return nil, err
	}
	reply.clientSecret = req.ClientSecret
	return reply, nil
}

func (req TokenRequest) build(ctx context.Context) (*http.Request, error) {
	method := req.Method
	if method == "" {
		method = http.MethodPost
	}
	form, query := maps.Clone(req.Form), url.Values{}
	if form == nil {
		form = url.Values{}
	}
	header, err := req.authenticate(form, query)
	if err != nil {
		return nil, err
	}
	form, query = renamed(form, req.Rename), renamed(query, req.Rename)
	var body io.Reader
	switch {
	case method == http.MethodGet || method == http.MethodDelete:
		maps.Copy(query, form)
	case method != http.MethodPost && method != http.MethodPut:
		return nil, provider.Errorf(provider.Internal, "", "a token request is sent by POST, PUT, GET or DELETE, not by %s", method)
	case req.JSON:
		header.Set("Content-Type", "application/json")
		body = bytes.NewReader(jsonForm(form))
	default:
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		body = strings.NewReader(form.Encode())
	}
	address, err := WithQuery(req.Endpoint, query)
	if err != nil {
		return nil, err
	}
	httpReq, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, errAddress(req.Endpoint)
	}
	httpReq.Header = header
	return httpReq, nil
}

// sentBy is the request sent in a service's own way.
func (req TokenRequest) sentBy(s Send) TokenRequest {
	req.Method, req.JSON, req.Header = s.Method, s.JSON, s.Header
	if s.Form != nil {
		req.Form = s.Form
	}
	return req
}

// authenticate places the client's credentials and returns the header.
func (req TokenRequest) authenticate(form, query url.Values) (http.Header, error) {
	header := req.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if header.Get("Accept") == "" {
		header.Set("Accept", "application/json")
	}
	pair := base64.StdEncoding.EncodeToString([]byte(req.ClientID + ":" + req.ClientSecret))
	switch req.Auth {
	case AuthNone, AuthTLS, AuthSelfSignedTLS, AuthPrivateKeyJWT, AuthSecretJWT:
		if req.ClientID != "" {
			form.Set("client_id", req.ClientID)
		}
	case AuthPost, "":
		form.Set("client_id", req.ClientID)
		if req.ClientSecret != "" {
			form.Set("client_secret", req.ClientSecret)
		}
	case AuthBasic:
		encoded := url.QueryEscape(req.ClientID) + ":" + url.QueryEscape(req.ClientSecret)
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(encoded)))
	case AuthBasicRaw:
		header.Set("Authorization", "Basic "+pair)
	case AuthRawBase64:
		header.Set("Authorization", pair)
	case AuthQuery:
		query.Set("client_id", req.ClientID)
		query.Set("client_secret", req.ClientSecret)
	default:
		return nil, provider.Errorf(provider.Internal, "", "there is no client authentication %q", req.Auth)
	}
	return header, nil
}

// renamed gives parameters the names that a service has for them.
func renamed(params url.Values, names map[string]string) url.Values {
	if len(names) == 0 {
		return params
	}
	other := make(url.Values, len(params))
	for name, values := range params {
		other[cmp.Or(names[name], name)] = values
	}
	return other
}

// jsonForm writes a form as an object; of repeated parameters the first counts.
func jsonForm(form url.Values) []byte {
	object := make(map[string]string, len(form))
	for name := range form {
		object[name] = form.Get(name)
	}
	body, _ := json.Marshal(object) // strings always encode
	return body
}

// WithQuery adds parameters to an address and keeps those it has. A parameter
// that is in both is replaced.
func WithQuery(address string, params url.Values) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "", errAddress(address)
	}
	if len(params) == 0 {
		return u.String(), nil
	}
	query := u.Query()
	maps.Copy(query, params)
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// errAddress names an address that cannot be used, without its query, which
// may hold a secret.
func errAddress(address string) *provider.Error {
	address, _, _ = strings.Cut(address, "?")
	return provider.Errorf(provider.Blocked, "", "%q is not an address that starts with https:// or http://; correct the service's options", trim(address, maxQuote))
}

// publicParams are those whose values may be quoted; all others are secrets.
var publicParams = []string{
	"audience", "client_assertion_type", "client_id", "grant_type", "redirect_uri", "redirect_url", "resource", "response_type",
	"scope", "token_type_hint", "username",
}

// secrets are the values of the request that no error may show.
func (req TokenRequest) secrets() []string {
	secrets := []string{req.ClientSecret}
	if req.ClientSecret != "" {
		secrets = append(secrets, req.ClientID+":"+req.ClientSecret,
			url.QueryEscape(req.ClientID)+":"+url.QueryEscape(req.ClientSecret))
	}
	for name, values := range req.Form {
		if !slices.Contains(publicParams, strings.ToLower(name)) {
			secrets = append(secrets, values...)
		}
	}
	if _, credentials, ok := strings.Cut(req.Header.Get("Authorization"), " "); ok {
		secrets = append(secrets, credentials)
	}
	return secrets
}
