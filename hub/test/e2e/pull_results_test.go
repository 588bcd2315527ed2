package hub_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/emulator"
)

func TestEveryResultOfAPullIsCountedByItsName(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	server, connection := bitrix24(t, r, 3*time.Second)
	process := r.key(t, connection)
	first := process.pull(t, connection)
	path := "/api/v1/connections/" + connection + "/token"
	server.SetFault(emulator.Fault{Status: http.StatusServiceUnavailable})
	process.do(t, "GET", path+"?min_ttl=1h", nil) // valid, and its renewal fails
	r.admin.must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
	process.pull(t, connection)
	until(t, first.ExpiresAt.Add(50*time.Millisecond))
	process.do(t, "GET", path, nil)
	server.ClearFault()
	r.admin.do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
	eventually(t, "the outage is over", func() bool { status, _ := process.do(t, "GET", path, nil); return status == http.StatusOK })
	next := process.pull(t, connection)
	until(t, next.ExpiresAt.Add(50*time.Millisecond))
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() { process.pull(t, connection) })
	}
	callers.Wait()
	server.SetFault(emulator.Fault{Code: "invalid_grant"})
	r.admin.do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
	until(t, process.pull(t, connection).ExpiresAt.Add(50*time.Millisecond))
	process.do(t, "GET", path, nil)
	r.with("evg_wrong").do(t, "GET", path, nil)
	r.with(r.admin.key).do(t, "GET", "/api/v1/connections/none/token", nil)
	text := r.scrape(t)
	for _, result := range []string{"served", "served_with_trouble", "transient", "reauthorization_required", "unauthorized", "not_found"} {
		if n := sample(text, `evergrant_pulls_total{result="`+result+`"}`); n == "" || n == "0" {
			t.Errorf("no pull was counted as %s", result)
		}
	}
	for _, series := range []string{
		`evergrant_renewal_attempts_total{outcome="transient",provider="bitrix24"}`, `evergrant_renewal_attempts_total{outcome="reauthorization_required",provider="bitrix24"}`,
		`evergrant_lease_wait_seconds_count{holder="this_hub"}`,
	} {
		if n := sample(text, series); n == "" || n == "0" {
			t.Errorf("%s is %q", series, n)
		}
	}
	if n := sample(text, "evergrant_tokens_below_margin_total"); n != "0" {
		t.Errorf("%s tokens were handed out after their expiry", n)
	}
}
