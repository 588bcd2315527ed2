package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

func TestPeopleLogInByTheSignInService(t *testing.T) {
	t.Parallel()
	service := hubtest.StartSignInService(t)
	r := hubtest.StartHub(t, map[string]any{"oidc.issuer": service.URL, "oidc.client_id": "hub", "oidc.client_secret": "oidc-secret", "oidc.title": "Company"})
	boss := r.Owner(t)
	boss.Ask("POST", "/people/invite", url.Values{"login": {"olga@example.com"}, "role": {"operator"}})
	person := func(sub, email string, verified bool) map[string]any {
		return map[string]any{"sub": sub, "email": email, "email_verified": verified, "name": "Olga"}
	}
	if _, page, _ := hubtest.NewVisitor(t, r).Ask("GET", "/login", nil); !strings.Contains(page, "Log in with Company") {
		t.Error("the login page does not offer the sign-in service")
	}

	service.Is(person("7", "olga@example.com", false))
	if status, page, _ := hubtest.NewVisitor(t, r).FederatedLogin(); status != http.StatusForbidden || !strings.Contains(page, "has not verified") {
		t.Errorf("an address that is not verified answers %d", status)
	}
	service.Is(person("7", "olga@example.com", true))
	olga := hubtest.NewVisitor(t, r)
	if status, page, location := olga.FederatedLogin(); status != http.StatusSeeOther || location != "/connections" {
		t.Fatalf("the invited person gets %d %q: %s", status, location, page)
	}
	if status, _, _ := olga.Ask("GET", "/connections", nil); status != http.StatusOK {
		t.Errorf("and then %d", status)
	}
	if status, _, _ := olga.Ask("GET", "/people", nil); status != http.StatusForbidden {
		t.Errorf("an operator gets %d of the people's page", status)
	}
	// A second time the subject counts, whatever the address has become.
	service.Is(person("7", "olga.new@example.com", false))
	if status, _, _ := hubtest.NewVisitor(t, r).FederatedLogin(); status != http.StatusSeeOther {
		t.Errorf("the second sign-in answers %d", status)
	}
	// Somebody else who has got her address there is not her.
	service.Is(person("8", "olga@example.com", true))
	if status, _, _ := hubtest.NewVisitor(t, r).FederatedLogin(); status != http.StatusForbidden {
		t.Errorf("another subject with the same address answers %d", status)
	}
	service.Is(person("9", "stranger@example.com", true))
	if status, page, _ := hubtest.NewVisitor(t, r).FederatedLogin(); status != http.StatusForbidden || !strings.Contains(page, "Nobody has invited you") {
		t.Errorf("a stranger gets %d", status)
	}
	if status, _, _ := hubtest.NewVisitor(t, r).Ask("POST", "/login", url.Values{"login": {"olga@example.com"}, "password": {""}}); status != http.StatusUnprocessableEntity {
		t.Errorf("an empty password of somebody without one answers %d", status)
	}
	if strings.Contains(r.Log.String(), "oidc-secret") {
		t.Error("the log holds the client secret")
	}
}

func TestASignInThatBelongsToAnotherBrowserIsRefused(t *testing.T) {
	t.Parallel()
	service := hubtest.StartSignInService(t)
	r := hubtest.StartHub(t, map[string]any{"oidc.issuer": service.URL, "oidc.client_id": "hub", "oidc.client_secret": "oidc-secret", "oidc.join_as": "viewer"})
	r.Owner(t)
	service.Is(map[string]any{"sub": "1", "email": "eve@example.com", "email_verified": true})
	eve := hubtest.NewVisitor(t, r)
	_, _, away := eve.Ask("GET", "/login/oidc", nil)
	_, _, home := eve.Ask("GET", away, nil)
	victim := hubtest.NewVisitor(t, r)
	if status, _, _ := victim.Ask("GET", strings.TrimPrefix(home, r.Hub.URL()), nil); status != http.StatusForbidden {
		t.Errorf("a callback of another browser answers %d", status)
	}
	service.Is(map[string]any{"sub": "1", "email": "eve@example.com", "email_verified": true, "nonce": "another"})
	if status, _, _ := hubtest.NewVisitor(t, r).FederatedLogin(); status != http.StatusForbidden {
		t.Errorf("an ID token of another sign-in answers %d", status)
	}
	service.Is(map[string]any{"sub": "1", "email": "eve@example.com", "email_verified": true, "aud": "another"})
	if status, _, _ := hubtest.NewVisitor(t, r).FederatedLogin(); status != http.StatusForbidden {
		t.Errorf("an ID token for another client answers %d", status)
	}
	service.Is(map[string]any{"sub": "1", "email": "eve@example.com", "email_verified": true})
	if status, _, _ := hubtest.NewVisitor(t, r).FederatedLogin(); status != http.StatusSeeOther {
		t.Errorf("whoever may join answers %d", status)
	}
	service.Close()
	again := hubtest.StartHub(t, map[string]any{"oidc.issuer": service.URL, "oidc.client_id": "hub"})
	again.Owner(t)
	if status, page, _ := hubtest.NewVisitor(t, again).Ask("GET", "/login/oidc", nil); status != http.StatusServiceUnavailable || !strings.Contains(page, "does not answer") {
		t.Errorf("a sign-in service that is away answers %d", status)
	}
}

// A service that announces iss sends it with every callback (RFC 9207): one without it, or
// of another issuer, was led here by somebody else.
func TestASignInWithoutItsIssuerIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		announces bool
		sends     func(own string) string
		in        bool
	}{
		"announced and missing":    {true, func(string) string { return "" }, false},
		"announced and sent":       {true, func(own string) string { return own }, true},
		"another's":                {true, func(string) string { return "https://evil.example" }, false},
		"not announced, sent":      {false, func(own string) string { return own }, true},
		"not announced, another's": {false, func(string) string { return "https://evil.example" }, false},
		"never heard of":           {false, func(string) string { return "" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			service := hubtest.StartSignInService(t)
			service.Announces, service.Sends = test.announces, test.sends(service.URL)
			r := hubtest.StartHub(t, map[string]any{"oidc.issuer": service.URL, "oidc.client_id": "hub", "oidc.client_secret": "oidc-secret", "oidc.join_as": "viewer"})
			r.Owner(t)
			service.Is(map[string]any{"sub": "1", "email": "anna@example.com", "email_verified": true})
			if status, _, _ := hubtest.NewVisitor(t, r).FederatedLogin(); (status == http.StatusSeeOther) != test.in {
				t.Errorf("answers %d", status)
			}
		})
	}
}
