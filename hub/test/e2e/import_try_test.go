package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/logins/loginstest"
	"github.com/evergrant/evergrant/plugins/statickeys/statickeystest"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// imported is what the API says of an import.
type imported struct {
	ID     string
	DoneAt *time.Time `json:"done_at"`
	Rows   []struct {
		Row                        int
		Name, State, Code, Message string
	}
}

// imports imports rows and returns "name state code" of each, in their order.
func imports(t *testing.T, r *hubtest.Running, try string, rows ...map[string]any) (results []string) {
	t.Helper()
	var run imported
	r.Admin.Must(t, "POST", "/api/v1/imports", map[string]any{"try": try, "rows": rows}, &run)
	id := run.ID
	hubtest.Eventually(t, "the import is over", func() bool {
		run = imported{}
		r.Admin.Must(t, "GET", "/api/v1/imports/"+id, nil, &run)
		return run.DoneAt != nil
	})
	for _, row := range run.Rows {
		results = append(results, strings.TrimSpace(row.Name+" "+row.State+" "+row.Code))
	}
	return results
}

// grants are refresh tokens of a service that rotates, as somebody else holds them.
func grants(t *testing.T, r *hubtest.Running, n int) (service string, rows []map[string]any) {
	t.Helper()
	world := hubtest.StartWorld(t, time.Hour)
	for i := range n {
		name := r.AddService(t, world.Service("bitrix24"))
		r.Authorize(t, name)
		service = r.ServiceOf(t, name)
		var codes struct{ RefreshToken string }
		r.Admin.Must(t, "GET", "/api/v1/connections/"+name+"/access-codes?refresh_token=true", nil, &codes)
		r.Admin.Must(t, "POST", "/api/v1/connections/"+name+"/pause", nil, nil)
		rows = append(rows, map[string]any{"service": service, "name": fmt.Sprintf("moved-%d", i+1), "refresh_token": codes.RefreshToken})
	}
	return service, rows
}

func TestAnImportIsTriedRowByRow(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	service, rows := grants(t, r, 1)
	dead := map[string]any{"service": service, "name": "dead", "refresh_token": "of-nobody"}
	if got := imports(t, r, "rows", append(rows, dead)...); !slices.Equal(got, []string{"moved-1 done", "dead troubled import_stays_person"}) {
		t.Errorf("the results are %q", got)
	}
	if v := r.View(t, "dead"); v.Status != "needs_authorization" {
		t.Errorf("the dead one is %s", v.Status)
	}
	if got := r.Key(t, "moved-1").Pull(t, "moved-1"); got.AccessToken == "" || got.Generation != 2 {
		t.Errorf("pulled generation %d", got.Generation)
	}
}

func TestAnImportOfAllOrNothingIsMendedAndLosesNothing(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]bool{"the dead one last": true, "the dead one first": false} {
		t.Run(name, func(t *testing.T) {
			r := hubtest.StartHub(t, nil)
			service, rows := grants(t, r, 1)
			dead := map[string]any{"service": service, "name": "dead", "refresh_token": "of-nobody"}
			table, want := []map[string]any{dead, rows[0]}, []string{"dead failed import_no_person", "moved-1 cancelled import_kept"}
			if last {
				slices.Reverse(table)
				slices.Reverse(want)
			}
			if got := imports(t, r, "all", table...); !slices.Equal(got, want) {
				t.Errorf("the results are %q, want %q", got, want)
			}
			for _, name := range []string{"dead", "moved-1"} {
				if status, _ := r.Admin.Do(t, "GET", "/api/v1/connections/"+name, nil); status != http.StatusNotFound {
					t.Errorf("%s is in use: %d", name, status)
				}
			}
			// The same table without the dead one: its token is spent, the kept one is not.
			if got := imports(t, r, "all", rows...); !slices.Equal(got, []string{"moved-1 done"}) {
				t.Errorf("imported again: %q", got)
			}
			if got := r.Key(t, "moved-1").Pull(t, "moved-1"); got.AccessToken == "" || got.Generation != 3 {
				t.Errorf("pulled generation %d", got.Generation)
			}
			if got := imports(t, r, "none", map[string]any{"service": service, "name": "twice", "refresh_token": rows[0]["refresh_token"]}); !slices.Equal(got, []string{"twice failed invalid"}) {
				t.Errorf("a spent token is imported under another name: %q", got)
			}
		})
	}
}

