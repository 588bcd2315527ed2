package e2e_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/demo"
)

// withDefinitions is a folder with the plugin that serves definitions.
func withDefinitions(t *testing.T) string {
	t.Helper()
	folder := storetest.Folder(t)
	if _, err := plugintest.Put(folder, "declarative", "plugins/declarative"); err != nil {
		t.Fatal(err)
	}
	return folder
}

// describing is a definition of an emulated service that the hub has never seen.
func describing(s *demo.Service, title string) string {
	return `definition: 1
name: acme
version: 2026-12-01
title: { en: ` + title + `, ru: Акме }
authorization:
  url: ` + s.Address + `/authorize
  pkce: required
token:
  url: ` + s.Address + `/token
scopes:
  - { name: openid, title: { en: Sign in, ru: Вход }, default: true }
  - { name: offline_access, title: { en: Renew, ru: Продление }, default: true }
renewal:
  auto: refresh_token
  rotation: rotates
evidence:
  token: { kind: vendor, source: "https://acme.example/docs", read: 2026-11-30 }
  renewal: { kind: vendor, source: "https://acme.example/docs", read: 2026-11-30 }
`
}

// connected adds a service of a provider, a connection to it, and authorizes it.
func connected(t *testing.T, r *hubtest.Running, s *demo.Service, name, provider string) {
	t.Helper()
	r.Admin.Must(t, "POST", "/api/v1/services", map[string]any{
		"name": name, "title": name, "provider": provider, "client_id": s.ClientID, "client_secret": s.ClientSecret, "scopes": s.Scopes, "private_hosts": []string{"127.0.0.1"},
	}, nil)
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": name, "name": "c-" + name, "title": name}, nil)
	r.Authorize(t, "c-"+name)
}

