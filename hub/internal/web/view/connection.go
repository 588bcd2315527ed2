package view

import (
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Trouble is what went wrong at a service, with the service's words.
type Trouble struct {
	Kind    provider.Kind
	Code    string
	Message string
	Remedy  provider.Text
	// At is the last time, Since the first in a row, Count how many.
	At, Since time.Time
	Count     int
}

// TroubleOf takes what a provider reported; nil without.
func TroubleOf(e *provider.Error) *Trouble {
	if e == nil {
		return nil
	}
	return &Trouble{Kind: e.Kind, Code: e.Code, Message: e.Message, Remedy: e.Remedy}
}

// ServiceRef names a service.
type ServiceRef struct {
	Name, Title string
	Icon        Icon
}

// ConnectionRow is a connection in a list.
type ConnectionRow struct {
	Name, Title string
	Service     ServiceRef
	Status      connection.Status
	// Grant is how it gets its tokens.
	Grant provider.Grant
	// ValidUntil ends the access token; zero if no end is known. Valid reports
	// whether there is one now.
	ValidUntil time.Time
	Valid      bool
	// EndUnknown is set if no end is known and the provider does not say that there is none.
	EndUnknown bool
	// Sliding is set if each use makes the token live longer.
	Sliding bool
	// NextRenewal is when the hub acts next; zero is never by itself.
	NextRenewal time.Time
	// PersonBy is when a person has to act at the latest, and why.
	PersonBy     time.Time
	PersonReason connection.Reason
	Account      string
	LastPulled   time.Time
	Trouble      *Trouble
	Tags         []string
	// Accounts are those that may authorize it; none is any.
	Accounts        []string
	AccountProblems Problems
	// Lacks are the scopes that processes have reported as missing, first reported at
	// LacksSince.
	Lacks      []string
	LacksSince time.Time
}

// StatusDate is the date that belongs to the status word: until when, or since
// when. Zero if there is none.
func (r ConnectionRow) StatusDate() time.Time {
	switch r.Status {
	case connection.StatusExpires:
		if !r.PersonBy.IsZero() {
			return r.PersonBy
		}
		return r.ValidUntil
	case connection.StatusFresh:
		return r.ValidUntil
	}
	if r.Trouble != nil {
		return r.Trouble.Since
	}
	return time.Time{}
}

// Connection is a connection on its own page.
type Connection struct {
	ConnectionRow
	Generation int64
	State      connection.State
	Policy     connection.Policy
	// Key describes the static key of the service, HasOptions is set if connections have
	// options of their own.
	Key        provider.StaticKey
	HasOptions bool
	Renewable  bool
	BornDead   bool
	// ScopeTitles are the catalogue's words for scopes.
	ScopeTitles map[string]provider.Text
	// ScopesSaid is set if the service reported the granted scopes.
	ScopesSaid    bool
	Granted       []string
	Requested     []string
	Missing       []string
	ObtainedAt    time.Time
	RefreshEnds   time.Time
	AuthorizedAt  time.Time
	RenewedAt     time.Time
	CreatedAt     time.Time
	ProviderTitle provider.Text
	// Secrets are the client secrets of its service whose ends are known.
	Secrets []Secret
	// Revocable is set if grants can be revoked at the service.
	Revocable bool
	// HasRefreshToken is set if a refresh token could be handed over.
	HasRefreshToken bool
	// PullURL is where a process gets the token.
	PullURL string
	// Suspect is set if the service refuses this grant alone, by an unknown error.
	Suspect bool
	// AfterExpiry is set if the service renews only once the token is over.
	AfterExpiry bool
	// Doubt describes what was inconsistent in the last reply; "" if nothing was.
	Doubt connection.Doubt
	// Offered is an authorization that was kept aside; nil if there is none.
	Offered *Offered
	// Parts are what it shares an authorization with.
	Parts Parts
	// Timeline is what happened to it, newest first.
	Timeline []Moment
	// RenewingSince is when a renewal was begun whose reply is waited for until
	// RenewingUntil; zero if none takes long.
	RenewingSince, RenewingUntil time.Time
	// Restorable is set if a kept token set may be put back.
	Restorable bool
	// Contacts are who could own it, Owner is the id of who does.
	Contacts []policy.Contact
	Owner    string
	// Link is a link for a person without an account that was just created, with its end.
	Link      string
	LinkUntil time.Time
	// TestCalls are calls that show the access work; TestAnswer is what the service has
	// answered to one, nil if none was made.
	TestCalls  []provider.TestCall
	TestAnswer *TestAnswer
	// Rehearsal is whether a renewal would work; nil if that was not asked.
	Rehearsal *Rehearsal
	// PasteError is the reason why what was pasted was not taken; empty if none.
	Paste *Result
}

// TestAnswer is what a service answered to a test call, without secrets.
type TestAnswer struct {
	// Call is its name. Status is the HTTP status, 0 if there was no answer: Failure then
	// has the reason.
	Call    string
	Status  int
	Failure string
	Body    string
	// Cut is set if only the beginning is there.
	Cut  bool
	Took time.Duration
}

// ServiceRefOf names a service; icon is the address of its picture.
func ServiceRefOf(s service.Service, icon string) ServiceRef {
	return ServiceRef{Name: s.Name, Title: s.Title, Icon: Icon{URL: icon, Title: s.Title}}
}

// ConnectionRowOf derives the state of a connection at a time.
func ConnectionRowOf(c connection.Connection, svc ServiceRef, now time.Time) ConnectionRow {
	by, reason := c.PersonBy()
	row := ConnectionRow{
		Name: c.Name, Title: c.Title, Service: svc, Status: c.StatusAt(now), Grant: c.Grant, ValidUntil: c.Tokens.ExpiresAt,
		EndUnknown: c.Tokens.ExpiresAt.IsZero() && c.Policy.Lifetimes.AccessToken != provider.Never,
		Valid:      c.Tokens.Valid(now), Sliding: c.Sliding(), NextRenewal: c.Due, PersonBy: by, PersonReason: reason,
		Account: c.Account.Name, LastPulled: c.LastPulledAt, Lacks: c.LackedScopes(),
	}
	for _, need := range c.ScopeNeeds {
		if len(row.Lacks) > 0 && need.Scope == row.Lacks[0] {
			row.LacksSince = need.At
		}
	}
	if row.Account == "" {
		row.Account = c.Account.ID
	}
	if f := c.Trouble(); f != nil {
		row.Trouble = &Trouble{
			Kind: f.Kind, Code: f.Code, Message: f.Message, Remedy: f.Remedy, At: f.At, Since: f.Since, Count: f.Count,
		}
	}
	return row
}

// ConnectionOf derives a connection's own page. publicURL is the hub's address.
func ConnectionOf(c connection.Connection, s service.Service, icon, publicURL string, now time.Time) Connection {
	v := Connection{
		ConnectionRow: ConnectionRowOf(c, ServiceRefOf(s, icon), now),
		Generation:    c.Generation, State: c.State, Policy: c.Policy, Renewable: c.Renewable(now), BornDead: c.BornDead(),
		ScopesSaid: c.Tokens.Scopes != nil, Granted: c.Tokens.Scopes, Requested: c.RequestedScopes, Missing: c.MissingScopes(),
		ObtainedAt: c.Tokens.ObtainedAt, RefreshEnds: c.Tokens.RefreshExpiresAt, AuthorizedAt: c.AuthorizedAt,
		RenewedAt: c.RenewedAt, CreatedAt: c.CreatedAt, HasRefreshToken: c.Tokens.RefreshToken != "",
		PullURL: strings.TrimSuffix(publicURL, "/") + "/api/v1/connections/" + c.Name + "/token",
		Suspect: c.Phase() == connection.PhaseSuspect, AfterExpiry: c.AfterExpiry(), Doubt: c.Tokens.Doubt,
		Secrets: slices.DeleteFunc(SecretsOf(s, now), func(x Secret) bool { return x.EndsAt.IsZero() }),
	}
	v.grantFacts(s)
	if d := s.Description; d != nil {
		v.ProviderTitle = d.Title
		v.TestCalls = d.TestCalls
		v.ScopeTitles = ScopeTitlesOf(*d)
		v.Revocable = slices.Contains(d.Grants, provider.GrantRevoke)
	}
	return v
}

// Offered is an authorization that was kept aside, because it would have replaced a
// better one: Reason is one of authflow's.
type Offered struct {
	Reason string
	// Part is the part that it is about; zero for the authorization's own.
	Part  provider.Text
	Until time.Time
	// Ends is when its access ends; zero if that is not known.
	Ends time.Time
}

// PutOff reports whether the next renewal comes when the token is over already, which
// the service did not ask for: its endpoint is not called for now.
func (c Connection) PutOff() bool {
	onTime := c.AfterExpiry || c.Policy.Window.Kind == provider.RenewOnDemand
	return c.Renewable && !onTime && !c.ValidUntil.IsZero() && c.NextRenewal.After(c.ValidUntil.Add(time.Second))
}

// Authorized reports whether there ever was a grant.
func (c Connection) Authorized() bool { return !c.AuthorizedAt.IsZero() }

// AccessCodes are the tokens of a connection, shown on request.
type AccessCodes struct {
	Connection ConnectionRow
	// JSON is the document to copy; it holds secrets. Fields are its parts.
	JSON   string
	Fields []CodeField
	// WithRefreshToken is set if the refresh token was handed over.
	WithRefreshToken bool
	// Refused is why there is no token; nil if there is.
	Refused *Trouble
}
