package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// A connection that is deleted by the API is not pulled, and comes back with its grant,
// under another name where its own is taken.
func TestADeletedConnectionIsPutBackWithItsGrant(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	s := world.Service("bitrix24")
	name := r.AddService(t, s)
	r.Authorize(t, name)
	process := r.Key(t, name)
	was := process.Pull(t, name)
	var deleted struct {
		TrashID    string    `json:"trash_id"`
		RemovedAt  time.Time `json:"removed_at"`
		Revocation any       `json:"revocation"`
	}
	r.Admin.Must(t, "DELETE", "/api/v1/connections/"+name, nil, &deleted)
	if deleted.TrashID == "" || deleted.Revocation != nil || time.Until(deleted.RemovedAt) < 719*time.Hour {
		t.Errorf("the deletion is told as %+v", deleted)
	}
	if status, _ := process.Do(t, "GET", "/api/v1/connections/"+name+"/token", nil); status != http.StatusForbidden && status != http.StatusNotFound {
		t.Errorf("a pull of it answers %d", status)
	}
	if status, _ := r.Admin.Do(t, "GET", "/api/v1/connections/"+name, nil); status != http.StatusNotFound {
		t.Errorf("it is still shown: %d", status)
	}
	var listed struct {
		Items []struct{ ID, Name, State string }
	}
	r.Admin.Must(t, "GET", "/api/v1/trash", nil, &listed)
	if len(listed.Items) != 1 || listed.Items[0].Name != name || listed.Items[0].State != "active" {
		t.Errorf("the trash lists %+v", listed.Items)
	}
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": s.Name, "name": name, "title": "Another"}, nil)
	back := "/api/v1/trash/" + deleted.TrashID + "/put-back"
	if status, body := r.Admin.Do(t, "POST", back, map[string]any{}); status != http.StatusUnprocessableEntity || !strings.Contains(string(body), `"name"`) {
		t.Errorf("its name is taken, and that is told as %d %s", status, body)
	}
	r.Admin.Must(t, "POST", back, map[string]any{"name": "portal-again"}, nil)
	if got := process.Pull(t, "portal-again"); got.AccessToken != was.AccessToken {
		t.Error("its grant did not come back, or its key does not open it")
	}
	// Removed for good, it is gone, and the service is told.
	r.Admin.Must(t, "DELETE", "/api/v1/connections/portal-again?revoke=true", nil, nil)
	r.Admin.Must(t, "DELETE", "/api/v1/trash/"+deleted.TrashID, nil, nil)
	if status, _ := r.Admin.Do(t, "POST", back, map[string]any{}); status != http.StatusNotFound {
		t.Errorf("what was removed for good can be put back: %d", status)
	}
	var audit struct {
		Items []struct {
			Act, Object string
			Detail      map[string]string
		}
	}
	r.Admin.Must(t, "GET", "/api/v1/audit?act=connection.&outcome=done", nil, &audit)
	named := map[string]string{}
	for _, i := range audit.Items {
		if i.Detail["id"] == deleted.TrashID {
			named[i.Act] += i.Object + " "
		}
	}
	if named["connection.delete"] != "portal-again "+name+" " || named["connection.put_back"] != "portal-again " || named["connection.remove"] != "portal-again " {
		t.Errorf("the audit record names %v", named)
	}
}

// The trash is emptied of what has been there for longer than the setting says.
func TestTheTrashIsEmptiedInTime(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, map[string]any{"trash.keep": "0s"})
	name := r.AddService(t, world.Service("oauth2"))
	r.Admin.Must(t, "DELETE", "/api/v1/connections/"+name, nil, nil)
	if err := r.Hub.RunPeriodic(t.Context(), "trash"); err != nil {
		t.Fatal(err)
	}
	var listed struct{ Items []any }
	r.Admin.Must(t, "GET", "/api/v1/trash", nil, &listed)
	if len(listed.Items) != 0 {
		t.Errorf("the trash still has %v", listed.Items)
	}
}

