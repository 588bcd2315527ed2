package e2e_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

func configOf(t *testing.T, r *hubtest.Running) hub.Config {
	t.Helper()
	cfg, err := hub.LoadConfig("", nil, map[string]any{"data_dir": r.Dir, "plugins.dir": hubtest.PluginsDir})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// A copy of a production database must not spend its refresh tokens or tell its people.
func TestADetachedCopyServesWhatIsValidAndLetsNothingOut(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, 3*time.Second)
	r := hubtest.StartHub(t, nil)
	service := world.Service("oauth2")
	connection := r.AddService(t, service)
	cfg := configOf(t, r)
	r.Authorize(t, connection)
	process := r.Key(t, connection)
	first := process.Pull(t, connection)
	if err := hub.Detach(t.Context(), cfg, "test"); err != nil {
		t.Fatal(err)
	}
	hubtest.Eventually(t, "the hub notices", func() bool {
		status, answer := r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/authorizations", nil)
		return status == http.StatusConflict && problemType(answer) == "detached"
	})
	spent := r.View(t, connection).Generation
	hubtest.Until(t, first.ExpiresAt.Add(time.Second))
	status, answer := process.Do(t, "GET", "/api/v1/connections/"+connection+"/token", nil)
	if status != http.StatusConflict || problemType(answer) != "detached" {
		t.Errorf("a pull of an expired token: %d %s", status, answer)
	}
	status, answer = r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/authorizations", nil)
	if status != http.StatusConflict || problemType(answer) != "detached" {
		t.Errorf("an authorization: %d %s", status, answer)
	}
	if after := r.View(t, connection); after.Generation != spent || after.LastError != nil {
		t.Errorf("the connection was changed: %+v", after)
	}
	if status, _ := r.Admin.Do(t, "GET", "/readyz", nil); status != http.StatusOK {
		t.Errorf("/readyz answers %d", status)
	}
	hubtest.Expect(t, hubtest.Findings(t, "", map[string]any{"data_dir": r.Dir}), "database", "warn", "detached copy")
	boss := r.Owner(t)
	for lang, words := range map[string]string{"en": "works on a detached copy", "ru": "с отсоединённой копией"} {
		boss.Ask("POST", "/preferences", map[string][]string{"lang": {lang}, "return_to": {"/"}})
		if _, page, _ := boss.Ask("GET", "/connections", nil); !strings.Contains(page, words) {
			t.Errorf("%s: the page does not say that this is a copy", lang)
		}
	}
	if err := hub.Attach(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := hub.Attach(t.Context(), cfg); !errors.Is(err, hub.ErrNotDetached) {
		t.Errorf("a second attach: %v", err)
	}
	hubtest.Eventually(t, "the hub renews again", func() bool {
		status, _ := process.Do(t, "GET", "/api/v1/connections/"+connection+"/token", nil)
		return status == http.StatusOK
	})
	if service.Spent() != 0 {
		t.Error("a refresh token was spent twice")
	}
}

func problemType(answer []byte) string {
	var p struct{ Type string }
	_ = json.Unmarshal(answer, &p)
	return strings.TrimPrefix(p.Type, "https://evergrant.dev/problems/")
}
