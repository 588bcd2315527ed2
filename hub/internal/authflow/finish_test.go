package authflow_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

func TestAGrantIsSavedWithItsAccountAndCanBeSpentOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := newRig(t, s, authserver.Config{RequirePKCE: true})
		c := r.connection(t, "sales")
		started := r.start(t, c.ID)
		if left := time.Until(started.ExpiresAt); left < 14*time.Minute || left > 15*time.Minute {
			t.Errorf("a person has %s", left)
		}
		callback := r.consent(t, started, asAnna())
		finished, err := r.flow.Finish(t.Context(), "crm", callback, "another tab's", browser)
		must(t, err)
		saved, err := s.Grants.Connection(t.Context(), c.ID)
		must(t, err)
		if finished.Once || finished.ReturnTo != "/connections" || finished.Lang != "en" || saved.Generation != 1 || saved.Account.ID != "1" ||
			r.server.TokenState(saved.Tokens.AccessToken) != authserver.Valid || r.server.RefreshTokenState(saved.Tokens.RefreshToken) != authserver.Valid {
			t.Errorf("finished %+v as generation %d of account %q", finished, saved.Generation, saved.Account.ID)
		}
		if told := <-r.granted; told.ID != c.ID || told.Generation != 1 {
			t.Errorf("told of generation %d of %s", told.Generation, told.Name)
		}
		_, err = r.flow.Finish(t.Context(), "crm", callback, browser)
		wantFailure(t, err, authflow.ReasonUnknownState)
		if n := r.server.TokenRequests("authorization_code"); n != 1 {
			t.Errorf("%d codes were sent", n)
		}
	})
}

// A grant without a connection is handed over, and lies nowhere.
func TestAGrantForNoConnectionIsHandedOverOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), authserver.Config{})
	finished, err := r.flow.Finish(t.Context(), "crm", r.consent(t, r.start(t, ""), asBoris()), browser)
	must(t, err)
	if !finished.Once || finished.Connection.ID != "" || finished.Connection.Account.ID != "2" || finished.Connection.Tokens.AccessToken == "" {
		t.Errorf("handed over %+v", finished)
	}
	all, err := r.store.Grants.Connections(t.Context(), grantdb.Filter{})
	must(t, err)
	if len(all) != 0 {
		t.Errorf("%d connections are stored", len(all))
	}
}

func TestWhatComesBackFromTheServiceIsExplained(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), authserver.Config{})
	c := r.connection(t, "sales")
	for name, tt := range map[string]struct {
		form   url.Values
		change func(url.Values)
		fault  *authserver.Fault
		reason authflow.Reason
		kind   provider.Kind
	}{
		"refused by the person":   {form: url.Values{"decision": {"deny"}}, reason: authflow.ReasonDenied, kind: provider.Denied},
		"no code":                 {change: func(q url.Values) { q.Del("code") }, reason: authflow.ReasonNoCode},
		"another issuer":          {change: func(q url.Values) { q.Set("iss", "https://evil.example") }, reason: authflow.ReasonWrongIssuer},
		"no issuer":               {change: func(q url.Values) { q.Del("iss") }, reason: authflow.ReasonWrongIssuer},
		"a code that was made up": {change: func(q url.Values) { q.Set("code", "made-up") }, reason: authflow.ReasonExpiredCode, kind: provider.ReauthorizationRequired},
		"a scope that is not given": {change: func(q url.Values) { q.Set("error", "invalid-scope"); q.Set("error_description", "no\nsuch scope") },
			reason: authflow.ReasonOperator, kind: provider.Blocked},
		"an error by its reason": {change: func(q url.Values) { q.Set("error", "oops"); q.Set("error_reason", "user_denied") }, reason: authflow.ReasonDenied, kind: provider.Denied},
		"an unknown error":       {change: func(q url.Values) { q.Set("error", "oops") }, reason: authflow.ReasonOperator, kind: provider.Blocked},
		"an outage":              {fault: new(authserver.Unavailable(503)), reason: authflow.ReasonTransient, kind: provider.Transient},
	} {
		form := tt.form
		if form == nil {
			form = asAnna()
		}
		callback := r.consent(t, r.start(t, c.ID), form)
		if tt.change != nil {
			tt.change(callback)
		}
		if tt.fault != nil {
			r.server.SetFault(*tt.fault)
		}
		_, err := r.flow.Finish(t.Context(), "crm", callback, browser)
		r.server.ClearFaults()
		failure := wantFailure(t, err, tt.reason)
		if tt.kind != 0 {
			wantKind(t, failure, tt.kind)
		}
		if failure.Authorization == nil || failure.Authorization.ConnectionID != c.ID || strings.Contains(failure.Error(), "\n") {
			t.Errorf("%s: %v", name, failure)
		}
	}
	if c, err := r.store.Grants.Connection(t.Context(), c.ID); err != nil || c.Generation != 0 {
		t.Errorf("generation %d, %v", c.Generation, err)
	}
}