// Whoever deletes what a list finds is told how many and what hangs on them, types the
// number, and finds them in the trash; the record names each.
func TestManyAreDeletedOnlyKnowingly(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	s := world.Service("oauth2")
	first := r.AddService(t, s)
	r.Authorize(t, first)
	for n := range 12 {
		r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": s.Name, "name": fmt.Sprintf("c-branch-%02d", n), "title": fmt.Sprintf("Branch %d", n)}, nil)
	}
	r.Key(t, first)
	form := url.Values{"act": {"delete"}, "all": {"true"}, "query": {"q=c-&after=zzz"}}
	status, page, _ := boss.Ask("POST", "/bulk", form)
	for _, said := range []string{"Delete 13 connections?", "search “c-”", "and 3 more", "1 API key names one of them", "1 has a grant in force", "type the number 13"} {
		if status != http.StatusOK || !strings.Contains(page, said) {
			t.Errorf("%d: the question does not say %q", status, said)
		}
	}
	for confirmed, number := range map[string]string{"13": "12", "12": "12", "": "13"} {
		form.Set("confirmed", confirmed)
		form.Set("number", number)
		if status, _, _ := boss.Ask("POST", "/bulk", form); status != http.StatusUnprocessableEntity {
			t.Errorf("confirmed %q by %q: %d", confirmed, number, status)
		}
	}
	form.Set("confirmed", "13")
	form.Set("number", "13")
	status, _, run := boss.Ask("POST", "/bulk", form)
	if status != http.StatusSeeOther {
		t.Fatalf("the deletion answers %d", status)
	}
	hubtest.Eventually(t, "they are deleted", func() bool {
		_, page, _ = boss.Ask("GET", run, nil)
		return strings.Contains(page, "Of 13: 13 done, 0 failed.")
	})
	if _, page, _ = boss.Ask("GET", "/connections", nil); strings.Contains(page, "c-branch-01") || !strings.Contains(page, `href="/trash"`) {
		t.Error("the list still has them, or does not lead to the trash")
	}
	_, page, _ = boss.Ask("GET", "/trash?q=branch-03", nil)
	id := regexp.MustCompile(`/trash/([0-9a-f-]{36})/put-back`).FindStringSubmatch(page)
	if id == nil || strings.Contains(page, "c-branch-04") {
		t.Fatalf("the trash is not searched: %s", page)
	}
	// One comes back; where its name is taken, another one is asked for.
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": s.Name, "name": "c-branch-03", "title": "New"}, nil)
	if status, page, _ = boss.Ask("POST", "/trash/"+id[1]+"/put-back", nil); status != http.StatusUnprocessableEntity || !strings.Contains(page, `name="name"`) {
		t.Errorf("a taken name: %d", status)
	}
	if status, _, to := boss.Ask("POST", "/trash/"+id[1]+"/put-back", url.Values{"name": {"c-old-03"}}); status != http.StatusSeeOther || to != "/connections/c-old-03" {
		t.Errorf("it comes back: %d %s", status, to)
	}
	// The rest goes for good, by number.
	empty := url.Values{"act": {"remove"}, "trash": {"true"}, "all": {"true"}, "query": {""}}
	if status, page, _ = boss.Ask("POST", "/bulk", empty); status != http.StatusOK || !strings.Contains(page, "Remove 12 connections for good?") {
		t.Errorf("emptying is not asked about: %d", status)
	}
	empty.Set("confirmed", "12")
	empty.Set("number", "12")
	_, _, run = boss.Ask("POST", "/bulk", empty)
	hubtest.Eventually(t, "the trash is empty", func() bool {
		_, page, _ = boss.Ask("GET", "/trash", nil)
		return strings.Contains(page, "The trash is empty")
	})
	var audit struct {
		Items []struct {
			Object string
			Detail map[string]string
		}
	}
	hubtest.Eventually(t, "each removal is recorded", func() bool {
		audit.Items = nil
		r.Admin.Must(t, "GET", "/api/v1/audit?act=connection.remove&outcome=done&limit=100", nil, &audit)
		return len(audit.Items) >= 12
	})
	if len(audit.Items) != 12 || audit.Items[0].Detail["id"] == "" || !strings.HasPrefix(audit.Items[0].Object, "c-") {
		t.Errorf("the record names %v", audit.Items)
	}
}
