package e2e_test

import (
	"context"
	"database/sql"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to lock a hub's database from outside

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/bitrix24/bitrix24test"
	"github.com/evergrant/evergrant/plugins/emulator"
)

func TestManyCallersJoinOneRenewal(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, shortLife)
	r := hubtest.StartHub(t, nil)
	s := world.Service("bitrix24") // renewed on demand alone
	connection := r.AddService(t, s)
	r.Authorize(t, connection)
	process := r.Key(t, connection)
	first := process.Pull(t, connection)
	hubtest.Until(t, first.ExpiresAt.Add(50*time.Millisecond))
	var wg sync.WaitGroup
	got := make([]hubtest.Pulled, 64)
	for n := range got {
		wg.Go(func() { got[n] = process.Pull(t, connection) })
	}
	wg.Wait()
	for _, p := range got {
		if p.AccessToken != got[0].AccessToken || p.Generation != first.Generation+1 {
			t.Fatalf("callers got generations %d and %d after %d", p.Generation, got[0].Generation, first.Generation)
		}
	}
	if s.Spent() != 0 {
		t.Errorf("%d refresh tokens were spent twice", s.Spent())
	}
}

// bitrix24 starts an emulator whose faults the test sets.
func bitrix24(t *testing.T, r *hubtest.Running, ttl time.Duration) (server *bitrix24test.Server, connection string) {
	t.Helper()
	app := bitrix24test.App{ClientID: "local.test", ClientSecret: "a-client-secret-of-tests"}
	server = bitrix24test.New(bitrix24test.Config{Apps: []bitrix24test.App{app}, AccessTTL: ttl})
	if err := server.Start("", ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	var added struct {
		RedirectURI string `json:"redirect_uri"`
	}
	r.Admin.Must(t, "POST", "/api/v1/services", map[string]any{
		"name": "portal", "title": "Битрикс24 — отдел продаж", "provider": "bitrix24", "client_id": app.ClientID, "client_secret": app.ClientSecret,
		"options": map[string]any{"portal": server.PortalURL, "auth_server": server.AuthServerURL},
	}, &added)
	app.RedirectURI = added.RedirectURI
	server.RegisterApp(app)
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": "portal", "name": "sales", "title": "Битрикс24 — отдел продаж"}, nil)
	r.Authorize(t, "sales")
	return server, "sales"
}

func TestAValidTokenIsServedWhileRenewalFails(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	server, connection := bitrix24(t, r, time.Hour)
	process := r.Key(t, connection)
	first := process.Pull(t, connection)
	for name, fault := range map[string]emulator.Fault{
		"outage":       {Status: http.StatusServiceUnavailable},
		"wrong secret": {Code: "invalid_client"},
		"unpaid":       {Code: "PAYMENT_REQUIRED"},
		"html":         {Status: http.StatusOK, Body: "<html>welcome</html>"},
	} {
		t.Run(name, func(t *testing.T) {
			server.SetFault(fault)
			defer server.ClearFault()
			r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
			got := process.Pull(t, connection)
			if got.AccessToken != first.AccessToken || got.Trouble == nil {
				t.Errorf("served generation %d, trouble %v", got.Generation, got.Trouble)
			}
			wanted := []string{"retrying", "needs_operator"}
			if v := r.View(t, connection); v.LastError == nil || !slices.Contains(wanted, v.Status) {
				t.Errorf("the connection stands %s, want %v", v.Status, wanted)
			}
		})
	}
	r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
	if got := process.Pull(t, connection); got.Generation != first.Generation+1 || got.Trouble != nil {
		t.Errorf("after the faults: generation %d, trouble %v", got.Generation, got.Trouble)
	}
	// After a lost reply nobody knows. The service may still be working on the request, so
	// nothing is sent, whoever asks.
	server.SetFault(emulator.Fault{Cut: true})
	r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
	server.ClearFault()
	for range 3 {
		if status, body := r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil); status != http.StatusServiceUnavailable || !strings.Contains(string(body), "Nothing was sent") {
			t.Errorf("renew now after a cut reply: %d %s", status, body)
		}
		if v := r.View(t, connection); v.Status != "uncertain" || v.Generation != first.Generation+1 {
			t.Errorf("after a cut reply the connection stands %s at generation %d", v.Status, v.Generation)
		}
	}
	if got := process.Pull(t, connection); got.Generation != first.Generation+1 || got.Trouble == nil {
		t.Errorf("after a cut reply: generation %d, trouble %v", got.Generation, got.Trouble)
	}
	if server.Spent() != 0 {
		t.Errorf("%d refresh tokens were spent twice", server.Spent())
	}
}