// A service that says whether a refresh token is in force refuses a dead row before any is
// sent: nothing is added or kept aside, and the good rows are imported with the tokens that
// they have always had.
func TestADeadRowIsRefusedBeforeAnythingOfItsImportIsSpent(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	server := authserver.New(authserver.Config{ClientID: "crm", ClientSecret: "secret-of-crm"})
	address, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	service(t, r, "crm", "oauth2", map[string]any{"client_id": "crm", "client_secret": "secret-of-crm", "scopes": []string{"openid"}, "options": map[string]any{"issuer": address}})
	row := func(name, refresh string) map[string]any {
		return map[string]any{"service": "crm", "name": name, "refresh_token": refresh}
	}
	anna := authserver.Account{ID: "1", Login: "anna@example.test"}
	one, two := row("one", server.Grant(anna, "openid").Refresh), row("two", server.Grant(anna, "openid").Refresh)
	got := imports(t, r, "all", one, row("dead", "of-nobody"), two)
	if !slices.Equal(got, []string{"one cancelled import_untried", "dead failed import_no_person", "two cancelled import_untried"}) {
		t.Errorf("the results are %q", got)
	}
	var trash struct{ Items []struct{ Name string } }
	r.Admin.Must(t, "GET", "/api/v1/trash", nil, &trash)
	if n := server.TokenRequests(""); n != 0 || len(trash.Items) != 0 {
		t.Errorf("%d token requests were sent, in the trash are %+v", n, trash.Items)
	}
	for _, name := range []string{"one", "dead", "two"} {
		if status, _ := r.Admin.Do(t, "GET", "/api/v1/connections/"+name, nil); status != http.StatusNotFound {
			t.Errorf("%s is in use: %d", name, status)
		}
	}
	if got := imports(t, r, "all", one, two); !slices.Equal(got, []string{"one done", "two done"}) {
		t.Errorf("without the dead one: %q", got)
	}
	if n := server.TokenRequests("refresh_token"); n != 2 || server.DoubleSpent() != 0 {
		t.Errorf("%d renewals, %d tokens were spent twice", n, server.DoubleSpent())
	}
}

// Logins, static keys and service accounts are imported with what they are made of.
func TestWhatNeedsNoBrowserIsImported(t *testing.T) {
	t.Parallel()
	for _, try := range []string{"rows", "all"} {
		t.Run(try, func(t *testing.T) {
			r := hubtest.StartHub(t, nil)
			login := loginstest.New("anna", "first-password")
			address, err := login.Start("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = login.Close() })
			service(t, r, "kassa", "taxcom-login", map[string]any{"options": map[string]any{"server": address, "integrator_id": "our-id-123"}})
			keys := statickeystest.New()
			keyAddress, err := keys.Start("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = keys.Close() })
			service(t, r, "shop", "api-key", map[string]any{"options": map[string]any{"header": statickeystest.Header, "check_url": keyAddress + "/me"}})
			key := keys.Make(72 * time.Hour)
			kassa := map[string]any{"service": "kassa", "name": "kassa", "fields": map[string]any{"login": "anna", "password": "first-password"}, "options": map[string]any{"agreement_number": "77"}}
			shop := map[string]any{"service": "shop", "name": "shop", "grant": "static", "fields": map[string]any{"key": key}, "ends_at": time.Now().Add(48 * time.Hour).Format(time.RFC3339)}
			status, body := r.Admin.Do(t, "POST", "/api/v1/imports", map[string]any{"rows": []map[string]any{{"service": "kassa", "name": "kassa", "fields": map[string]any{"password": "leak-me"}}}})
			if status != http.StatusUnprocessableEntity || !strings.Contains(string(body), "rows[1].fields.login") || strings.Contains(string(body), "leak-me") {
				t.Errorf("a login without its name: %d %s", status, body)
			}
			if got := imports(t, r, try, kassa, shop); !slices.Equal(got, []string{"kassa done", "shop done"}) {
				t.Errorf("the results are %q", got)
			}
			for _, name := range []string{"kassa", "shop"} {
				if got := r.Key(t, name).Pull(t, name); got.AccessToken == "" {
					t.Errorf("%s has no token", name)
				}
			}
			if login.Agreement() != "77" || strings.Contains(r.Log.String(), "first-password") || strings.Contains(r.Log.String(), key) {
				t.Errorf("the session is for the agreement %q, or a secret is in the log", login.Agreement())
			}
		})
	}
}

// A table has columns for all of that, and says in which one a mistake is.
func TestATableOfLoginsNamesTheColumnOfAMistake(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	service(t, r, "kassa", "taxcom-login", map[string]any{"options": map[string]any{"server": "http://127.0.0.1:1", "integrator_id": "our-id-123"}})
	boss := r.Owner(t)
	head := "service,name,grant,field.login,field.password,option.agreement_number\n"
	_, page, _ := boss.Ask("POST", "/connections/import/table", map[string][]string{"table": {head + "kassa,one,login,,leak-me,77\n"}, "try": {"all"}})
	if !strings.Contains(page, "field.login:") || strings.Contains(page, "leak-me") || !strings.Contains(page, `value="all" checked`) {
		t.Errorf("the page does not name the column, shows a password, or forgets the choice:\n%s", page)
	}
}
