package hub_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
)

// What was granted elsewhere is pulled here, without anybody logging in again.
func TestAGrantIsImported(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	name := r.addService(t, world.Service("bitrix24"))
	r.authorise(t, name)
	var codes struct{ RefreshToken string }
	r.admin.must(t, "GET", "/api/v1/connections/"+name+"/access-codes?refresh_token=true", nil, &codes)
	r.admin.must(t, "POST", "/api/v1/connections/"+name+"/pause", nil, nil)
	boss := r.owner(t)
	boss.addContact("Anna", map[string]string{boss.addChannel(startChannels(t), channel.SMTP): "anna@example.com"}, "user", boss.accountID())
	service := r.serviceOf(t, name)

	// Refused text changes nothing and is not shown again.
	status, page, _ := boss.ask("POST", "/connections/import", url.Values{"service": {service}, "title": {"Moved"}, "grant": {`{"accessToken":"leak-me"`}})
	if status != http.StatusUnprocessableEntity || strings.Contains(page, "leak-me") {
		t.Errorf("half of a JSON: %d", status)
	}
	status, page, to := boss.ask("POST", "/connections/import", url.Values{"service": {service}, "title": {"Moved"}, "grant": {`{"refreshToken":"` + codes.RefreshToken + `"}`}})
	if status != http.StatusSeeOther || to != "/connections/moved" {
		t.Fatalf("the import: %d %s\n%s", status, to, page)
	}
	if got := r.key(t, "moved").pull(t, "moved"); got.AccessToken == "" || got.Generation != 2 {
		t.Errorf("pulled %+v", got)
	}
	if _, page, _ = boss.ask("GET", "/connections/moved", nil); !regexp.MustCompile(`<option[^>]* selected[^>]*>Anna<`).MatchString(page) {
		t.Error("what Anna has brought in is not hers")
	}
	// One that the service refuses is told as such.
	boss.ask("POST", "/connections/import", url.Values{"service": {service}, "title": {"Dead"}, "grant": {"a-refresh-token-of-nobody"}})
	if v := r.view(t, "dead"); v.Status != "needs_authorization" {
		t.Errorf("a refused refresh token: %+v", v)
	}
	_, page, _ = boss.ask("GET", "/connections/dead", nil)
	if strings.Contains(page, "a-refresh-token-of-nobody") {
		t.Error("the page shows the refresh token")
	}
}

func TestATableIsImportedWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	name := r.addService(t, world.Service("bitrix24"))
	r.authorise(t, name)
	var codes struct{ RefreshToken string }
	r.admin.must(t, "GET", "/api/v1/connections/"+name+"/access-codes?refresh_token=true", nil, &codes)
	r.admin.must(t, "POST", "/api/v1/connections/"+name+"/pause", nil, nil)
	boss := r.owner(t)
	boss.addContact("Anna", map[string]string{boss.addChannel(startChannels(t), channel.SMTP): "anna@example.com"}, "user", boss.accountID())
	service := r.serviceOf(t, name)
	good := "service,title,refresh_token,tags\n" + service + ",One," + codes.RefreshToken + ",moscow\n"

	status, page, _ := boss.ask("POST", "/connections/import/table", url.Values{"table": {good + service + ",Two,,\n"}})
	if status != http.StatusUnprocessableEntity || strings.Contains(page, codes.RefreshToken) {
		t.Errorf("a table with a mistake: %d", status)
	}
	if status, _ := r.admin.do(t, "GET", "/api/v1/connections/one", nil); status != http.StatusNotFound {
		t.Errorf("something was imported: %d", status)
	}
	status, page, run := boss.ask("POST", "/connections/import/table", url.Values{"table": {good + "nowhere,Three,r,\n"}})
	if status != http.StatusSeeOther || !strings.HasPrefix(run, "/bulk/") {
		t.Fatalf("the table: %d\n%s", status, page)
	}
	eventually(t, "the table is imported", func() bool {
		_, page, _ = boss.ask("GET", run, nil)
		return !strings.Contains(page, `hx-trigger="every 1s"`)
	})
	if !strings.Contains(page, `href="/connections/one"`) || !strings.Contains(page, "There is no service of that name.") || !strings.Contains(page, "line 3") {
		t.Errorf("what came of the table: %s", page)
	}
	if _, page, _ = boss.ask("GET", "/connections/one", nil); !regexp.MustCompile(`<option[^>]* selected[^>]*>Anna<`).MatchString(page) {
		t.Error("what Anna has brought in is not hers")
	}
	if got := r.keyOf(t, map[string]any{"title": "t", "tags": []string{"moscow"}}).pull(t, "one"); got.AccessToken == "" {
		t.Errorf("pulled %+v", got)
	}
}

// accountID is the one account's id, as the form of a contact offers it.
func (v *visitor) accountID() string {
	v.t.Helper()
	_, page, _ := v.ask("GET", "/escalation/contacts/new", nil)
	found := regexp.MustCompile(`<option value="([0-9a-f-]{36})"`).FindStringSubmatch(page)
	if found == nil {
		v.t.Fatalf("the form offers no account: %s", page)
	}
	return found[1]
}

// serviceOf is the name of a connection's service.
func (r *running) serviceOf(t testing.TB, connection string) string {
	t.Helper()
	var c struct{ Service string }
	r.admin.must(t, "GET", "/api/v1/connections/"+connection, nil, &c)
	return c.Service
}
