package authflow_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// A rehearsal tells what the service knows, spends no refresh token, and changes nothing,
// whatever the service says.
func TestARehearsalTellsAndSpendsNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := newRig(t, s, authserver.Config{RefreshTokenLife: 48 * time.Hour})
		c := r.authorized(t, "sales")
		svc := r.service
		without := func(grants ...provider.Grant) {
			d := *svc.Description
			d.Grants = slices.DeleteFunc(slices.Clone(d.Grants), func(g provider.Grant) bool { return slices.Contains(grants, g) })
			svc.Description = &d
		}
		want := func(verdict authflow.RenewalVerdict, by provider.Grant) authflow.Rehearsal {
			t.Helper()
			got, err := r.flow.Rehearse(t.Context(), c, svc)
			must(t, err)
			if got.Verdict != verdict || got.By != by {
				t.Errorf("the verdict is %s by %q (%v), want %s by %q", got.Verdict, got.By, got.Cause, verdict, by)
			}
			return got
		}
		got := want(authflow.RenewalWorks, provider.GrantIntrospect)
		if got.Left == nil || *got.Left < 47*time.Hour || !slices.Equal(got.Scopes, []string{"openid", "offline_access"}) {
			t.Errorf("left %v, scopes %v", got.Left, got.Scopes)
		}
		r.out.Store("/introspect", 503)
		if got = want(authflow.NotTold, provider.GrantIntrospect); got.Cause == nil || got.Cause.Kind != provider.Transient {
			t.Errorf("the cause is %v", got.Cause)
		}
		r.out.Delete("/introspect")
		without(provider.GrantIntrospect)
		if got = want(authflow.AccessWorks, provider.GrantIdentify); got.Account.ID != "1" {
			t.Errorf("the account is %v", got.Account)
		}
		r.server.RevokeFamily(1)
		want(authflow.AccessOver, provider.GrantIdentify)
		without(provider.GrantIdentify)
		want(authflow.NoWay, "")
		svc = r.service
		want(authflow.RenewalOver, provider.GrantIntrospect)
		if after, err := s.Grants.Connection(t.Context(), c.ID); err != nil || after.State != connection.StateActive || after.Failure != nil || after.Generation != c.Generation {
			t.Errorf("the connection is %s of generation %d, %v", after.State, after.Generation, err)
		}
		if n := r.server.TokenRequests("refresh_token"); n != 0 || r.server.DoubleSpent() != 0 {
			t.Errorf("%d renewals were sent", n)
		}
		if _, err := r.flow.Rehearse(t.Context(), r.connection(t, "empty"), svc); !errors.Is(err, authflow.ErrNothingToRehearse) {
			t.Errorf("without a grant: %v", err)
		}
	})
}