func TestWhoHasToActWhenTheTokenHasExpired(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault  emulator.Fault
		status int
		ended  bool
	}{
		"an outage passes":             {emulator.Fault{Status: http.StatusServiceUnavailable}, 503, false},
		"the operator mends a secret":  {emulator.Fault{Code: "invalid_client"}, 502, false},
		"a person brings a grant back": {emulator.Fault{Code: "invalid_grant"}, 409, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := hubtest.StartHub(t, nil)
			server, connection := bitrix24(t, r, 2*time.Second)
			process := r.Key(t, connection)
			first := process.Pull(t, connection)
			server.SetFault(tt.fault)
			hubtest.Until(t, first.ExpiresAt.Add(50*time.Millisecond))
			path := "/api/v1/connections/" + connection + "/token"
			if status, body := process.Do(t, "GET", path, nil); status != tt.status {
				t.Errorf("status %d, want %d: %s", status, tt.status, body)
			}
			server.ClearFault()
			r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
			status, _ := process.Do(t, "GET", path, nil)
			if tt.ended && status != 409 {
				t.Errorf("an ended grant came back by itself: %d", status)
			}
			if !tt.ended && status != 200 {
				t.Errorf("the grant was lost: %d", status)
			}
		})
	}
}

// stopBeforeSave stops a hub that has journaled a reply and could not save it: the
// database is locked from the moment at which the service has rotated until the
// hub has stopped, so that only the journal knows the new tokens.
func stopBeforeSave(t *testing.T, r *hubtest.Running, server *bitrix24test.Server, connection string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(r.Dir, "evergrant.db")+"?_pragma=busy_timeout(20000)") // the hub may just be writing
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	locked := make(chan *sql.Conn, 1)
	server.SetOnToken(func(string) {
		conn, err := db.Conn(context.Background())
		if err == nil {
			_, err = conn.ExecContext(context.Background(), "BEGIN IMMEDIATE")
		}
		if err != nil {
			t.Error(err)
		}
		locked <- conn
	})
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		req, err := http.NewRequest(http.MethodPost, r.Hub.URL()+"/api/v1/connections/"+connection+"/renew", nil)
		if err != nil {
			return
		}
		req.Header.Set("Authorization", "Bearer "+r.Admin.Key)
		if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	conn := <-locked
	hubtest.Eventually(t, "the reply is journaled and the save is refused", func() bool {
		return hubtest.Contains(r.Log, "save renewal outcome failed")
	})
	stop, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	r.Hub.Stop(stop)
	<-asked
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	server.SetOnToken(nil)
	server.SetFault(emulator.Fault{Status: http.StatusTeapot}) // nothing may be asked of the service
}

func TestAHubThatStopsBeforeItCouldSaveFindsTheTokensInItsJournal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := hubtest.StartHubIn(t, dir, nil)
	server, connection := bitrix24(t, r, time.Hour)
	process := r.Key(t, connection)
	first := process.Pull(t, connection)
	stopBeforeSave(t, r, server, connection)

	again := hubtest.StartHubIn(t, dir, nil)
	process.Base = again.Hub.URL()
	after := process.Pull(t, connection)
	if after.Generation != first.Generation+1 || server.TokenState(after.AccessToken) != "valid" {
		t.Fatalf("generation %d after %d, the token is %s", after.Generation, first.Generation, server.TokenState(after.AccessToken))
	}
	server.ClearFault()
	again.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
	if server.Spent() != 0 {
		t.Errorf("%d refresh tokens were spent twice", server.Spent())
	}
}
