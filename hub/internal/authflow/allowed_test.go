package authflow_test

import (
	"testing"

	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// An account that a connection does not allow authorizes it neither first nor again, and
// the grant in force stays. Where the service names no account a person decides.
func TestAnAccountThatIsNotAllowedAuthorizesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := newRig(t, s, authserver.Config{})
		c := r.connection(t, "sales")
		allow := func(accounts ...string) { must(t, s.Grants.SetAllowedAccounts(t.Context(), c.ID, accounts)) }
		allow("@other.test", "anna@example.test")
		_, err := r.flow.Finish(t.Context(), "crm", r.consent(t, r.start(t, c.ID), asBoris()), browser)
		failure := wantFailure(t, err, authflow.ReasonAccountNotAllowed)
		if failure.Got.ID != "2" || failure.Wanted.Name != "@other.test, anna@example.test" {
			t.Errorf("got %+v, wanted %+v", failure.Got, failure.Wanted)
		}
		if c, err := s.Grants.Connection(t.Context(), c.ID); err != nil || c.Generation != 0 {
			t.Errorf("generation %d, %v", c.Generation, err)
		}
		finished, err := r.flow.Finish(t.Context(), "crm", r.consent(t, r.start(t, c.ID), asAnna()), browser)
		must(t, err)
		<-r.granted
		allow("@other.test")
		_, err = r.flow.Finish(t.Context(), "crm", r.consent(t, r.start(t, c.ID), asAnna()), browser)
		wantFailure(t, err, authflow.ReasonAccountNotAllowed)
		after, err := s.Grants.Connection(t.Context(), c.ID)
		must(t, err)
		if after.Generation != 1 || after.Tokens.RefreshToken != finished.Connection.Tokens.RefreshToken || r.server.RefreshTokenState(after.Tokens.RefreshToken) != authserver.Valid {
			t.Errorf("the grant in force is of generation %d", after.Generation)
		}
		silent := r.connection(t, "silent")
		must(t, s.Grants.SetAllowedAccounts(t.Context(), silent.ID, []string{"@example.test"}))
		r.out.Store("/userinfo", 503)
		defer r.out.Delete("/userinfo")
		started, err := r.flow.Start(t.Context(), authflow.StartRequest{ConnectionID: silent.ID, Browser: browser})
		must(t, err)
		r.server.SetFault(authserver.Fault{GrantType: "authorization_code", Edit: func(reply map[string]any) { delete(reply, "id_token") }})
		_, err = r.flow.Finish(t.Context(), "crm", r.consent(t, started, asBoris()), browser)
		r.server.ClearFaults()
		wantFailure(t, err, authflow.ReasonAccountUnproven)
		taken, err := r.flow.TakeOffer(t.Context(), silent.ID)
		must(t, err)
		if taken.Generation != 1 || taken.Account != (provider.Account{}) {
			t.Errorf("taken as generation %d of %+v", taken.Generation, taken.Account)
		}
	})
}
