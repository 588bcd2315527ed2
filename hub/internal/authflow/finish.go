package authflow

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Finished is a grant that was saved, or that is handed over once.
type Finished struct {
	// Once is set if nothing was saved: Connection then holds the only copy.
	Once       bool
	Connection connection.Connection
	// Parts are the connections of the parts that came with the grant.
	Parts []connection.Connection
	// Missing are those of parts that did not come: they are as before.
	Missing  []connection.Connection
	Service  service.Service
	ReturnTo string
	Lang     string
}

// Finish ends an authorization with the parameters of its callback. browsers are the
// secrets in the browser's cookies. Errors: *Failure, or of the store.
func (f *Flow) Finish(ctx context.Context, serviceName string, params url.Values, browsers ...string) (*Finished, error) {
	svc, err := f.o.Store.Services.ServiceByName(ctx, serviceName)
	if errors.Is(err, store.ErrNotFound) {
		return nil, f.fail(&Failure{Reason: ReasonUnknownService})
	}
	if err != nil {
		return nil, err
	}
	now := time.Now()
	a, err := f.take(ctx, svc, params.Get("state"), hashes(browsers), now)
	if errors.Is(err, store.ErrNotFound) {
		return nil, f.fail(f.untaken(ctx, svc, params, hashes(browsers), now))
	}
	if err != nil {
		return nil, wrap("take the authorization", err)
	}
	failure := &Failure{Service: &svc, Authorization: a}
	switch {
	case a.ServiceID != svc.ID:
		failure.Reason = ReasonOtherService
	case wrongIssuer(svc, params):
		failure.Reason = ReasonWrongIssuer
	default:
		return f.exchange(ctx, svc, a, params, now)
	}
	return nil, f.fail(failure)
}

// Awaited is the authorization that the parameters of a callback belong to; nil if there
// is none, such as for a stranger's. Nothing is consumed.
func (f *Flow) Awaited(ctx context.Context, serviceName string, params url.Values, browsers ...string) (*authdb.Authorization, error) {
	svc, err := f.o.Store.Services.ServiceByName(ctx, serviceName)
	var a *authdb.Authorization
	switch state := params.Get("state"); {
	case err != nil:
	case state != "":
		a, err = f.o.Store.Authorizations.AuthorizationOf(ctx, randtoken.Hash(state))
	default:
		a, err = f.o.Store.Authorizations.AuthorizationByBrowser(ctx, svc.ID, hashes(browsers), time.Now())
	}
	if errors.Is(err, store.ErrNotFound) || err == nil && !a.ExpiresAt.After(time.Now()) {
		return nil, nil //nolint:nilnil // there being none is no error
	}
	return a, wrap("find the authorization", err)
}

// untaken is why there is no authorization to take. Nothing is consumed: one that another
// browser has started can still be finished there. An error without a state is reported
// as that of the authorization which the browser has started.
func (f *Flow) untaken(ctx context.Context, svc service.Service, params url.Values, browsers []string, now time.Time) *Failure {
	failure := &Failure{Reason: ReasonUnknownState, Service: &svc}
	state := params.Get("state")
	if cause := errorOf(params); cause != nil && state == "" {
		failure.Reason, failure.Cause = reasonOf(cause), cause
		if a, err := f.o.Store.Authorizations.AuthorizationByBrowser(ctx, svc.ID, browsers, now); err == nil {
			failure.Authorization = a
		}
		return failure
	}
	if a, err := f.o.Store.Authorizations.AuthorizationOf(ctx, randtoken.Hash(state)); err == nil && state != "" && a.ExpiresAt.After(now) {
		failure.Reason = ReasonOtherBrowser
		if a.ServiceID != svc.ID {
			failure.Reason = ReasonOtherService
		}
	}
	return failure
}

// hashes are those of the secrets that could be a browser's.
func hashes(browsers []string) []string {
	var all []string
	for _, browser := range browsers {
		if browser != "" {
			all = append(all, randtoken.Hash(browser))
		}
	}
	return all
}

