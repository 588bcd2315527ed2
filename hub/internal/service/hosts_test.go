package service_test

import (
	"slices"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

func hosts(names ...string) (list []provider.Host) {
	for _, name := range names {
		list = append(list, provider.Host{Pattern: name})
	}
	return list
}

func TestHostsAreNamedAlikeHoweverTheyAreWritten(t *testing.T) {
	svc := service.Service{
		Options: map[string]any{
			"issuer": "https://Login.Example/realms/a?x=1", "token": "https://token.example:443/t", "plain": "http://box.lan:80/", "port": "box.lan:8443",
			"dot": "dot.example.", "none": "", "wild": "*.example",
		},
		Description: &provider.Description{Hosts: hosts("*.service.example", "https://fixed.example", "[2001:db8::1]:443")},
	}
	own := hosts("{option:issuer}", "{option:token}", "{option:plain}", "{option:port}", "{option:dot}", "{option:none}", "{option:missing}", "{option:wild}", "constant.example")
	want := []string{"*.service.example", "[2001:db8::1]", "box.lan:8443", "dot.example", "fixed.example", "http://box.lan", "login.example", "token.example"}
	if got := service.HostNames(service.HostsOf(svc, own)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := service.HostNames(service.Exact(append(own, hosts("*.x")...))); !slices.Equal(got, []string{"constant.example"}) {
		t.Errorf("exact are %q", got)
	}
}

func TestOnlyHostsThatNobodyNamedAreNew(t *testing.T) {
	secret := func(name string) provider.Host { return provider.Host{Pattern: name, ClientSecret: true} }
	for _, c := range []struct {
		what         string
		known, hosts []provider.Host
		want         []string
	}{
		{"the same", hosts("a.example"), hosts("a.example"), nil},
		{"one more", hosts("a.example"), hosts("a.example", "b.example"), []string{"b.example"}},
		{"one less", hosts("a.example", "b.example"), hosts("a.example"), nil},
		{"under a wildcard", hosts("*.example"), hosts("a.example", "*.b.example", "*.example"), nil},
		{"a wildcard over what was named", hosts("a.example"), hosts("*.example"), []string{"*.example"}},
		{"another port", hosts("a.example"), hosts("a.example:8443"), []string{"a.example:8443"}},
		{"without TLS", hosts("a.example"), hosts("http://a.example"), []string{"http://a.example"}},
		{"the secret now", hosts("a.example"), []provider.Host{secret("a.example")}, []string{"a.example"}},
		{"the secret not any more", []provider.Host{secret("a.example")}, hosts("a.example"), nil},
		{"nothing was known", nil, hosts("a.example"), []string{"a.example"}},
	} {
		if got := service.HostNames(service.Beyond(c.known, c.hosts)); !slices.Equal(got, c.want) && len(got)+len(c.want) > 0 {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	merged := service.Merged([]provider.Host{secret("a.example")}, hosts("a.example", "b.example"))
	if !slices.Equal(merged, []provider.Host{secret("a.example"), {Pattern: "b.example"}}) {
		t.Errorf("merged %v", merged)
	}
}
