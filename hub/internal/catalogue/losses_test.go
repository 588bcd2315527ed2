package catalogue

import (
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// whole is a provider that gives everything that can be lost.
func whole() provider.Description {
	return provider.Description{
		Name: "acme", AutoRenew: provider.AutoRenewRefreshToken, PublicClient: true,
		Grants: []provider.Grant{provider.GrantAuthorizationCode, provider.GrantRefresh, provider.GrantRevoke, provider.GrantIdentify},
		API:    provider.API{In: "header", Name: "Authorization", Prefix: "Bearer "},
	}
}

func TestWhatAServiceWouldLoseByANewVersion(t *testing.T) {
	without := func(g provider.Grant) func(*provider.Description) {
		return func(d *provider.Description) {
			var left []provider.Grant
			for _, have := range d.Grants {
				if have != g {
					left = append(left, have)
				}
			}
			d.Grants = left
		}
	}
	for name, tt := range map[string]struct {
		change func(*provider.Description)
		want   string // "" is no loss
	}{
		"nothing changes":        {func(*provider.Description) {}, ""},
		"a grant comes":          {func(d *provider.Description) { d.Grants = append(d.Grants, provider.GrantDevice) }, ""},
		"refresh goes":           {without(provider.GrantRefresh), "could not renew its connections"},
		"revocation goes":        {without(provider.GrantRevoke), "could not give its grants back"},
		"identity goes":          {without(provider.GrantIdentify), "whose a grant is"},
		"the code grant goes":    {without(provider.GrantAuthorizationCode), "authorization_code"},
		"renewal is not claimed": {func(d *provider.Description) { d.AutoRenew = provider.AutoRenewNone }, "auto_renew"},
		"scopes become fixed":    {func(d *provider.Description) { d.ScopesFixed = true }, "scopes_fixed"},
		"scopes joined by comma": {func(d *provider.Description) { d.ScopeSeparator = "," }, "scope_separator"},
		"the space is written":   {func(d *provider.Description) { d.ScopeSeparator = " " }, ""},
		"the token goes to the query": {func(d *provider.Description) {
			d.API = provider.API{In: "query", Name: "auth"}
		}, "attach the token"},
		"a secret is wanted": {func(d *provider.Description) { d.PublicClient = false }, "client secret"},
	} {
		before, next := whole(), whole()
		tt.change(&next)
		svc := service.Service{Name: "shop", Scopes: []string{"read", "write"}, Description: &before}
		got := strings.Join(lossesOf(svc, before, next), "; ")
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: lost %q, want %q", name, got, tt.want)
		}
		if got != "" && !strings.Contains(got, "the service shop") {
			t.Errorf("%s: %q does not name the service", name, got)
		}
	}
}

func TestWhatAServiceDoesNotUseIsNoLoss(t *testing.T) {
	before, next := whole(), whole()
	next.Grants = []provider.Grant{provider.GrantAuthorizationCode}
	next.ScopesFixed, next.PublicClient, next.AutoRenew = true, false, provider.AutoRenewNone
	used := whole()
	used.Grants, used.AutoRenew = next.Grants, provider.AutoRenewNone
	svc := service.Service{Name: "shop", ClientSecret: "s", Description: &used}
	if got := lossesOf(svc, before, next); len(got) != 0 {
		t.Errorf("lost %v", got)
	}
}
