package e2e_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/emulator"
)

func TestEveryResultOfAPullIsCountedByItsName(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	server, connection := bitrix24(t, r, 3*time.Second)
	process := r.Key(t, connection)
	first := process.Pull(t, connection)
	path := "/api/v1/connections/" + connection + "/token"
	server.SetFault(emulator.Fault{Status: http.StatusServiceUnavailable})
	process.Do(t, "GET", path+"?min_ttl=1h", nil) // valid, and its renewal fails
	r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
	process.Pull(t, connection)
	hubtest.Until(t, first.ExpiresAt.Add(50*time.Millisecond))
	process.Do(t, "GET", path, nil)
	server.ClearFault()
	r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
	hubtest.Eventually(t, "the outage is over", func() bool { status, _ := process.Do(t, "GET", path, nil); return status == http.StatusOK })
	next := process.Pull(t, connection)
	hubtest.Until(t, next.ExpiresAt.Add(50*time.Millisecond))
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() { process.Pull(t, connection) })
	}
	callers.Wait()
	server.SetFault(emulator.Fault{Code: "invalid_grant"})
	r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
	hubtest.Until(t, process.Pull(t, connection).ExpiresAt.Add(50*time.Millisecond))
	process.Do(t, "GET", path, nil)
	r.With("evg_wrong").Do(t, "GET", path, nil)
	r.With(r.Admin.Key).Do(t, "GET", "/api/v1/connections/none/token", nil)
	text := r.Scrape(t)
	for _, result := range []string{"served", "served_with_trouble", "transient", "reauthorization_required", "unauthorized", "not_found"} {
		if n := hubtest.Sample(text, `evergrant_pulls_total{result="`+result+`"}`); n == "" || n == "0" {
			t.Errorf("no pull was counted as %s", result)
		}
	}
	for _, series := range []string{
		`evergrant_renewal_attempts_total{outcome="transient",provider="bitrix24"}`, `evergrant_renewal_attempts_total{outcome="reauthorization_required",provider="bitrix24"}`,
		`evergrant_lease_wait_seconds_count{holder="this_hub"}`,
	} {
		if n := hubtest.Sample(text, series); n == "" || n == "0" {
			t.Errorf("%s is %q", series, n)
		}
	}
	if n := hubtest.Sample(text, "evergrant_tokens_below_margin_total"); n != "0" {
		t.Errorf("%s tokens were handed out after their expiry", n)
	}
}
