package main

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// withOptions is a service whose form was filled in with these values.
func withOptions(t *testing.T, entered map[string]any, scopes ...string) provider.Service {
	t.Helper()
	values, problems := options.Validate(entered)
	if len(problems) > 0 {
		t.Fatalf("the options do not fit: %v", problems)
	}
	return provider.Service{Name: "calendar", ClientID: "client", ClientSecret: "secret", Scopes: scopes, Options: values}
}

func TestTheCatalogueOffersTheFullCalendarFirst(t *testing.T) {
	seen := map[string]bool{}
	for i, s := range catalogue {
		if seen[s.Name] || s.Title.EN == "" || s.Title.RU == "" {
			t.Errorf("scope %q is there twice or has no title", s.Name)
		}
		seen[s.Name] = true
		if s.Default != (i == 0) {
			t.Errorf("scope %q: ticked is %t", s.Name, s.Default)
		}
	}
	for _, name := range []string{
		"calendar", "calendar.readonly", "calendar.events", "calendar.events.readonly", "calendar.events.owned",
		"calendar.freebusy", "calendar.calendarlist", "calendar.calendarlist.readonly", "calendar.calendars",
		"calendar.calendars.readonly", "calendar.acls", "calendar.acls.readonly", "calendar.settings.readonly",
		"calendar.app.created",
	} {
		if !seen[scopePrefix+name] {
			t.Errorf("scope %s is not offered", name)
		}
	}
}

func TestSigningInIsAskedForUnlessTurnedOff(t *testing.T) {
	const full = scopePrefix + "calendar"
	for name, test := range map[string]struct {
		account string
		chosen  []string
		want    string
	}{
		"by default":     {"", []string{full}, full + " openid " + scopePrefix + "userinfo.email"},
		"chosen already": {"", []string{"openid", full}, "openid " + full + " " + scopePrefix + "userinfo.email"},
		"turned off":     {"false", []string{full}, full},
		"off but chosen": {"false", []string{full, "openid"}, full + " openid"},
	} {
		svc := withOptions(t, map[string]any{optionAccount: test.account}, test.chosen...)
		if got := strings.Join(asked(svc), " "); got != test.want {
			t.Errorf("%s: asked for %q, want %q", name, got, test.want)
		}
		if len(svc.Scopes) != len(test.chosen) {
			t.Errorf("%s: the service's own scopes were changed", name)
		}
	}
}

func TestAGrantedScopeIsFoundUnderTheNameItWasAskedBy(t *testing.T) {
	svc := withOptions(t, nil, "email", "profile")
	got := provider.Token{Scopes: asAsked([]string{"openid", scopePrefix + "userinfo.email"}, svc)}
	if !got.HasScopes([]string{"email", "openid"}) {
		t.Errorf("email was granted, the token has %v", got.Scopes)
	}
	if got.HasScopes([]string{"profile"}) {
		t.Error("profile was not granted and is there")
	}
	if asAsked(nil, svc) != nil {
		t.Error("a reply that says nothing of scopes now says something")
	}
}

func TestAServiceIsDescribedAsItIs(t *testing.T) {
	for name, test := range map[string]struct {
		entered map[string]any
		check   func(d *provider.Description) bool
	}{
		"published apps hold grants without end": {nil, func(d *provider.Description) bool {
			return d.Lifetimes.RefreshToken == provider.Never && d.Lifetimes.RefreshTokenIdle > 0
		}},
		"apps in testing hold them for a week": {
			map[string]any{optionPublishing: inTesting},
			func(d *provider.Description) bool { return d.Lifetimes.RefreshToken == 7*24*time.Hour },
		},
		"a refresh token is not rotated": {nil, func(d *provider.Description) bool {
			return d.Rotation.Kind == provider.RotationNone && d.Rotation.RepeatSafe && d.AutoRenew == provider.AutoRenewRefreshToken
		}},
		"the account is known": {nil, func(d *provider.Description) bool { return slices.Contains(d.Grants, provider.GrantIdentify) }},
		"without sign-in it is not": {
			map[string]any{optionAccount: false},
			func(d *provider.Description) bool {
				return !slices.Contains(d.Grants, provider.GrantIdentify) && slices.Contains(d.Grants, provider.GrantRevoke)
			},
		},
		"a gateway stands for all hosts": {
			map[string]any{optionBase: "http://127.0.0.1:4000/"},
			func(d *provider.Description) bool {
				return len(d.Hosts) == 1 && d.API.BaseURL == "http://127.0.0.1:4000/calendar/v3" && d.Issuer == ""
			},
		},
	} {
		req := &provider.PrepareServiceRequest{Call: provider.Call{Service: withOptions(t, test.entered, scopePrefix+"calendar")}}
		prepared, err := prepare(t.Context(), req)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !test.check(prepared.Description) || prepared.Description.Validate() != nil {
			t.Errorf("%s: the description does not say so", name)
		}
	}
}