// An administrator describes a service that the hub has never seen: the mistake is told at its
// line and the text comes back, the draft is tried by a connection of its own, enabled, connected
// and pulled; it is changed and gone back from while the connection lives and renews.
func TestAServiceIsDescribedOnARunningHub(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	s := world.Service("oauth2")
	r := hubtest.StartHub(t, map[string]any{"plugins.dir": withDefinitions(t)})
	boss := r.Owner(t)

	wrong := strings.Replace(describing(s, "Acme"), "pkce: required", "pkce: perhaps", 1)
	status, page, _ := boss.Ask(http.MethodPost, "/new-definition", url.Values{"text": {wrong}})
	if status != http.StatusUnprocessableEntity || !strings.Contains(page, `href="#line-7"`) || !strings.Contains(page, `id="line-7"`) || !strings.Contains(page, "pkce: perhaps") {
		t.Errorf("the mistake is not told at its line: %d", status)
	}
	if page := boss.Follow("/new-definition/check", url.Values{"text": {describing(s, "Acme")}}); !strings.Contains(page, "There are no problems.") {
		t.Error("the check finds problems where there are none")
	}
	page = boss.Follow("/new-definition", url.Values{"text": {describing(s, "Acme")}})
	if !strings.Contains(page, "/services/new/draft.acme") {
		t.Fatalf("the draft cannot be tried:\n%s", page)
	}
	connected(t, r, s, "trial", "draft.acme")
	if p := r.Key(t, "c-trial").Pull(t, "c-trial"); s.TokenState(p.AccessToken) != "valid" {
		t.Error("the draft gives no token that the service knows")
	}
	if page := boss.Follow("/definitions/acme/enable", url.Values{"version": {"1"}}); !strings.Contains(page, "Services use the draft: 1") {
		t.Error("the draft is enabled from under its service")
	}
	var deleted struct {
		TrashID string `json:"trash_id"`
	}
	r.Admin.Must(t, "DELETE", "/api/v1/connections/c-trial", nil, &deleted)
	r.Admin.Must(t, "DELETE", "/api/v1/trash/"+deleted.TrashID, nil, nil)
	r.Admin.Must(t, "DELETE", "/api/v1/services/trial", nil, nil)
	if page := boss.Follow("/definitions/acme/enable", url.Values{"version": {"1"}}); !strings.Contains(page, "acme is enabled") {
		t.Fatalf("it is not enabled:\n%s", page)
	}

	connected(t, r, s, "acme", "acme")
	process := r.Key(t, "c-acme")
	first := process.Pull(t, "c-acme")
	boss.Follow("/new-definition", url.Values{"text": {describing(s, "Acme Two")}, "from": {"acme"}})
	_, page, _ = boss.Ask(http.MethodGet, "/definitions/acme", nil)
	if !strings.Contains(page, "+    4  title: { en: Acme Two,") || !strings.Contains(page, "1 connection") {
		t.Errorf("what changes for whom is not shown:\n%s", page)
	}
	boss.Follow("/definitions/acme/enable", url.Values{"version": {"2"}})
	renewed := func(want string) {
		t.Helper()
		if _, page, _ := boss.Ask(http.MethodGet, "/services/new", nil); !strings.Contains(page, want) {
			t.Errorf("the gallery does not have %s", want)
		}
		r.Admin.Must(t, "POST", "/api/v1/connections/c-acme/renew", nil, nil)
		next := process.Pull(t, "c-acme")
		if next.AccessToken == first.AccessToken || s.TokenState(next.AccessToken) != "valid" {
			t.Error("it was not renewed")
		}
		first = next
	}
	renewed("Acme Two")
	boss.Follow("/definitions/acme/rollback", url.Values{})
	renewed(">Acme<")
	var known struct {
		Enabled  int64
		Document string
		Versions []struct{ Number int64 }
	}
	r.Admin.Must(t, "GET", "/api/v1/definitions/acme", nil, &known)
	if known.Enabled != 1 || len(known.Versions) != 2 || known.Document != describing(s, "Acme") {
		t.Errorf("the API has %+v", known)
	}
	if status, answer := r.Admin.Do(t, "POST", "/api/v1/definition-checks", map[string]any{"document": wrong}); status != http.StatusUnprocessableEntity || !strings.Contains(string(answer), `"line 7"`) {
		t.Errorf("the API tells of the mistake as %d %s", status, answer)
	}
	if status, answer := process.Do(t, "POST", "/api/v1/definitions/acme/disable", nil); status != http.StatusForbidden {
		t.Errorf("a process may change definitions: %d %s", status, answer)
	}
	if page := boss.Follow("/definitions/acme/disable", url.Values{}); !strings.Contains(page, "Services use this definition: 1") {
		t.Error("it was removed from under its service")
	}
	for path, has := range map[string]string{"/definitions/acme/file": "definition: 1\nname: acme", "/definitions/acme/plugin": "evergrant-provider-acme/definition.yaml"} {
		if status, file, _ := boss.Ask(http.MethodGet, path, nil); status != http.StatusOK || !strings.Contains(file, has) {
			t.Errorf("%s answers %d with %d bytes", path, status, len(file))
		}
	}
	if s.Spent() != 0 {
		t.Error("a refresh token was presented twice")
	}
}

// A file of the watched folder is a provider within seconds; a broken one is told with its
// line, in the page and the log.
func TestTheFolderOfDefinitionsIsWatched(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	s := world.Service("oauth2")
	files := t.TempDir()
	r := hubtest.StartHub(t, map[string]any{"plugins.dir": withDefinitions(t), "definitions.dir": files})
	boss := r.Owner(t)
	says := func(path, want string) func() bool {
		return func() bool {
			_, page, _ := boss.Ask(http.MethodGet, path, nil)
			return strings.Contains(page, want)
		}
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(files, "acme.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(describing(s, "Acme of a file"))
	hubtest.Eventually(t, "the file is a provider", says("/services/new", "Acme of a file"))
	write("definition: 1\nname: acme\nbroken: yes\n")
	hubtest.Eventually(t, "the broken file is told", says("/definitions", "acme.yaml was not taken"))
	if !says("/definitions", "line 3")() || !says("/services/new", "Acme of a file")() {
		t.Error("the line is not told, or the last good one has gone")
	}
	if !hubtest.Contains(r.Log, "definition file rejected") {
		t.Error("the log does not tell of it")
	}
	if err := os.Remove(filepath.Join(files, "acme.yaml")); err != nil {
		t.Fatal(err)
	}
	hubtest.Eventually(t, "the removed file is no provider", func() bool { return !says("/services/new", "Acme of a file")() })
}
