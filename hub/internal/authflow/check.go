package authflow

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Verdict is what a check found.
type Verdict string

// The verdicts of Check.
const (
	// CheckAccepted: the service accepts the client; it rejected only the made-up code.
	CheckAccepted Verdict = "accepted"
	// CheckRefused: the service rejects the client, so no authorization can succeed.
	CheckRefused Verdict = "refused"
	// CheckNoPage: there is no login page at the address that browsers would be sent to.
	CheckNoPage Verdict = "no_page"
	// CheckUnreachable: an address did not answer.
	CheckUnreachable Verdict = "unreachable"
	// CheckUnclear: the service's answer does not show whether the client is accepted.
	CheckUnclear Verdict = "unclear"
)

// Checked is what a service answered to a check.
type Checked struct {
	Verdict Verdict
	// Cause is the error of the service or its plugin; nil if it accepted the client.
	Cause *provider.Error
	// Host is the one that the verdict is about, if it is known.
	Host string
	// Instead is a choice of an option with which the service accepts the client that it
	// refuses as things are; nil if there is none.
	Instead *Instead
}

// Instead is another choice of an option.
type Instead struct{ Option, Value string }

// checkTimeout bounds each of the two requests of a check.
const checkTimeout = 15 * time.Second

// Check determines whether authorizations at a service can succeed, before a person is
// sent there: it requests the login page, then sends the token endpoint a code that was
// never issued. An authorization server authenticates the client before it validates the
// code (RFC 6749 section 5.2), so invalid_client shows a wrong secret, and invalid_grant
// a right one. Where the provider names the option that a refusal is about, the other
// choices of it are tried too. Nothing is stored, and no grant can result.
func (f *Flow) Check(ctx context.Context, svc service.Service) Checked {
	ctx, cancel := context.WithTimeout(ctx, 2*checkTimeout)
	defer cancel()
	now := time.Now()
	svc = svc.At(now)
	op := func() *operation.Op { return &operation.Op{ID: store.NewID(), Service: svc, Now: now} }
	ask := provider.AuthCodeURLRequest{State: randtoken.New(), RedirectURI: f.RedirectURI(svc), Nonce: randtoken.New()}
	if !slices.Contains(svc.Description.Grants, provider.GrantAuthorizationCode) {
		return f.checkWithoutBrowser(ctx, op())
	}
	verifier := withPKCE(svc, &ask)
	address, err := f.o.Runner.AuthCodeURL(ctx, op(), ask)
	if err == nil {
		err = checkAddress(svc, address.URL)
	}
	if err != nil {
		return verdictOf(causeOf(err))
	}
	if checked, bad := f.lookAt(ctx, op(), address.URL); bad {
		return checked
	}
	made := provider.ExchangeRequest{
		Code: "evergrant-check-" + randtoken.New()[:12], Params: url.Values{}, RedirectURI: ask.RedirectURI, CodeVerifier: verifier, Nonce: ask.Nonce, Data: address.Data,
	}
	if _, _, err = f.o.Runner.Exchange(ctx, op(), made); err == nil {
		return Checked{Verdict: CheckUnclear}
	}
	checked := verdictOf(causeOf(err))
	if checked.Verdict == CheckRefused {
		checked.Instead = f.tryOthers(ctx, svc, made, checked.Cause.Option, now)
	}
	return checked
}

// checkWithoutBrowser is Check for a service that sends nobody to a login page: client
// credentials are tried, and the token is thrown away. What a person enters for each
// connection is not there to be tried.
func (f *Flow) checkWithoutBrowser(ctx context.Context, op *operation.Op) Checked {
	if !slices.Contains(op.Service.Description.Grants, provider.GrantClientCredentials) {
		return Checked{Verdict: CheckUnclear}
	}
	if _, err := f.ask(ctx, op, provider.GrantClientCredentials, Entered{}); err != nil {
		return verdictOf(causeOf(err))
	}
	return Checked{Verdict: CheckAccepted}
}

// tryOthers shows the made-up code with each other choice of the option that the provider
// names as the cause of a refusal.
func (f *Flow) tryOthers(ctx context.Context, svc service.Service, made provider.ExchangeRequest, name string, now time.Time) *Instead {
	option, known := svc.Description.Options.Option(name)
	if !known || option.Secret {
		return nil
	}
	chosen, _ := svc.Options[name].(string)
	if chosen == "" {
		chosen, _ = option.Default.(string)
	}
	for _, choice := range option.Choices {
		if choice.Value == chosen {
			continue
		}
		other := svc
		other.Options = maps.Clone(svc.Options)
		if other.Options == nil {
			other.Options = map[string]any{}
		}
		other.Options[name] = choice.Value
		_, _, err := f.o.Runner.Exchange(ctx, &operation.Op{ID: store.NewID(), Service: other, Now: now}, made)
		if err != nil && verdictOf(causeOf(err)).Verdict == CheckAccepted {
			return &Instead{Option: name, Value: choice.Value}
		}
	}
	return nil
}

// lookAt requests the login page. Its content does not matter: services reject clients
// that are no browsers in many ways, so only a missing page and a host that does not
// answer are reported.
func (f *Flow) lookAt(ctx context.Context, op *operation.Op, address string) (checked Checked, bad bool) {
	host := ""
	if u, err := url.Parse(address); err == nil {
		host = u.Host
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	status, err := f.o.Runner.Look(ctx, op, address)
	switch {
	case err != nil:
		cause := causeOf(err)
		return Checked{Verdict: CheckUnreachable, Cause: cause, Host: host}, true
	case status == http.StatusNotFound || status == http.StatusGone:
		return Checked{Verdict: CheckNoPage, Host: host}, true
	default:
		return Checked{}, false
	}
}

// verdictOf classifies the answer of a token endpoint to a made-up code.
func verdictOf(cause *provider.Error) Checked {
	checked := Checked{Verdict: CheckUnclear, Cause: cause}
	switch cause.Kind {
	case provider.ReauthorizationRequired, provider.Denied:
		return Checked{Verdict: CheckAccepted}
	case provider.Blocked:
		checked.Verdict = CheckRefused
	case provider.Transient:
		checked.Verdict = CheckUnreachable
	case provider.Internal:
	}
	return checked
}
