package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// An endpoint that is down is asked now and then, whatever the number of grants
// behind it, no grant is blamed for it, and all come back by themselves.
func TestAnOutageIsMetOnceNotByEveryConnection(t *testing.T) {
	t.Parallel()
	const size = 300
	w := hubtest.PrepareWave(t, "sqlite", size)
	w.Server.SetFault(authserver.Unavailable(http.StatusServiceUnavailable))
	r := hubtest.StartHubIn(t, w.Dir, w.Flags)
	hubtest.Eventually(t, "the endpoint is left alone", func() bool { return hubtest.Contains(r.Log, "renewal deferred") })
	hubtest.Until(t, time.Now().Add(3*time.Second))
	// 64 may be in flight when it dies, and some come before the circuit is known.
	if n := w.Server.TokenRequests("refresh_token"); n > 100 {
		t.Errorf("an endpoint that is down was asked %d times for %d connections", n, size)
	}
	blamed := 0
	var list struct {
		Connections []hubtest.View `json:"items"`
	}
	r.Admin.Must(t, "GET", "/api/v1/connections?limit=500", nil, &list)
	for _, c := range list.Connections {
		if c.LastError != nil {
			blamed++
		}
	}
	if blamed > 100 {
		t.Errorf("%d of %d connections are blamed for the outage", blamed, size)
	}
	w.Server.ClearFaults()
	hubtest.Eventually(t, "every connection is renewed after the outage", func() bool { return w.Rotate.Load() >= size })
	if w.Server.DoubleSpent() != 0 || strings.Contains(r.Log.String(), "panic") {
		t.Errorf("%d refresh tokens were spent twice", w.Server.DoubleSpent())
	}
}
