package authflow_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// A grant that could not be renewed does not replace one that can, unless a person says so.
func TestAGrantWithoutRenewalIsKeptAsideUntilSomebodyDecides(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := newRig(t, s, authserver.Config{})
		first := r.authorized(t, "sales")
		offered := func() {
			fault := authserver.WithoutField("refresh_token")
			fault.Times = 1
			r.server.SetFault(fault)
			_, err := r.flow.Finish(t.Context(), "crm", r.consent(t, r.start(t, first.ID), asAnna()), browser)
			wantFailure(t, err, authflow.ReasonWouldLoseRenewal)
			now, err := s.Grants.Connection(t.Context(), first.ID)
			must(t, err)
			if now.Generation != first.Generation || now.Tokens.RefreshToken != first.Tokens.RefreshToken {
				t.Errorf("generation %d is in force", now.Generation)
			}
		}
		offered()
		must(t, r.flow.DropOffer(t.Context(), first.ID))
		if err := r.flow.DropOffer(t.Context(), first.ID); !errors.Is(err, authflow.ErrNoOffer) {
			t.Errorf("dropped twice: %v", err)
		}
		if _, err := r.flow.TakeOffer(t.Context(), first.ID); !errors.Is(err, authflow.ErrNoOffer) {
			t.Errorf("taken after it was dropped: %v", err)
		}
		offered()
		taken, err := r.flow.TakeOffer(t.Context(), first.ID)
		must(t, err)
		if told := <-r.granted; taken.Generation != 2 || taken.Tokens.RefreshToken != "" || told.Generation != 2 {
			t.Errorf("taken as generation %d, told of %d", taken.Generation, told.Generation)
		}
	})
}

// Whose a grant is cannot be asked: a first one is kept all the same, a later one waits
// for somebody who knows.
func TestAGrantOfAnUnknownAccountDoesNotReplaceAKnownOne(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), authserver.Config{})
	known := r.authorized(t, "sales")
	r.out.Store("/userinfo", http.StatusServiceUnavailable)
	_, err := r.flow.Finish(t.Context(), "crm", r.consent(t, r.start(t, known.ID), asAnna()), browser)
	failure := wantFailure(t, err, authflow.ReasonAccountUnproven)
	if failure.Wanted.ID != "1" || failure.Cause == nil {
		t.Errorf("wanted %q, because of %v", failure.Wanted.ID, failure.Cause)
	}
	taken, err := r.flow.TakeOffer(t.Context(), known.ID)
	must(t, err)
	if taken.Generation != 2 || taken.Account.ID != "1" {
		t.Errorf("taken as generation %d of %q", taken.Generation, taken.Account.ID)
	}
	first := r.authorized(t, "support")
	if first.Generation != 1 || first.Account.ID != "" {
		t.Errorf("a first grant is generation %d of %q", first.Generation, first.Account.ID)
	}
	finished, err := r.flow.Finish(t.Context(), "crm", r.consent(t, r.start(t, ""), asAnna()), browser)
	must(t, err)
	if !finished.Once || finished.Connection.Account.ID != "" {
		t.Errorf("handed over %+v", finished)
	}
}
