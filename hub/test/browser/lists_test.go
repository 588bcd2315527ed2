package browser_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// Many connections are searched, filtered, acted on together, and exported.
func TestManyConnectionsAreWorkedOnTogether(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	s := world.Service("oauth2")
	first := r.AddService(t, s)
	r.Authorize(t, first)
	for n := range 120 {
		r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": s.Name, "name": fmt.Sprintf("branch-%03d", n), "title": fmt.Sprintf("=Филиал %d", n)}, nil)
	}
	page := func(path string) string {
		t.Helper()
		status, body, _ := boss.Ask("GET", path, nil)
		if status != http.StatusOK {
			t.Fatalf("%s answers %d", path, status)
		}
		return body
	}
	if got := page("/connections"); strings.Count(got, `data-href=`) != 100 || !strings.Contains(got, "after=branch-099") {
		t.Errorf("the first page has %d rows", strings.Count(got, `data-href=`))
	}
	if got := page("/connections?after=branch-099"); strings.Count(got, `data-href=`) != 21 {
		t.Errorf("the second page has %d rows", strings.Count(got, `data-href=`))
	}
	if got := page("/connections?status=fresh"); strings.Count(got, `data-href=`) != 1 || !strings.Contains(got, first) {
		t.Errorf("%d are fresh", strings.Count(got, `data-href=`))
	}
	run := func(form url.Values) string {
		t.Helper()
		status, body, location := boss.Ask("POST", "/bulk", form)
		if status != http.StatusSeeOther || !strings.HasPrefix(location, "/bulk/") {
			t.Fatalf("%v answers %d %s %s", form, status, location, body)
		}
		var got string
		hubtest.Eventually(t, "the act is done", func() bool {
			got = page(location)
			return !strings.Contains(got, "hx-get=\"/bulk/")
		})
		return got
	}
	run(url.Values{"act": {"tag"}, "tag": {"Moscow"}, "connections": {"branch-001", "branch-002", first}})
	if got := page("/connections?tag=moscow"); strings.Count(got, `data-href=`) != 3 {
		t.Errorf("%d have the tag", strings.Count(got, `data-href=`))
	}
	got := run(url.Values{"act": {"renew"}, "all": {"true"}, "query": {"tag=moscow"}})
	if !strings.Contains(got, "Of 3: 1 done, 2 failed.") {
		t.Errorf("renewing one grant and two that have none: %s", got)
	}
	if v := r.View(t, first); v.Generation != 2 {
		t.Errorf("generation %d", v.Generation)
	}
	deleting := url.Values{"act": {"delete"}, "all": {"true"}, "query": {"q=branch-00"}}
	if status, page, _ := boss.Ask("POST", "/bulk", deleting); status != http.StatusOK || !strings.Contains(page, "Delete 10 connections?") || !strings.Contains(page, "branch-009") {
		t.Errorf("a deletion is not asked about: %d %s", status, page)
	}
	deleting.Set("confirmed", "10")
	run(deleting)
	csv := page("/connections.csv")
	if lines := strings.Count(csv, "\n"); lines != 112 || !strings.Contains(csv, "'=Филиал 10") || strings.Contains(csv, "access") {
		t.Errorf("the export has %d lines", lines)
	}
	var audit struct{ Items []struct{ Act, Actor string } }
	r.Admin.Must(t, "GET", "/api/v1/audit?act=bulk.", nil, &audit)
	if len(audit.Items) != 3 || audit.Items[0].Act != "bulk.delete" || audit.Items[0].Actor != "owner" {
		t.Errorf("the audit record says %v", audit.Items)
	}
}

// The overview of an open page follows what happens without being loaded again.
func TestTheOverviewIsLive(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	b.SetUp(r)
	connection := r.AddService(t, world.Service("bitrix24"))
	b.Open(r.Hub.URL() + "/")
	b.Wait("#live")
	hubtest.Script[bool](b, `window.stays = true`)
	r.Authorize(t, connection)
	b.See("Fresh")
	if !hubtest.Script[bool](b, `window.stays === true`) {
		t.Error("the page was loaded again")
	}
}
