package catalogue_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// serving is a service whose provider serves some grants.
func serving(grants ...provider.Grant) service.Service {
	return service.Service{Description: &provider.Description{
		Grants:    grants,
		Login:     provider.Schema{Options: []provider.Option{{Name: "login", Required: true}, {Name: "password", Required: true, Secret: true}}},
		StaticKey: provider.StaticKey{Fields: provider.Schema{Options: []provider.Option{{Name: "key", Required: true, Secret: true}}}},
	}}
}

// A connection is made by the only way of its service, by the browser where that is one, and
// by choice anywhere else; a client ID is asked for where the hub is a client.
func TestTheGrantOfANewConnection(t *testing.T) {
	for name, tc := range map[string]struct {
		grants []provider.Grant
		want   provider.Grant
		client bool
	}{
		"the browser":           {[]provider.Grant{provider.GrantAuthorizationCode, provider.GrantRefresh}, provider.GrantAuthorizationCode, true},
		"the client itself":     {[]provider.Grant{provider.GrantClientCredentials}, provider.GrantClientCredentials, true},
		"a login":               {[]provider.Grant{provider.GrantLogin, provider.GrantRevoke}, provider.GrantLogin, false},
		"a key":                 {[]provider.Grant{provider.GrantStatic}, provider.GrantStatic, false},
		"the browser or a key":  {[]provider.Grant{provider.GrantStatic, provider.GrantAuthorizationCode}, provider.GrantAuthorizationCode, true},
		"a login or a key":      {[]provider.Grant{provider.GrantStatic, provider.GrantLogin}, "", false},
		"what nobody has named": {nil, provider.GrantAuthorizationCode, true},
	} {
		svc := serving(tc.grants...)
		if got := catalogue.GrantOf(svc, ""); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
		if got := catalogue.NeedsClient(*svc.Description); got != tc.client {
			t.Errorf("%s: a client ID is asked for: %t", name, got)
		}
	}
	if got := catalogue.GrantsOf(serving(provider.GrantDevice, provider.GrantStatic, provider.GrantIdentify)); !slices.Equal(got, []provider.Grant{provider.GrantDevice, provider.GrantStatic}) {
		t.Errorf("offered are %v", got)
	}
}

func TestWhatIsEnteredIsCheckedByTheSchemaOfItsGrant(t *testing.T) {
	svc := serving(provider.GrantLogin, provider.GrantStatic)
	fields, err := catalogue.CheckFields(svc, provider.GrantStatic, map[string]any{"key": "k"})
	if err != nil || fields.Text("key") != "k" {
		t.Errorf("a key: %v, %v", fields, err)
	}
	for name, tc := range map[string]struct {
		grant   provider.Grant
		entered map[string]any
		field   string
	}{
		"no password":            {provider.GrantLogin, map[string]any{"login": "anna"}, "fields.password"},
		"a field of another":     {provider.GrantStatic, map[string]any{"key": "k", "login": "anna"}, "fields.login"},
		"nothing is to be named": {provider.GrantClientCredentials, map[string]any{"key": "k"}, "fields.key"},
	} {
		_, err := catalogue.CheckFields(svc, tc.grant, tc.entered)
		invalid, ok := errors.AsType[*catalogue.InvalidError](err)
		if !ok || len(invalid.Problems) != 1 || invalid.Problems[0].Field != tc.field {
			t.Errorf("%s: %v, want a problem with %s", name, err, tc.field)
		}
	}
}
