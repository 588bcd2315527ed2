package e2e_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

func TestRenewalsHappenWithoutAPull(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, 2*time.Second)
	r := hubtest.StartHub(t, nil)
	s := world.Service("oauth2")
	connection := r.AddService(t, s)
	r.Authorize(t, connection)
	hubtest.Eventually(t, "the scheduler renews twice", func() bool { return r.View(t, connection).Generation >= 3 })
	if s.Spent() != 0 {
		t.Errorf("%d refresh tokens were spent twice", s.Spent())
	}
}

func TestTheOpenAPIDocumentIsServed(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	var doc struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	(&hubtest.Client{Base: r.Hub.URL()}).Must(t, "GET", "/api/v1/openapi.json", nil, &doc)
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("version %s", doc.OpenAPI)
	}
	for path, methods := range map[string][]string{
		"/api/v1/connections/{name}/token":                 {"get"},
		"/api/v1/connections/{name}/authorizations":        {"post"},
		"/api/v1/connections/{name}/authorizations/pasted": {"post"},
		"/api/v1/connections/{name}/access-codes":          {"get"},
		"/api/v1/connections/{name}/restore":               {"post"},
		"/api/v1/connections/{name}/generations":           {"get"},
		"/api/v1/connections/{name}":                       {"get", "delete"},
		"/api/v1/trash":                                    {"get"},
		"/api/v1/trash/{id}":                               {"delete"},
		"/api/v1/trash/{id}/put-back":                      {"post"},
		"/api/v1/services":                                 {"get", "post"},
		"/api/v1/services/{name}":                          {"get", "put", "delete"},
		"/api/v1/providers":                                {"get"},
		"/api/v1/api-keys":                                 {"get", "post"},
	} {
		for _, method := range methods {
			if doc.Paths[path][method] == nil {
				t.Errorf("%s %s is not in the document", method, path)
			}
		}
	}
}

func TestAdministratorsAPI(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	s := world.Service("taxcom-kassa")

	var providers struct{ Items []struct{ Name string } }
	r.Admin.Must(t, "GET", "/api/v1/providers", nil, &providers)
	if !slices.ContainsFunc(providers.Items, func(p struct{ Name string }) bool { return p.Name == s.Provider }) {
		t.Errorf("%s is not among the %d providers on offer", s.Provider, len(providers.Items))
	}
	status, body := r.Admin.Do(t, "POST", "/api/v1/services", map[string]any{"name": "Bad Name", "provider": s.Provider, "options": map[string]any{"nonsense": 1}})
	var problem struct {
		Errors []struct{ Field, Message string }
	}
	if err := json.Unmarshal(body, &problem); err != nil || status != http.StatusUnprocessableEntity {
		t.Fatalf("%d %s", status, body)
	}
	fields := map[string]bool{}
	for _, e := range problem.Errors {
		fields[e.Field] = e.Message != ""
	}
	for _, want := range []string{"name", "client_id", "client_secret", "options.nonsense"} {
		if !fields[want] {
			t.Errorf("no message for %s in %s", want, body)
		}
	}

	connection := r.AddService(t, s)
	if status, _ := r.Admin.Do(t, "POST", "/api/v1/connections", map[string]any{"service": s.Name, "name": connection}); status != http.StatusUnprocessableEntity {
		t.Errorf("a name was taken twice: %d", status)
	}
	var made struct{ Name, Title string }
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": s.Name, "title": "Касса №1 — Москва"}, &made)
	if made.Name != "kassa-1-moskva" || made.Title != "Касса №1 — Москва" {
		t.Errorf("made %+v", made)
	}
	if status, _ := r.Admin.Do(t, "DELETE", "/api/v1/services/"+s.Name, nil); status != http.StatusConflict {
		t.Errorf("a service with connections was deleted: %d", status)
	}
	r.Authorize(t, connection)
	var codes map[string]any
	r.Admin.Must(t, "GET", "/api/v1/connections/"+connection+"/access-codes", nil, &codes)
	for _, field := range []string{"serviceId", "clientId", "accessToken", "expiresIn", "expires", "authMethod"} {
		if codes[field] == nil {
			t.Errorf("the access codes lack %s", field)
		}
	}
	if _, there := codes["refreshToken"]; there {
		t.Error("the refresh token was handed over without being asked for")
	}
	for _, name := range []string{connection, made.Name} {
		var deleted struct {
			TrashID string `json:"trash_id"`
		}
		r.Admin.Must(t, "DELETE", "/api/v1/connections/"+name, nil, &deleted)
		if status, _ := r.Admin.Do(t, "DELETE", "/api/v1/services/"+s.Name, nil); status != http.StatusConflict {
			t.Errorf("a service with connections in the trash was deleted: %d", status)
		}
		r.Admin.Must(t, "DELETE", "/api/v1/trash/"+deleted.TrashID, nil, nil)
	}
	r.Admin.Must(t, "DELETE", "/api/v1/services/"+s.Name, nil, nil)
}

func TestARevokedKeyOpensNothingAtOnce(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	connection := r.AddService(t, world.Service("google-calendar"))
	r.Authorize(t, connection)
	process := r.Key(t, connection)
	process.Pull(t, connection)
	var keys struct {
		Items []struct{ ID, Title string }
	}
	r.Admin.Must(t, "GET", "/api/v1/api-keys", nil, &keys)
	for _, k := range keys.Items {
		if k.Title == "process" {
			r.Admin.Must(t, "DELETE", "/api/v1/api-keys/"+k.ID, nil, nil)
		}
	}
	if status, _ := process.Do(t, "GET", "/api/v1/connections/"+connection+"/token", nil); status != http.StatusUnauthorized {
		t.Errorf("a revoked key got %d", status)
	}
}

func TestAPullCanAskForWhatIsNew(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	connection := r.AddService(t, world.Service("oauth2"))
	r.Authorize(t, connection)
	process := r.Key(t, connection)
	get := func(etag string) (int, http.Header) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.Hub.URL()+"/api/v1/connections/"+connection+"/token", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+process.Key)
		req.Header.Set("If-None-Match", etag)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode, resp.Header
	}
	if _, header := get(""); header.Get("ETag") != `"1"` || header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", header)
	}
	if status, _ := get(`"1"`); status != http.StatusNotModified {
		t.Errorf("status %d for the generation that the process has", status)
	}
	r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
	if status, header := get(`"1"`); status != http.StatusOK || header.Get("ETag") != `"2"` {
		t.Errorf("status %d, ETag %s after a renewal", status, header.Get("ETag"))
	}
}
