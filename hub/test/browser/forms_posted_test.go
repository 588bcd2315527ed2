package browser_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// asksOnly are the forms that do nothing yet: they ask back, check, search or show how
// something would look. Their page may be reloaded.
var asksOnly = map[string]string{
	"/bulk":                         "asks before it destroys or sends",
	"/restored/behind":              "asks before a decision",
	"/services/new/:provider/check": "checks what was entered; its secrets are in the form alone",
	"/services/:name/check":         "checks what was entered",
	"/escalation/texts":             "shows how a text would look",
	"/keys/pick":                    "searches, with what was entered",
}

// Every form of the hub is sent, with what makes it succeed where that can be made here:
// none that has done something is answered with a page, which a reload would do again. The
// harness looks for the same in the log of every other test.
func TestNoFormIsAnsweredWithAPageThatRepeatsIt(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	services := hubtest.StartChannels(t)
	s := world.Service("google-calendar")
	connection := r.AddService(t, s)
	r.Authorize(t, connection)
	link := hubtest.GrantLinkRE.FindString(boss.Follow("/connections/"+connection+"/link", url.Values{}))
	mail := boss.AddChannel(services, channel.SMTP)
	contact := boss.AddContact("Desk", map[string]string{mail: services.Address(channel.SMTP)}, "takes_rest", "true")
	boss.Follow("/services/"+s.Name+"/publish", url.Values{})
	boss.Follow("/keys/new", url.Values{"title": {"k"}, "which": {"chosen"}, "connections": {connection}, "scopes": {"token:read"}, "life": {"30d"}})
	asked := url.Values{"service": {"Avito"}, "purpose": {"orders"}, "contact": {"me"}}
	table := "service,name,title,access_token,expires_at\n" + s.Name + ",imported,Imported,t,2099-01-01T00:00:00Z\n"
	fills := map[string]struct {
		path string
		form url.Values
	}{
		"/connections/:name/authorize":    {"/connections/" + connection + "/authorize", nil},
		"/connections/:name/link":         {"/connections/" + connection + "/link", nil},
		"/connections/:name/renew":        {"/connections/" + connection + "/renew", nil},
		"/connections/:name/pause":        {"/connections/" + connection + "/pause", nil},
		"/connections/:name/resume":       {"/connections/" + connection + "/resume", nil},
		"/connections/:name/tags":         {"/connections/" + connection + "/tags", url.Values{"tags": {"a, b"}}},
		"/connections/:name/test-call":    {"/connections/" + connection + "/test-call", url.Values{"call": {"calendar-list"}}},
		"/connections/:name/codes":        {"/connections/" + connection + "/codes", url.Values{"refresh_token": {"true"}}},
		"/connections/:name/owner":        {"/connections/" + connection + "/owner", url.Values{"owner": {contact}}},
		"/connections/:name/drill":        {"/connections/" + connection + "/drill", url.Values{"event": {"grant_ended"}}},
		"/connections/:name/drill/start":  {"/connections/" + connection + "/drill/start", url.Values{"event": {"grant_ended"}}},
		"/connections/new":                {"/connections/new", url.Values{"service": {s.Name}, "name": {"another"}, "title": {"Another"}, "then": {"authorize"}}},
		"/connections/import":             {"/connections/import", url.Values{"service": {s.Name}, "title": {"One"}, "grant": {`{"accessToken":"t","expires":4102444800000}`}}},
		"/connections/import/table":       {"/connections/import/table", url.Values{"table": {table}}},
		"/once":                           {"/once", url.Values{"service": {s.Name}}},
		"/codes/:service":                 {"/codes/" + s.Name, nil},
		"/ask":                            {"/ask", asked},
		"/grant/:token":                   {link, nil},
		"/grant/:token/ask":               {link + "/ask", asked},
		"/keys/new":                       {"/keys/new", url.Values{"title": {"k2"}, "which": {"all"}, "scopes": {"token:read"}, "life": {"30d"}}},
		"/keys/created":                   {"/keys/created", nil},
		"/escalation/channels/:id/test":   {"/escalation/channels/" + mail + "/test", url.Values{"to": {services.Address(channel.SMTP)}}},
		"/escalation/contacts/new":        {"/escalation/contacts/new", url.Values{"title": {"New"}, "lang": {"en"}, "zone": {"UTC"}}},
		"/escalation/policies/new":        {"/escalation/policies/new", url.Values{"title": {"P"}, "enabled": {"true"}, "events": {"grant_ended"}, "after": {"0"}, "to": {contact}, "channel": {""}}},
		"/people/invite":                  {"/people/invite", url.Values{"login": {"guest"}, "role": {"viewer"}}},
		"/audit/verify":                   {"/audit/verify", nil},
		"/settings/calendar":              {"/settings/calendar", nil},
		"/data/key-kept":                  {"/data/key-kept", nil},
		"/services/:name/unpublish":       {"/services/" + s.Name + "/publish", nil},
		"/people/require-second-factor":   {"/people/require-second-factor", nil},
		"/connections/:name/codes.json":   {"", nil}, // a file, which is no page
		"/logout":                         {"", nil}, // it would end this walk
		"/settings/sessions/end":          {"", nil},
		"/people/:id/remove":              {"", nil},
		"/settings/second-factor":         {"", nil},
		"/services/:name/delete":          {"", nil},
		"/connections/:name/delete":       {"", nil},
		"/escalation/channels/:id/delete": {"", nil},
		"/escalation/contacts/:id/delete": {"", nil},
		"/escalation/policies/:id/delete": {"", nil},
	}
	led := 0
	for _, route := range r.Hub.Routes() {
		if route.Method != http.MethodPost || strings.HasPrefix(route.Path, "/api/") || asksOnly[route.Path] != "" {
			continue
		}
		x, known := fills[route.Path]
		if known && x.path == "" {
			continue
		}
		if !known {
			x.path = hubtest.PlaceholderRE.ReplaceAllString(route.Path, "none")
		}
		if x.form == nil {
			x.form = url.Values{}
		}
		status, page, to := boss.Ask("POST", x.path, x.form)
		if status == http.StatusOK && strings.Contains(page, "<html") {
			t.Errorf("%s is answered with a page", route.Path)
		}
		if known && (status != http.StatusSeeOther || to == "") {
			t.Errorf("%s does not succeed: %d", route.Path, status)
		}
		if to == "" || !strings.HasPrefix(to, "/") {
			continue
		}
		led++
		path, _, _ := strings.Cut(to, "#")
		if status, _, _ := boss.Ask("GET", path, nil); status >= http.StatusInternalServerError {
			t.Errorf("%s leads to %s, which answers %d", route.Path, to, status)
		}
	}
	if led < 30 {
		t.Errorf("only %d forms led anywhere", led)
	}
}

