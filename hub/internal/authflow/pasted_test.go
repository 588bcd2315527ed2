package authflow

import (
	"net/url"
	"testing"

	"golang.org/x/oauth2"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestWhatAPersonMayPaste(t *testing.T) {
	for name, tt := range map[string]struct{ pasted, code, state string }{
		"address":          {" https://app.example/cb?code=abc&state=s1 ", "abc", "s1"},
		"address fragment": {"https://app.example/cb#code=abc&state=s1", "abc", "s1"},
		"query":            {"?code=abc&state=s1", "abc", "s1"},
		"bare query":       {"code=abc&domain=x", "abc", ""},
		"bare code":        {"abc\n", "abc", ""},
		"code with sign":   {"4/0AfJoh=x", "4/0AfJoh=x", ""},
		"percent-encoded":  {"4%2F0AfJoh%3Dx", "4/0AfJoh=x", ""},
		"a code with %":    {"abc%zz", "abc%zz", ""},
		"without scheme":   {"app.example/cb?code=abc&state=s1", "abc", "s1"},
		"in brackets":      {"<https://app.example/cb?code=abc&state=s1>", "abc", "s1"},
		"in quotes":        {"“https://app.example/cb?code=a%2Fb&state=s1”", "a/b", "s1"},
		"with a fragment":  {"app.example/cb?code=abc&state=s1#_=_", "abc", "s1"},
		"nothing":          {"  ", "", ""},
		"a sentence":       {"it did not work", "", ""},
		"address alone":    {"https://app.example/", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := readPasted(tt.pasted)
			if got.Get("code") != tt.code || got.Get("state") != tt.state {
				t.Errorf("code %q, state %q", got.Get("code"), got.Get("state"))
			}
		})
	}
}

func TestErrorsOfTheAuthorizationEndpoint(t *testing.T) {
	for code, want := range map[string]provider.Kind{
		"access_denied": provider.Denied, "ACCESS_DENIED": provider.Denied, "invalid_scope": provider.Blocked,
		"user_cancelled_authorize": provider.Denied, "user_cancelled_login": provider.Denied, "user-cancelled": provider.Denied, "consent_declined": provider.Denied,
		"temporarily_unavailable": provider.Transient, "something_new": provider.Blocked,
	} {
		got := errorOf(url.Values{"error": {code}, "error_description": {"why\x00\nnot"}})
		if got == nil || got.Kind != want {
			t.Errorf("%s: %v, want %s", code, got, want)
		}
		if got != nil && got.Message != "the service did not grant access: whynot" {
			t.Errorf("message %q", got.Message)
		}
	}
	if errorOf(url.Values{"code": {"x"}}) != nil {
		t.Error("a code was read as an error")
	}
}

func TestAnotherIssuerIsAMixUp(t *testing.T) {
	svc := service.Service{Description: &provider.Description{Issuer: "https://as.example"}}
	for iss, wrong := range map[string]bool{"": false, "https://as.example": false, "https://evil.example": true} {
		if got := wrongIssuer(svc, url.Values{"iss": {iss}, "state": {"s"}}); got != wrong {
			t.Errorf("iss %q: wrong is %t", iss, got)
		}
	}
}

func TestAnIssuerThatIsAnnouncedAndMissingIsAMixUp(t *testing.T) {
	svc := service.Service{Description: &provider.Description{Issuer: "https://as.example", IssuerSent: true}}
	for query, wrong := range map[string]bool{
		"code=a&state=s": true, "error=access_denied&state=s": true, "code=a&state=s&iss=": true, "code=a&state=s&iss=https://as.example": false,
		"code=a&state=s&iss=https://as.example/": true, "code=a&state=s&iss=https://evil.example": true, "code=a": false,
	} {
		params, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := wrongIssuer(svc, params); got != wrong {
			t.Errorf("%s: wrong is %t", query, got)
		}
	}
}

func TestAServiceThatTakesPKCEGetsAChallengeOfItsOwn(t *testing.T) {
	svc := service.Service{Description: &provider.Description{PKCE: provider.PKCES256}}
	var first, second, none provider.AuthCodeURLRequest
	a, b := withPKCE(svc, &first), withPKCE(svc, &second)
	if a == b || len(a) != 43 || first.CodeChallenge != oauth2.S256ChallengeFromVerifier(a) || second.CodeChallenge != oauth2.S256ChallengeFromVerifier(b) {
		t.Errorf("verifiers of %d characters, equal %t, challenges %q %q", len(a), a == b, first.CodeChallenge, second.CodeChallenge)
	}
	svc.Description.PKCE = provider.PKCENone
	if v := withPKCE(svc, &none); v != "" || none.CodeChallenge != "" {
		t.Errorf("without PKCE: %q %q", v, none.CodeChallenge)
	}
}
