package oauth_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

func call(a *answer) provider.Call {
	return provider.Call{
		HTTP: a.client(), Now: now,
		Service: provider.Service{Name: "acme", ClientID: "client", ClientSecret: secret, Scopes: []string{"openid", "mail"}},
	}
}

func standard(c oauth.Config) provider.Provider {
	c.AuthURL, c.TokenURL = "https://acme.example/authorize?tenant=7", "https://acme.example/token"
	return oauth.New(c)
}

func TestTheAddressOfConsentHasAllThatTheRFCsWant(t *testing.T) {
	p := standard(oauth.Config{
		AuthParams:    url.Values{"access_type": {"offline"}, "prompt": {"login"}},
		ConsentParams: url.Values{"prompt": {"consent"}},
	}).(provider.AuthorizationCodeGrant)
	got, err := p.AuthCodeURL(t.Context(), &provider.AuthCodeURLRequest{
		Call: call(&answer{}), State: "st", RedirectURI: "https://hub.example/callback/acme", CodeChallenge: "ch", Nonce: "no",
		ForceConsent: true, LoginHint: "anna@example.org",
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = "https://acme.example/authorize?access_type=offline&client_id=client&code_challenge=ch&code_challenge_method=S256" +
		"&login_hint=anna%40example.org&nonce=no&prompt=consent&redirect_uri=https%3A%2F%2Fhub.example%2Fcallback%2Facme" +
		"&response_type=code&scope=openid+mail&state=st&tenant=7"
	if got.URL != want {
		t.Errorf("got  %s\nwant %s", got.URL, want)
	}
}

func TestExchangeAndRefreshSendTheirFormsOnce(t *testing.T) {
	for _, auth := range []oauth.ClientAuth{"", oauth.AuthNone, oauth.AuthBasic, oauth.AuthRawBase64} {
		a := &answer{status: 200, body: `{"access_token":"at","expires_in":3600,"user_id":9007199254740993}`}
		p := standard(oauth.Config{Auth: auth})
		token, err := p.(provider.AuthorizationCodeGrant).Exchange(t.Context(), &provider.ExchangeRequest{
			Call: call(a), Code: "the-code", RedirectURI: "https://hub.example/cb", CodeVerifier: "the-verifier",
		})
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(token.Extra["user_id"]) != "9007199254740993" {
			t.Errorf("user_id became %v", token.Extra["user_id"])
		}
		form, _ := url.ParseQuery(a.bodies[0])
		if form.Get("grant_type") != "authorization_code" || form.Get("code") != "the-code" || form.Get("code_verifier") != "the-verifier" || form.Get("redirect_uri") != "https://hub.example/cb" {
			t.Errorf("auth %q: the form was %v", auth, form)
		}
		inForm, inHeader := form.Has("client_secret"), a.requests[0].Header.Get("Authorization") != ""
		if inForm != (auth == "") || inHeader != (auth == oauth.AuthBasic || auth == oauth.AuthRawBase64) {
			t.Errorf("auth %q: secret in form %t, in header %t", auth, inForm, inHeader)
		}
		if _, err := p.(provider.Refresher).Refresh(t.Context(), &provider.RefreshRequest{Call: call(a), Current: provider.Token{RefreshToken: oldToken}}); err != nil {
			t.Fatal(err)
		}
		form, _ = url.ParseQuery(a.bodies[1])
		if len(a.requests) != 2 || form.Get("grant_type") != "refresh_token" || form.Get("refresh_token") != oldToken {
			t.Errorf("auth %q: after %d requests the form was %v", auth, len(a.requests), form)
		}
	}
}

func TestParametersHaveTheNamesThatTheServiceGivesThem(t *testing.T) {
	a := &answer{status: 200, body: `{"access_token":"at","expires_in":60}`}
	for _, auth := range []oauth.ClientAuth{oauth.AuthPost, oauth.AuthQuery} {
		p := standard(oauth.Config{
			Auth: auth, RevokeURL: "https://acme.example/revoke",
			Rename: map[string]string{"client_id": "client_key", "client_secret": "appsecret", "refresh_token": "old"},
		})
		consent, err := p.(provider.AuthorizationCodeGrant).AuthCodeURL(t.Context(), &provider.AuthCodeURLRequest{Call: call(a), State: "st"})
		if err != nil || strings.Contains(consent.URL, "client_id") || !strings.Contains(consent.URL, "client_key=client&") {
			t.Errorf("auth %q: %v, %v", auth, consent, err)
		}
		if _, err := p.(provider.Refresher).Refresh(t.Context(), &provider.RefreshRequest{Call: call(a), Current: provider.Token{RefreshToken: oldToken}}); err != nil {
			t.Fatal(err)
		}
		if err := p.(provider.Revoker).Revoke(t.Context(), &provider.RevokeRequest{Call: call(a), Current: provider.Token{RefreshToken: oldToken}}); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.requests) != 4 {
		t.Fatalf("%d requests", len(a.requests))
	}
	for n, request := range a.requests {
		sent, _ := url.ParseQuery(a.bodies[n] + "&" + request.URL.RawQuery)
		if sent.Get("client_key") != "client" || sent.Get("appsecret") != secret || sent.Has("client_id") || sent.Has("client_secret") ||
			n%2 == 0 && (sent.Get("old") != oldToken || sent.Get("grant_type") != "refresh_token") {
			t.Errorf("request %d sent %v", n, sent)
		}
	}
}

func TestAStandardProviderNeverTriesASecondTime(t *testing.T) {
	for _, a := range []*answer{
		{status: 401, body: `{"error":"invalid_client","error_description":"` + secret + `"}`},
		{status: 503}, {status: 200, body: `{"access_tok`},
		{status: 307, header: http.Header{"Location": {"https://acme.example/token2"}}},
	} {
		_, err := standard(oauth.Config{}).(provider.Refresher).Refresh(t.Context(), &provider.RefreshRequest{Call: call(a), Current: provider.Token{RefreshToken: oldToken}})
		if err == nil || len(a.requests) != 1 {
			t.Errorf("%d: %d requests, error %v", a.status, len(a.requests), err)
		}
		if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), oldToken) {
			t.Errorf("a secret is in %q", err)
		}
	}
}

