package e2e_test

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// shortLife of access tokens lets tests see expiries.
const shortLife = 4 * time.Second

func TestAProcessAlwaysGetsAValidToken(t *testing.T) {
	world := hubtest.StartWorld(t, shortLife)
	r := hubtest.StartHub(t, nil)
	for _, s := range world.Services {
		t.Run(s.Provider, func(t *testing.T) {
			t.Parallel()
			connection := r.AddService(t, s)
			r.Authorize(t, connection)
			process := r.Key(t, connection)
			last := process.Pull(t, connection)
			for range 3 {
				last = hubtest.Confirmed(t, s, process, connection, last)
				hubtest.Until(t, last.ExpiresAt.Add(50*time.Millisecond))
				next := process.Pull(t, connection)
				if next.Generation <= last.Generation || next.AccessToken == last.AccessToken {
					t.Fatalf("generation %d after %d", next.Generation, last.Generation)
				}
				last = next
			}
			if n := s.Spent(); n != 0 {
				t.Errorf("%d refresh tokens were spent twice", n)
			}
		})
	}
}

func TestAKilledPluginLosesNothingAfterTheServiceHasRotated(t *testing.T) {
	for _, providerName := range []string{"bitrix24", "oauth2"} {
		t.Run(providerName, func(t *testing.T) {
			world := hubtest.StartWorld(t, time.Hour)
			r := hubtest.StartHub(t, nil)
			s := world.Service(providerName)
			connection := r.AddService(t, s)
			r.Authorize(t, connection)
			process := r.Key(t, connection)
			before := process.Pull(t, connection)

			killed := make(chan int, 1)
			s.SetOnToken(func(string) {
				s.SetOnToken(nil)
				for _, p := range r.Hub.Plugins() {
					if p.PID > 0 && strings.Contains(strings.Join(p.Providers, " "), providerName) {
						_ = syscall.Kill(p.PID, syscall.SIGKILL)
						killed <- p.PID
					}
				}
			})
			r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
			select {
			case <-killed:
			default:
				t.Fatal("no plugin was killed, so this test proves nothing")
			}
			after := process.Pull(t, connection)
			if after.Generation != before.Generation+1 {
				t.Fatalf("generation %d after %d: the rotated token is lost", after.Generation, before.Generation)
			}
			if err := s.Confirm(t.Context(), after.AccessToken); err != nil {
				t.Error(err)
			}
			r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
			if last := process.Pull(t, connection); last.Generation != after.Generation+1 || s.Spent() != 0 {
				t.Errorf("generation %d, %d refresh tokens spent twice", last.Generation, s.Spent())
			}
		})
	}
}

func TestTheCallbackMayArriveAtAnotherHub(t *testing.T) {
	url := storetest.Postgres(t)
	dir := t.TempDir()
	keyFile := dir + "/shared.key"
	if err := hub.CreateKey(keyFile); err != nil {
		t.Fatal(err)
	}
	public := "http://hub.example.test"
	flags := map[string]any{"database.url": url, "key.file": keyFile, "public_url": public}
	one := hubtest.StartHub(t, flags)
	two := hubtest.StartHub(t, flags)
	one.Admin.Base, two.Admin.Base = "http://"+one.Hub.Addr().String(), "http://"+two.Hub.Addr().String()

	world := hubtest.StartWorld(t, shortLife)
	for _, s := range world.Services {
		t.Run(s.Provider, func(t *testing.T) {
			connection := one.AddService(t, s)
			req := one.Grant(t, connection, emulator.Choices{})
			if !strings.HasPrefix(req.URL.String(), public+"/callback/") {
				t.Fatalf("the service sends the browser to %s", req.URL.Host)
			}
			req.URL.Host = two.Hub.Addr().String()
			hubtest.Send(t, req)
			if v := one.View(t, connection); v.Generation == 0 {
				t.Fatalf("the first hub sees no grant, the connection is %s", v.Status)
			}
			process := one.Key(t, connection)
			first := withBase(process, one).Pull(t, connection)
			hubtest.Until(t, first.ExpiresAt.Add(50*time.Millisecond))
			a, b := withBase(process, one).Pull(t, connection), withBase(process, two).Pull(t, connection)
			for b.Generation > a.Generation { // a renewal came in between: the first hub must not be behind now
				if a = withBase(process, one).Pull(t, connection); a.Generation < b.Generation {
					t.Fatalf("the first hub serves generation %d, the second had served %d", a.Generation, b.Generation)
				}
				b = withBase(process, two).Pull(t, connection)
			}
			if a.Generation != b.Generation || a.AccessToken != b.AccessToken || a.Generation <= first.Generation {
				t.Errorf("the hubs serve generations %d and %d after %d", a.Generation, b.Generation, first.Generation)
			}
			hubtest.Confirmed(t, s, withBase(process, two), connection, b)
			if s.Spent() != 0 {
				t.Errorf("%d refresh tokens were spent twice", s.Spent())
			}
		})
	}
}