// What a form has done is shown by its page as often as that is reloaded, and not done again.
func TestReloadingWhatCameOfAFormDoesNothingAgain(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	services := hubtest.StartChannels(t)
	s := world.Service("google-calendar")
	connection := r.AddService(t, s)
	r.Authorize(t, connection)
	mail := boss.AddChannel(services, channel.SMTP)
	b := hubtest.StartBrowser(t, 390, 800)
	b.LogIn(r, "owner")
	reload := func() { hubtest.Script[bool](b, "location.reload(), true") }

	b.Open(r.Hub.URL() + "/escalation/channels/" + mail)
	b.Fill("to", services.Address(channel.SMTP))
	b.Click(`form[action$="/test"] button`)
	b.See("took the message")
	reload()
	b.Wait(`form[action$="/test"]`)
	if got := hubtest.Told(t, services, channel.SMTP, 1); len(got) != 1 {
		t.Errorf("a reload sent the test again: %d messages", len(got))
	}

	b.Open(r.Hub.URL() + "/connections/" + connection)
	hubtest.Script[bool](b, `fetch('/connections/`+connection+`/codes', {method: 'POST', body: new URLSearchParams()}).then(x => { location.href = x.url }), true`)
	b.See("accessToken")
	reload()
	b.See("accessToken")
	var audit struct{ Items []struct{ Act string } }
	r.Admin.Must(t, "GET", "/api/v1/audit?act=connection.codes&outcome=done", nil, &audit)
	if len(audit.Items) != 1 {
		t.Errorf("asking for codes once is in the audit %d times", len(audit.Items))
	}
	if _, page, to := boss.Ask("GET", "/connections/"+connection+"/codes", nil); strings.Contains(page, "accessToken") || to == "" {
		t.Error("codes are shown to a session that has not asked for them")
	}

	b.Open(r.Hub.URL() + "/once?service=" + s.Name)
	b.Click("main form button[type=submit]")
	b.Wait(`button[name="decision"]`)
	if strings.Contains(r.Log.String(), "form answered without a redirect") {
		t.Error("form answered without a redirect")
	}
}
