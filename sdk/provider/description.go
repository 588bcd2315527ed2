package provider

import "time"

// Description is what the scheduler and the web hub read of a provider, so that
// nothing about a service is folklore in hub code.
type Description struct {
	// Name is the provider's unique name: lower-case letters, digits, hyphens.
	Name string `json:"name"`
	// Title is the service's own name, as people know it.
	Title Text `json:"title"`
	// Summary describes in a sentence what is connected.
	Summary Text `json:"summary,omitzero"`
	// Icon is an SVG image of at most 16 KiB without scripts; optional.
	Icon []byte `json:"icon,omitempty"`
	// DocumentationURL leads to the service's page on OAuth; optional.
	DocumentationURL string `json:"documentation_url,omitempty"`
	// SetupSteps explain to an administrator how to register the client there. The
	// placeholder {redirect_uri} is replaced by the address to register.
	SetupSteps []Text `json:"setup_steps,omitempty"`
	// Notices are unconfirmed facts, shown to the administrator.
	Notices []Text `json:"notices,omitempty"`

	// Grants are the operations that are served. The SDK fills them in from the
	// interfaces; what an author writes here is overwritten.
	Grants []Grant `json:"grants,omitempty"`
	// Lifetimes of what the service issues.
	Lifetimes Lifetimes `json:"lifetimes,omitzero"`
	// AutoRenew is how the next token set is obtained without a person.
	AutoRenew AutoRenew `json:"auto_renew"`
	// Rotation is what a renewal does to the old tokens.
	Rotation Rotation `json:"rotation,omitzero"`
	// RenewWindow is when to renew.
	RenewWindow RenewWindow `json:"renew_window,omitzero"`
	// ExchangeTimeout is how long the service may take to answer a token request, at
	// most an hour. Zero, or less than the hub's own bound (5 minutes by default), is
	// the hub's bound. A reply that comes later than that is not read.
	ExchangeTimeout time.Duration `json:"exchange_timeout,omitempty"`
	// Throttles is what the service counts requests by when it answers 429.
	Throttles Throttles `json:"throttles,omitempty"`
	// OneGrantPerAccount is set if a second grant of one account to one client ends the
	// first. People are warned before they authorize.
	OneGrantPerAccount bool `json:"one_grant_per_account,omitempty"`
	// PKCE is whether the service supports RFC 7636.
	PKCE PKCE `json:"pkce"`
	// StateNotEchoed is set if the service may drop the state parameter; the hub
	// then finds the authorization by the browser's cookie alone.
	StateNotEchoed bool `json:"state_not_echoed,omitempty"`
	// Issuer is the expected iss of RFC 9207; empty if the service sends none.
	Issuer string `json:"issuer,omitempty"`
	// IssuerSent is set if the service announces that every callback carries iss
	// (authorization_response_iss_parameter_supported): one without it is then refused.
	IssuerSent bool `json:"issuer_sent,omitempty"`
	// ClientAuth is how the client authenticates, for each grant.
	ClientAuth []ClientAuth `json:"client_auth,omitempty"`
	// PublicClient is set if a service may be added without a client secret.
	PublicClient bool `json:"public_client,omitempty"`

	// Hosts are all the hosts that the plugin may talk to or send a browser to.
	Hosts []Host `json:"hosts"`
	// Options is the form an administrator fills in for a service.
	Options Schema `json:"options,omitzero"`
	// ConnectionOptions are options of each connection.
	ConnectionOptions Schema `json:"connection_options,omitzero"`
	// Scopes is the catalogue to choose from; more may be typed in.
	Scopes []Scope `json:"scopes,omitempty"`
	// ScopeSeparator joins scopes; "" means a space.
	ScopeSeparator string `json:"scope_separator,omitempty"`
	// ScopesFixed is set if scopes are not requested but come from the
	// registration at the service; the form then does not ask for them.
	ScopesFixed bool `json:"scopes_fixed,omitempty"`
	// API is where the service's API is and how the token is attached.
	API API `json:"api,omitzero"`
	// TestCalls are calls of the API that people may make from the page of a connection,
	// to test the access before a process depends on it. Optional.
	TestCalls []TestCall `json:"test_calls,omitempty"`

	// Login is the form of a LoginGrant.
	Login Schema `json:"login,omitzero"`
	// StaticKey describes the key of a StaticGrant.
	StaticKey StaticKey `json:"static_key,omitzero"`
	// Keys are those that the hub keeps for each service.
	Keys []Key `json:"keys,omitempty"`
	// Parts are what one authorization yields beside its own token set: each is a
	// connection of its own.
	Parts []Part `json:"parts,omitempty"`
}

// TestCall is a call of a service's API that changes nothing there. The hub makes it with
// the current token, attached as in API, and shows the answer.
type TestCall struct {
	// Name is unique in the description: letters, digits, dots, hyphens, underscores.
	Name string `json:"name"`
	// Title names the requested data, Shows what the answer contains.
	Title Text `json:"title"`
	Shows Text `json:"shows,omitzero"`
	// Method is GET, the default, or POST without a body.
	Method string `json:"method,omitempty"`
	// URL may hold {option:name}, {connection:name} and {extra:name} placeholders. Its host must be one of
	// Hosts.
	URL string `json:"url"`
}

