package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/examples/workspace/workspacetest"
)

// shared is what tests read of a connection that shares an authorization.
type shared struct {
	Name, Title, Status, Part, Main string
	Generation                      int64
	Account                         *struct{ ID, Name string }
}

// workspaceHub is a hub with the plugin of the workspace alone, and its connection "sales",
// that was not authorized yet; plugins is the folder of the plugin.
func workspaceHub(t *testing.T) (r *hubtest.Running, emulated *workspacetest.Server, plugins string) {
	t.Helper()
	dir := storetest.Folder(t)
	if _, err := plugintest.Put(dir, "workspace", "plugins/examples/workspace"); err != nil {
		t.Fatal(err)
	}
	emulated = workspacetest.New("ann")
	address, err := emulated.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = emulated.Close() })
	r = hubtest.StartHub(t, map[string]any{"plugins.dir": dir})
	service(t, r, "team", "workspace", map[string]any{
		"client_id": "hub", "client_secret": "secret-of-workspace", "options": map[string]any{"server": address},
	})
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": "team", "name": "sales", "title": "Sales"}, nil)
	return r, emulated, dir
}

// workspaceAgain starts the hub of a workspace again that was stopped.
func workspaceAgain(t *testing.T, r *hubtest.Running, plugins string) *hubtest.Running {
	t.Helper()
	return hubtest.StartHubIn(t, r.Dir, map[string]any{"plugins.dir": plugins, "listen": r.Hub.Addr().String(), "public_url": r.Hub.URL()})
}

// consent has the person of the service agree and sends the callback.
func consent(t *testing.T, r *hubtest.Running, connection string) (int, string) {
	t.Helper()
	var s hubtest.Started
	r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/authorizations", nil, &s)
	asked, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.AuthorizeURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(asked)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	back, err := http.NewRequestWithContext(t.Context(), http.MethodGet, resp.Header.Get("Location"), nil)
	if err != nil {
		t.Fatal(err)
	}
	back.AddCookie(&http.Cookie{Name: s.BrowserCookie.Name, Value: s.BrowserCookie.Value})
	return hubtest.Send(t, back)
}

func sharing(t *testing.T, r *hubtest.Running, name string) (c shared) {
	t.Helper()
	r.Admin.Must(t, "GET", "/api/v1/connections/"+name, nil, &c)
	return c
}

// One authorization gives a bot's and a person's connection: both are pulled, both are
// renewed at the same time, a new authorization renews both, and one that ends leaves the
// other.
func TestOneAuthorizationGivesTwoConnectionsThatLiveOnTheirOwn(t *testing.T) {
	r, emulated, _ := workspaceHub(t)
	if status, page := consent(t, r, "sales"); status != http.StatusOK {
		t.Fatalf("the callback answered %d\n%s", status, page)
	}
	bot, user := sharing(t, r, "sales"), sharing(t, r, "sales-user")
	if bot.Part != "" || bot.Main != "" || bot.Account.ID != "bot" || user.Part != "user" || user.Main != "sales" || user.Account.ID != "ann" ||
		user.Title != "Sales · user" || user.Status != "fresh" || user.Generation != 1 {
		t.Fatalf("granted %+v and %+v", bot, user)
	}
	process := r.Key(t, "sales", "sales-user")
	pull := func(name, account string, generation int64) {
		t.Helper()
		var pulled hubtest.Pulled
		process.Must(t, "GET", "/api/v1/connections/"+name+"/token", nil, &pulled)
		if emulated.Account(pulled.AccessToken) != account || pulled.Generation != generation || pulled.Extra["authed_user"] != nil {
			t.Errorf("%s is of %q, generation %d", name, emulated.Account(pulled.AccessToken), pulled.Generation)
		}
	}
	pull("sales", "bot", 1)
	pull("sales-user", "ann", 1)
	if status, _ := r.Key(t, "sales").Do(t, "GET", "/api/v1/connections/sales-user/token", nil); status != http.StatusNotFound {
		t.Errorf("a key of the bot's connection opens the person's: %d", status)
	}

	// Both requests are out before either is answered.
	renewAtOnce(t, r, emulated, "sales", "sales-user")
	pull("sales", "bot", 2)
	pull("sales-user", "ann", 2)
	if renewals, double := emulated.Counts(); renewals != 2 || double != 0 {
		t.Errorf("%d renewals, %d refresh tokens were spent twice", renewals, double)
	}

	// Authorizing the part is authorizing the main one; both have their next set.
	if status, page := consent(t, r, "sales-user"); status != http.StatusOK {
		t.Fatalf("the callback of the part answered %d\n%s", status, page)
	}
	pull("sales", "bot", 3)
	pull("sales-user", "ann", 3)

	// Somebody else refuses the whole.
	emulated.Consents("eve")
	if status, page := consent(t, r, "sales"); status != http.StatusConflict || !strings.Contains(page, "“user”") {
		t.Errorf("another person's consent answered %d\n%s", status, page)
	}
	pull("sales", "bot", 3)
	pull("sales-user", "ann", 3)

	// One that is over needs a person, the other goes on.
	emulated.End("ann")
	_, _ = r.Admin.Do(t, "POST", "/api/v1/connections/sales-user/renew", nil)
	r.Admin.Must(t, "POST", "/api/v1/connections/sales/renew", nil, nil)
	if bot, user = sharing(t, r, "sales"), sharing(t, r, "sales-user"); bot.Status != "fresh" || bot.Generation != 4 || user.Status != "needs_authorization" {
		t.Errorf("after the person's grant ended: %s and %s", bot.Status, user.Status)
	}
	emulated.Consents("ann")
	_, _ = consent(t, r, "sales")
	pull("sales", "bot", 5)
	pull("sales-user", "ann", 4)
	if log := r.Log.String(); strings.Contains(log, "refresh-") && strings.Contains(log, "access-") && containsToken(log) {
		t.Error("a token is in the log")
	}
}

