package main

import (
	"maps"
	"slices"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
)

// prepare runs entered options through the form and PrepareService.
func prepare(t *testing.T, entered map[string]any) *provider.Description {
	t.Helper()
	values, problems := options.Validate(entered)
	if problems != nil {
		t.Fatal(problems)
	}
	prepared, err := taxcomKassa{}.PrepareService(t.Context(), &provider.PrepareServiceRequest{Call: provider.Call{
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

func TestAutoRenewalIsPromisedOnlyWithAnAddressForIt(t *testing.T) {
	without := prepare(t, map[string]any{optionServer: "lk-ofd"})
	if without.AutoRenew != provider.AutoRenewNone || without.Notices[0] != noRenewal {
		t.Errorf("without: %s, %v", without.AutoRenew, without.Notices[0])
	}
	with := prepare(t, map[string]any{optionServer: "lk-ofd", optionProlongURL: prolongAddress})
	if with.AutoRenew != provider.AutoRenewProlong || with.Notices[0] != guessedProlongation || with.RenewWindow.Margin != prolongMargin || with.Rotation.RepeatSafe {
		t.Errorf("with: %s, %v, %+v", with.AutoRenew, with.Notices[0], with.RenewWindow)
	}
}

func TestAServiceSaysWhichHostsItNeedsAndWhichSeeTheSecret(t *testing.T) {
	got := prepare(t, map[string]any{optionServer: "lk-ofd", optionProlongURL: "http://prolong.local:81/x"})
	want := []provider.Host{
		{Pattern: "auth-lk-ofd.taxcom.ru"}, {Pattern: "lk-ofd.taxcom.ru", ClientSecret: true}, {Pattern: "http://prolong.local:81"},
	}
	if !slices.Equal(got.Hosts, want) {
		t.Errorf("got %v, want %v", got.Hosts, want)
	}
}

func TestWhatNobodyKnowsIsAnOption(t *testing.T) {
	for name, tc := range map[string]struct {
		entered map[string]any
		holds   func(*provider.Description) bool
	}{
		"state comes back": {nil, func(d *provider.Description) bool { return !d.StateNotEchoed }},
		"state is dropped": {map[string]any{optionStateEcho: no}, func(d *provider.Description) bool { return d.StateNotEchoed }},
		"the API takes Session-Token": {nil, func(d *provider.Description) bool {
			return d.API == provider.API{BaseURL: "https://lk-ofd.taxcom.ru/API/v2", In: "header", Name: "Session-Token"}
		}},
		"the API takes Bearer": {map[string]any{optionAPIPlacement: tokenInBearer}, func(d *provider.Description) bool {
			return d.API.Name == "Authorization" && d.API.Prefix == "Bearer "
		}},
		"Basic": {nil, func(d *provider.Description) bool { return d.ClientAuth[0].Method == "client_secret_basic_raw" }},
		"no Basic": {map[string]any{optionClientAuth: authRawBase64}, func(d *provider.Description) bool {
			return d.ClientAuth[0].Method == "authorization_base64"
		}},
		"in the form": {map[string]any{optionClientAuth: authBody}, func(d *provider.Description) bool {
			return d.ClientAuth[0].Method == "client_secret_post"
		}},
	} {
		entered := map[string]any{optionServer: "lk-ofd"}
		maps.Copy(entered, tc.entered)
		if d := prepare(t, entered); !tc.holds(d) {
			t.Errorf("%s: %+v %+v %t", name, d.API, d.ClientAuth, d.StateNotEchoed)
		}
	}
}
