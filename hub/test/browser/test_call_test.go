package browser_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// People see the access work: the page of a connection makes the calls that its provider
// declares, shows the service's answer, and no secret with it.
func TestAConnectionShowsThatItsAccessWorks(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	for _, name := range []string{"bitrix24", "google-calendar"} {
		r.Authorize(t, r.AddService(t, world.Service(name)))
	}
	b.SetUp(r)
	token := r.Admin.Pull(t, "c-bitrix24").AccessToken

	b.Open(r.Hub.URL() + "/connections/c-bitrix24")
	b.Click(`#test-call form:has(input[value="app.info"]) button`)
	b.See("answered app.info with 200")
	if shown := b.Text("#test-answer"); !strings.Contains(shown, `"INSTALLED": true`) || strings.Contains(shown, token) {
		t.Errorf("the page shows %s", shown)
	}
	speakOf(b, r.Hub.URL()+"/connections/c-google-calendar", "ru", 390)
	b.Click(`#test-call form button`)
	b.See("на calendar-list отвечает: 200")
	inBounds(b, "the answer")

	var answer struct {
		Name   string
		Status int
		Body   string
	}
	r.Admin.Must(t, "POST", "/api/v1/connections/c-bitrix24/test-call", map[string]any{"name": "user.current"}, &answer)
	if answer.Name != "user.current" || answer.Status == 0 || answer.Body == "" {
		t.Errorf("the API answers %+v", answer)
	}
	r.Admin.Must(t, "POST", "/api/v1/connections/c-bitrix24/test-call", nil, &answer)
	if answer.Name != "app.info" {
		t.Errorf("without a name it calls %s", answer.Name)
	}
	if status, _ := r.Admin.Do(t, "POST", "/api/v1/connections/c-bitrix24/test-call", map[string]any{"name": "none"}); status != http.StatusUnprocessableEntity {
		t.Errorf("a call that is not declared answers %d", status)
	}
	var audit struct {
		Items []struct {
			Act    string
			Detail map[string]string
		}
	}
	r.Admin.Must(t, "GET", "/api/v1/audit?act=connection.test&outcome=done", nil, &audit)
	if len(audit.Items) != 4 || audit.Items[0].Detail["status"] != "200" {
		t.Errorf("the audit record has %+v", audit.Items)
	}
	r.Admin.Must(t, "POST", "/api/v1/connections/c-bitrix24/pause", nil, nil)
	b.Open(r.Hub.URL() + "/connections/c-bitrix24")
	if status, _ := r.Admin.Do(t, "POST", "/api/v1/connections/c-bitrix24/test-call", nil); status != http.StatusConflict {
		t.Errorf("a paused connection answers %d", status)
	}
}
