package provider_test

import (
	"strings"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
)

func TestAProviderMayBearTheNameOfItsPublisher(t *testing.T) {
	for name, publisher := range map[string]string{
		"acme": "", "acme-crm2": "", "acme.crm": "acme", "acme-gmbh.crm-2": "acme-gmbh", "a." + strings.Repeat("b", 61): "a",
	} {
		if !provider.ValidName(name) || provider.PublisherOf(name) != publisher {
			t.Errorf("%s: valid %t, of %q", name, provider.ValidName(name), provider.PublisherOf(name))
		}
	}
	for _, name := range []string{"", ".", ".crm", "acme.", "acme.crm.eu", "acme..crm", "Acme.crm", "acme/crm", "acme.-crm", "acme .crm", "..", "a." + strings.Repeat("b", 62)} {
		if provider.ValidName(name) {
			t.Errorf("%q is taken", name)
		}
	}
}
