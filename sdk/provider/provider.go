package provider

import "context"

// Provider is one family of authorization servers, for example bitrix24. What
// it can do is found by type assertion on the small interfaces below, so a
// description cannot claim what is not served. Every method is safe for
// concurrent use and returns as soon as its context ends.
type Provider interface {
	// Describe returns the description of the provider. It makes no request and is called
	// once for each process start.
	Describe(ctx context.Context) (*Description, error)
}

// Selective is a provider that implements more than it serves, for example because one Go
// type serves many services. It can only leave out, not add.
type Selective interface {
	// Serves reports whether a grant whose interface is implemented is served.
	Serves(grant Grant) bool
}

// ServicePreparer is a provider whose behaviour depends on the service: its
// hosts are learned by discovery, or an option changes how tokens are renewed.
type ServicePreparer interface {
	// PrepareService checks the options of a service and returns its own
	// description. The hub calls it when a service is added or edited, and again
	// when the plugin changes. It may make requests. A wrong option is a Blocked
	// error with Error.Option naming it.
	PrepareService(ctx context.Context, req *PrepareServiceRequest) (*PreparedService, error)
}

// AuthorizationCodeGrant is RFC 6749 section 4.1: a person grants access in a
// browser.
type AuthorizationCodeGrant interface {
	// AuthCodeURL builds the address of the authorization endpoint. It may make requests
	// that spend nothing, such as a pushed authorization request (RFC 9126).
	AuthCodeURL(ctx context.Context, req *AuthCodeURLRequest) (*AuthCodeURL, error)
	// Exchange exchanges the authorization code of a callback for tokens. The code is
	// valid once and may expire in seconds: exactly one token request.
	Exchange(ctx context.Context, req *ExchangeRequest) (*Token, error)
}

// Refresher gets the next token set of a grant without a person, whatever the
// service calls that: refresh, prolong, exchange.
type Refresher interface {
	// Refresh makes exactly one token request. An empty Token.RefreshToken in
	// its answer means that the old one stays in force.
	Refresh(ctx context.Context, req *RefreshRequest) (*Token, error)
}

// ClientCredentialsGrant is RFC 6749 section 4.4: the grant is the client's own.
type ClientCredentialsGrant interface {
	// ClientCredentials makes exactly one token request.
	ClientCredentials(ctx context.Context, req *ClientCredentialsRequest) (*Token, error)
}

// AssertionGrant is RFC 7523: a JWT that a key of the hub signs, as for service accounts.
type AssertionGrant interface {
	// Assertion makes exactly one token request.
	Assertion(ctx context.Context, req *AssertionRequest) (*Token, error)
}

// LoginGrant is a login by what a person entered once and the hub keeps: RFC 6749 section
// 4.3 and the login calls of services that predate it.
type LoginGrant interface {
	// Login makes exactly one token request.
	Login(ctx context.Context, req *LoginRequest) (*Token, error)
}

// StaticGrant is a key that a person makes at the service and enters in the hub.
type StaticGrant interface {
	// Static makes a token set of the key: what processes send is its AccessToken, what
	// they need beside it its Extra. It may make requests that change nothing there, to
	// check the key or to learn its end.
	Static(ctx context.Context, req *StaticRequest) (*Token, error)
}

// DeviceGrant is RFC 8628: a person enters a short code on another device.
type DeviceGrant interface {
	// DeviceAuthorization starts the grant and returns what to show the person.
	DeviceAuthorization(ctx context.Context, req *DeviceAuthorizationRequest) (*DeviceAuthorization, error)
	// DeviceToken polls once whether the person has answered. Until then it returns a
	// Transient error with code authorization_pending or slow_down.
	DeviceToken(ctx context.Context, req *DeviceTokenRequest) (*Token, error)
}

// Revoker ends a grant at the service (RFC 7009 or what the service has).
type Revoker interface {
	// Revoke returns nil if the grant is gone, also if it was gone before.
	Revoke(ctx context.Context, req *RevokeRequest) error
}

// Identifier identifies the account of a grant.
type Identifier interface {
	// Identify returns the account that a token set belongs to.
	Identify(ctx context.Context, req *IdentifyRequest) (*Account, error)
}

// Introspector reports whether a renewal would work (RFC 7662 or what the service has).
type Introspector interface {
	// Introspect spends nothing: no token request, and nothing that prolongs.
	Introspect(ctx context.Context, req *IntrospectRequest) (*Introspection, error)
}
