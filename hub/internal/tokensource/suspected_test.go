package tokensource_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// refusing refuses every renewal in words that nobody knows.
type refusing struct{ rotating }

func (refusing) Refresh(context.Context, *provider.RefreshRequest) (*provider.Token, error) {
	return nil, &provider.Error{Kind: provider.Internal, Code: "flux_capacitor", Message: "please contact us", HTTPStatus: 400}
}

// A grant that is refused for the fifth time in two hours asks for a person, and its pull
// answers with that once the token is over; one whose siblings fail alike does not.
func TestAGrantThatAloneIsRefusedAsksForAPerson(t *testing.T) {
	for name, test := range map[string]struct {
		siblings func(t *testing.T, r *rig, since time.Time)
		suspect  bool
	}{
		"there is no other": {func(*testing.T, *rig, time.Time) {}, true},
		"another was renewed since": {func(t *testing.T, r *rig, _ time.Time) {
			r.add(t, "well", 2*time.Hour)
		}, true},
		"another fails as well": {func(t *testing.T, r *rig, since time.Time) {
			c := r.add(t, "fails", 2*time.Hour)
			added := c
			c.RenewedAt = since.Add(-time.Hour)
			c = c.Failed(time.Now(), c.Generation, provider.Errorf(provider.Internal, "flux_capacitor", "please contact us"))
			must(t, r.store.Grants.UpdateConnection(t.Context(), c, added))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, -time.Minute)
			client, stop, err := providerplugin.InProcess(refusing{rotating{*r.service.Description}})
			must(t, err)
			t.Cleanup(stop)
			r.client = client
			r.start(t, nil)
			since := time.Now().Add(-3 * time.Hour)
			test.siblings(t, r, since)
			c := r.read(t)
			c.Failure = &connection.Failure{
				Kind: provider.Internal, Code: "flux_capacitor", Status: 400, At: since, Since: since, Count: 4, Same: 4, SameSince: since,
			}
			must(t, r.store.Grants.UpdateConnection(t.Context(), c, c))
			after, err := r.source.RenewNow(t.Context(), c.ID, c.Generation)
			must(t, err)
			if suspect := after.Phase() == connection.PhaseSuspect; suspect != test.suspect || after.State != connection.StateActive {
				t.Fatalf("the connection is %s (%s)", after.Phase(), after.State)
			}
			_, err = r.source.Token(t.Context(), "sales", 0, time.Second)
			refused, ok := errors.AsType[*tokensource.RefusedError](err)
			if !ok || (refused.Kind == provider.ReauthorizationRequired) != test.suspect {
				t.Errorf("the pull is told %v", err)
			}
			listed, err := r.store.Grants.Connections(t.Context(), grantdb.Filter{Status: connection.StatusNeedsAuthorization})
			must(t, err)
			if (len(listed) == 1) != test.suspect {
				t.Errorf("%d are listed as waiting for a person", len(listed))
			}
		})
	}
}
