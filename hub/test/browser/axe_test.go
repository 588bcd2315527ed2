package hub_test

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
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
func (b *browser) accessible(name, axe string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[any](axe+"\n;null")); err != nil {
		b.t.Fatalf("load axe: %v", err)
	}
	script[bool](b, `(window.axeDone = null, axe.run(document, {resultTypes: ['violations']}).then(r => { window.axeDone = JSON.stringify(r.violations) }), true)`)
	var found string
	eventually(b.t, "axe is done with "+name, func() bool {
		found = script[string](b, `window.axeDone ?? ''`)
		return found != ""
	})
	var violations []violation
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range violations {
		if v.Impact != "serious" && v.Impact != "critical" {
			continue
		}
		for _, n := range v.Nodes {
			b.t.Errorf("%s: %s (%s): %s\n  %s", name, v.Help, v.ID, strings.Join(n.Target, " "), n.HTML[:min(len(n.HTML), 200)])
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
	world := startWorld(t, time.Hour)
	r := startFurnished(t, world)
	b := startBrowser(t, 1280, 900)
	link, err := r.hub.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.open(link)
	b.accessible("setup", axe)
	b.setUp(r)
	for _, theme := range []string{"light", "dark"} {
		b.do("choose the theme", media(theme))
		for _, p := range pictures {
			b.open(r.hub.URL() + p.path)
			b.accessible(p.name+" "+theme, axe)
		}
	}
	boss := newVisitor(t, r)
	boss.ask("POST", "/login", url.Values{"login": {"anna"}, "password": {testPassword}})
	page := boss.follow("/connections/sales-portal/link", url.Values{})
	b.open(r.hub.URL() + grantLinkRE.FindString(page))
	b.accessible("grant link", axe)
	page = boss.follow("/people/invite", url.Values{"login": {"guest"}, "role": {"viewer"}})
	b.open(r.hub.URL() + inviteRE.FindString(page))
	b.accessible("invitation", axe)
	b.open(r.hub.URL() + "/settings")
	b.do("sign out", chromedp.Submit(`form[action="/logout"]`), chromedp.WaitVisible(`form[action="/login"]`))
	b.accessible("login", axe)
}
