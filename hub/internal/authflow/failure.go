package authflow

import (
	"errors"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Reason is why an authorization did not come to a grant, for pages to explain.
type Reason string

// The reasons of a Failure.
const (
	ReasonUnknownService    Reason = "unknown_service" // no service of that name
	ReasonUnknownState      Reason = "unknown_state"   // used, expired, or never ours
	ReasonOtherBrowser      Reason = "other_browser"   // started elsewhere
	ReasonOtherService      Reason = "other_service"   // state of another service: a mix-up
	ReasonWrongIssuer       Reason = "wrong_issuer"    // iss of RFC 9207 does not match
	ReasonDenied            Reason = "denied"
	ReasonNoCode            Reason = "no_code"
	ReasonExpiredCode       Reason = "expired_code"
	ReasonOperator          Reason = "operator" // wrong secret, redirect URI, scope
	ReasonTransient         Reason = "transient"
	ReasonInternal          Reason = "internal"
	ReasonStillWaiting      Reason = "still_waiting" // the service has not answered yet; the exchange continues
	ReasonOtherAccount      Reason = "other_account"
	ReasonAccountNotAllowed Reason = "account_not_allowed" // the connection states other ones
	ReasonAccountNotTold    Reason = "account_not_told"    // it states some, and the service names none
	ReasonNotPasted         Reason = "not_pasted"          // what was pasted holds no code
	ReasonEntryRefused      Reason = "entry_refused"       // the service does not accept what was entered
	ReasonNotObtained       Reason = "not_obtained"        // the service gives the hub no token
	// The grant is kept as an offer: see Offer.
	ReasonWouldLoseRenewal Reason = "would_lose_renewal" // it could not be renewed, the one in force can
	ReasonAccountUnproven  Reason = "account_unproven"   // the service did not say whose it is
)

// Aside reports whether the grant is kept aside for a person to decide.
func (r Reason) Aside() bool { return r == ReasonWouldLoseRenewal || r == ReasonAccountUnproven }

// Failure is an authorization that did not come to a grant.
type Failure struct { //nolint:errname // the pages speak of failures; it is more than an error
	Reason Reason
	// Reference finds the failure in the hub's log.
	Reference string
	// Cause is the error of the service or its plugin; nil for the hub's own refusals.
	Cause *provider.Error
	// Service and Authorization are known as far as the callback came.
	Service       *service.Service
	Authorization *authdb.Authorization
	// Wanted and Got are the accounts of ReasonOtherAccount.
	Wanted, Got provider.Account
	// Part is the title of the part whose account or renewal it is about; zero for the
	// authorization's own.
	Part provider.Text
}

// Error implements error. It holds no secret.
func (e *Failure) Error() string {
	s := "authorization failed: " + string(e.Reason)
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Refusal reports whether a person, a rule or the service said no, rather than that
// something failed or is not known yet.
func (e *Failure) Refusal() bool {
	return e.Reason != ReasonTransient && e.Reason != ReasonInternal && e.Reason != ReasonStillWaiting
}

// refusalError is a rule of this package that says no.
type refusalError string

// Error implements error.
func (e refusalError) Error() string { return string(e) }

// Refusal marks it for the audit record.
func (refusalError) Refusal() bool { return true }

func causeOf(err error) *provider.Error {
	if e, ok := errors.AsType[*provider.Error](err); ok {
		return e
	}
	return provider.Errorf(provider.Internal, "", "%w", err)
}

func reasonOf(cause *provider.Error) Reason {
	switch cause.Kind {
	case provider.Denied:
		return ReasonDenied
	case provider.Blocked:
		return ReasonOperator
	case provider.ReauthorizationRequired:
		return ReasonExpiredCode
	case provider.Transient:
		return ReasonTransient
	default:
		return ReasonInternal
	}
}

// reasonOfObtaining is reasonOf where nobody was sent to a browser.
func reasonOfObtaining(grant provider.Grant, cause *provider.Error) Reason {
	entered := grant == provider.GrantLogin || grant == provider.GrantStatic
	switch cause.Kind {
	case provider.Denied, provider.ReauthorizationRequired:
		if entered {
			return ReasonEntryRefused
		}
		return ReasonNotObtained
	case provider.Blocked:
		return ReasonNotObtained
	}
	return reasonOf(cause)
}

// fail gives a failure its reference and logs it once.
func (f *Flow) fail(failure *Failure) *Failure {
	failure.Reference = strings.ToUpper(store.NewID()[24:])
	args := []any{"reason", string(failure.Reason), "reference", failure.Reference}
	if failure.Service != nil {
		args = append(args, "service", failure.Service.Name)
	}
	if failure.Cause != nil {
		args = append(args, "kind", failure.Cause.Kind.String(), "code", failure.Cause.Code, "cause", failure.Cause.Message)
	}
	f.o.Logger.Warn("authorization failed", args...)
	return failure
}
