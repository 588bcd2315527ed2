package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// pidOf is the process that serves a provider; 0 without one.
func pidOf(r *hubtest.Running, providerName string) (pid, inFlight int) {
	for _, p := range r.Hub.Plugins() {
		if strings.Contains(strings.Join(p.Providers, " "), providerName) {
			return p.PID, p.InFlight
		}
	}
	return 0, 0
}

// A plugin that dies before its request has come to the hub loses nothing, and the
// service sees one request.
func TestAPluginKilledBeforeItsRequestAsksOnce(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	s := world.Service("bitrix24")
	connection := r.AddService(t, s)
	r.Authorize(t, connection)
	var requests atomic.Int32
	s.SetOnToken(func(string) { requests.Add(1) })
	pid, _ := pidOf(r, "bitrix24")
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
	}()
	hubtest.Eventually(t, "the operation is with the plugin", func() bool {
		_, inFlight := pidOf(r, "bitrix24")
		return inFlight == 1
	})
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-renewed
	if v := r.View(t, connection); v.Generation != 2 || requests.Load() != 1 {
		t.Errorf("generation %d after %d requests", v.Generation, requests.Load())
	}
}

// Many callers, one renewal, and the plugin dies in the middle of it.
func TestManyCallersOfOneRenewalSurviveTheDeathOfThePlugin(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, shortLife)
	r := hubtest.StartHub(t, nil)
	s := world.Service("bitrix24")
	connection := r.AddService(t, s)
	r.Authorize(t, connection)
	process := r.Key(t, connection)
	first := process.Pull(t, connection)
	hubtest.Until(t, first.ExpiresAt.Add(50*time.Millisecond))
	var requests, kills atomic.Int32
	s.SetOnToken(func(string) {
		if requests.Add(1) > 1 {
			return
		}
		if pid, _ := pidOf(r, "bitrix24"); pid > 0 && syscall.Kill(pid, syscall.SIGKILL) == nil {
			kills.Add(1)
		}
	})
	got := make([]hubtest.Pulled, 64)
	var callers sync.WaitGroup
	for n := range got {
		callers.Go(func() { got[n] = process.Pull(t, connection) })
	}
	callers.Wait()
	for _, p := range got {
		if p.AccessToken != got[0].AccessToken || p.Generation != first.Generation+1 {
			t.Fatalf("callers got generations %d and %d after %d", p.Generation, got[0].Generation, first.Generation)
		}
	}
	if kills.Load() != 1 || requests.Load() != 1 || s.Spent() != 0 {
		t.Errorf("%d kills, %d requests, %d refresh tokens spent twice", kills.Load(), requests.Load(), s.Spent())
	}
}

// A service inside the hub's own network is reached only if an administrator says
// so for that host, and what was refused is in the audit record.
func TestAServiceInAPrivateNetworkNeedsAnAdministratorsWord(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, map[string]any{"egress.private_networks": "192.0.2.1"})
	s := world.Service("oauth2") // it is asked at once for its metadata
	body := map[string]any{
		"name": s.Name, "provider": s.Provider, "client_id": s.ClientID, "client_secret": s.ClientSecret, "scopes": s.Scopes, "options": s.Options,
	}
	status, data := r.Admin.Do(t, "POST", "/api/v1/services", body)
	if status != http.StatusUnprocessableEntity || !strings.Contains(string(data), "private_hosts") || !strings.Contains(string(data), "127.0.0.1") {
		t.Fatalf("%d: %s", status, data)
	}
	var audit struct {
		Items []struct {
			Act    string
			Detail map[string]string
		}
	}
	r.Admin.Must(t, "GET", "/api/v1/audit?act=egress.refuse", nil, &audit)
	if len(audit.Items) != 1 || audit.Items[0].Detail["reason"] != "private_address" {
		t.Errorf("the audit record says %+v", audit.Items)
	}
	body["private_hosts"] = []string{"127.0.0.1"}
	r.Admin.Must(t, "POST", "/api/v1/services", body, nil)
	var whole struct{ Whole bool }
	r.Admin.Must(t, "POST", "/api/v1/audit/verify", nil, &whole)
	if !whole.Whole {
		t.Error("the audit chain is broken")
	}
	status, data = r.Admin.Do(t, "PUT", "/api/v1/services/"+s.Name, map[string]any{"private_hosts": []string{"http://x/y"}, "client_id": s.ClientID, "name": s.Name, "options": s.Options})
	var problem struct{ Errors []struct{ Field string } }
	if err := json.Unmarshal(data, &problem); err != nil || status != http.StatusUnprocessableEntity || problem.Errors[0].Field != "private_hosts" {
		t.Errorf("an entry that is no host: %d %s", status, data)
	}
}
