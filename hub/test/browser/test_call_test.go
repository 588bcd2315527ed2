package hub_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// People see the access work: the page of a connection makes the calls that its provider
// declares, shows the service's answer, and no secret with it.
func TestAConnectionShowsThatItsAccessWorks(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	b := startBrowser(t, 1280, 900)
	for _, name := range []string{"bitrix24", "google-calendar"} {
		r.authorise(t, r.addService(t, world.Service(name)))
	}
	b.setUp(r)
	token := r.admin.pull(t, "c-bitrix24").AccessToken

	b.open(r.hub.URL() + "/connections/c-bitrix24")
	b.click(`#test-call form:has(input[value="app.info"]) button`)
	b.see("answered app.info with 200")
	if shown := b.text("#test-answer"); !strings.Contains(shown, `"INSTALLED": true`) || strings.Contains(shown, token) {
		t.Errorf("the page shows %s", shown)
	}
	b.speakOf(r.hub.URL()+"/connections/c-google-calendar", "ru", 390)
	b.click(`#test-call form button`)
	b.see("на calendar-list отвечает: 200")
	b.inBounds("the answer")

	var answer struct {
		Name   string
		Status int
		Body   string
	}
	r.admin.must(t, "POST", "/api/v1/connections/c-bitrix24/test-call", map[string]any{"name": "user.current"}, &answer)
	if answer.Name != "user.current" || answer.Status == 0 || answer.Body == "" {
		t.Errorf("the API answers %+v", answer)
	}
	r.admin.must(t, "POST", "/api/v1/connections/c-bitrix24/test-call", nil, &answer)
	if answer.Name != "app.info" {
		t.Errorf("without a name it calls %s", answer.Name)
	}
	if status, _ := r.admin.do(t, "POST", "/api/v1/connections/c-bitrix24/test-call", map[string]any{"name": "none"}); status != http.StatusUnprocessableEntity {
		t.Errorf("a call that is not declared answers %d", status)
	}
	var audit struct {
		Items []struct {
			Act    string
			Detail map[string]string
		}
	}
	r.admin.must(t, "GET", "/api/v1/audit?act=connection.test&outcome=done", nil, &audit)
	if len(audit.Items) != 4 || audit.Items[0].Detail["status"] != "200" {
		t.Errorf("the audit record has %+v", audit.Items)
	}
	r.admin.must(t, "POST", "/api/v1/connections/c-bitrix24/pause", nil, nil)
	b.open(r.hub.URL() + "/connections/c-bitrix24")
	if status, _ := r.admin.do(t, "POST", "/api/v1/connections/c-bitrix24/test-call", nil); status != http.StatusConflict {
		t.Errorf("a paused connection answers %d", status)
	}
}
