package authflow_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// A link may be looked at by a messenger, is bound to the browser that follows it first,
// and is spent by the grant.
func TestALinkLeadsOneBrowserToOneGrant(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := newRig(t, s, authserver.Config{})
		c := r.connection(t, "sales")
		token, expires, err := r.flow.MakeLink(t.Context(), c.ID, "anna", "boris")
		must(t, err)
		if left := time.Until(expires); left < 71*time.Hour || left > 72*time.Hour {
			t.Errorf("it can be followed for %s", left)
		}
		for range 2 {
			linked, err := r.flow.Link(t.Context(), token)
			must(t, err)
			if linked.Connection.ID != c.ID || linked.Service.Name != "crm" || linked.Link.UserID != "anna" || linked.Link.CreatedBy != "boris" {
				t.Errorf("it leads to %s of %s", linked.Connection.Name, linked.Service.Name)
			}
		}
		_, _, err = r.flow.FollowLink(t.Context(), token, browser, "ru")
		must(t, err)
		if _, _, err := r.flow.FollowLink(t.Context(), token, "another's secret", "en"); !errors.Is(err, authflow.ErrLinkTaken) {
			t.Errorf("another browser: %v", err)
		}
		_, started, err := r.flow.FollowLink(t.Context(), token, browser, "ru") // the person went back
		must(t, err)
		finished, err := r.flow.Finish(t.Context(), "crm", r.consent(t, started, asAnna()), browser)
		must(t, err)
		if finished.ReturnTo != authflow.LinkReturn || finished.Lang != "ru" || finished.Connection.Account.ID != "1" {
			t.Errorf("finished %+v", finished)
		}
		if _, err := r.flow.Link(t.Context(), token); !errors.Is(err, authflow.ErrLinkSpent) {
			t.Errorf("after the grant: %v", err)
		}
		if _, _, err := r.flow.FollowLink(t.Context(), token, browser, "en"); !errors.Is(err, authflow.ErrLinkSpent) {
			t.Errorf("followed after the grant: %v", err)
		}
	})
}

func TestALinkEndsWithItsTime(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), authserver.Config{})
	token, _, err := r.flow.MakeLinkFor(t.Context(), r.connection(t, "sales").ID, "anna", "boris", -time.Second)
	must(t, err)
	for _, token := range []string{token, "made up"} {
		if _, err := r.flow.Link(t.Context(), token); !errors.Is(err, authflow.ErrLinkSpent) {
			t.Errorf("%v", err)
		}
	}
}
