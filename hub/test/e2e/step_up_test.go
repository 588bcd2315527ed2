package e2e_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// A process reports insufficient_scope; the owner is told once, and the link of the message
// asks for what was granted and what is missing. What the service does not grant stays
// missing, and what it grants is asked for from then on.
func TestAReportedScopeIsAskedForAndGranted(t *testing.T) {
	t.Parallel()
	const had, drive, mail = "https://www.googleapis.com/auth/calendar", "https://www.googleapis.com/auth/drive.readonly", "https://www.googleapis.com/auth/gmail.readonly"
	services := hubtest.StartChannels(t)
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	s := world.Service("google-calendar")
	connection := r.AddService(t, s)
	hubtest.Send(t, r.Grant(t, connection, emulator.Choices{}))
	telegram := boss.AddChannel(services, channel.Telegram)
	boss.AddContact("Anna", map[string]string{telegram: services.Address(channel.Telegram)}, "takes_rest", "true", "lang", "en")
	process := r.Key(t, connection)
	missing := func() []string {
		t.Helper()
		var pulled struct {
			Missing []string `json:"missing_scopes"`
		}
		process.Must(t, "GET", "/api/v1/connections/"+connection+"/token", nil, &pulled)
		return pulled.Missing
	}
	report := func(scopes ...string) (int, []byte) {
		t.Helper()
		return process.Do(t, "POST", "/api/v1/connections/"+connection+"/token/insufficient-scope", map[string]any{"scopes": scopes})
	}
	if got := missing(); len(got) > 0 {
		t.Fatalf("before anything was reported %q is missing", got)
	}
	for _, bad := range [][]string{{}, {"two words"}, slices.Repeat([]string{"x"}, 21), {strings.Repeat("x", 300)}} {
		if status, answer := report(bad...); status != http.StatusUnprocessableEntity {
			t.Errorf("%.40q answers %d: %s", bad, status, answer)
		}
	}
	if status, answer := (&hubtest.Client{Base: r.Hub.URL(), Key: "nobody"}).Do(t, "POST", "/api/v1/connections/"+connection+"/token/insufficient-scope", map[string]any{"scopes": []string{drive}}); status != http.StatusUnauthorized {
		t.Errorf("without a key: %d %s", status, answer)
	}
	if status, answer := report(had); status != http.StatusOK || strings.Contains(string(answer), had) {
		t.Errorf("one that is granted: %d %s", status, answer)
	}
	for range 3 {
		if status, answer := report(drive, mail); status != http.StatusOK || !strings.Contains(string(answer), drive) {
			t.Fatalf("the report: %d %s", status, answer)
		}
	}
	if got := missing(); !slices.Equal(got, []string{drive, mail}) {
		t.Errorf("missing are %q", got)
	}
	if v := r.View(t, connection); v.Status != "fresh" {
		t.Errorf("the connection is %s", v.Status)
	}
	for path, says := range map[string]string{"/connections/" + connection: "Ask for more access", "/connections": "needs more access"} {
		if _, page, _ := boss.Ask("GET", path, nil); !strings.Contains(page, says) {
			t.Errorf("%s does not say %q", path, says)
		}
	}
	told := hubtest.Told(t, services, channel.Telegram, 1)
	link := hubtest.GrantPathRE.FindString(told[0].Text)
	if link == "" || !strings.Contains(told[0].Text, drive) {
		t.Fatalf("the message says %q", told[0].Text)
	}

	visitor := hubtest.NewVisitor(t, r)
	if _, page, _ := visitor.Ask("GET", link, nil); !strings.Contains(page, drive) {
		t.Error("the page of the link does not name what is asked for")
	}
	target := regexp.MustCompile(`id="continue" href="([^"]+)"`).FindStringSubmatch(visitor.Follow(link, url.Values{}))
	if target == nil {
		t.Fatal("the link leads nowhere")
	}
	asked := strings.ReplaceAll(target[1], "&amp;", "&")
	if address, err := url.Parse(asked); err != nil || !containsAll(strings.Fields(address.Query().Get("scope")), had, drive, mail) {
		t.Fatalf("the service is asked for %s: %v", asked, err)
	}
	landed, err := emulator.Person{}.Authorize(t.Context(), asked, emulator.Choices{UntickScopes: []string{mail}})
	if err != nil {
		t.Fatal(err)
	}
	if status, page, _ := visitor.Ask("GET", landed.String(), nil); status >= 400 {
		t.Fatalf("the callback answers %d: %s", status, page)
	}
	if got := missing(); !slices.Equal(got, []string{mail}) {
		t.Errorf("after less was granted, missing are %q", got)
	}
	if _, page, _ := boss.Ask("GET", "/connections/"+connection, nil); !strings.Contains(page, "Ask for more access") {
		t.Error("the notice is gone although a scope is missing")
	}
	if status, _, _ := boss.Ask("POST", "/connections/"+connection+"/scopes/decline", url.Values{}); status != http.StatusSeeOther {
		t.Errorf("declining answers %d", status)
	}
	if _, page, _ := boss.Ask("GET", "/connections/"+connection, nil); strings.Contains(page, "Ask for more access") {
		t.Error("the notice stays although it was declined")
	}
	hubtest.Send(t, r.Grant(t, connection, emulator.Choices{})) // a later authorization keeps the union, without what was declined
	var later struct{ Scopes []string }
	r.Admin.Must(t, "GET", "/api/v1/connections/"+connection, nil, &later)
	if !containsAll(later.Scopes, had, drive) || slices.Contains(later.Scopes, mail) {
		t.Errorf("a later authorization has %q", later.Scopes)
	}
	if status, _ := report(mail); status != http.StatusOK || len(hubtest.Told(t, services, channel.Telegram, 1)) != 1 {
		t.Error("what was declined is told again")
	}
	_, page, _ := boss.Ask("GET", "/audit", nil)
	if strings.Count(page, "Missing scopes reported") < 1 || !strings.Contains(page, "Missing scopes declined") {
		t.Error("the audit does not show it")
	}
}

func containsAll(list []string, wanted ...string) bool {
	return !slices.ContainsFunc(wanted, func(want string) bool { return !slices.Contains(list, want) })
}