// FinishPasted ends an authorization with what a person pasted: the address
// that the browser landed on, or the bare code. userID must have started it.
func (f *Flow) FinishPasted(ctx context.Context, connectionID, userID, pasted string) (*Finished, error) {
	c, err := f.o.Store.Grants.Connection(ctx, connectionID)
	if err != nil {
		return nil, err
	}
	svc, err := f.o.Store.Services.Service(ctx, c.ServiceID)
	if err != nil {
		return nil, err
	}
	params := readPasted(pasted)
	if params.Get("code") == "" && params.Get("error") == "" {
		return nil, f.fail(&Failure{Reason: ReasonNotPasted, Service: &svc})
	}
	now := time.Now()
	pending, err := f.pendingFor(ctx, connectionID, userID, params.Get("state"))
	if errors.Is(err, store.ErrNotFound) {
		return nil, f.fail(&Failure{Reason: ReasonUnknownState, Service: &svc})
	}
	if err != nil {
		return nil, wrap("find the authorization", err)
	}
	a, err := f.o.Store.Authorizations.TakeAuthorization(ctx, pending.StateHash, now)
	if errors.Is(err, store.ErrNotFound) {
		return nil, f.fail(&Failure{Reason: ReasonUnknownState, Service: &svc})
	}
	if err != nil {
		return nil, wrap("take the authorization", err)
	}
	if wrongIssuer(svc, params) {
		return nil, f.fail(&Failure{Reason: ReasonWrongIssuer, Service: &svc, Authorization: a})
	}
	return f.exchange(ctx, svc, a, params, now)
}

// pendingFor finds the authorization that a person has started for a connection: the one
// of the state, of which there may be several at once, or without a state the newest.
func (f *Flow) pendingFor(ctx context.Context, connectionID, userID, state string) (*authdb.Authorization, error) {
	if state == "" {
		return f.o.Store.Authorizations.PendingAuthorization(ctx, connectionID, userID)
	}
	a, err := f.o.Store.Authorizations.AuthorizationOf(ctx, randtoken.Hash(state))
	if err == nil && (a.ConnectionID != connectionID || a.UserID != userID) {
		err = store.ErrNotFound
	}
	return a, err
}

// readPasted reads an address, a query string, or a bare code, as people copy them: in
// quotes or brackets, without the scheme, in percent-encoding.
func readPasted(pasted string) url.Values {
	pasted = strings.Trim(strings.TrimSpace(pasted), "<>()[]{}\"'`«»“”„ \t\r\n")
	if u, err := url.Parse(pasted); err == nil && u.Scheme != "" && u.Host != "" {
		params := u.Query()
		if fragment, err := url.ParseQuery(u.Fragment); err == nil && params.Get("code") == "" {
			maps.Copy(params, fragment)
		}
		return params
	}
	query := pasted
	if address, rest, found := strings.Cut(pasted, "?"); found && !strings.Contains(address, "=") {
		query = rest
	}
	if strings.ContainsRune(query, '=') {
		query, _, _ = strings.Cut(query, "#")
		if params, err := url.ParseQuery(query); err == nil && (params.Get("code") != "" || params.Get("error") != "") {
			return params
		}
	}
	if pasted == "" || strings.ContainsAny(pasted, " \t\r\n") {
		return url.Values{}
	}
	if code, err := url.PathUnescape(pasted); err == nil && escaped.MatchString(pasted) && !strings.ContainsFunc(code, unicode.IsSpace) {
		pasted = code // copied out of an address
	}
	return url.Values{"code": {pasted}}
}

// escaped is what a percent-encoded code has in it.
var escaped = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// wrongIssuer checks iss of RFC 9207 where the issuer is known. A service that announces
// it sends it with every callback, so that one without it has lost it on purpose; a code
// that a person has pasted alone is no callback.
func wrongIssuer(svc service.Service, params url.Values) bool {
	sent, known := params.Get("iss"), svc.Description.Issuer
	if sent == "" {
		return known != "" && svc.Description.IssuerSent && params.Has("state")
	}
	return known != "" && sent != known
}

