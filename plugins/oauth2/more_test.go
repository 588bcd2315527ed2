package main

import (
	"net/url"
	"testing"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestAnExplicitPromptWinsOverConsent(t *testing.T) {
	for entered, want := range map[string]string{"": "consent", "prompt=select_account": "select_account", "prompt=": ""} {
		svc := filledIn(t, with(byHand, optionParams, entered), "openid")
		address, err := anyService{}.AuthCodeURL(t.Context(), &provider.AuthCodeURLRequest{Call: provider.Call{Service: svc}, State: "s", ForceConsent: true})
		if err != nil {
			t.Fatal(err)
		}
		u, _ := url.Parse(address.URL)
		if got := u.Query().Get("prompt"); got != want {
			t.Errorf("%q gives the prompt %q, want %q", entered, got, want)
		}
	}
}

func TestTheLoginHintCanBeLeftOutOrFixed(t *testing.T) {
	for name, test := range map[string]struct {
		entered []any
		want    string
	}{
		"the account": {nil, "ann@example.test"},
		"none":        {[]any{optionLoginHint, hintNone}, ""},
		"fixed":       {[]any{optionParams, "login_hint=shared@example.test"}, "shared@example.test"},
	} {
		svc := filledIn(t, with(byHand, test.entered...))
		address, err := anyService{}.AuthCodeURL(t.Context(), &provider.AuthCodeURLRequest{Call: provider.Call{Service: svc}, State: "s", LoginHint: "ann@example.test"})
		if err != nil {
			t.Fatal(err)
		}
		if u, _ := url.Parse(address.URL); u.Query().Get("login_hint") != test.want {
			t.Errorf("%s: %s", name, address.URL)
		}
	}
}

func TestFurtherParametersOfTokenRequests(t *testing.T) {
	for option, refused := range map[string][]string{
		optionTokenParams:   {"grant_type=x", "code=1", "client_secret=x", "no-equals"},
		optionRefreshParams: {"refresh_token=x", "client_id=x"},
		optionParams:        {"response_mode=fragment", "state=1"},
	} {
		for _, entered := range refused {
			_, err := furtherParams(filledIn(t, map[string]any{option: entered}), option)
			wantWrong(t, entered, err, option)
		}
	}
	svc := filledIn(t, with(byHand, optionTokenParams, "audience=api", optionRefreshParams, "redirect_uri=https://hub.example/cb", optionParams, "response_mode=form_post"))
	if _, _, err := standardFor(svc); err != nil {
		t.Error(err)
	}
}

func TestTheRenewWindowAndTheLimitsAreWhatTheAdministratorSaid(t *testing.T) {
	svc := filledIn(t, with(byHand, optionWindow, "after_expiry", optionThrottles, "account", optionOneGrant, true, optionClientAuth, "client_secret_basic_raw"))
	e := endpoints{}.under(svc)
	d := describe(svc, e, &oauth.Metadata{})
	if err := d.Validate(); err != nil || d.RenewWindow.Kind != provider.RenewAfterExpiry || d.Throttles != provider.ThrottlesAccount || !d.OneGrantPerAccount || e.ClientAuth != oauth.AuthBasicRaw {
		t.Errorf("%v: %+v", err, d)
	}
	usual := describe(filledIn(t, byHand), endpoints{}.under(filledIn(t, byHand)), &oauth.Metadata{})
	if usual.RenewWindow.Kind != provider.RenewBeforeExpiry || usual.Throttles != provider.ThrottlesUnknown {
		t.Errorf("by default %+v, %q", usual.RenewWindow, usual.Throttles)
	}
}

func TestAnAddressOfManyTenantsMayNameOneOfThem(t *testing.T) {
	for _, test := range []struct {
		published, asked string
		fits             bool
	}{
		{"https://login.microsoftonline.com/{tenantid}/v2.0", "https://login.microsoftonline.com/common/v2.0", true},
		{"https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", "https://login.microsoftonline.com/consumers/v2.0", true},
		{"https://login.microsoftonline.com/{tenantid}/v2.0", "https://login.microsoftonline.com/organizations/v2.0/", true},
		{"https://evil.example/{tenantid}/v2.0", "https://login.microsoftonline.com/common/v2.0", false},
		{"https://id.example/realms/b", "https://id.example/realms/a", false},
		{"https://id.example/{tenantid}/{tenantid}", "https://id.example/a/b", false},
		{"https://id.example", "https://id.example", true},
	} {
		if got := (&oauth.Metadata{Issuer: test.published}).Fits(test.asked); got != test.fits {
			t.Errorf("%s for %s: fits is %t", test.published, test.asked, got)
		}
	}
}
