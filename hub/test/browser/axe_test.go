package browser_test

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// axeScript is axe-core, which make test installs.
const axeScript = "testdata/axe/node_modules/axe-core/axe.min.js"

// violation is what axe found.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML   string   `json:"html"`
		Target []string `json:"target"`
	}
}

// accessible fails the test for anything serious or critical that axe finds on the
// page that is open.
func accessible(b *hubtest.Browser, name, axe string) {
	b.T.Helper()
	if _, err := chromedp.Run(b.Ctx, chromedp.Evaluate[any](axe+"\n;null")); err != nil {
		b.T.Fatalf("load axe: %v", err)
	}
	hubtest.Script[bool](b, `(window.axeDone = null, axe.run(document, {resultTypes: ['violations']}).then(r => { window.axeDone = JSON.stringify(r.violations) }), true)`)
	var found string
	hubtest.Eventually(b.T, "axe is done with "+name, func() bool {
		found = hubtest.Script[string](b, `window.axeDone ?? ''`)
		return found != ""
	})
	var violations []violation
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		b.T.Fatal(err)
	}
	for _, v := range violations {
		if v.Impact != "serious" && v.Impact != "critical" {
			continue
		}
		for _, n := range v.Nodes {
			b.T.Errorf("%s: %s (%s): %s\n  %s", name, v.Help, v.ID, strings.Join(n.Target, " "), n.HTML[:min(len(n.HTML), 200)])
		}
	}
}

// Nothing serious stands in the way of people who do not see, or do not use a mouse:
// on every page, in both themes.
func TestEveryPageIsAccessible(t *testing.T) {
	t.Parallel()
	code, err := os.ReadFile(axeScript)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("axe-core is missing:", err)
		}
		t.Skip("axe-core is missing; make test installs it")
	}
	axe := string(code)
	world := hubtest.StartWorld(t, time.Hour)
	r := startFurnished(t, world)
	b := hubtest.StartBrowser(t, 1280, 900)
	link, err := r.Hub.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.Open(link)
	accessible(b, "setup", axe)
	b.SetUp(r)
	for _, theme := range []string{"light", "dark"} {
		b.Do("choose the theme", media(theme))
		for _, p := range pictures {
			b.Open(r.Hub.URL() + p.path)
			accessible(b, p.name+" "+theme, axe)
		}
	}
	boss := hubtest.NewVisitor(t, r)
	boss.Ask("POST", "/login", url.Values{"login": {"anna"}, "password": {hubtest.Password}})
	page := boss.Follow("/connections/sales-portal/link", url.Values{})
	b.Open(r.Hub.URL() + hubtest.GrantLinkRE.FindString(page))
	accessible(b, "grant link", axe)
	page = boss.Follow("/people/invite", url.Values{"login": {"guest"}, "role": {"viewer"}})
	b.Open(r.Hub.URL() + hubtest.InviteRE.FindString(page))
	accessible(b, "invitation", axe)
	b.Open(r.Hub.URL() + "/settings")
	b.Do("sign out", chromedp.Submit(`form[action="/logout"]`), chromedp.WaitVisible(`form[action="/login"]`))
	accessible(b, "login", axe)
}
