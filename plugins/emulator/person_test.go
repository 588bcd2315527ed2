package emulator_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// door is a service that lets people in and tells the client who came, with what.
func door(t *testing.T) *emulator.Site {
	t.Helper()
	site := emulator.NewSite(emulator.NewFront(new(clock).now, nil).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("client_id") == "stranger" {
			emulator.ShowProblem(w, r, "Door", http.StatusBadRequest, "invalid_client", "Unknown <client>.")
			return
		}
		consent, decided := emulator.DefaultDirectory().Ask(w, r, emulator.Question{
			Service: "Door", App: "<b>Hub</b>", Scopes: []emulator.Scope{{Value: "fixed"}, {Value: "a&b", Optional: true}, {Value: "c", Optional: true}},
		})
		switch {
		case !decided:
		case !consent.Allowed:
			emulator.RedirectWith(w, r, "http://client.test/cb?x=1#f", url.Values{"error": {"access_denied"}})
		case r.URL.Query().Get("redirect") == "none":
			emulator.ShowCode(w, r, "Door", "c&de")
		default:
			emulator.RedirectWith(w, r, "http://client.test/cb", url.Values{"who": {consent.Account.Name()}, "scope": consent.Scopes})
		}
	})))
	if err := site.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = site.Close() })
	return site
}

func TestAPersonDecides(t *testing.T) {
	tests := map[string]struct {
		query   string
		choices emulator.Choices
		landed  string
		problem string
		status  int
	}{
		"Anna allows":       {"", emulator.Choices{}, "http://client.test/cb?scope=fixed&scope=a%26b&scope=c&who=Anna+Ivanova", "", 0},
		"Boris allows less": {"", emulator.Choices{Login: "Boris@example.test", UntickScopes: []string{"a&b", "fixed"}}, "http://client.test/cb?scope=fixed&scope=c&who=Boris+Petrov", "", 0},
		"Anna refuses":      {"", emulator.Choices{Deny: true}, "http://client.test/cb?x=1&error=access_denied#f", "", 0},
		"wrong password":    {"", emulator.Choices{Password: "boris"}, "", "There is no such login and password.", 401},
		"unknown client":    {"?client_id=stranger", emulator.Choices{}, "", "invalid_client", 400},
		"code on the page":  {"?redirect=none", emulator.Choices{}, "/?code=c%26de", "", 0},
	}
	site := door(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			landed, err := emulator.Person{}.Authorize(t.Context(), site.URL+"/"+tc.query, tc.choices)
			if tc.problem != "" {
				page, ok := errors.AsType[*emulator.PageError](err)
				if !ok || page.Problem != tc.problem || page.Status != tc.status {
					t.Fatalf("error %v, want a page with %q", err, tc.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimPrefix(landed.String(), site.URL); got != tc.landed {
				t.Errorf("landed at %s, want %s", got, tc.landed)
			}
		})
	}
}

func TestThePageSpeaksTheLanguageOfTheBrowserAndSaysWhatItIs(t *testing.T) {
	site := door(t)
	for accept, want := range map[string][]string{
		"":                        {`lang="en"`, "This is not the real service", "Allow", `value="anna@example.test"`},
		"ru-RU,ru;q=0.9,en;q=0.8": {`lang="ru"`, "Это не настоящий сервис", "Разрешить"},
		"de, en;q=0.5":            {`lang="en"`},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Language", accept)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range append(want, "&lt;b&gt;Hub", "<style>\n:root") {
			if !strings.Contains(string(body), part) {
				t.Errorf("Accept-Language %q: the page lacks %q", accept, part)
			}
		}
		if policy := resp.Header.Get("Content-Security-Policy"); strings.Contains(policy, "form-action") || !strings.Contains(policy, "style-src 'sha256-") {
			t.Errorf("policy %q, which would stop the redirect after the form or the style", policy)
		}
	}
}

func TestFixedScopesHaveNoBox(t *testing.T) {
	got := emulator.FixedScopes([]string{"a", "b"})
	if !slices.Equal(got, []emulator.Scope{{Value: "a"}, {Value: "b"}}) {
		t.Errorf("scopes %+v", got)
	}
}