// containsToken reports whether a text has a token of the service.
func containsToken(text string) bool {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == '"' || r == ' ' || r == '=' || r == '\n' }) {
		rest, access := strings.CutPrefix(word, "access-")
		if !access {
			rest, access = strings.CutPrefix(word, "refresh-")
		}
		if access && len(rest) == 26 && strings.ToUpper(rest) == rest {
			return true
		}
	}
	return false
}

// renewAtOnce renews connections so that the requests of all are at the service at the same
// time.
func renewAtOnce(t *testing.T, r *hubtest.Running, emulated *workspacetest.Server, names ...string) {
	t.Helper()
	var there sync.WaitGroup
	there.Add(len(names))
	emulated.Gate(func(string) { there.Done(); there.Wait() })
	defer emulated.Gate(nil)
	var renewing sync.WaitGroup
	for _, name := range names {
		renewing.Go(func() {
			if status, body := r.Admin.Do(t, "POST", "/api/v1/connections/"+name+"/renew", nil); status != http.StatusOK {
				t.Errorf("renewing %s answered %d %s", name, status, body)
			}
		})
	}
	renewing.Wait()
}

// The pages show what belongs together, what did not come, and what is left without its main
// connection; deleting asks about the parts.
func TestThePagesShowWhatSharesAnAuthorization(t *testing.T) {
	r, emulated, _ := workspaceHub(t)
	_, _ = consent(t, r, "sales")
	owner := r.Owner(t)
	get := func(path string) string {
		_, page, _ := owner.Ask("GET", path, nil)
		return page
	}
	if page := get("/connections/sales"); !strings.Contains(page, `href="/connections/sales-user"`) || !strings.Contains(page, "Parts of this authorization") || !strings.Contains(page, `name="parts"`) {
		t.Errorf("the main connection's page:\n%s", page)
	}
	if page := get("/connections/sales-user"); !strings.Contains(page, `id="part"`) || !strings.Contains(page, `href="/connections/sales"`) || strings.Contains(page, `name="parts"`) {
		t.Errorf("the part's page:\n%s", page)
	}
	emulated.Consents("")
	if status, _ := consent(t, r, "sales"); status != http.StatusOK {
		t.Errorf("without the person: %d", status)
	}
	waittest.Until(t, "what did not come to be recorded", func() bool {
		acts := owner.Acts("connection.authorized")
		return len(acts) > 0 && strings.Contains(strings.Join(acts, "\n"), "parts_missing")
	})
	if bot, user := sharing(t, r, "sales"), sharing(t, r, "sales-user"); bot.Generation != 2 || user.Generation != 1 || user.Status != "fresh" {
		t.Errorf("the bot's is of generation %d, the person's %d and %s", bot.Generation, user.Generation, user.Status)
	}

	// The main one goes alone: the part stays, is renewed, and says what to do.
	owner.Follow("/connections/sales/delete", url.Values{})
	r.Admin.Must(t, "POST", "/api/v1/connections/sales-user/renew", nil, nil)
	if user := sharing(t, r, "sales-user"); user.Main != "" || user.Part != "user" || user.Generation != 2 {
		t.Errorf("alone it is %+v", user)
	}
	if page := get("/connections/sales-user"); !strings.Contains(page, "was deleted") || !strings.Contains(page, `href="/trash"`) || strings.Contains(page, "/connections/sales-user/authorize") {
		t.Errorf("the page of a part without its main one:\n%s", page)
	}
	if status, body := r.Admin.Do(t, "POST", "/api/v1/connections/sales-user/authorizations", nil); status < 400 || !strings.Contains(string(body), "main_gone") {
		t.Errorf("authorizing it answered %d %s", status, body)
	}
	if page := get("/trash"); !strings.Contains(page, "could not be authorized again") {
		t.Error("the trash does not say that a part stays")
	}

	// Put back, it is the main one again; deleted with its parts, both are in the trash.
	var trash struct{ Items []struct{ ID, Name string } }
	r.Admin.Must(t, "GET", "/api/v1/trash", nil, &trash)
	r.Admin.Must(t, "POST", "/api/v1/trash/"+trash.Items[0].ID+"/put-back", map[string]any{}, nil)
	if user := sharing(t, r, "sales-user"); user.Main != "sales" {
		t.Errorf("after its main one is back: %+v", user)
	}
	owner.Follow("/connections/sales/delete", url.Values{"parts": {"true"}})
	r.Admin.Must(t, "GET", "/api/v1/trash", nil, &trash)
	if len(trash.Items) != 2 {
		t.Errorf("in the trash are %+v", trash.Items)
	}
}