// A callback that belongs elsewhere consumes nothing: where it belongs it still succeeds.
func TestACallbackIsGoodWhereItBelongsAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), authserver.Config{})
	r.register(t, "other", r.address)
	c := r.connection(t, "sales")
	callback := r.consent(t, r.start(t, c.ID), asAnna())
	finish := func(service string, q url.Values, browsers ...string) error {
		_, err := r.flow.Finish(t.Context(), service, q, browsers...)
		return err
	}
	wantFailure(t, finish("nothing", callback, browser), authflow.ReasonUnknownService)
	wantFailure(t, finish("crm", callback), authflow.ReasonOtherBrowser)
	wantFailure(t, finish("crm", callback, "", "the secret of boris"), authflow.ReasonOtherBrowser)
	wantFailure(t, finish("other", callback, "the secret of boris"), authflow.ReasonOtherService)
	wantFailure(t, finish("crm", url.Values{"state": {"made up"}, "code": {"x"}}, browser), authflow.ReasonUnknownState)
	wantFailure(t, finish("crm", url.Values{"code": {"x"}}, browser), authflow.ReasonUnknownState)
	lost := wantFailure(t, finish("crm", url.Values{"error": {"server_error"}}, browser), authflow.ReasonTransient)
	if lost.Authorization == nil || lost.Authorization.ConnectionID != c.ID {
		t.Error("an error without a state is not told to whom it belongs")
	}
	must(t, finish("crm", callback, browser))
	again := r.consent(t, r.start(t, c.ID), asAnna())
	wantFailure(t, finish("other", again, browser), authflow.ReasonOtherService)
}

// The code is spent by then: the reply is saved although nobody waits for it any more.
func TestAServiceThatTakesLongIsNotWaitedForAndItsReplyIsSaved(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), authserver.Config{})
	r.flow = r.newFlow(time.Millisecond)
	c := r.connection(t, "sales")
	slow, once := r.consent(t, r.start(t, c.ID), asAnna()), r.consent(t, r.start(t, ""), asAnna())
	r.server.SetFault(authserver.Stalled())
	_, err := r.flow.Finish(t.Context(), "crm", slow, browser)
	wantFailure(t, err, authflow.ReasonStillWaiting)
	_, err = r.flow.Finish(t.Context(), "crm", once, browser)
	wantFailure(t, err, authflow.ReasonTransient)
	r.server.ClearFaults()
	r.flow.Wait()
	if c, err = r.store.Grants.Connection(t.Context(), c.ID); err != nil || c.Generation != 1 {
		t.Errorf("generation %d, %v", c.Generation, err)
	}
}

// Who authorizes with another account is told both, and the grant in force stays.
func TestAnotherAccountDoesNotTakeAConnectionOver(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), authserver.Config{})
	c := r.authorized(t, "sales")
	_, err := r.flow.Finish(t.Context(), "crm", r.consent(t, r.start(t, c.ID), asBoris()), browser)
	failure := wantFailure(t, err, authflow.ReasonOtherAccount)
	if failure.Wanted.ID != "1" || failure.Got.ID != "2" {
		t.Errorf("wanted %q, got %q", failure.Wanted.ID, failure.Got.ID)
	}
	if now, err := r.store.Grants.Connection(t.Context(), c.ID); err != nil || now.Generation != 1 || now.Tokens.AccessToken != c.Tokens.AccessToken {
		t.Errorf("generation %d, %v", now.Generation, err)
	}
	finished, err := r.flow.Finish(t.Context(), "crm", r.consent(t, r.start(t, c.ID), asAnna()), browser)
	must(t, err)
	if finished.Connection.Generation != 2 {
		t.Errorf("the same account's grant is generation %d", finished.Connection.Generation)
	}
}

func TestNothingIsStartedForWhatIsNotThere(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), authserver.Config{})
	for _, req := range []authflow.StartRequest{{ConnectionID: store.NewID(), Browser: browser}, {ServiceID: store.NewID(), Browser: browser}} {
		if _, err := r.flow.Start(t.Context(), req); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%+v: %v", req, err)
		}
	}
}

func TestAServiceMayHaveARedirectURIOfItsOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), authserver.Config{})
	own := r.service
	own.RedirectURI = "https://elsewhere.example/back"
	if got := r.flow.RedirectURI(own); got != own.RedirectURI {
		t.Errorf("it is %s", got)
	}
	if a, b := authflow.NewBrowser(), authflow.NewBrowser(); a == b || len(a) < 32 {
		t.Error("secrets of browsers are equal or short")
	}
}
