package main

import (
	"encoding/base64"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// filledIn is a service whose form was filled in with these values.
func filledIn(t *testing.T, entered map[string]any, scopes ...string) provider.Service {
	t.Helper()
	values, problems := options.Validate(entered)
	if len(problems) > 0 {
		t.Fatalf("the options do not fit: %v", problems)
	}
	return provider.Service{Name: "acme", ClientID: "client", ClientSecret: "secret", Scopes: scopes, Options: values}
}

func TestTheClientSecretIsForTheTokenAndRevocationHostsOnly(t *testing.T) {
	for name, test := range map[string]struct {
		e    endpoints
		want []provider.Host
	}{
		"each on a host of its own": {
			endpoints{Authorization: "https://a.example/x", Token: "https://t.example:8443/t", Revocation: "https://r.example", Userinfo: "https://u.example/me"},
			[]provider.Host{{Pattern: "a.example"}, {Pattern: "t.example:8443", ClientSecret: true}, {Pattern: "r.example", ClientSecret: true}, {Pattern: "u.example"}},
		},
		"all on one": {
			endpoints{Authorization: "https://a.example/x", Token: "https://a.example/t", Userinfo: "https://a.example/me"},
			[]provider.Host{{Pattern: "a.example", ClientSecret: true}},
		},
		"without TLS in one's own network": {
			endpoints{Authorization: "http://box.local:81/x", Token: "http://box.local:81/t"},
			[]provider.Host{{Pattern: "http://box.local:81", ClientSecret: true}},
		},
	} {
		if got := test.e.hosts(); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func TestAnAddressThatLeadsNowhereHasNoHost(t *testing.T) {
	for _, address := range []string{
		"", "login.example.com/token", "ftp://login.example.com", "https://", "https://user:pw@login.example.com/token",
		"https://login.example.com/#frag", "https://*.example.com/token", "javascript:alert(1)", "https://%zz/",
	} {
		if got := hostOf(address); got != "" {
			t.Errorf("%q has the host %q", address, got)
		}
	}
}

func TestWhatIsEnteredByHandWinsOverDiscovery(t *testing.T) {
	svc := filledIn(t, map[string]any{optionToken: "https://mine.example/token", optionClientAuth: "client_secret_post"})
	svc.Data = []byte(`{"authorization_endpoint":"https://id.example/a","token_endpoint":"https://id.example/t","client_auth":"none"}`)
	e, err := endpointsOf(svc)
	if err != nil || e.Authorization != "https://id.example/a" || e.Token != "https://mine.example/token" || e.ClientAuth != oauth.AuthPost {
		t.Errorf("got %+v, %v", e, err)
	}
	svc.ClientSecret = ""
	if e, _ := endpointsOf(svc); e.ClientAuth != oauth.AuthNone {
		t.Errorf("a public client proves itself by %s", e.ClientAuth)
	}
	svc.Data = []byte(`{`)
	if _, err := endpointsOf(svc); provider.KindOf(err) != provider.Blocked {
		t.Errorf("broken data gave %v", err)
	}
}

func TestFurtherParametersOfTheAuthorizationAddress(t *testing.T) {
	for name, test := range map[string]struct {
		entered string
		want    url.Values // nil is refused
	}{
		"none":              {"", url.Values{}},
		"one":               {"audience=https://api.example", url.Values{"audience": {"https://api.example"}}},
		"escaped":           {"hint=a%20b%2Cc+d", url.Values{"hint": {"a b,c+d"}}},
		"repeated":          {"resource=a\nresource=b\r\nx=", url.Values{"resource": {"a", "b"}, "x": {""}}},
		"value with equals": {"claims=a=b", url.Values{"claims": {"a=b"}}},
		"no equals":         {"audience", nil},
		"no name":           {"=x", nil},
		"bad escape":        {"a=%zz", nil},
		"the hub's own":     {"state=fixed", nil},
		"another spelling":  {"Redirect_URI=https://evil.example", nil},
	} {
		svc := filledIn(t, map[string]any{optionParams: test.entered})
		got, err := authorizeParams(svc)
		if test.want == nil {
			wantWrong(t, name, err, optionParams)
			continue
		}
		if err != nil || got.Encode() != test.want.Encode() {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	fromJSON := provider.Service{Options: map[string]any{optionParams: []any{"audience=x"}}}
	if got, err := authorizeParams(fromJSON); err != nil || got.Get("audience") != "x" {
		t.Errorf("a list from JSON gave %v, %v", got, err)
	}
}

func TestTheAuthorizationAddressFollowsTheOptions(t *testing.T) {
	svc := filledIn(t, with(byHand, optionSeparator, "comma", optionParams, "audience=api"), "openid", "read")
	ask := &provider.AuthCodeURLRequest{Call: provider.Call{Service: svc}, State: "s", RedirectURI: "https://hub.example/c", ForceConsent: true}
	address, err := anyService{}.AuthCodeURL(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address.URL)
	if err != nil {
		t.Fatal(err)
	}
	for param, want := range map[string]string{
		"scope": "openid,read", "audience": "api", "prompt": "consent", "code_challenge": "", "state": "s", "response_type": "code",
	} {
		if got := u.Query().Get(param); got != want {
			t.Errorf("%s is %q, want %q", param, got, want)
		}
	}
}

func TestAServiceIsDescribedByItsOptions(t *testing.T) {
	d := func(entered map[string]any, m oauth.Metadata, scopes ...string) *provider.Description {
		svc := filledIn(t, with(byHand, pairsOf(entered)...), scopes...)
		e := endpoints{}.under(svc)
		got := describe(svc, e, &m)
		if err := got.Validate(); err != nil {
			t.Errorf("%v gave a description that is not valid: %v", entered, err)
		}
		return got
	}
	usual := d(nil, oauth.Metadata{})
	for what, ok := range map[string]bool{
		"PKCE is required":                 usual.PKCE == provider.PKCERequired,
		"a lost renewal is not repeated":   usual.Rotation.Kind == provider.RotationRotates && !usual.Rotation.RepeatSafe,
		"renewed by refresh token":         usual.AutoRenew == provider.AutoRenewRefreshToken,
		"lifetime unknown":                 usual.Lifetimes.AccessToken == 0,
		"bearer":                           usual.API.Prefix == "Bearer ",
		"the well-known scopes":            slices.Equal(names(usual.Scopes), names(wellKnown)),
		"no issuer":                        usual.Issuer == "",
		"its own hosts":                    usual.Hosts[0].Pattern == "login.example.com",
		"revocation and account as served": slices.Contains(usual.Grants, provider.GrantRevoke) && slices.Contains(usual.Grants, provider.GrantIdentify),
	} {
		if !ok {
			t.Errorf("by default: %s does not hold", what)
		}
	}
	other := d(map[string]any{
		optionPKCE: "none", optionRotation: "none", optionRenew: renewNone, optionExpiresIn: "1800", optionPrefix: "OAuth",
		optionSeparator: "semicolon", optionAPI: "https://api.example.com/v1",
	}, oauth.Metadata{Issuer: "https://id.example", Scopes: []string{"parcels", "openid", ""}})
	for what, ok := range map[string]bool{
		"PKCE is off":                  other.PKCE == provider.PKCENone,
		"a lost renewal is repeated":   other.Rotation.Kind == provider.RotationNone && other.Rotation.RepeatSafe,
		"not renewed":                  other.AutoRenew == provider.AutoRenewNone,
		"lifetime as entered":          other.Lifetimes.AccessToken == 30*time.Minute,
		"its own word":                 other.API.Prefix == "OAuth " && other.API.BaseURL == "https://api.example.com/v1",
		"the separator":                other.ScopeSeparator == ";",
		"the scopes that it published": slices.Equal(names(other.Scopes), []string{"parcels", "openid"}),
		"the issuer of RFC 9207":       other.Issuer == "https://id.example",
	} {
		if !ok {
			t.Errorf("as entered: %s does not hold", what)
		}
	}
}

// What the hub does when a reply is lost hangs on this option, so each of its values
// has to reach the description, and what was stored before it keeps its meaning.
func TestTheRotationIsWhatTheAdministratorSaid(t *testing.T) {
	for _, test := range []struct {
		entered map[string]any
		want    provider.Rotation
	}{
		{nil, provider.Rotation{Kind: provider.RotationRotates}},
		{map[string]any{optionRotation: ""}, provider.Rotation{Kind: provider.RotationRotates}},
		{map[string]any{optionRotation: "none"}, provider.Rotation{Kind: provider.RotationNone, RepeatSafe: true}},
		{map[string]any{optionRotation: "rotates", optionGrace: "30s"}, provider.Rotation{Kind: provider.RotationRotates}},
		{map[string]any{optionRotation: "rotates_and_revokes_access"}, provider.Rotation{Kind: provider.RotationRotatesRevokesAccess}},
		{map[string]any{optionRotation: "rotates_with_grace", optionGrace: "5m"}, provider.Rotation{Kind: provider.RotationRotatesWithGrace, Grace: 5 * time.Minute}},
		{map[string]any{"rotates": true}, provider.Rotation{Kind: provider.RotationRotates}},
		{map[string]any{"rotates": false}, provider.Rotation{Kind: provider.RotationNone, RepeatSafe: true}},
		{map[string]any{"rotates": "false"}, provider.Rotation{Kind: provider.RotationNone, RepeatSafe: true}},
		{map[string]any{"rotates": false, optionRotation: "rotates"}, provider.Rotation{Kind: provider.RotationRotates}},
	} {
		svc := filledIn(t, with(byHand, pairsOf(test.entered)...))
		if got := describe(svc, endpoints{}.under(svc), &oauth.Metadata{}).Rotation; got != test.want {
			t.Errorf("%v gives %+v, want %+v", test.entered, got, test.want)
		}
	}
	for _, entered := range []map[string]any{{"rotates": "perhaps"}, {optionRotation: "sometimes"}, {optionGrace: "long"}, {optionGrace: "0s"}} {
		if _, problems := options.Validate(entered); len(problems) != 1 {
			t.Errorf("%v has the problems %v, want one", entered, problems)
		}
	}
	svc := filledIn(t, with(byHand, optionRotation, "rotates_with_grace"))
	_, err := anyService{}.PrepareService(t.Context(), &provider.PrepareServiceRequest{Call: provider.Call{Service: svc}})
	wantWrong(t, "a grace that is not said", err, optionGrace)
}

func names(scopes []provider.Scope) []string {
	var list []string
	for _, s := range scopes {
		list = append(list, s.Name)
	}
	return list
}

func pairsOf(entered map[string]any) []any {
	var list []any
	for name, value := range entered {
		list = append(list, name, value)
	}
	return list
}

func TestOnlyWhatWorksIsServed(t *testing.T) {
	for name, test := range map[string]struct {
		entered  map[string]any
		e        endpoints
		scopes   []string
		revoke   bool
		identify bool
	}{
		"everything by discovery":         {nil, endpoints{Revocation: "https://x/r", Userinfo: "https://x/u"}, []string{"openid"}, true, true},
		"userinfo that wants openid":      {nil, endpoints{Userinfo: "https://x/u"}, []string{"read"}, false, false},
		"an ID token instead of userinfo": {nil, endpoints{}, []string{"openid"}, false, true},
		"userinfo by hand":                {map[string]any{optionUserinfo: "https://x/me"}, endpoints{}, []string{"read"}, false, true},
		"nothing":                         {nil, endpoints{}, nil, false, false},
	} {
		grants := served(filledIn(t, test.entered, test.scopes...), test.e)
		if slices.Contains(grants, provider.GrantRevoke) != test.revoke || slices.Contains(grants, provider.GrantIdentify) != test.identify {
			t.Errorf("%s: served are %v", name, grants)
		}
	}
}

func TestTheAccountIsReadFromTheIDTokenWhereThereIsNoUserinfo(t *testing.T) {
	idToken := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
	}
	endpoints := map[string]any{optionAuthorization: byHand[optionAuthorization], optionToken: byHand[optionToken]}
	for name, test := range map[string]struct {
		idToken string
		field   string
		want    provider.Account
	}{
		"the usual claims":   {idToken(`{"sub":"1","email":"anna@example.test"}`), "", provider.Account{ID: "1", Name: "anna@example.test"}},
		"another name":       {idToken(`{"sub":"1","name":"Anna"}`), "", provider.Account{ID: "1", Name: "Anna"}},
		"another ID":         {idToken(`{"sub":"1","oid":"tenant-7"}`), "oid", provider.Account{ID: "tenant-7"}},
		"no such claim":      {idToken(`{"sub":"1"}`), "oid", provider.Account{ID: "1"}},
		"no claims":          {idToken(`{}`), "", provider.Account{}},
		"not a JWT":          {"opaque", "", provider.Account{}},
		"not JSON":           {idToken(`{`), "", provider.Account{}},
		"neither one nor it": {"", "", provider.Account{}},
	} {
		svc := filledIn(t, with(endpoints, optionAccountID, test.field), "openid")
		got, err := anyService{}.Identify(t.Context(), &provider.IdentifyRequest{
			Call: provider.Call{Service: svc}, Current: provider.Token{AccessToken: "a", IDToken: test.idToken},
		})
		if test.want.ID == "" {
			if err == nil {
				t.Errorf("%s: got the account %v", name, got)
			}
			continue
		}
		if err != nil || *got != test.want {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}
