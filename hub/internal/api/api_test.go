package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/api"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/app/keys"
	"github.com/evergrant/evergrant/hub/internal/app/services"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/changes"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestMain(m *testing.M) { apptest.Main(m) }

// served is the API on a rig.
type served struct {
	t       *testing.T
	rig     *apptest.Rig
	handler http.Handler
	results []string
}

func serve(t *testing.T, r *apptest.Rig) *served {
	t.Helper()
	gin.SetMode(gin.TestMode)
	engine, log := gin.New(), hclog.NewNullLogger()
	s := &served{t: t, rig: r, handler: engine}
	api.New(engine, engine, api.Options{
		Store: r.Store, Access: r.Access, Catalogue: r.Catalogue, Flow: r.Flow, Source: r.Source, Changes: &changes.Notifier{}, Audit: audit.New(r.Store, log),
		Connections: connections.New(connections.Options{
			Store: r.Store, Catalogue: r.Catalogue, Source: r.Source, Flow: r.Flow, TestCalls: r.TestCalls, Recorder: r.Recorder, Logger: log,
		}),
		Grants:   grants.New(grants.Options{Store: r.Store, Flow: r.Flow, Recorder: r.Recorder, Logger: log}),
		Services: services.New(services.Options{Store: r.Store, Catalogue: r.Catalogue, Flow: r.Flow, Access: r.Access, Recorder: r.Recorder, Asked: func() {}}),
		Keys:     keys.New(keys.Options{Store: r.Store, Access: r.Access, Recorder: r.Recorder}),
		Pulled:   func(result string, _ bool) { s.results = append(s.results, result) },
		Logger:   log, PublicURL: "https://hub.example", Version: "test",
	})
	return s
}

// key makes an API key.
func (s *served) key(draft access.KeyDraft) string {
	s.t.Helper()
	draft.Title = "process"
	key, _, err := s.rig.Access.CreateKey(s.t.Context(), draft)
	apptest.Must(s.t, err)
	return key
}

// ask sends a request and returns the status and what the answer holds.
func (s *served) ask(key, method, path, body string, headers ...string) (*httptest.ResponseRecorder, map[string]any) {
	s.t.Helper()
	req := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	req.RemoteAddr = "192.0.2.7:1234"
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, req)
	var answer map[string]any
	_ = json.Unmarshal(w.Body.Bytes(), &answer) // an answer may be empty
	return w, answer
}

// refused asks for what is refused by a problem of a type.
func (s *served) refused(key, method, path, body string, status int, slug string) map[string]any {
	s.t.Helper()
	w, p := s.ask(key, method, path, body)
	if w.Code != status || p["type"] != "https://evergrant.dev/problems/"+slug || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/problem+json") || w.Header().Get("Cache-Control") != "no-store" && status != http.StatusUnprocessableEntity && !strings.Contains(path, "/token") {
		s.t.Errorf("%s %s: %d %s, want %d %s", method, path, w.Code, w.Body, status, slug)
	}
	return p
}

