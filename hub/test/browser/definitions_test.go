package browser_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

const described = `definition: 1
name: acme
version: 2026-12-01
title: { en: Acme, ru: Акме }
authorization:
  url: https://acme.example/authorize
  pkce: perhaps
token:
  url: https://acme.example/token
renewal:
  auto: refresh_token
evidence:
  token: { kind: vendor, source: "https://acme.example/docs", read: 2026-11-30 }
  renewal: { kind: unverified, note: { en: Nobody knows., ru: Никто не знает. } }
`

// An administrator pastes a definition with a mistake, follows the link to its line, mends and
// saves it, and sees what can be done with the draft: at a desk and on a phone, where nothing is
// wider than the screen.
func TestADefinitionIsWrittenInTheBrowser(t *testing.T) {
	plugins := storetest.Folder(t)
	if _, err := plugintest.Put(plugins, "declarative", "plugins/declarative"); err != nil {
		t.Fatal(err)
	}
	r := hubtest.StartHub(t, map[string]any{"plugins.dir": plugins})
	b := hubtest.StartBrowser(t, 1280, 900)
	b.SetUp(r)
	enter := func(text string) {
		t.Helper()
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		b.Wait("textarea[name=text]")
		hubtest.Script[bool](b, `document.querySelector('textarea[name=text]').value = `+string(quoted)+`, true`)
	}
	b.Open(r.Hub.URL() + "/new-definition")
	enter(described)
	b.Click("button[formaction='/new-definition/check']")
	b.Wait(`a[href="#line-7"]`)
	b.Click(`a[href="#line-7"]`)
	if line := b.Text("#line-7"); !strings.Contains(line, "pkce: perhaps") {
		t.Errorf("the link leads to %q", line)
	}
	snap(b, "definition-problems")
	enter(strings.Replace(described, "perhaps", "s256", 1))
	hubtest.Script[bool](b, `document.querySelector('.eg-form-foot .btn-primary').click(), true`) // the page may still be scrolling to the line
	b.Wait("#draft")
	for _, width := range []int64{1280, 360} {
		b.Do("be as wide", chromedp.EmulateViewport(width, 900))
		for name, path := range map[string]string{"definition": "/definitions/acme", "definitions": "/definitions", "definition-editor": "/new-definition?from=acme"} {
			b.Open(r.Hub.URL() + path)
			b.Wait("h1")
			if wide := hubtest.Script[int64](b, "document.documentElement.scrollWidth"); wide > width {
				t.Errorf("%s is %d wide on a screen of %d", path, wide, width)
			}
			snap(b, fmt.Sprintf("%s-%d", name, width))
		}
	}
}
