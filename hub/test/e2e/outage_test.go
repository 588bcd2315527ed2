package hub_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// An endpoint that is down is asked now and then, whatever the number of grants
// behind it, no grant is blamed for it, and all come back by themselves.
func TestAnOutageIsMetOnceNotByEveryConnection(t *testing.T) {
	t.Parallel()
	const size = 300
	w := prepareWave(t, "sqlite", size)
	w.server.SetFault(authserver.Unavailable(http.StatusServiceUnavailable))
	r := startHubIn(t, w.dir, w.flags)
	eventually(t, "the endpoint is left alone", func() bool { return contains(r.log, "renewal deferred") })
	until(t, time.Now().Add(3*time.Second))
	// 64 may be in flight when it dies, and some come before the circuit is known.
	if n := w.server.TokenRequests("refresh_token"); n > 100 {
		t.Errorf("an endpoint that is down was asked %d times for %d connections", n, size)
	}
	blamed := 0
	var list struct {
		Connections []view `json:"items"`
	}
	r.admin.must(t, "GET", "/api/v1/connections?limit=500", nil, &list)
	for _, c := range list.Connections {
		if c.LastError != nil {
			blamed++
		}
	}
	if blamed > 100 {
		t.Errorf("%d of %d connections are blamed for the outage", blamed, size)
	}
	w.server.ClearFaults()
	eventually(t, "every connection is renewed after the outage", func() bool { return w.rotate.Load() >= size })
	if w.server.DoubleSpent() != 0 || strings.Contains(r.log.String(), "panic") {
		t.Errorf("%d refresh tokens were spent twice", w.server.DoubleSpent())
	}
}