// MaxExchangeTimeout is the longest time that a provider may declare for the reply
// to a token request.
const MaxExchangeTimeout = time.Hour

// Never is the lifetime of what does not expire. Zero is a lifetime that is not
// known beforehand.
const Never time.Duration = -1

// Lifetimes of what a service issues: zero is unknown, Never is for ever.
type Lifetimes struct {
	AccessToken time.Duration `json:"access_token,omitempty"`
	// RefreshToken is the absolute life from issue.
	RefreshToken time.Duration `json:"refresh_token,omitempty"`
	// RefreshTokenIdle is the life without use.
	RefreshTokenIdle  time.Duration `json:"refresh_token_idle,omitempty"`
	AuthorizationCode time.Duration `json:"authorization_code,omitempty"`
}

// AutoRenew is how the next token set comes without a person.
type AutoRenew string

// The ways of renewal.
const (
	AutoRenewNone         AutoRenew = "none"
	AutoRenewRefreshToken AutoRenew = "refresh_token"
	AutoRenewProlong      AutoRenew = "prolong"
	AutoRenewExchange     AutoRenew = "exchange"
	AutoRenewReissue      AutoRenew = "reissue"
	AutoRenewSliding      AutoRenew = "sliding"
)

// RotationKind is what a renewal does to the old tokens.
type RotationKind string

// The kinds of rotation. RotationNone is the default.
const (
	RotationNone                 RotationKind = "none"
	RotationRotates              RotationKind = "rotates"
	RotationRotatesRevokesAccess RotationKind = "rotates_and_revokes_access"
	RotationRotatesWithGrace     RotationKind = "rotates_with_grace"
)

// Rotation is what a renewal does to the old tokens.
type Rotation struct {
	Kind RotationKind `json:"kind,omitempty"`
	// Grace is how long the old refresh token stays good, for
	// RotationRotatesWithGrace.
	Grace time.Duration `json:"grace,omitempty"`
	// RepeatSafe is set if a renewal whose reply was lost may be sent again with
	// the same refresh token.
	RepeatSafe bool `json:"repeat_safe,omitempty"`
}

// RenewWindowKind is when a service accepts a renewal.
type RenewWindowKind string

// The kinds of renew windows. RenewBeforeExpiry is the default.
const (
	RenewBeforeExpiry RenewWindowKind = "before_expiry"
	RenewAfterExpiry  RenewWindowKind = "after_expiry"
	RenewOnDemand     RenewWindowKind = "on_demand"
)

// RenewWindow is when to renew.
type RenewWindow struct {
	Kind RenewWindowKind `json:"kind,omitempty"`
	// Margin is how long before expiry a renewal is due; zero lets the hub choose.
	Margin time.Duration `json:"margin,omitempty"`
	// Every renews this often, expiry or not; zero is off.
	Every time.Duration `json:"every,omitempty"`
	// KeepAlive renews an unused grant this often, so that its refresh token
	// does not expire unused. For RenewOnDemand; zero is off.
	KeepAlive time.Duration `json:"keep_alive,omitempty"`
}

// Throttles is what a service counts requests by when it answers 429.
type Throttles string

// The values of Throttles. Where it is not known, a 429 is taken for the account's,
// and for the client's after several accounts have got one.
const (
	ThrottlesUnknown Throttles = ""
	ThrottlesAccount Throttles = "account"
	ThrottlesClient  Throttles = "client"
)

// PKCE is whether a service supports RFC 7636.
type PKCE string

// The values of PKCE.
const (
	PKCENone     PKCE = "none"
	PKCES256     PKCE = "s256"
	PKCERequired PKCE = "required"
)

// ClientAuth is how the client authenticates for a grant. Method is a value of OpenID
// Connect's token_endpoint_auth_method or one of the provider's own.
type ClientAuth struct {
	Grant  Grant  `json:"grant"`
	Method string `json:"method"`
}

// Scope is an entry of the catalogue.
type Scope struct {
	Name  string `json:"name"`
	Title Text   `json:"title,omitzero"`
	// Default is ticked when a service is added.
	Default bool `json:"default,omitempty"`
}

// Placement is where a call of a service's API carries the token.
type Placement string

// The placements. PlacementHeader is the default.
const (
	PlacementHeader Placement = "header"
	PlacementQuery  Placement = "query"
)

// API is where the service's API is and how a token is attached to a call.
type API struct {
	// BaseURL may hold {option:name} and {extra:name} placeholders.
	BaseURL string    `json:"base_url,omitempty"`
	In      Placement `json:"in,omitempty"`
	// Name of the header or query parameter, for example Authorization.
	Name string `json:"name,omitempty"`
	// Prefix comes before the token in a header, for example "Bearer ".
	Prefix string `json:"prefix,omitempty"`
}