func TestAGatewayWithAQueryIsRefused(t *testing.T) {
	for _, base := range []string{"https://google.example.com/?key=1", "https://google.example.com/#x"} {
		req := &provider.PrepareServiceRequest{Call: provider.Call{Service: withOptions(t, map[string]any{optionBase: base})}}
		_, err := prepare(t.Context(), req)
		if e, ok := errors.AsType[*provider.Error](err); !ok || e.Kind != provider.Blocked || e.Option != optionBase || e.Remedy.RU == "" {
			t.Errorf("%s gave %v", base, err)
		}
	}
}

// answer is a transport with one reply.
type answer struct {
	status int
	body   string
}

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

func TestARefusalSaysWhatToDo(t *testing.T) {
	for name, test := range map[string]struct {
		entered map[string]any
		status  int
		body    string
		kind    provider.Kind
		want    string // part of the remedy
	}{
		"withdrawn":      {nil, 400, `{"error":"invalid_grant"}`, provider.ReauthorizationRequired, "withdrawn in the account"},
		"testing":        {map[string]any{optionPublishing: inTesting}, 400, `{"error":"invalid_grant"}`, provider.ReauthorizationRequired, "7 days only"},
		"session policy": {nil, 400, `{"error":"invalid_grant","error_subtype":"invalid_rapt"}`, provider.ReauthorizationRequired, "session control"},
		"wrong secret":   {nil, 401, `{"error":"invalid_client"}`, provider.Blocked, "client secret"},
		"policy":         {nil, 400, `{"error":"admin_policy_enforced"}`, provider.Blocked, "API controls"},
		"internal app":   {nil, 403, `{"error":"org_internal"}`, provider.Blocked, "another organisation"},
		"redirect URI":   {nil, 400, `{"error":"redirect_uri_mismatch"}`, provider.Blocked, "redirect URI"},
		"denied":         {nil, 403, `{"error":"access_denied"}`, provider.Denied, "Test users"},
		"outage":         {nil, 503, `{"error":"invalid_grant","error_subtype":"other"}`, provider.Transient, ""},
	} {
		p, _ := newProvider().(provider.Refresher)
		_, err := p.Refresh(t.Context(), &provider.RefreshRequest{
			Call: provider.Call{
				Service: withOptions(t, test.entered), Now: time.Now(), HTTP: &http.Client{Transport: answer{test.status, test.body}},
			},
			Current: provider.Token{RefreshToken: "1//0refresh"},
		})
		e, _ := errors.AsType[*provider.Error](err)
		if e == nil || e.Kind != test.kind {
			t.Errorf("%s: got %v, want %s", name, err, test.kind)
			continue
		}
		if !strings.Contains(e.Remedy.EN, test.want) || (e.Remedy.EN == "") != (e.Remedy.RU == "") {
			t.Errorf("%s: the remedy is %+v", name, e.Remedy)
		}
	}
}

func TestTheAuthorizationAsksForWhatIsNeeded(t *testing.T) {
	for name, test := range map[string]struct {
		entered map[string]any
		consent bool
		want    url.Values
	}{
		"renewal of a known grant": {nil, false, url.Values{"access_type": {"offline"}, "prompt": nil, "include_granted_scopes": nil}},
		"a refresh token is due":   {nil, true, url.Values{"access_type": {"offline"}, "prompt": {"consent"}}},
		"earlier scopes too":       {map[string]any{optionInclude: true}, false, url.Values{"include_granted_scopes": {"true"}}},
		"only the calendar":        {map[string]any{optionAccount: false}, false, url.Values{"scope": {scopePrefix + "calendar"}, "nonce": nil}},
	} {
		p, _ := newProvider().(provider.AuthorizationCodeGrant)
		address, err := p.AuthCodeURL(t.Context(), &provider.AuthCodeURLRequest{
			Call:  provider.Call{Service: withOptions(t, test.entered, scopePrefix+"calendar")},
			State: "state", RedirectURI: "https://hub.example/callback", CodeChallenge: "challenge", Nonce: "nonce", ForceConsent: test.consent,
		})
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(address.URL)
		if err != nil || u.Host != "accounts.google.com" {
			t.Fatalf("the browser is sent to %s", address.URL)
		}
		for param, want := range test.want {
			if got := u.Query()[param]; !slices.Equal(got, want) {
				t.Errorf("%s: %s is %q, want %q", name, param, got, want)
			}
		}
	}
}
