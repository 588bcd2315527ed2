package connection

import (
	"log/slog"
	"maps"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// State is what people and outcomes made of a connection.
type State string

// The states. A new connection is StatePending until a person authorizes it.
const (
	StatePending State = "pending" // no grant yet
	StateActive  State = "active"  // a grant in force
	StatePaused  State = "paused"  // an administrator stopped it
	StateEnded   State = "ended"   // the grant is over; only a person can bring it back
	StateRevoked State = "revoked" // the grant was given back
)

// Connection is one account's grant to a service. Processes know it by Name.
type Connection struct {
	ID        string
	Name      string // unique slug, part of the hub API's address
	Title     string // any Unicode
	ServiceID string
	// Grant is how the connection gets its tokens.
	Grant provider.Grant
	// Options are what was entered for this connection, by the names of the description's
	// ConnectionOptions. Secret ones are among them.
	Options map[string]any
	// Part is the part of an authorization that the connection holds, and MainID the
	// connection whose authorization it is; both "" for an authorization's own token set.
	Part, MainID string
	State        State
	// Generation numbers the token sets: 0 has no grant, each renewal and each
	// authorization adds one.
	Generation int64
	// Lineage names the authorization that the token sets come from: each one begins a
	// new lineage, renewals continue it; "" without a grant.
	Lineage string
	Tokens  TokenSet
	// Policy is the renewal policy of the service, from its description.
	Policy Policy
	// Due is when the scheduler looks at it next; zero is never.
	Due time.Time
	// Failure is the failure of the last attempt; nil if it succeeded.
	Failure *Failure
	// Cause is what prevents renewal, the same for all connections that it affects; "" if
	// nothing does. See CauseOf.
	Cause string
	// Account is who granted access, if the provider can identify them.
	Account provider.Account
	// RequestedScopes are the service's when the grant was made.
	RequestedScopes []string
	RenewedAt       time.Time
	AuthorizedAt    time.Time
	LastPulledAt    time.Time
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// TokenSet holds the tokens of one generation. It never prints its secrets.
type TokenSet struct {
	AccessToken  string         `json:"access_token"`
	TokenType    string         `json:"token_type,omitempty"`
	RefreshToken string         `json:"refresh_token,omitempty"`
	IDToken      string         `json:"id_token,omitempty"`
	Scopes       []string       `json:"scopes,omitempty"`
	Extra        map[string]any `json:"extra,omitempty"`
	// ObtainedAt is when the request for it was about to be sent.
	ObtainedAt time.Time `json:"obtained_at"`
	// ExpiresAt ends the access token; zero if no end is known.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// RefreshExpiresAt ends the refresh token; zero if no end is known.
	RefreshExpiresAt time.Time `json:"refresh_expires_at,omitzero"`
	// Late is set if the service has answered that it renews only after the access token
	// has expired.
	Late bool `json:"late,omitempty"`
	// Short counts the renewals in a row that brought an access token of no usable life.
	Short int `json:"short,omitempty"`
	// Doubt is the part of the reply that was inconsistent; "" if none was.
	Doubt Doubt `json:"doubt,omitempty"`
	// Private is what a renewal needs and no process may see.
	Private map[string]any `json:"private,omitempty"`
	// Fields are what a person entered for a login or a static key.
	Fields provider.Fields `json:"fields,omitempty"`
	// RedirectURI is the one of the authorization; "" for grants without one.
	RedirectURI string `json:"redirect_uri,omitempty"`
}

// Doubt is what of a token reply made no sense and was read as if it were not there.
type Doubt string

// The doubts.
const (
	DoubtNegativeLife Doubt = "negative_life" // an expires_in below zero
)

// Failure is the failure of the last renewal.
type Failure struct {
	Kind       provider.Kind
	Code       string
	Message    string
	Remedy     provider.Text
	At         time.Time
	Since      time.Time // of the first failure in a row
	Count      int       // failures in a row
	RetryAfter time.Time // no earlier than this; zero if not given
	// Uncertain is set while it is unknown whether the service has answered with the next
	// token set: a request was sent and its reply is lost, or is in the journal of
	// another replica.
	Uncertain bool
	// AnswerableUntil is until when the service may still be processing the request that
	// got no reply; no caller can send another before. Zero if it is not.
	AnswerableUntil time.Time
	// Status of the HTTP reply with the error; zero if there was none.
	Status int
	// Same counts equal answers in a row, and SameSince is when the first of them came.
	Same      int
	SameSince time.Time
	// Suspect is set if the service refuses this grant alone, with an unclassified error:
	// it has most likely ended, and a person has to authorize again. See Suspected.
	Suspect bool
	// TooEarly is set if the service renews only once the access token is over.
	TooEarly bool
}

// New returns a connection without tokens, which gets them by an authorization code.
func New(now time.Time, id, name, title, serviceID string, policy Policy) Connection {
	return Connection{
		ID: id, Name: name, Title: title, ServiceID: serviceID, Grant: provider.GrantAuthorizationCode, State: StatePending, Policy: policy,
		CreatedAt: now, UpdatedAt: now,
	}
}

// Token returns the set in the form that providers take.
func (t TokenSet) Token(now time.Time) provider.Token {
	token := provider.Token{
		AccessToken: t.AccessToken, TokenType: t.TokenType, RefreshToken: t.RefreshToken,
		IDToken: t.IDToken, Scopes: t.Scopes, Extra: t.Extra, Private: t.Private,
	}
	if !t.ExpiresAt.IsZero() {
		token.ExpiresIn = new(t.ExpiresAt.Sub(now))
	}
	if !t.RefreshExpiresAt.IsZero() {
		token.RefreshExpiresIn = new(t.RefreshExpiresAt.Sub(now))
	}
	return token
}

// Lifetime is the whole life of the access token; zero if no end is known.
func (t TokenSet) Lifetime() time.Duration {
	if t.ExpiresAt.IsZero() {
		return 0
	}
	return t.ExpiresAt.Sub(t.ObtainedAt)
}

// Valid reports whether there is an access token that has not expired.
func (t TokenSet) Valid(now time.Time) bool {
	return t.AccessToken != "" && (t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt))
}

// LogValue implements slog.LogValuer and shows no secret.
func (t TokenSet) LogValue() slog.Value {
	return slog.GroupValue(slog.Time("expires_at", t.ExpiresAt), slog.Bool("refresh_token", t.RefreshToken != ""))
}

// String keeps secrets out of %v and %s.
func (t TokenSet) String() string { return "token set until " + t.ExpiresAt.Format(time.RFC3339) }

// GoString keeps secrets out of %#v.
func (t TokenSet) GoString() string { return "connection.TokenSet{…}" }

// ForProvider is the part that a provider gets with each request.
func (c Connection) ForProvider() provider.Connection {
	return provider.Connection{Name: c.Name, Options: maps.Clone(c.Options), Part: c.Part}
}
