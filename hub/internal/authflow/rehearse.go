package authflow

import (
	"context"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
)

// RenewalVerdict is what a rehearsal found of a renewal.
type RenewalVerdict string

// The verdicts of a rehearsal.
const (
	// RenewalWorks: the service says that the refresh token is in force.
	RenewalWorks RenewalVerdict = "renewal_works"
	// RenewalOver: the service says that it is not.
	RenewalOver RenewalVerdict = "renewal_over"
	// AccessWorks: the access token is accepted; of a renewal nothing is known.
	AccessWorks RenewalVerdict = "access_works"
	// AccessOver: the access token is not accepted; of a renewal nothing is known.
	AccessOver RenewalVerdict = "access_over"
	// NotTold: the service could not be asked, or did not say.
	NotTold RenewalVerdict = "not_told"
	// NoWay: the service offers no way to check without renewing.
	NoWay RenewalVerdict = "no_way"
)

// Rehearsal is whether a renewal would work, as far as that can be known without one.
type Rehearsal struct {
	Verdict RenewalVerdict
	// By is the operation that was asked; "" for none.
	By provider.Grant
	// Left is the remaining life of the refresh token, else of the access token; nil if
	// the service does not say.
	Left *time.Duration
	// Scopes are those that the service names; nil if it names none.
	Scopes []string
	// Account is whose the access token is, where that was asked.
	Account provider.Account
	// Cause is the error of the service; nil for none.
	Cause *provider.Error
}

// ErrNothingToRehearse is a rehearsal of a connection without a grant.
var ErrNothingToRehearse error = refusalError("this connection has no grant yet, so there is no renewal to try; authorize it first")

// Rehearse asks a service whether the renewal of a connection would work. It spends
// nothing and changes nothing: what the service says is shown and not believed. Errors:
// ErrNothingToRehearse, *store.DetachedError, of the store.
func (f *Flow) Rehearse(ctx context.Context, c connection.Connection, svc service.Service) (Rehearsal, error) {
	if err := f.o.Store.Detached(ctx); err != nil {
		return Rehearsal{}, err
	}
	if c.Tokens.AccessToken == "" && c.Tokens.RefreshToken == "" {
		return Rehearsal{}, ErrNothingToRehearse
	}
	ctx, cancel := context.WithTimeout(ctx, f.o.MaxWait)
	defer cancel()
	now := time.Now()
	op, current := &operation.Op{ID: store.NewID(), Service: svc.At(now), Connection: c.ForProvider(), Now: now}, c.Tokens.Token(now)
	switch {
	case svc.Description == nil:
		return Rehearsal{Verdict: NoWay}, nil
	case slices.Contains(svc.Description.Grants, provider.GrantIntrospect):
		return f.introspect(ctx, op, current), nil
	case slices.Contains(svc.Description.Grants, provider.GrantIdentify) && c.Tokens.AccessToken != "":
		return f.rehearseAccess(ctx, op, current), nil
	}
	return Rehearsal{Verdict: NoWay}, nil
}

func (f *Flow) introspect(ctx context.Context, op *operation.Op, current provider.Token) Rehearsal {
	found, err := f.o.Runner.Introspect(ctx, op, current)
	if err != nil {
		return Rehearsal{Verdict: NotTold, By: provider.GrantIntrospect, Cause: causeOf(err)}
	}
	r := Rehearsal{Verdict: NotTold, By: provider.GrantIntrospect, Scopes: found.Scopes, Left: found.RefreshExpiresIn}
	switch {
	case found.RefreshToken == provider.Active:
		r.Verdict = RenewalWorks
	case found.RefreshToken == provider.Inactive:
		r.Verdict = RenewalOver
	case found.AccessToken == provider.Active:
		r.Verdict, r.Left = AccessWorks, found.ExpiresIn
	case found.AccessToken == provider.Inactive:
		r.Verdict = AccessOver
	}
	return r
}

// rehearseAccess shows the access token alone.
func (f *Flow) rehearseAccess(ctx context.Context, op *operation.Op, current provider.Token) Rehearsal {
	account, err := f.o.Runner.Identify(ctx, op, current)
	if err == nil {
		return Rehearsal{Verdict: AccessWorks, By: provider.GrantIdentify, Account: *account}
	}
	r := Rehearsal{Verdict: NotTold, By: provider.GrantIdentify, Cause: causeOf(err)}
	if r.Cause.Kind == provider.ReauthorizationRequired || r.Cause.Kind == provider.Denied || r.Cause.Code == "invalid_token" { // RFC 6750
		r.Verdict = AccessOver
	}
	return r
}
