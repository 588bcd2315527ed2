package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

func TestAKeptTokenSetCanBePutBackWhereTheServiceDoesNotRotate(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	google := r.AddService(t, world.Service("google-calendar"))
	r.Authorize(t, google)
	process := r.Key(t, google)
	first := process.Pull(t, google)
	r.Admin.Must(t, "POST", "/api/v1/connections/"+google+"/renew", nil, nil)
	if second := process.Pull(t, google); second.AccessToken == first.AccessToken {
		t.Fatal("a renewal gave the same token")
	}
	var kept struct {
		Items []struct {
			Generation int64
			Restorable bool
		}
	}
	r.Admin.Must(t, "GET", "/api/v1/connections/"+google+"/generations", nil, &kept)
	if len(kept.Items) != 1 || kept.Items[0].Generation != 1 || !kept.Items[0].Restorable {
		t.Fatalf("kept are %+v", kept.Items)
	}
	var restored struct{ Generation int64 }
	r.Admin.Must(t, "POST", "/api/v1/connections/"+google+"/restore", map[string]any{"generation": 1}, &restored)
	if got := process.Pull(t, google); restored.Generation != 3 || got.AccessToken != first.AccessToken {
		t.Errorf("generation %d, the first token again: %t", restored.Generation, got.AccessToken == first.AccessToken)
	}
	refused(t, r, google, map[string]any{"generation": 7})
}

func TestASpentTokenSetIsNotPutBack(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	s := world.Service("oauth2")
	rotates := r.AddService(t, s)
	r.Authorize(t, rotates)
	r.Admin.Must(t, "POST", "/api/v1/connections/"+rotates+"/renew", nil, nil)
	refused(t, r, rotates, map[string]any{"generation": 1})
	refused(t, r, rotates, map[string]any{})
	if generation := r.View(t, rotates).Generation; generation != 2 {
		t.Errorf("generation is %d", generation)
	}
}

func refused(t *testing.T, r *hubtest.Running, connection string, body map[string]any) {
	t.Helper()
	status, answer := r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/restore", body)
	var problem struct{ Type, Detail string }
	if err := json.Unmarshal(answer, &problem); err != nil || status != http.StatusConflict ||
		problem.Type != "https://evergrant.dev/problems/cannot-restore" || problem.Detail == "" {
		t.Errorf("%v: %d %s", body, status, answer)
	}
}

// The page offers to put the last good tokens back where the service lets them live, and
// says why not where it replaces them.
func TestThePageRestoresTheLastGoodTokens(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	for provider, restorable := range map[string]bool{"google-calendar": true, "bitrix24": false} {
		connection := r.AddService(t, world.Service(provider))
		r.Authorize(t, connection)
		r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
		before := r.View(t, connection).Generation
		_, page, _ := boss.Ask("GET", "/connections/"+connection, nil)
		if offered := strings.Contains(page, `data-opens="restore"`); offered != restorable {
			t.Errorf("%s: the page offers to restore: %v", provider, offered)
		}
		boss.Ask("POST", "/connections/"+connection+"/restore", url.Values{})
		_, page, _ = boss.Ask("GET", "/connections/"+connection, nil)
		after := r.View(t, connection).Generation
		if restorable && (after != before+1 || !strings.Contains(page, "are back")) {
			t.Errorf("%s: generation %d after %d", provider, after, before)
		}
		if !restorable && (after != before || !strings.Contains(page, "replaces the refresh token")) {
			t.Errorf("%s: generation %d after %d, and the page does not say why", provider, after, before)
		}
	}
	if _, page, _ := boss.Ask("GET", "/audit?act=connection.restore", nil); !strings.Contains(page, "c-google-calendar") {
		t.Error("the audit record does not have it")
	}
}
