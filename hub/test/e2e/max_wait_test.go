package e2e_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// A pull of an expired token whose service hangs is answered when its caller's maximum wait
// is over, also when several wait for the same renewal.
func TestAPullIsAnsweredWithinItsCallersWait(t *testing.T) {
	t.Parallel()
	r, a := hubtest.StartHub(t, nil), startAnswering(t)
	served(t, r, a, "slow", nil)
	hang, short := make(chan struct{}), func(w http.ResponseWriter, _ url.Values) {
		reply(w, 200, `{"access_token":"first-access","refresh_token":"first-refresh","expires_in":1}`)
	}
	a.on("/token/slow", short)
	granted(t, r, "slow")
	a.on("/token/slow", func(w http.ResponseWriter, _ url.Values) {
		<-hang
		reply(w, 200, `{"access_token":"second-access","refresh_token":"second-refresh","expires_in":3600}`)
	})
	t.Cleanup(func() { close(hang) })
	hubtest.Until(t, time.Now().Add(1100*time.Millisecond))
	for _, wait := range []string{"0s", "1s", "2s"} {
		maxWait, _ := time.ParseDuration(wait)
		begun := time.Now()
		status, body := r.Admin.Do(t, "GET", "/api/v1/connections/slow/token?wait="+wait, nil)
		if took := time.Since(begun); status != http.StatusServiceUnavailable || took > maxWait+2*time.Second {
			t.Errorf("wait=%s: %d after %s: %s", wait, status, took, body)
		}
	}
}