// The question before many are deleted names what stays of their authorizations, and the page
// of a part what stays beside it.
func TestTheQuestionBeforeADeletionNamesWhatStaysOfAnAuthorization(t *testing.T) {
	t.Parallel()
	r, _, _ := workspaceHub(t)
	_, _ = consent(t, r, "sales")
	owner := r.Owner(t)
	for lang, words := range map[string]struct{ part, main, beside string }{
		"en": {"It is a part of the authorization of “Sales”.", "1 connection of a part of their authorizations stays", "1 connection of the same authorization stays"},
		"ru": {"Это часть авторизации подключения «Sales».", "1 подключение части их авторизаций останется", "1 подключение с той же авторизацией останется"},
	} {
		owner.Ask("POST", "/preferences", map[string][]string{"lang": {lang}, "return_to": {"/"}})
		if _, page, _ := owner.Ask("GET", "/connections/sales-user", nil); !strings.Contains(page, words.part) {
			t.Errorf("%s: the page of a part does not say what stays", lang)
		}
		if _, page, _ := owner.Ask("GET", "/connections/sales", nil); strings.Contains(page, words.part) {
			t.Errorf("%s: the main connection is called a part", lang)
		}
		for picked, want := range map[string]struct{ says, link string }{
			"sales": {words.main, `href="/connections/sales-user"`}, "sales-user": {words.beside, `href="/connections/sales"`}, "sales sales-user": {},
		} {
			_, page, _ := owner.Ask("POST", "/bulk", url.Values{"act": {"delete"}, "connections": strings.Fields(picked)})
			if !strings.Contains(page, `id="bulk-ask"`) || !strings.Contains(page, want.says) || !strings.Contains(page, want.link) {
				t.Errorf("%s: the question before %s is deleted does not say %q:\n%s", lang, picked, want.says, page)
			}
			if want.says == "" && (strings.Contains(page, words.main) || strings.Contains(page, words.beside)) {
				t.Errorf("%s: something stays when all are deleted", lang)
			}
			if _, page, _ := owner.Ask("POST", "/bulk", url.Values{"act": {"revoke"}, "connections": strings.Fields(picked)}); want.says != "" && strings.Contains(page, want.says) {
				t.Errorf("%s: a revocation speaks of what stays", lang)
			}
		}
	}
}

// The API deletes the parts with their main connection only if that is asked for.
func TestTheAPIDeletesPartsOnlyIfAsked(t *testing.T) {
	r, _, _ := workspaceHub(t)
	_, _ = consent(t, r, "sales")
	var listed struct{ Items []shared }
	r.Admin.Must(t, "GET", "/api/v1/connections", nil, &listed)
	var alone shared
	reader := r.KeyOf(t, map[string]any{"title": "monitor", "scopes": []string{"connection:read"}, "connections": []string{"sales-user"}})
	reader.Must(t, "GET", "/api/v1/connections/sales-user", nil, &alone)
	if alone.Part != "user" || alone.Main != "" {
		t.Errorf("a key of the part alone sees %+v", alone)
	}
	if len(listed.Items) != 2 || listed.Items[1].Main != "sales" || listed.Items[1].Part != "user" {
		t.Errorf("listed %+v", listed.Items)
	}
	var deleted struct {
		TrashID string `json:"trash_id"`
		Parts   []struct {
			Name    string
			TrashID string `json:"trash_id"`
		}
	}
	r.Admin.Must(t, "DELETE", "/api/v1/connections/sales?parts=true", nil, &deleted)
	if len(deleted.Parts) != 1 || deleted.Parts[0].Name != "sales-user" || deleted.Parts[0].TrashID == "" || deleted.TrashID == deleted.Parts[0].TrashID {
		t.Errorf("deleted %+v", deleted)
	}
}

// A restart keeps what belongs together.
func TestARestartKeepsPartsWithTheirMainConnection(t *testing.T) {
	r, emulated, plugins := workspaceHub(t)
	_, _ = consent(t, r, "sales")
	r.Hub.Stop(t.Context())
	r = workspaceAgain(t, r, plugins)
	if user := sharing(t, r, "sales-user"); user.Main != "sales" || user.Part != "user" {
		t.Errorf("after a restart: %+v", user)
	}
	renewAtOnce(t, r, emulated, "sales", "sales-user")
	if renewals, double := emulated.Counts(); renewals != 2 || double != 0 {
		t.Errorf("%d renewals, %d refresh tokens were spent twice", renewals, double)
	}
}