func TestAPullIsAnsweredWithTheTokenOrItsProblem(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		s, svc := serve(t, r), r.Service(t, "svc")
		c := r.Connection(t, svc, "sales")
		r.Connection(t, svc, "support")
		now := time.Now()
		over := func(name string) string {
			c := connection.New(now, store.NewID(), name, name, svc.ID, connection.PolicyOf(svc.Description, provider.GrantAuthorizationCode)).Granted(now, now.Add(-2*time.Hour),
				provider.Token{AccessToken: "over", RefreshToken: name, ExpiresIn: provider.Seconds(3600)}, provider.Account{ID: "7", Name: "ann@service.example"}, nil)
			apptest.Must(t, r.Store.Grants.CreateConnection(t.Context(), c))
			return c.ID
		}
		key := s.key(access.KeyDraft{ConnectionIDs: []string{c.ID, over("over"), over("down")}})
		const pull = "/api/v1/connections/sales/token"
		w, token := s.ask(key, http.MethodGet, pull, "")
		if w.Code != http.StatusOK || token["access_token"] != "sales-access" || token["generation"] != 1.0 || w.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if w, _ := s.ask(key, http.MethodGet, pull, "", "If-None-Match", w.Header().Get("ETag")); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
			t.Errorf("what the process has already: %d %s", w.Code, w.Body)
		}
		if w, token := s.ask(key, http.MethodGet, "/api/v1/connections/over/token", ""); w.Code != http.StatusOK || token["generation"] != 2.0 || token["access_token"] != "an-access-token" {
			t.Errorf("one that is over: %d %s", w.Code, w.Body)
		}
		r.Answer.Store(http.StatusServiceUnavailable)
		if p := s.refused(key, http.MethodGet, "/api/v1/connections/down/token", "", 503, "transient"); p["kind"] != "transient" || p["retry_after"] == nil {
			t.Errorf("while the service is down: %v", p)
		}
		s.refused("", http.MethodGet, pull, "", 401, "unauthorized")
		s.refused("evg_"+strings.Repeat("x", 43), http.MethodGet, pull+"?min_ttl=never", "", 401, "unauthorized")
		s.refused(key, http.MethodGet, pull+"?min_ttl=never", "", 422, "invalid-fields")
		s.refused(key, http.MethodGet, pull+"?wait=51", "", 422, "invalid-fields")
		s.refused(key, http.MethodGet, "/api/v1/connections/support/token", "", 404, "no-connection-for-key")
		s.refused(key, http.MethodGet, "/api/v1/connections/none/token", "", 404, "no-connection-for-key")
		s.refused(s.key(access.KeyDraft{AllConnections: true, Addresses: []string{"203.0.113.0/24"}}), http.MethodGet, pull, "", 403, "address-not-allowed")
		s.refused(s.key(access.KeyDraft{Scopes: []string{access.ScopeConnectionRead}, AllConnections: true}), http.MethodGet, pull, "", 403, "forbidden")
		if want := []string{"served", "not_modified", "served", "transient", "unauthorized", "unauthorized", "no_connection_for_key", "no_connection_for_key", "address_not_allowed", "forbidden"}; !slices.Equal(s.results, want) {
			t.Errorf("pulls are counted as %v, want %v", s.results, want)
		}
	})
}

func TestRequestsOfAdministratorsBecomeActs(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		s, seq := serve(t, r), int64(0)
		r.Service(t, "svc")
		admin := s.key(access.KeyDraft{Scopes: []string{access.ScopeAdmin}, AllConnections: true})
		reader := s.key(access.KeyDraft{Scopes: []string{access.ScopeConnectionRead}, AllConnections: true})
		if w, added := s.ask(admin, http.MethodPost, "/api/v1/connections", `{"service":"svc","name":"sales","title":"Sales"}`); w.Code != http.StatusCreated || added["name"] != "sales" || added["status"] == "" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if w, one := s.ask(reader, http.MethodGet, "/api/v1/connections/sales", ""); w.Code != http.StatusOK || one["title"] != "Sales" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if p := s.refused(admin, http.MethodPost, "/api/v1/connections", `{"service":"svc","name":"sales","title":"Sales"}`, 422, "invalid-fields"); len(p["errors"].([]any)) != 1 {
			t.Errorf("what is wrong: %v", p["errors"])
		}
		s.refused(admin, http.MethodPost, "/api/v1/connections", `{"service":"none","name":"a","title":"A"}`, 404, "not-found")
		s.refused(reader, http.MethodPost, "/api/v1/connections", `{"service":"svc","name":"b","title":"B"}`, 403, "forbidden")
		s.refused(reader, http.MethodGet, "/api/v1/api-keys", "", 403, "forbidden")
		if w, p := s.ask(admin, http.MethodPost, "/api/v1/connections", `{"service":7,"secret":"evg_s"}`); w.Code != http.StatusUnprocessableEntity || p["type"] != "https://evergrant.dev/problems/invalid-request" || strings.Contains(w.Body.String(), "evg_s") {
			t.Errorf("a body of another shape: %d %s", w.Code, w.Body)
		}
		want := "connection.add done sales\nconnection.add refused sales: name: This name is taken; choose another.\n" +
			"connection.add refused a: read the service none: not found\naccess.refuse refused"
		if records := r.Records(t, &seq); !strings.HasPrefix(records, want) {
			t.Errorf("recorded\n%s\nwant\n%s", records, want)
		}
		if w, gone := s.ask(admin, http.MethodDelete, "/api/v1/connections/sales", ""); w.Code != http.StatusOK || gone["deleted"] != true {
			t.Errorf("delete: %d %s", w.Code, w.Body)
		}
		s.refused(admin, http.MethodGet, "/api/v1/connections/sales", "", 404, "not-found")
	})
}
