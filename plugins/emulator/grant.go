package emulator

import (
	"net/url"
	"time"
)

// Grant is what one person allowed one client at one authorization.
type Grant struct {
	// ID is the number of the grant, counted from 1.
	ID int
	// ClientID is the client it was given to, Account the user who gave it.
	ClientID string
	Account  Account
	// Scopes are the granted ones, not the requested ones.
	Scopes []string
	// Request holds the parameters of the authorization request, such as
	// redirect_uri, code_challenge and access_type.
	Request url.Values
	// Opened is when the person decided, Renewed when the last access token was issued.
	Opened, Renewed time.Time
	// Generation counts the access tokens of this grant; 0 until the code was exchanged.
	Generation int
	// Revoked is set if the grant has ended.
	Revoked bool
}

// Kind is what a secret of the Ledger is good for.
type Kind string

// The kinds of secrets of a Ledger.
const (
	Code    Kind = "code"
	Access  Kind = "access_token"
	Refresh Kind = "refresh_token"
)

// State is what a service would say about a secret that is presented now.
type State string

// The states of a secret. A secret that is both revoked and too old is revoked.
const (
	// Valid secrets are accepted.
	Valid State = "valid"
	// Expired secrets have outlived their time.
	Expired State = "expired"
	// Revoked secrets ended with their grant or when a newer token took their place.
	Revoked State = "revoked"
	// Spent secrets were good once, and that was used.
	Spent State = "spent"
	// Unknown secrets were never issued here.
	Unknown State = "unknown"
)
