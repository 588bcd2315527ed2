package e2e_test

import (
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// The samples for a hub below a path are run as they are.
func TestTheSamplesForAPathWork(t *testing.T) {
	const path = "/evergrant"
	for name, p := range proxies {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(name); err != nil {
				t.Skipf("there is no %s; scripts/proxies.sh installs it", name)
			}
			port := strconv.Itoa(freePort(t))
			r := hubtest.StartHub(t, map[string]any{"trusted_proxies": "127.0.0.1", "public_url": "https://" + proxiedHost + ":" + port + path})
			r.Admin.Base = "http://" + r.Hub.Addr().String() // its name is known to the proxy's clients alone
			front := p.startAt(t, r, port, path)
			front.showsPages(t)
			front.takesForms(t)
			front.letsPackagesThrough(t, r)
			if got := front.ask(t, "GET", "", nil); got.status != http.StatusPermanentRedirect {
				t.Errorf("without a slash at the end: %d", got.status)
			}
			if got := front.ask(t, "GET", "/login", nil); !strings.Contains(got.body, `href="`+path+`/assets/`) {
				t.Errorf("the page's addresses lead elsewhere:\n%s", got.body)
			}
		})
	}
}
