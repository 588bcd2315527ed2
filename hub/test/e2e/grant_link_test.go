package e2e_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// A link for somebody else works without an account here, once, in one browser.
func TestSomebodyElseAuthorizesByALink(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	s := world.Service("google-calendar")
	connection := r.AddService(t, s)
	page := boss.Follow("/connections/"+connection+"/link", url.Values{})
	link := hubtest.GrantLinkRE.FindString(page)
	if link == "" {
		t.Fatalf("no link in %s", page)
	}
	if _, page, _ := boss.Ask("GET", "/connections/"+connection, nil); strings.Contains(page, link) {
		t.Error("the link is shown a second time")
	}

	// A messenger looks at it; that changes nothing.
	for range 3 {
		if status, page, _ := hubtest.NewVisitor(t, r).Ask("GET", link, nil); status != http.StatusOK || !strings.Contains(page, s.Title) || !strings.Contains(page, "owner") {
			t.Fatalf("the page answers %d: %s", status, page)
		}
	}
	colleague := hubtest.NewVisitor(t, r)
	page = colleague.Follow(link, url.Values{})
	target := regexp.MustCompile(`id="continue" href="([^"]+)"`).FindStringSubmatch(page)
	if target == nil {
		t.Fatalf("following leads to %s", page)
	}
	if status, page, _ := hubtest.NewVisitor(t, r).Ask("POST", link, url.Values{}); status != http.StatusForbidden || !strings.Contains(page, "another browser") {
		t.Errorf("a forwarded link answers %d", status)
	}
	landed, err := emulator.Person{}.Authorize(t.Context(), strings.ReplaceAll(target[1], "&amp;", "&"), emulator.Choices{})
	if err != nil {
		t.Fatal(err)
	}
	if status, _, _ := hubtest.NewVisitor(t, r).Ask("GET", landed.String(), nil); status == http.StatusOK {
		t.Error("the callback was taken from another browser")
	}
	// That try has spent the state; the same browser starts again.
	page = colleague.Follow(link, url.Values{})
	target = regexp.MustCompile(`id="continue" href="([^"]+)"`).FindStringSubmatch(page)
	if landed, err = (emulator.Person{}).Authorize(t.Context(), strings.ReplaceAll(target[1], "&amp;", "&"), emulator.Choices{}); err != nil {
		t.Fatal(err)
	}
	if status, page, location := colleague.Ask("GET", landed.String(), nil); status != http.StatusOK || location != "" {
		t.Errorf("the callback answers %d %s: %s", status, location, page)
	}
	if v := r.View(t, connection); v.Generation != 1 || v.Status != "fresh" {
		t.Errorf("the connection is %+v", v)
	}
	if status, page, _ := colleague.Ask("GET", link, nil); status != http.StatusGone || !strings.Contains(page, "not good any more") {
		t.Errorf("a spent link answers %d", status)
	}
	if status, _, _ := hubtest.NewVisitor(t, r).Ask("GET", "/grant/"+strings.Repeat("x", 43), nil); status != http.StatusGone {
		t.Errorf("a link that was never ours answers %d", status)
	}
	if strings.Contains(r.Log.String(), link[len("/grant/"):]) {
		t.Error("the link is in the log")
	}
}
