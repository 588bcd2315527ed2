package e2e_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// What was granted elsewhere is pulled here, without anybody logging in again.
func TestAGrantIsImported(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	name := r.AddService(t, world.Service("bitrix24"))
	r.Authorize(t, name)
	var codes struct{ RefreshToken string }
	r.Admin.Must(t, "GET", "/api/v1/connections/"+name+"/access-codes?refresh_token=true", nil, &codes)
	r.Admin.Must(t, "POST", "/api/v1/connections/"+name+"/pause", nil, nil)
	boss := r.Owner(t)
	boss.AddContact("Anna", map[string]string{boss.AddChannel(hubtest.StartChannels(t), channel.SMTP): "anna@example.com"}, "user", accountID(boss))
	service := r.ServiceOf(t, name)

	// Refused text changes nothing and is not shown again.
	status, page, _ := boss.Ask("POST", "/connections/import", url.Values{"service": {service}, "title": {"Moved"}, "grant": {`{"accessToken":"leak-me"`}})
	if status != http.StatusUnprocessableEntity || strings.Contains(page, "leak-me") {
		t.Errorf("half of a JSON: %d", status)
	}
	status, page, to := boss.Ask("POST", "/connections/import", url.Values{"service": {service}, "title": {"Moved"}, "grant": {`{"refreshToken":"` + codes.RefreshToken + `"}`}})
	if status != http.StatusSeeOther || to != "/connections/moved" {
		t.Fatalf("the import: %d %s\n%s", status, to, page)
	}
	if got := r.Key(t, "moved").Pull(t, "moved"); got.AccessToken == "" || got.Generation != 2 {
		t.Errorf("pulled %+v", got)
	}
	if _, page, _ = boss.Ask("GET", "/connections/moved", nil); !regexp.MustCompile(`<option[^>]* selected[^>]*>Anna<`).MatchString(page) {
		t.Error("what Anna has brought in is not hers")
	}
	// One that the service refuses is told as such.
	boss.Ask("POST", "/connections/import", url.Values{"service": {service}, "title": {"Dead"}, "grant": {"a-refresh-token-of-nobody"}})
	if v := r.View(t, "dead"); v.Status != "needs_authorization" {
		t.Errorf("a refused refresh token: %+v", v)
	}
	_, page, _ = boss.Ask("GET", "/connections/dead", nil)
	if strings.Contains(page, "a-refresh-token-of-nobody") {
		t.Error("the page shows the refresh token")
	}
}

func TestATableIsImportedWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	name := r.AddService(t, world.Service("bitrix24"))
	r.Authorize(t, name)
	var codes struct{ RefreshToken string }
	r.Admin.Must(t, "GET", "/api/v1/connections/"+name+"/access-codes?refresh_token=true", nil, &codes)
	r.Admin.Must(t, "POST", "/api/v1/connections/"+name+"/pause", nil, nil)
	boss := r.Owner(t)
	boss.AddContact("Anna", map[string]string{boss.AddChannel(hubtest.StartChannels(t), channel.SMTP): "anna@example.com"}, "user", accountID(boss))
	service := r.ServiceOf(t, name)
	good := "service,title,refresh_token,tags\n" + service + ",One," + codes.RefreshToken + ",moscow\n"

	status, page, _ := boss.Ask("POST", "/connections/import/table", url.Values{"table": {good + service + ",Two,,\n"}})
	if status != http.StatusUnprocessableEntity || strings.Contains(page, codes.RefreshToken) {
		t.Errorf("a table with a mistake: %d", status)
	}
	if status, _ := r.Admin.Do(t, "GET", "/api/v1/connections/one", nil); status != http.StatusNotFound {
		t.Errorf("something was imported: %d", status)
	}
	status, page, run := boss.Ask("POST", "/connections/import/table", url.Values{"table": {good + "nowhere,Three,r,\n"}})
	if status != http.StatusSeeOther || !strings.HasPrefix(run, "/bulk/") {
		t.Fatalf("the table: %d\n%s", status, page)
	}
	hubtest.Eventually(t, "the table is imported", func() bool {
		_, page, _ = boss.Ask("GET", run, nil)
		return !strings.Contains(page, `hx-trigger="every 1s"`)
	})
	if !strings.Contains(page, `href="/connections/one"`) || !strings.Contains(page, "There is no service of that name.") || !strings.Contains(page, "line 3") {
		t.Errorf("what came of the table: %s", page)
	}
	if _, page, _ = boss.Ask("GET", "/connections/one", nil); !regexp.MustCompile(`<option[^>]* selected[^>]*>Anna<`).MatchString(page) {
		t.Error("what Anna has brought in is not hers")
	}
	if got := r.KeyOf(t, map[string]any{"title": "t", "tags": []string{"moscow"}}).Pull(t, "one"); got.AccessToken == "" {
		t.Errorf("pulled %+v", got)
	}
}

// accountID is the one account's id, as the form of a contact offers it.
func accountID(v *hubtest.Visitor) string {
	v.T.Helper()
	_, page, _ := v.Ask("GET", "/escalation/contacts/new", nil)
	found := regexp.MustCompile(`<option value="([0-9a-f-]{36})"`).FindStringSubmatch(page)
	if found == nil {
		v.T.Fatalf("the form offers no account: %s", page)
	}
	return found[1]
}