func TestAProviderServesWhatItsConfigAsksForAndNothingElse(t *testing.T) {
	for n := range 16 {
		c := oauth.Config{}
		want := []provider.Grant{provider.GrantAuthorizationCode, provider.GrantRefresh}
		if n&1 != 0 {
			c.Grants, want = append(c.Grants, provider.GrantClientCredentials), append(want, provider.GrantClientCredentials)
		}
		if n&2 != 0 {
			c.RevokeURL, want = "https://acme.example/revoke", append(want, provider.GrantRevoke)
		}
		if n&4 != 0 {
			c.Grants, want = append(c.Grants, provider.GrantIdentify), append(want, provider.GrantIdentify)
		}
		if n&8 != 0 {
			c.Prepare, want = (&discovery{}).prepare, append(want, provider.GrantPrepareService)
		}
		if got := provider.GrantsOf(standard(c)); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("serves %v, want %v", got, want)
		}
	}
}

func TestClientCredentialsAskForTheServicesScopes(t *testing.T) {
	a := &answer{status: 200, body: `{"access_token":"at"}`}
	c := oauth.Config{Grants: []provider.Grant{provider.GrantClientCredentials}}
	c.Description.ScopeSeparator = ","
	_, err := standard(c).(provider.ClientCredentialsGrant).ClientCredentials(t.Context(), &provider.ClientCredentialsRequest{Call: call(a)})
	if form, _ := url.ParseQuery(a.bodies[0]); err != nil || form.Get("grant_type") != "client_credentials" || form.Get("scope") != "openid,mail" {
		t.Errorf("form %v, error %v", form, err)
	}
}

