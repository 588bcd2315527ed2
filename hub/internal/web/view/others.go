package view

import (
	"time"

	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Key is an API key without its secret part.
type Key struct {
	ID, Title, Prefix string
	Admin             bool
	AllConnections    bool
	// Connections are the allowed ones; those that are deleted are left out.
	Connections []string
	// Tags open what has one of them; Addresses are where it works, Scopes more than
	// pulling.
	Tags, Addresses, Scopes []string
	ExpiresAt               time.Time
	RevokedAt               time.Time
	LastUsedAt              time.Time
	CreatedAt               time.Time
	CreatedBy               string
}

// Usable reports whether a key opens anything at a time.
func (k Key) Usable(now time.Time) bool {
	return k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt))
}

// NewKey is a key that was just made: the only time that it is shown.
type NewKey struct {
	Key
	// Secret is the key itself.
	Secret string
	// PullName and PullURL are a connection to try it on, and its address; empty if it
	// allows none yet.
	PullName, PullURL string
	// Run is the result of trying it; nil before that.
	Run *KeyRun
}

// KeyRun is what a pull with a new key answered.
type KeyRun struct {
	Status int
	// First are the first characters of the token, ExpiresIn its lifetime in
	// seconds, 0 if unknown.
	First     string
	ExpiresIn int64
	// Said is why there is no token.
	Said string
}

// KeyForm makes an API key.
type KeyForm struct {
	Title string
	// All allows every connection, else Chosen are allowed.
	All    bool
	Chosen []string
	// Tags that open connections, and all that there are.
	Tags, AllTags []string
	// Scopes of a key that does not administer.
	Scopes []string
	// Addresses as they were entered.
	Addresses string
	// Life is one of KeyLives.
	Life  string
	Admin bool
	// Picker offers the connections.
	Picker   Picker
	Problems map[string]i18n.Words
}

// KeyLives are the offered lifetimes of a key; the last one does not expire.
var KeyLives = []string{"30d", "90d", "365d", "never"}

// KeyLife is the time of one of KeyLives; zero does not expire.
func KeyLife(life string) time.Duration {
	const day = 24 * time.Hour
	switch life {
	case "30d":
		return 30 * day
	case "365d":
		return 365 * day
	case "never":
		return 0
	default:
		return 90 * day
	}
}

// Settings is the page of the signed-in person and of the hub.
type Settings struct {
	// HubName is what this hub is called in lists of hubs.
	HubName     string
	Login, Name string
	Lang, Theme string
	// Zone is the time zone that times are shown in.
	Zone string
	// HasCalendar is set if there is an address for calendar programs; CalendarURL
	// is it, when it was just made.
	HasCalendar bool
	CalendarURL string
	// SecondFactor is set if codes are asked for, RecoveryLeft how many recovery codes
	// are left.
	SecondFactor bool
	RecoveryLeft int
	Sessions     []Session
	Passkeys     Passkeys
	// Version, Database and Address are the hub's own.
	Version, Database, Address string
	// Problems by field: "present", "next", "repeat".
	Problems map[string]i18n.Words
}

// Wait is a rate limit: when the next attempt is allowed. The zero value is none.
type Wait struct {
	For time.Duration
	// Others is set if the hub has many other logins to check, and who is asked has done
	// nothing too often.
	Others bool
}

// Login is the page before everything else.
type Login struct {
	Login string
	// ReturnTo is the page to go to afterwards.
	ReturnTo string
	// Ended is set if a session ended in the middle of a form.
	Ended bool
	// Wrong is set after a login that was not right; Wait after too many.
	Wrong bool
	Wait  Wait
	// UsePasskey is set if the password was right and does not do.
	UsePasskey bool
	// Service is the sign-in service's title; empty without one. OIDCFailure is why it did
	// not lead in: "unknown" with the Email, "unverified", "refused" or "away".
	Service, OIDCFailure, Email string
	// Passkeys is set if they work at the hub's Address.
	Passkeys bool
	Address  string
	// Front is set if there is something for people without an account.
	Front bool
	// NotSetUp is set if there is no administrator yet.
	NotSetUp bool
}

// Setup makes the first administrator.
type Setup struct {
	// Link is the one-time token of the set-up link.
	Link        string
	Login, Name string
	Problems    map[string]i18n.Words
	// Spent is set if the link is not, or no longer, the one.
	Spent bool
}

// Result is the end of an authorization, as the person sees it who came back
// from the service.
type Result struct {
	// Reason is why there is no grant, one of authflow's; empty if there is one.
	Reason string
	// Reference finds a failure in the hub's log.
	Reference string
	Service   *ServiceRef
	// Connection is the title of what was authorized; empty if not known.
	Connection string
	// Cause is the error of the service.
	Cause *Trouble
	// Wanted and Got are the accounts if they differ.
	Wanted, Got string
	// Part is the part whose account or renewal it is about; zero for the authorization's
	// own.
	Part provider.Text
	// Back is the page to try again from; empty for strangers.
	Back string
	// Ends is set if the grant cannot be renewed; EndsAt is when it ends, zero if that
	// is not known.
	Ends   bool
	EndsAt time.Time
}

// Departure sends a browser to a service.
type Departure struct {
	Service    ServiceRef
	Connection string
	// URL is the service's authorization endpoint with everything that it needs.
	URL string
	// Host is the host of URL, shown before the browser goes there.
	Host string
	Back string
	// Others are the connections that this authorization may end, because the service
	// keeps one grant of an account; nil if it keeps more.
	Others []string
}

// Failure is a page that could not be shown.
type Failure struct {
	// Role is set if it is the person's role that does not allow something.
	Role bool
	// Busy is set if others have asked too much of the hub, not who is asked.
	Busy bool
	// Status is the HTTP status: 403, 404, 405, 409, 413, 429, 500 or 503.
	Status    int
	Reference string
}

// OnceForm chooses the service of a grant that is not kept.
type OnceForm struct {
	Services []ServiceRef
	// Service is the name of the chosen one.
	Service  string
	Problems Problems
}

// Once is a grant that is handed over and forgotten.
type Once struct {
	Connection
	// JSON is the document to copy; it holds secrets. Fields are its parts.
	JSON   string
	Fields []CodeField
	// Further are the access codes of its parts.
	Further []OncePart
	// Again is the address to start again; empty for people who are signed in.
	Again string
}

// OncePart has the access codes of a part of a grant that is not kept; JSON holds secrets.
type OncePart struct{ Name, Title, JSON string }
