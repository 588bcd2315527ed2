package e2e_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/declarative/definitions"
	"github.com/evergrant/evergrant/sdk/definition"
)

// The shipped definitions are providers of a running hub: their services are added with
// their options, and an authorization begins at the address that is described. What is not
// verified is shown to the administrator.
func TestDescribedServicesAreProviders(t *testing.T) {
	t.Parallel()
	shipped, err := definitions.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	folder := storetest.Folder(t)
	if _, err := plugintest.Put(folder, "declarative", "plugins/declarative"); err != nil {
		t.Fatal(err)
	}
	r := hubtest.StartHub(t, map[string]any{"plugins.dir": folder})
	for _, d := range shipped {
		service := map[string]any{
			"name": d.Name, "title": d.Title.EN, "provider": d.Name, "scopes": d.Fixtures.Scopes, "options": d.Fixtures.Options,
		}
		if d.StaticKey == nil {
			service["client_id"] = "id"
		}
		if !d.Describe().PublicClient {
			service["client_secret"] = "secret"
		}
		r.Admin.Must(t, "POST", "/api/v1/services", service, nil)
		if d.Authorization == nil {
			continue // no browser is sent anywhere
		}
		connection := "c-" + d.Name
		r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": d.Name, "name": connection, "title": d.Title.EN}, nil)
		var s hubtest.Started
		r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/authorizations", nil, &s)
		got, err := url.Parse(s.AuthorizeURL)
		want, wantErr := url.Parse(filledIn(d))
		clientID := cmp.Or(d.Token.Rename["client_id"], "client_id")
		if err != nil || wantErr != nil || got.Host != want.Host || got.Path != want.Path || got.Query().Get(clientID) != "id" {
			t.Errorf("%s begins at %s", d.Name, s.AuthorizeURL)
		}
	}
	boss := r.Owner(t)
	status, page, _ := boss.Ask(http.MethodGet, "/services/new/kommo", nil)
	if status != http.StatusOK || !strings.Contains(page, "Not verified: ") {
		t.Errorf("what is not verified is not shown: %d", status)
	}
}

// filledIn is the authorization address of a definition with the options of its fixtures,
// or their defaults.
func filledIn(d *definition.Definition) string {
	address := d.Authorization.URL
	for _, o := range d.Options {
		value := o.Default
		if v, ok := d.Fixtures.Options[o.Name]; ok {
			value = v
		}
		address = strings.ReplaceAll(address, "{option:"+o.Name+"}", fmt.Sprint(value))
	}
	return address
}