// exchange spends the code and saves the grant. The code is spent by one request: the
// exchange continues without its caller when the browser disconnects or the service takes
// too long, so that its reply is not lost.
func (f *Flow) exchange(ctx context.Context, svc service.Service, a *authdb.Authorization, params url.Values, now time.Time) (*Finished, error) {
	failure := &Failure{Service: &svc, Authorization: a}
	if cause := errorOf(params); cause != nil {
		failure.Reason, failure.Cause = reasonOf(cause), cause
		return nil, f.fail(failure)
	}
	if params.Get("code") == "" {
		failure.Reason = ReasonNoCode
		return nil, f.fail(failure)
	}
	type result struct {
		finished *Finished
		err      error
	}
	ended := make(chan result, 1)
	f.work.Go(func() {
		finished, err := f.spend(context.WithoutCancel(ctx), svc, a, params, now)
		ended <- result{finished, err}
	})
	timer := time.NewTimer(f.o.MaxWait)
	defer timer.Stop()
	select {
	case r := <-ended:
		return r.finished, r.err
	case <-timer.C:
	}
	if failure.Reason = ReasonStillWaiting; a.ConnectionID == "" { // without a connection there is nothing to save it to
		failure.Reason = ReasonTransient
		return nil, f.fail(failure)
	}
	f.work.Go(func() {
		r := <-ended
		f.o.Late(context.WithoutCancel(ctx), a, r.finished, r.err)
	})
	return nil, f.fail(failure)
}

// spend exchanges the code and saves what comes of it.
func (f *Flow) spend(ctx context.Context, svc service.Service, a *authdb.Authorization, params url.Values, now time.Time) (*Finished, error) {
	if a.Scopes != nil { // what was asked for, beyond the service's own for some
		svc.Scopes = a.Scopes
	}
	failure := &Failure{Service: &svc, Authorization: a}
	about, err := f.about(ctx, a.ConnectionID)
	if err != nil {
		return nil, err
	}
	op := &operation.Op{ID: a.ID, Service: svc.At(now), Connection: about, Now: now, Sending: sync.OnceFunc(func() { f.o.Exchanging(time.Since(now)) })}
	token, out, err := f.o.Runner.Exchange(ctx, op, provider.ExchangeRequest{
		Code: params.Get("code"), Params: params, RedirectURI: a.RedirectURI, CodeVerifier: a.Verifier, Nonce: a.Nonce, Data: a.Data,
	})
	if err != nil {
		failure.Cause = causeOf(err)
		failure.Reason = reasonOf(failure.Cause)
		return nil, f.fail(failure)
	}
	if a.ConnectionID == "" {
		return f.once(ctx, svc, a, now, *token), nil
	}
	return f.keep(ctx, svc, a, about, got{asked: now, token: *token, keyIDs: out.KeyIDs, lang: a.Lang}, failure)
}

// about is the connection of an authorization as a provider gets it; zero without one.
func (f *Flow) about(ctx context.Context, connectionID string) (provider.Connection, error) {
	if connectionID == "" {
		return provider.Connection{}, nil
	}
	c, err := f.o.Store.Grants.Connection(ctx, connectionID)
	return c.ForProvider(), wrap("read the connection", err)
}

// identify returns the account of the grant; empty if the service cannot identify it.
func (f *Flow) identify(ctx context.Context, svc service.Service, about provider.Connection, token provider.Token, now time.Time) (provider.Account, error) {
	if !slices.Contains(svc.Description.Grants, provider.GrantIdentify) {
		return provider.Account{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.o.MaxWait)
	defer cancel()
	account, err := f.o.Runner.Identify(ctx, &operation.Op{Service: svc.At(now), Connection: about, Now: now}, token)
	if err != nil {
		return provider.Account{}, err
	}
	return *account, nil
}