func TestAGrantThatIsGoneCountsAsRevoked(t *testing.T) {
	p := standard(oauth.Config{RevokeURL: "https://acme.example/revoke"}).(provider.Revoker)
	for _, test := range []struct {
		answer
		kind provider.Kind
		ok   bool
	}{
		{answer{status: 200}, 0, true},
		{answer{status: 200, body: `{}`}, 0, true},
		{answer{status: 400, body: `{"error":"invalid_token"}`}, 0, true},
		{answer{status: 503, body: `{"error":"invalid_token"}`}, provider.Transient, false},
		{answer{status: 401, body: `{"error":"invalid_client"}`}, provider.Blocked, false},
	} {
		err := p.Revoke(t.Context(), &provider.RevokeRequest{Call: call(&test.answer), Current: provider.Token{AccessToken: "at", RefreshToken: oldToken}})
		if (err == nil) != test.ok || (err != nil && provider.KindOf(err) != test.kind) {
			t.Errorf("%d %s: got %v", test.status, test.body, err)
		}
		if form, _ := url.ParseQuery(test.bodies[0]); form.Get("token") != oldToken || form.Get("client_secret") != secret {
			t.Errorf("the form was %v", form)
		}
	}
}

func TestUserinfoNamesTheAccount(t *testing.T) {
	c := oauth.Config{UserinfoURL: "https://acme.example/me", Account: oauth.Account{ID: []string{"user.id"}, Name: []string{"user.mail", "login"}}}
	p := standard(c).(provider.Identifier)
	a := &answer{status: 200, body: `{"user":{"id":42},"login":"anna"}`}
	account, err := p.Identify(t.Context(), &provider.IdentifyRequest{Call: call(a), Current: provider.Token{AccessToken: "at"}})
	if err != nil || *account != (provider.Account{ID: "42", Name: "anna"}) {
		t.Errorf("got %v, %v", account, err)
	}
	if a.requests[0].Header.Get("Authorization") != "Bearer at" {
		t.Error("the access token was not sent as a bearer")
	}
	a = &answer{status: 401, body: `{"error":"invalid_token"}`}
	if _, err := p.Identify(t.Context(), &provider.IdentifyRequest{Call: call(a)}); provider.KindOf(err) != provider.Transient {
		t.Errorf("an access token that ran out gives %v", err)
	}
}

func TestAnIDTokenOfAnotherAuthorizationIsRefused(t *testing.T) {
	idToken := func(nonce string) string {
		return "h." + base64.RawURLEncoding.EncodeToString([]byte(`{"nonce":"`+nonce+`"}`)) + ".s"
	}
	for nonce, ok := range map[string]bool{"mine": true, "": true, "theirs": false} {
		a := &answer{status: 200, body: `{"access_token":"at","id_token":"` + idToken(nonce) + `"}`}
		_, err := standard(oauth.Config{}).(provider.AuthorizationCodeGrant).Exchange(t.Context(), &provider.ExchangeRequest{Call: call(a), Code: "c", Nonce: "mine"})
		if (err == nil) != ok {
			t.Errorf("nonce %q: got %v", nonce, err)
		}
	}
}

func TestAServiceMayHaveEndpointsAndAuthenticationOfItsOwn(t *testing.T) {
	p := standard(oauth.Config{Auth: oauth.AuthPost, Resolve: func(svc provider.Service) (oauth.Endpoints, error) {
		return oauth.Endpoints{TokenURL: "https://" + svc.Option("region") + ".acme.example/token", Auth: oauth.AuthBasic}, nil
	}}).(provider.Refresher)
	a := &answer{status: 200, body: `{"access_token":"at"}`}
	c := call(a)
	c.Service.Options = map[string]any{"region": "eu"}
	for _, secret := range []string{secret, ""} {
		c.Service.ClientSecret = secret
		if _, err := p.Refresh(t.Context(), &provider.RefreshRequest{Call: c, Current: provider.Token{RefreshToken: oldToken}}); err != nil {
			t.Fatal(err)
		}
	}
	if a.requests[0].URL.Host != "eu.acme.example" || a.requests[0].Header.Get("Authorization") == "" {
		t.Errorf("the service's own endpoint and authentication were not used: %s", a.requests[0].URL)
	}
	if form, _ := url.ParseQuery(a.bodies[1]); a.requests[1].Header.Get("Authorization") != "" || form.Get("client_id") != "client" {
		t.Error("without a secret the client must only name itself")
	}
}
