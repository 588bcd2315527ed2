package provider

import (
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Call is what every request carries: the service, the time and the way out.
type Call struct {
	// Service is the registration that the operation is for. Required.
	Service Service
	// Connection is the connection that the operation is about; zero if it is about none.
	Connection Connection
	// HTTP sends requests through the hub. It follows no redirects and keeps no
	// cookies. Its Transport fails on a host that the description does not name.
	HTTP *http.Client
	// Now is the hub's clock at the start of the operation. It is the same when
	// an operation is run again, so use it instead of time.Now.
	Now time.Time
	// Keys signs with the keys that the hub keeps.
	Keys Signer
}

// Connection is the connection that an operation is about.
type Connection struct {
	// Name is its unique name in the hub.
	Name string
	// Options are the values of Description.ConnectionOptions, as Service.Options are.
	Options map[string]any
	// Part is the part of an authorization that it holds; "" for its own token set.
	Part string
}

// Option returns a text option of the connection, or "" if it is absent.
func (c Connection) Option(name string) string {
	v, _ := c.Options[name].(string)
	return v
}

// PrepareServiceRequest has a ServicePreparer prepare a service.
type PrepareServiceRequest struct {
	Call
}

// PreparedService is what a ServicePreparer learned.
type PreparedService struct {
	// Description replaces the provider's own one for this service. Its Name
	// must be the same. Nil keeps the provider's.
	Description *Description
	// Data is handed back in Service.Data with every later call, for example
	// the discovered endpoints. At most 64 KiB.
	Data []byte
}

// AuthCodeURLRequest starts an authorization (RFC 6749 section 4.1.1).
type AuthCodeURLRequest struct {
	Call
	// State is the hub's; it must be returned in the callback.
	State string
	// RedirectURI is the hub's callback for this service.
	RedirectURI string
	// CodeChallenge is the S256 challenge of RFC 7636; empty without PKCE.
	CodeChallenge string
	// Nonce is for OpenID Connect's nonce; ignored by others.
	Nonce string
	// ForceConsent requests the service to show its consent page again, which some need
	// to issue a refresh token.
	ForceConsent bool
	// LoginHint names the account if it is known (re-authorization).
	LoginHint string
}

// AuthCodeURL is where the browser goes.
type AuthCodeURL struct {
	// URL is the address of the authorization endpoint with its query. Its host
	// must be among the description's.
	URL string
	// Data is handed back to Exchange.
	Data []byte
}

// ExchangeRequest ends an authorization (RFC 6749 section 4.1.3).
type ExchangeRequest struct {
	Call
	// Code is the callback's code parameter.
	Code string
	// Params are all parameters of the callback, code and state included.
	Params url.Values
	// RedirectURI equals the one that AuthCodeURL was given.
	RedirectURI string
	// CodeVerifier is RFC 7636's; empty without PKCE.
	CodeVerifier string
	// Nonce equals the one that AuthCodeURL was given.
	Nonce string
	// Data are the bytes that AuthCodeURL returned.
	Data []byte
}

// RefreshRequest requests the next token set.
type RefreshRequest struct {
	Call
	// Current is the whole token set in force, because some services prolong by
	// the access token.
	Current Token
	// RedirectURI is the one of the authorization that the token set comes from, which
	// some services require; "" for grants without one.
	RedirectURI string
}

// ClientCredentialsRequest is RFC 6749 section 4.4.2.
type ClientCredentialsRequest struct {
	Call
}

// AssertionRequest is RFC 7523 section 2.1.
type AssertionRequest struct {
	Call
}

// LoginRequest logs in.
type LoginRequest struct {
	Call
	// Fields are what was entered, checked against Description.Login. Secret.
	Fields Fields
}

// StaticRequest makes a token set of a key.
type StaticRequest struct {
	Call
	// Fields are what was entered, checked against StaticKey.Fields. Secret.
	Fields Fields
}

// DeviceAuthorizationRequest is RFC 8628 section 3.1.
type DeviceAuthorizationRequest struct {
	Call
}

// DeviceAuthorization is RFC 8628 section 3.2.
type DeviceAuthorization struct {
	DeviceCode              string
	UserCode                string
	VerificationURI         string
	VerificationURIComplete string
	// ExpiresIn is the lifetime of the codes.
	ExpiresIn time.Duration
	// Interval is the least time between two DeviceToken calls; zero means 5 s.
	Interval time.Duration
	// Data is handed back to DeviceToken.
	Data []byte
}

// DeviceTokenRequest is RFC 8628 section 3.4.
type DeviceTokenRequest struct {
	Call
	DeviceCode string
	// Data are the bytes that DeviceAuthorization returned.
	Data []byte
}

// RevokeRequest ends a grant.
type RevokeRequest struct {
	Call
	Current Token
}

// IdentifyRequest requests the account of a grant.
type IdentifyRequest struct {
	Call
	Current Token
}

// IntrospectRequest asks whether a renewal would work.
type IntrospectRequest struct {
	Call
	Current Token
}

// Activity is whether a token is in force at the service.
type Activity string

// The values of Activity.
const (
	ActivityUnknown Activity = ""
	Active          Activity = "active"
	Inactive        Activity = "inactive"
)

// Introspection is what a service says of a token set.
type Introspection struct {
	AccessToken, RefreshToken Activity
	// ExpiresIn and RefreshExpiresIn are the remaining lives; nil if the service does not
	// say.
	ExpiresIn, RefreshExpiresIn *time.Duration
	// Scopes are the granted ones; nil if the service does not say.
	Scopes []string
}

// Account is the account that granted access.
type Account struct {
	// ID is stable and unique within the service. Required. The hub refuses a
	// re-authorization by another ID.
	ID string
	// Name is what a person recognises, for example an e-mail address.
	Name string
}

// LogValue implements slog.LogValuer; it shows no code, verifier or state.
func (r *ExchangeRequest) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("service", r.Service), slog.String("redirect_uri", r.RedirectURI))
}