func withBase(c *hubtest.Client, r *hubtest.Running) *hubtest.Client {
	return &hubtest.Client{Base: "http://" + r.Hub.Addr().String(), Key: c.Key}
}

func TestAnAuthorizationIsGoodOnceAndOnlyInItsBrowser(t *testing.T) {
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	s := world.Service("oauth2")
	connection := r.AddService(t, s)

	stranger := r.Grant(t, connection, emulator.Choices{})
	stranger.Header.Del("Cookie")
	stranger.AddCookie(&http.Cookie{Name: "evergrant_browser", Value: "another"})
	if status, _ := hubtest.Send(t, stranger); status < 400 || r.View(t, connection).Generation != 0 {
		t.Errorf("a link that was passed on attached an account, status %d", status)
	}
	mine := r.Grant(t, connection, emulator.Choices{})
	if status, page := hubtest.Send(t, mine); status >= 400 {
		t.Fatalf("status %d\n%s", status, page)
	}
	if status, _ := hubtest.Send(t, mine.Clone(t.Context())); status < 400 || r.View(t, connection).Generation != 1 {
		t.Errorf("the callback was good twice, status %d", status)
	}
	denied := r.Grant(t, connection, emulator.Choices{Deny: true})
	if status, _ := hubtest.Send(t, denied); status < 400 || r.View(t, connection).Generation != 1 {
		t.Errorf("a denial changed the grant, status %d", status)
	}
	other := r.Grant(t, connection, emulator.Choices{Login: "boris@example.test", Password: "boris"})
	if status, _ := hubtest.Send(t, other); status < 400 || r.View(t, connection).Generation != 1 {
		t.Errorf("another account took the connection over, status %d", status)
	}
	if v := r.View(t, connection); v.Account == nil || v.Status != "fresh" {
		t.Errorf("the connection stands %s, account %v", v.Status, v.Account)
	}
}

func TestACodeCanBePasted(t *testing.T) {
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	for _, s := range world.Services {
		t.Run(s.Provider, func(t *testing.T) {
			connection := r.AddService(t, s)
			landed := r.Grant(t, connection, emulator.Choices{}).URL.String()
			path := "/api/v1/connections/" + connection + "/authorizations/pasted"
			if status, body := r.Admin.Do(t, "POST", path, map[string]string{"pasted": "it did not work"}); status != http.StatusUnprocessableEntity {
				t.Errorf("nonsense: %d %s", status, body)
			}
			r.Admin.Must(t, "POST", path, map[string]string{"pasted": landed}, nil)
			if r.View(t, connection).Generation != 1 {
				t.Error("no grant came of it")
			}
			if status, _ := r.Admin.Do(t, "POST", path, map[string]string{"pasted": landed}); status != http.StatusUnprocessableEntity {
				t.Errorf("the address is good twice: %d", status)
			}
		})
	}
}

func TestWhatAPullSaysWhenThereIsNoToken(t *testing.T) {
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	s := world.Service("oauth2")
	connection := r.AddService(t, s)
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": s.Name, "name": "other"}, nil)
	process := r.Key(t, connection)
	path := "/api/v1/connections/" + connection + "/token"
	check := func(what string, c *hubtest.Client, path string, status int, words ...string) {
		t.Helper()
		got, body := c.Do(t, "GET", path, nil)
		if got != status {
			t.Errorf("%s: %d, want %d: %s", what, got, status, body)
		}
		for _, w := range words {
			if !strings.Contains(string(body), w) {
				t.Errorf("%s: %q is not in %s", what, w, body)
			}
		}
	}
	check("without authentication", &hubtest.Client{Base: r.Hub.URL()}, path, 401, "Authorization")
	check("with a wrong key", &hubtest.Client{Base: r.Hub.URL(), Key: "evg_no"}, path, 401)
	check("of another connection", process, "/api/v1/connections/other/token", 404, "no-connection-for-key")
	check("of no connection", process, "/api/v1/connections/nothing/token", 404, "no-connection-for-key")
	check("of no connection, as administrator", r.Admin, "/api/v1/connections/nothing/token", 404)
	check("never authorized", process, path, 409, "reauthorize_url", "/connections/"+connection)
	check("with a bad min_ttl", process, path+"?min_ttl=soon", 422, "45s")
	r.Authorize(t, connection)
	check("authorized", process, path, 200, `"generation":1`)
	r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/pause", nil, nil)
	check("paused", process, path, 409, "paused")
	r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/resume", nil, nil)
	check("resumed", process, path, 200)
	r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/revoke", nil, nil)
	check("revoked", process, path, 409, "reauthorize_url")
	check("an unknown address", r.Admin, "/api/v1/nonsense", 404, "problem")
}
