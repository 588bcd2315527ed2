package e2e_test

import (
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/emulator"
)

type secretsShown struct {
	Secrets []struct {
		Current bool       `json:"current"`
		Used    bool       `json:"used"`
		EndsAt  *time.Time `json:"ends_at"`
	} `json:"client_secrets"`
}

// A second secret that the service does not know yet costs nothing: the renewal goes on with
// the one before, the hub makes it current again and says so.
func TestASecretThatTheServiceRefusesIsReplacedByTheOtherOne(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, shortLife)
	r := hubtest.StartHub(t, nil)
	s := world.Service("oauth2")
	connection := r.AddService(t, s)
	hubtest.Send(t, r.Grant(t, connection, emulator.Choices{}))
	process := r.Key(t, connection)
	first := process.Pull(t, connection)
	body := map[string]any{
		"name": s.Name, "title": s.Title, "client_id": s.ClientID, "scopes": s.Scopes, "options": s.Options,
		"client_secret_ends_at": "2101-05-01", "other_client_secret": "a-secret-nobody-knows", "other_client_secret_ends_at": "2102-05-01",
	}
	var shown secretsShown
	r.Admin.Must(t, "PUT", "/api/v1/services/"+s.Name, body, &shown)
	ends := func() (years []int) {
		for _, secret := range shown.Secrets {
			years = append(years, secret.EndsAt.Year())
		}
		return years
	}
	if got := ends(); len(got) != 2 || got[0] != 2102 || got[1] != 2101 || !shown.Secrets[0].Current || !shown.Secrets[0].Used {
		t.Fatalf("the new secret is not the current one: %+v", shown)
	}
	hubtest.Until(t, first.ExpiresAt.Add(50*time.Millisecond))
	second := process.Pull(t, connection)
	if second.AccessToken == first.AccessToken || second.Trouble != nil {
		t.Errorf("the pull after the change has %+v", second)
	}
	hubtest.Eventually(t, "the working secret is the current one", func() bool {
		r.Admin.Must(t, "GET", "/api/v1/services/"+s.Name, nil, &shown)
		got := ends()
		return len(got) == 2 && got[0] == 2101
	})
	if strings.Contains(r.Log.String(), "a-secret-nobody-knows") || strings.Contains(r.Log.String(), s.ClientSecret) {
		t.Error("the log holds a client secret")
	}
	boss := r.Owner(t)
	if _, page, _ := boss.Ask("GET", "/audit", nil); !strings.Contains(page, "Working client secret made the current one") {
		t.Error("the audit page does not show that the hub changed the current secret")
	}
	var forecast struct {
		Items []struct{ Service, Reason string }
	}
	r.Admin.Must(t, "GET", "/api/v1/forecast", nil, &forecast)
	if len(forecast.Items) < 2 || forecast.Items[0].Service != s.Name || forecast.Items[0].Reason != "client_secret_ends" {
		t.Errorf("the forecast is %+v", forecast.Items)
	}
}

// The form takes the second secret and both ends, and the service's page warns of them.
func TestTheEndsOfSecretsAreEnteredAndWarnedOf(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	s := world.Service("oauth2")
	r.AddService(t, s)
	boss := r.Owner(t)
	soon := time.Now().UTC().AddDate(0, 0, 10).Format(time.DateOnly)
	save := func(change url.Values) (int, string) {
		form := hubtest.ServiceForm(s)
		form.Del("client_secret")
		maps.Copy(form, change)
		status, page, _ := boss.Ask("POST", "/services/"+s.Name+"/edit", form)
		return status, page
	}
	if status, page := save(url.Values{"client_secret_ends_at": {"1999-01-01"}}); status != 422 || !strings.Contains(page, "This day has passed") {
		t.Errorf("a day that has passed: %d", status)
	}
	if status, page := save(url.Values{"client_secret_ends_at": {"soon"}}); status != 422 || !strings.Contains(page, "Enter a day as") {
		t.Errorf("no day: %d", status)
	}
	if status, _ := save(url.Values{"client_secret_ends_at": {soon}}); status != 200 && status != 303 {
		t.Fatalf("an end: %d", status)
	}
	for path, says := range map[string]string{
		"/services/" + s.Name:           "No other secret lasts longer",
		"/services/" + s.Name + "/edit": `value="` + soon + `"`,
		"/services":                     "The client secret ends on",
		"/":                             "Client secrets that end",
	} {
		if _, page, _ := boss.Ask("GET", path, nil); !strings.Contains(page, says) {
			t.Errorf("%s does not say %q", path, says)
		}
	}
	if status, _ := save(url.Values{"client_secret_ends_at": {soon}, "other_client_secret": {"another-secret"}}); status != 200 && status != 303 {
		t.Fatalf("a second secret: %d", status)
	}
	_, page, _ := boss.Ask("GET", "/services/"+s.Name, nil)
	if !strings.Contains(page, "The hub uses the other secret from then on") || strings.Contains(page, "No other secret lasts longer") {
		t.Error("the page does not say that the other secret goes on")
	}
	if _, page, _ := boss.Ask("GET", "/services/"+s.Name+"/edit", nil); strings.Contains(page, "another-secret") || !strings.Contains(page, "Remove the second secret") {
		t.Error("the form of a service with two secrets holds one, or does not offer to remove it")
	}
	if status, _ := save(url.Values{"drop_other": {"false", "true"}, "client_secret_ends_at": {""}, "other_client_secret_ends_at": {""}}); status != 200 && status != 303 {
		t.Fatalf("without the second secret: %d", status)
	}
	if _, page, _ := boss.Ask("GET", "/services/"+s.Name, nil); strings.Contains(page, "The client secret ends on") {
		t.Error("the page still warns")
	}
}
