package definitions

import (
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
)

// A draft has a name that a provider can have, whoever publishes the definition, and no two
// definitions share one.
func TestADraftHasANameOfItsOwn(t *testing.T) {
	of := map[string]string{}
	for _, name := range []string{"acme", "acme-crm", "acme.crm", "acme-crm.crm", "acme.acme-crm"} {
		draft := DraftProvider(name)
		if !provider.ValidName(draft) {
			t.Errorf("the draft of %s is %q, which no provider can be named", name, draft)
		}
		if other, taken := of[draft]; taken {
			t.Errorf("the drafts of %s and %s are both %q", name, other, draft)
		}
		if !isDraft(draft) || isDraft(name) {
			t.Errorf("%s is a draft's name: %t, %s: %t", draft, isDraft(draft), name, isDraft(name))
		}
		of[draft] = name
	}
}
