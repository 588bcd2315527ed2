package main

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

func prepare(t *testing.T, entered map[string]any) *provider.Description {
	t.Helper()
	values, problems := options.Validate(entered)
	if problems != nil {
		t.Fatal(problems)
	}
	prepared, err := bitrix24{}.PrepareService(t.Context(), &provider.PrepareServiceRequest{Call: provider.Call{
		Service: provider.Service{Options: values},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := prepared.Description.Validate(); err != nil {
		t.Error(err)
	}
	return prepared.Description
}

func TestAServiceSaysWhichHostsItNeedsAndWhichSeeTheSecret(t *testing.T) {
	for name, tc := range map[string]struct {
		entered map[string]any
		want    []provider.Host
	}{
		"in the cloud": {map[string]any{optionPortal: "corezoid"}, []provider.Host{
			{Pattern: "corezoid.bitrix24.ru"}, {Pattern: "oauth.bitrix.info", ClientSecret: true}, {Pattern: "oauth.bitrix24.tech", ClientSecret: true},
		}},
		"a box": {map[string]any{optionPortal: "http://b24-dev-80.local:8080/"}, []provider.Host{
			{Pattern: "http://b24-dev-80.local:8080"}, {Pattern: "oauth.bitrix.info", ClientSecret: true}, {Pattern: "oauth.bitrix24.tech", ClientSecret: true},
		}},
		"an isolated box": {map[string]any{optionPortal: "http://b24.local", optionAuthServer: "http://oauth.local/sso"}, []provider.Host{
			{Pattern: "http://b24.local"}, {Pattern: "http://oauth.local", ClientSecret: true},
		}},
		"one of the vendor's servers": {map[string]any{optionPortal: "acme.bitrix24.de", optionAuthServer: "oauth.bitrix.info"}, []provider.Host{
			{Pattern: "acme.bitrix24.de"}, {Pattern: "oauth.bitrix.info", ClientSecret: true},
		}},
	} {
		if got := prepare(t, tc.entered).Hosts; !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestTheRenewalPolicyIsTheAdministrators(t *testing.T) {
	for name, tc := range map[string]struct {
		entered map[string]any
		want    provider.RenewWindow
	}{
		"as the vendor asks": {nil, provider.RenewWindow{Kind: provider.RenewOnDemand, KeepAlive: 20 * 24 * time.Hour}},
		"the minutes alone change nothing": {
			map[string]any{optionRenewEvery: "10"}, provider.RenewWindow{Kind: provider.RenewOnDemand, KeepAlive: 20 * 24 * time.Hour},
		},
		"always fresh": {
			map[string]any{optionRenewPolicy: policyAlwaysFresh}, provider.RenewWindow{Kind: provider.RenewBeforeExpiry, Every: 25 * time.Minute},
		},
		"always fresh, on a beat of one's own": {
			map[string]any{optionRenewPolicy: policyAlwaysFresh, optionRenewEvery: 40}, provider.RenewWindow{Kind: provider.RenewBeforeExpiry, Every: 40 * time.Minute},
		},
	} {
		entered := map[string]any{optionPortal: "acme"}
		maps.Copy(entered, tc.entered)
		if got := prepare(t, entered).RenewWindow; got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestTheAdministratorIsToldOfTheRisksChosen(t *testing.T) {
	usual := len(prepare(t, map[string]any{optionPortal: "acme"}).Notices)
	for name, entered := range map[string]map[string]any{
		"a schedule":    {optionPortal: "acme", optionRenewPolicy: policyAlwaysFresh},
		"no encryption": {optionPortal: "http://b24.local"},
	} {
		if got := prepare(t, entered).Notices; len(got) != usual+1 || got[usual].RU == "" {
			t.Errorf("%s: %d notices, want one more than %d", name, len(got), usual)
		}
	}
}

func TestTheMethodOfTokenRequestsIsDeclared(t *testing.T) {
	get := prepare(t, map[string]any{optionPortal: "acme", optionTokenMethod: tokenByGet})
	if got := get.ClientAuth[1]; got.Method != "client_secret_query" || got.Grant != provider.GrantRefresh {
		t.Errorf("got %+v", get.ClientAuth)
	}
}
