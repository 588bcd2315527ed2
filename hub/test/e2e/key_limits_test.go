package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// A key opens what has one of its tags, from the moment of the tag to its end.
func TestAKeyOpensWhatHasItsTag(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	name := r.AddService(t, world.Service("bitrix24"))
	r.Authorize(t, name)
	boss := r.Owner(t)
	key := r.KeyOf(t, map[string]any{"title": "moscow", "tags": []string{"moscow"}})
	path := "/api/v1/connections/" + name + "/token"
	for _, step := range []struct {
		tags string
		want int
	}{{"", http.StatusNotFound}, {"moscow, sales", http.StatusOK}, {"sales", http.StatusNotFound}} {
		if status, page, _ := boss.Ask("POST", "/connections/"+name+"/tags", url.Values{"tags": {step.tags}}); status >= 400 {
			t.Fatalf("tag it: %d\n%s", status, page)
		}
		if status, answer := key.Do(t, "GET", path, nil); status != step.want {
			t.Errorf("with the tags %q: %d %s", step.tags, status, answer)
		}
	}
}

// A key that leaks is worth nothing outside its networks.
func TestAKeyWorksFromItsAddressesAlone(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	name := r.AddService(t, world.Service("bitrix24"))
	r.Authorize(t, name)
	path := "/api/v1/connections/" + name + "/token"
	for addresses, want := range map[string]int{
		"203.0.113.0/24": http.StatusForbidden, "203.0.113.7,2001:db8::/32": http.StatusForbidden,
		"127.0.0.1": http.StatusOK, "203.0.113.7,127.0.0.0/8,::1": http.StatusOK,
	} {
		key := r.KeyOf(t, map[string]any{"title": "office", "all_connections": true, "addresses": strings.Split(addresses, ",")})
		for _, p := range []string{path, path + "?min_ttl=30"} {
			status, answer := key.Do(t, "GET", p, nil)
			if status != want || want == http.StatusForbidden && !strings.Contains(string(answer), "address-not-allowed") {
				t.Errorf("%s from here with %s: %d %s", p, addresses, status, answer)
			}
		}
	}
	admin := r.KeyOf(t, map[string]any{"title": "admin", "scopes": []string{"admin:*"}, "addresses": []string{"203.0.113.7"}})
	if status, answer := admin.Do(t, "GET", "/api/v1/services", nil); status != http.StatusForbidden {
		t.Errorf("an administrator's key from elsewhere: %d %s", status, answer)
	}
}

// While a key is rotated no call fails: both work for as long as was asked.
func TestAKeyIsRotatedWithAnOverlap(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	name := r.AddService(t, world.Service("bitrix24"))
	r.Authorize(t, name)
	path := "/api/v1/connections/" + name + "/token"
	var first, second, third hubtest.Made
	r.Admin.Must(t, "POST", "/api/v1/api-keys", map[string]any{"title": "cron", "connections": []string{name}, "addresses": []string{"127.0.0.1"}}, &first)
	r.Admin.Must(t, "POST", "/api/v1/api-keys/"+first.ID+"/rotate", map[string]any{"overlap_seconds": 3600}, &second)
	r.Admin.Must(t, "POST", "/api/v1/api-keys/"+second.ID+"/rotate", map[string]any{}, &third)
	if second.Replaces != first.ID || len(second.Addresses) != 1 || second.Key == first.Key {
		t.Errorf("the second key: %+v", second)
	}
	for key, want := range map[string]int{first.Key: http.StatusOK, second.Key: http.StatusUnauthorized, third.Key: http.StatusOK} {
		if status, answer := r.With(key).Do(t, "GET", path, nil); status != want {
			t.Errorf("a pull: %d %s, want %d", status, answer, want)
		}
	}
	if status, _ := r.Admin.Do(t, "POST", "/api/v1/api-keys/"+second.ID+"/rotate", map[string]any{}); status != http.StatusConflict {
		t.Errorf("an ended key is rotated: %d", status)
	}
}

// A monitor reads how connections stand, and gets no token and no act.
func TestAKeyThatReadsConnectionsGetsNoToken(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	seen, hidden := r.AddService(t, world.Service("bitrix24")), r.AddService(t, world.Service("taxcom-kassa"))
	r.Authorize(t, seen)
	key := r.KeyOf(t, map[string]any{"title": "monitor", "scopes": []string{"connection:read"}, "connections": []string{seen}})
	var found struct{ Items []struct{ Name string } }
	key.Must(t, "GET", "/api/v1/connections", nil, &found)
	if len(found.Items) != 1 || found.Items[0].Name != seen {
		t.Errorf("it sees %+v", found.Items)
	}
	for path, want := range map[string]int{
		"GET /api/v1/connections/" + seen: 200, "GET /api/v1/connections/" + hidden: 404, "GET /api/v1/connections/nothing": 404,
		"GET /api/v1/connections/" + seen + "/token": 403, "GET /api/v1/connections/" + seen + "/access-codes": 403,
		"POST /api/v1/connections/" + seen + "/renew": 403, "DELETE /api/v1/connections/" + seen: 403,
		"GET /api/v1/services": 403, "GET /api/v1/api-keys": 403, "GET /api/v1/audit": 403,
	} {
		method, address, _ := strings.Cut(path, " ")
		if status, answer := key.Do(t, method, address, nil); status != want {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	auditor := r.KeyOf(t, map[string]any{"title": "auditor", "scopes": []string{"audit:read"}})
	if status, answer := auditor.Do(t, "GET", "/api/v1/audit", nil); status != http.StatusOK {
		t.Errorf("the audit record: %d %s", status, answer)
	}
	if status, _ := auditor.Do(t, "GET", "/api/v1/connections", nil); status != http.StatusForbidden {
		t.Errorf("connections for an auditor: %d", status)
	}
}
