package authflow_test

import (
	"testing"

	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// Where a service sends the browser to an address that leads nowhere, a person pastes it.
func TestWhatAPersonPastesFinishesTheirOwnAuthorization(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), authserver.Config{})
	c := r.connection(t, "sales")
	paste := func(user, pasted string) error {
		_, err := r.flow.FinishPasted(t.Context(), c.ID, user, pasted)
		return err
	}
	wantFailure(t, paste("anna", "two words"), authflow.ReasonNotPasted)
	wantFailure(t, paste("anna", "a-code"), authflow.ReasonUnknownState)
	callback := r.consent(t, r.start(t, c.ID), asAnna())
	address := publicURL + "/callback/crm?" + callback.Encode()
	wantFailure(t, paste("boris", address), authflow.ReasonUnknownState)
	wantFailure(t, paste("boris", callback.Get("code")), authflow.ReasonUnknownState)
	wantFailure(t, paste("anna", "code=x&state=made-up"), authflow.ReasonUnknownState)
	must(t, paste("anna", address))
	wantFailure(t, paste("anna", address), authflow.ReasonUnknownState)
	must(t, paste("anna", r.consent(t, r.start(t, c.ID), asAnna()).Get("code")))
	callback = r.consent(t, r.start(t, c.ID), asAnna())
	callback.Set("iss", "https://evil.example")
	wantFailure(t, paste("anna", callback.Encode()), authflow.ReasonWrongIssuer)
	if c, err := r.store.Grants.Connection(t.Context(), c.ID); err != nil || c.Generation != 2 {
		t.Errorf("generation %d, %v", c.Generation, err)
	}
}
