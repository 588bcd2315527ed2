package providerplugin

import (
	"context"
	"net/url"
	"slices"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Client runs operations of a plugin's providers, for hosts. Its methods are
// safe for concurrent use and return one of
//
//   - *provider.Error: the provider's answer, with the kind that it gave,
//   - *PluginError: the plugin failed; the operation may be run again,
//   - the Relay's own error.
//
// Call.HTTP of the requests is not used: the Relay sends.
type Client struct {
	v1 v1Client
}

// PluginInfo is a plugin's description of itself.
type PluginInfo struct {
	Version string
	// Descriptions of its providers, validated.
	Descriptions []provider.Description
	// Requirements are what it asks of the hub; they are met.
	Requirements Requirements
	// Documents is set if the plugin is made of documents: Load and Shipped work.
	Documents bool
	// Deprecated are the fields of the contract that its description uses although they
	// are deprecated, by their full name, sorted.
	Deprecated []string
}

// Describe returns the providers that the plugin serves. From then on its operations have
// the limits that it asks for. Errors: *UnfitError if it asks for what this host lacks or
// does not grant, besides those of all methods.
func (c *Client) Describe(ctx context.Context) (*PluginInfo, error) { return c.v1.describe(ctx) }

// PrepareService runs provider.ServicePreparer.
func (c *Client) PrepareService(ctx context.Context, relay Relay, name string, req *provider.PrepareServiceRequest) (*provider.PreparedService, error) {
	start := &providerv1.Start{Operation: &providerv1.Start_PrepareService{PrepareService: &providerv1.PrepareService{}}}
	result, err := c.v1.operate(ctx, relay, name, req.Call, start)
	if err != nil {
		return nil, err
	}
	wire := result.GetPreparedService()
	if wire == nil {
		return nil, errWrongResult
	}
	if len(wire.GetData()) > maxData {
		return nil, &PluginError{Message: "the plugin returned more than 64 KiB of service data"}
	}
	prepared := &provider.PreparedService{Data: wire.GetData()}
	if w := wire.GetDescription(); w != nil {
		if prepared.Description, err = v1DescriptionFrom(w); err != nil {
			return nil, &PluginError{Message: "the service's description cannot be used: " + err.Error()}
		}
		if prepared.Description.Name != name {
			return nil, &PluginError{Message: "the service's description names another provider"}
		}
	}
	return prepared, nil
}

// AuthCodeURL runs provider.AuthorizationCodeGrant. The returned address is
// absolute with scheme http or https; the host must still be checked.
func (c *Client) AuthCodeURL(ctx context.Context, relay Relay, name string, req *provider.AuthCodeURLRequest) (*provider.AuthCodeURL, error) {
	start := &providerv1.Start{Operation: &providerv1.Start_AuthCodeUrl{AuthCodeUrl: &providerv1.AuthCodeUrl{
		State: req.State, RedirectUri: req.RedirectURI, CodeChallenge: req.CodeChallenge, Nonce: req.Nonce,
		ForceConsent: req.ForceConsent, LoginHint: req.LoginHint,
	}}}
	result, err := c.v1.operate(ctx, relay, name, req.Call, start)
	if err != nil {
		return nil, err
	}
	wire := result.GetAuthCodeUrl()
	if wire == nil {
		return nil, errWrongResult
	}
	u, err := url.Parse(wire.GetUrl())
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || len(wire.GetData()) > maxData {
		return nil, &PluginError{Message: "the plugin returned no usable address of the authorization endpoint"}
	}
	return &provider.AuthCodeURL{URL: wire.GetUrl(), Data: wire.GetData()}, nil
}

// Exchange runs provider.AuthorizationCodeGrant.
func (c *Client) Exchange(ctx context.Context, relay Relay, name string, req *provider.ExchangeRequest) (*provider.Token, error) {
	return c.token(ctx, relay, name, req.Call, &providerv1.Start{Operation: &providerv1.Start_Exchange{Exchange: v1Exchange(req)}})
}

// Refresh runs provider.Refresher.
func (c *Client) Refresh(ctx context.Context, relay Relay, name string, req *provider.RefreshRequest) (*provider.Token, error) {
	current, err := v1Token(req.Current)
	if err != nil {
		return nil, err
	}
	return c.token(ctx, relay, name, req.Call, &providerv1.Start{Operation: &providerv1.Start_Refresh{Refresh: &providerv1.Refresh{Current: current, RedirectUri: req.RedirectURI}}})
}

// ClientCredentials runs provider.ClientCredentialsGrant.
func (c *Client) ClientCredentials(ctx context.Context, relay Relay, name string, req *provider.ClientCredentialsRequest) (*provider.Token, error) {
	return c.token(ctx, relay, name, req.Call, &providerv1.Start{Operation: &providerv1.Start_ClientCredentials{ClientCredentials: &providerv1.ClientCredentials{}}})
}

// Assertion runs provider.AssertionGrant.
func (c *Client) Assertion(ctx context.Context, relay Relay, name string, req *provider.AssertionRequest) (*provider.Token, error) {
	return c.token(ctx, relay, name, req.Call, &providerv1.Start{Operation: &providerv1.Start_Assertion{Assertion: &providerv1.Assertion{}}})
}

// Login runs provider.LoginGrant.
func (c *Client) Login(ctx context.Context, relay Relay, name string, req *provider.LoginRequest) (*provider.Token, error) {
	fields, err := v1Object("the login", req.Fields)
	if err != nil {
		return nil, err
	}
	return c.token(ctx, relay, name, req.Call, &providerv1.Start{Operation: &providerv1.Start_Login{Login: &providerv1.Login{FieldsJson: fields}}})
}

// Static runs provider.StaticGrant.
func (c *Client) Static(ctx context.Context, relay Relay, name string, req *provider.StaticRequest) (*provider.Token, error) {
	fields, err := v1Object("the key", req.Fields)
	if err != nil {
		return nil, err
	}
	return c.token(ctx, relay, name, req.Call, &providerv1.Start{Operation: &providerv1.Start_Static{Static: &providerv1.Static{FieldsJson: fields}}})
}

// Introspect runs provider.Introspector.
func (c *Client) Introspect(ctx context.Context, relay Relay, name string, req *provider.IntrospectRequest) (*provider.Introspection, error) {
	current, err := v1Token(req.Current)
	if err != nil {
		return nil, err
	}
	result, err := c.v1.operate(ctx, relay, name, req.Call, &providerv1.Start{Operation: &providerv1.Start_Introspect{Introspect: &providerv1.Introspect{Current: current}}})
	if err != nil {
		return nil, err
	}
	if result.GetIntrospection() == nil {
		return nil, errWrongResult
	}
	return v1IntrospectionFrom(result.GetIntrospection()), nil
}

// DeviceAuthorization runs provider.DeviceGrant.
func (c *Client) DeviceAuthorization(ctx context.Context, relay Relay, name string, req *provider.DeviceAuthorizationRequest) (*provider.DeviceAuthorization, error) {
	start := &providerv1.Start{Operation: &providerv1.Start_DeviceAuthorization{DeviceAuthorization: &providerv1.DeviceAuthorization{}}}
	result, err := c.v1.operate(ctx, relay, name, req.Call, start)
	if err != nil {
		return nil, err
	}
	w := result.GetDeviceAuthorization()
	if w.GetDeviceCode() == "" || w.GetUserCode() == "" || w.GetVerificationUri() == "" || len(w.GetData()) > maxData {
		return nil, errWrongResult
	}
	return &provider.DeviceAuthorization{
		DeviceCode: w.GetDeviceCode(), UserCode: clean(w.GetUserCode(), 100), VerificationURI: w.GetVerificationUri(),
		VerificationURIComplete: w.GetVerificationUriComplete(),
		ExpiresIn:               w.GetExpiresIn().AsDuration(), Interval: w.GetInterval().AsDuration(), Data: w.GetData(),
	}, nil
}

// DeviceToken runs provider.DeviceGrant.
func (c *Client) DeviceToken(ctx context.Context, relay Relay, name string, req *provider.DeviceTokenRequest) (*provider.Token, error) {
	return c.token(ctx, relay, name, req.Call, &providerv1.Start{Operation: &providerv1.Start_DeviceToken{
		DeviceToken: &providerv1.DeviceToken{DeviceCode: req.DeviceCode, Data: req.Data},
	}})
}

// Revoke runs provider.Revoker.
func (c *Client) Revoke(ctx context.Context, relay Relay, name string, req *provider.RevokeRequest) error {
	current, err := v1Token(req.Current)
	if err != nil {
		return err
	}
	result, err := c.v1.operate(ctx, relay, name, req.Call, &providerv1.Start{Operation: &providerv1.Start_Revoke{Revoke: &providerv1.Revoke{Current: current}}})
	if err == nil && result.GetRevoked() == nil {
		return errWrongResult
	}
	return err
}

// Identify runs provider.Identifier.
func (c *Client) Identify(ctx context.Context, relay Relay, name string, req *provider.IdentifyRequest) (*provider.Account, error) {
	current, err := v1Token(req.Current)
	if err != nil {
		return nil, err
	}
	result, err := c.v1.operate(ctx, relay, name, req.Call, &providerv1.Start{Operation: &providerv1.Start_Identify{Identify: &providerv1.Identify{Current: current}}})
	if err != nil {
		return nil, err
	}
	account := result.GetAccount()
	if account.GetId() == "" {
		return nil, &PluginError{Message: "the plugin returned an account without an id"}
	}
	return &provider.Account{ID: clean(account.GetId(), 300), Name: clean(account.GetName(), 300)}, nil
}

// maxData bounds the opaque bytes that a plugin may leave with the hub.
const maxData = 64 << 10

var errWrongResult = &PluginError{Message: "the plugin returned a result of another operation"}

// token runs an operation whose result is a token set and checks it: a reply
// that fails the check must never overwrite a good set.
func (c *Client) token(ctx context.Context, relay Relay, name string, call provider.Call, start *providerv1.Start) (*provider.Token, error) {
	result, err := c.v1.operate(ctx, relay, name, call, start)
	if err != nil {
		return nil, err
	}
	if result.GetToken() == nil {
		return nil, errWrongResult
	}
	token, err := v1TokenFrom(result.GetToken())
	if err != nil {
		return nil, &PluginError{Message: "the plugin returned a token that cannot be read"}
	}
	if token.AccessToken == "" {
		return nil, provider.Errorf(provider.Internal, "", "the service's reply was read as a success, but holds no access token")
	}
	if !soundParts(token.Parts) {
		return nil, &PluginError{Message: "the plugin returned a part of an authorization without a name or an access token, or twice"}
	}
	return &token, nil
}

// soundParts reports whether each part has a name of its own and an access token.
func soundParts(parts []provider.PartToken) bool {
	for i, p := range parts {
		twice := slices.ContainsFunc(parts[:i], func(x provider.PartToken) bool { return x.Part == p.Part })
		if p.Part == "" || p.Token.AccessToken == "" || len(p.Token.Parts) > 0 || twice {
			return false
		}
	}
	return true
}
