package provider_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
)

// complete is a description that is valid.
func complete() provider.Description {
	return provider.Description{
		Name: "acme", Title: provider.Text{EN: "Acme"}, Summary: provider.Text{EN: "Parcels."}, Grants: []provider.Grant{provider.GrantClientCredentials},
		Hosts: []provider.Host{{Pattern: "acme.example", ClientSecret: true}}, AutoRenew: provider.AutoRenewReissue, PKCE: provider.PKCENone,
		RenewWindow: provider.RenewWindow{Kind: provider.RenewBeforeExpiry}, Rotation: provider.Rotation{Kind: provider.RotationNone},
	}
}

func TestWhatADescriptionsGrantsNeed(t *testing.T) {
	title := provider.Text{EN: "Key"}
	login := provider.Schema{Options: []provider.Option{{Name: "password", Secret: true, Title: title}}}
	key := func(change func(*provider.Key)) func(*provider.Description) {
		return func(d *provider.Description) {
			k := provider.Key{Name: "key", Use: provider.KeySignature, Title: title, Algorithms: []string{"ES256"}}
			change(&k)
			d.Keys = append(d.Keys, k)
		}
	}
	for name, test := range map[string]struct {
		change func(*provider.Description)
		want   string // a part of the problem; "" for none
	}{
		"nothing more":   {func(*provider.Description) {}, ""},
		"a key":          {key(func(*provider.Key) {}), ""},
		"a certificate":  {key(func(k *provider.Key) { k.Use, k.Algorithms = provider.KeyClientCertificate, nil }), ""},
		"a key for DPoP": {key(func(k *provider.Key) { k.Use = provider.KeyDPoP }), ""},
		"a part": {func(d *provider.Description) {
			d.Parts, d.Grants = []provider.Part{{Name: "bot", Title: title}}, append(d.Grants, provider.GrantDevice)
		}, ""},
		"a part without a person":    {func(d *provider.Description) { d.Parts = []provider.Part{{Name: "bot", Title: title}} }, "parts come of an authorization by a person"},
		"a login without a grant":    {func(d *provider.Description) { d.Login = login }, "login and the grant"},
		"a grant without a login":    {func(d *provider.Description) { d.Grants = append(d.Grants, provider.GrantLogin) }, "login and the grant"},
		"a static key alone":         {func(d *provider.Description) { d.StaticKey.Fields = login }, "static_key.fields and the grant"},
		"made without TLS":           {func(d *provider.Description) { d.StaticKey.MadeAtURL = "http://acme.example" }, "static_key.made_at_url"},
		"a negative overlap":         {func(d *provider.Description) { d.StaticKey.Overlap = -1 }, "static_key.overlap"},
		"a key with a bad name":      {key(func(k *provider.Key) { k.Name = "Key one" }), "a name has lower-case letters"},
		"a key of the client secret": {key(func(k *provider.Key) { k.Name = provider.KeyClientSecret }), "a name has lower-case letters"},
		"a key without a title":      {key(func(k *provider.Key) { k.Title = provider.Text{} }), "title.en is required"},
		"a key without a use":        {key(func(k *provider.Key) { k.Use = "" }), "the use is"},
		"a key from nowhere":         {key(func(k *provider.Key) { k.Origin = "post" }), "the origin is"},
		"a key without algorithms":   {key(func(k *provider.Key) { k.Algorithms = nil }), "a certificate has no algorithms"},
		"an unknown algorithm":       {key(func(k *provider.Key) { k.Algorithms = []string{"HS256"} }), "no algorithm"},
		"an imported key for DPoP":   {key(func(k *provider.Key) { k.Use, k.Origin = provider.KeyDPoP, provider.KeyImported }), "made by the hub"},
		"a key twice": {func(d *provider.Description) {
			key(func(*provider.Key) {})(d)
			key(func(*provider.Key) {})(d)
		}, "is there twice"},
		"a part with a long name": {func(d *provider.Description) {
			d.Parts = []provider.Part{{Name: strings.Repeat("a", 21), Title: title}}
		}, "at most 20"},
		"a part twice": {func(d *provider.Description) {
			d.Parts = []provider.Part{{Name: "bot", Title: title}, {Name: "bot", Title: title}}
		}, "is there twice"},
	} {
		t.Run(name, func(t *testing.T) {
			d := complete()
			test.change(&d)
			err := d.Validate()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// Every verb, a logger and a struct around them: what a person typed stays unseen.
func TestFieldsAreNotPrinted(t *testing.T) {
	fields := provider.Fields{"password": "hunter2-unseen", "pin": 123454321}
	request := provider.LoginRequest{Fields: fields}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("login", "fields", fields, "request", request)
	printed := []string{log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed = append(printed, fmt.Sprintf(verb, fields), fmt.Sprintf(verb, request), fmt.Sprintf(verb, &request))
	}
	for _, text := range printed {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "123454321") || strings.Contains(text, "68756e74657232") {
			t.Errorf("a field is in %q", text)
		}
	}
	if fields.Text("password") != "hunter2-unseen" || fields.Text("pin") != "" || fields.Text("other") != "" {
		t.Error("the provider does not get what was typed")
	}
	if data, err := json.Marshal(fields); err != nil || !strings.Contains(string(data), "hunter2") {
		t.Errorf("they do not cross to the plugin: %s, %v", data, err)
	}
}

func TestKeysOfARequestAreNamedInItsContext(t *testing.T) {
	none := context.Background()
	if provider.ClientCertificate(none) != "" || provider.DPoP(none) != "" {
		t.Error("a request without keys names one")
	}
	both := provider.WithDPoP(provider.WithClientCertificate(none, "certificate"), "proof")
	if provider.ClientCertificate(both) != "certificate" || provider.DPoP(both) != "proof" {
		t.Errorf("the keys are %q and %q", provider.ClientCertificate(both), provider.DPoP(both))
	}
	if inner := provider.WithDPoP(both, "other"); provider.DPoP(inner) != "other" || provider.DPoP(both) != "proof" {
		t.Error("the innermost name does not count")
	}
}

func TestGrantsThatNeedNoPerson(t *testing.T) {
	for grant, want := range map[provider.Grant][2]bool{ // obtains, reissues
		provider.GrantAuthorizationCode: {true, false}, provider.GrantDevice: {true, false}, provider.GrantStatic: {true, false},
		provider.GrantClientCredentials: {true, true}, provider.GrantAssertion: {true, true}, provider.GrantLogin: {true, true},
		provider.GrantRefresh: {}, provider.GrantRevoke: {}, provider.GrantIdentify: {}, provider.GrantIntrospect: {}, provider.GrantPrepareService: {},
	} {
		if got := [2]bool{grant.Obtains(), grant.Reissues()}; got != want {
			t.Errorf("%s obtains and reissues: %v, want %v", grant, got, want)
		}
	}
}
