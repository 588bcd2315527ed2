package e2e_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// Many that need a person are told by service and need on the overview, and each group
// leads to a list of as many as it says.
func TestTheOverviewGroupsManyProblems(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	name := r.AddService(t, world.Service("oauth2"))
	service := r.ServiceOf(t, name)
	r.Authorize(t, name)
	r.Admin.Must(t, "POST", "/api/v1/connections/"+name+"/revoke", nil, nil)
	r.Many(t, service, 14)
	_, page, _ := boss.Ask("GET", "/", nil)
	all := regexp.MustCompile(`href="(/connections\?[^"]*granted=never[^"]*)"[^>]*>All 14<`).FindStringSubmatch(page)
	if all == nil {
		t.Fatalf("the overview does not group: %s", page)
	}
	status, page, _ := boss.Ask("GET", strings.ReplaceAll(all[1], "&amp;", "&"), nil)
	if status != http.StatusOK || !strings.Contains(page, "14 of 15 found.") || strings.Count(page, "data-href=") != 14 {
		t.Errorf("the group's list: %d", status)
	}
}

// Two connections of one title are told apart by their names on the overview.
func TestConnectionsNamedAlikeAreToldApart(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	service := r.ServiceOf(t, r.AddService(t, world.Service("oauth2")))
	for _, name := range []string{"sales-north", "sales-south"} {
		r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": service, "name": name, "title": "Sales"}, nil)
	}
	if _, page, _ := boss.Ask("GET", "/", nil); !strings.Contains(page, ">sales-north<") || !strings.Contains(page, ">sales-south<") || strings.Contains(page, ">c-oauth2<") {
		t.Error("the overview does not tell two connections of one title apart")
	}
}
