package authflow_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// plugins runs the real plugin of standard services, one process for all tests.
var plugins *pluginhost.Host

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "authflow-")
	if err == nil {
		_, err = plugintest.Put(dir, "oauth2", "plugins/oauth2")
	}
	if err == nil {
		plugins, err = pluginhost.New(pluginhost.Options{Dir: dir, StartTimeout: time.Minute, ReadyTimeout: time.Minute, CallTimeout: time.Minute})
	}
	if err == nil {
		err = plugins.Scan(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "start the oauth2 plugin:", err)
		os.Exit(1)
	}
	code := m.Run()
	plugins.Stop(context.Background())
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

const (
	publicURL = "https://hub.example"
	browser   = "the secret of anna's browser"
)

// rig is a Flow with its real neighbours: a store, a plugin's process, and an
// authorization server.
type rig struct {
	store   *store.Store
	flow    *authflow.Flow
	runner  *operation.Runner
	server  *authserver.Server
	served  *httptest.Server
	address string   // of the server
	out     sync.Map // status by path of what does not work there
	service service.Service
	granted chan connection.Connection
}

// newRig registers the hub at an authorization server as the service "crm".
func newRig(t *testing.T, s *store.Store, config authserver.Config) *rig {
	t.Helper()
	r := &rig{store: s, server: authserver.New(config), granted: make(chan connection.Connection, 10)}
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if status, out := r.out.Load(req.URL.Path); out {
			if status, ok := status.(int); ok {
				w.WriteHeader(status)
			}
			return
		}
		r.server.ServeHTTP(w, req)
	}))
	t.Cleanup(func() { r.server.ClearFaults(); served.Close() })
	r.served, r.address = served, served.URL
	j, err := journal.Open(filepath.Join(storetest.Folder(t), "journal"), storetest.Box(t), hclog.NewNullLogger())
	must(t, err)
	x := exchange.New(exchange.Options{Sender: egress.New(egress.Options{Version: "test", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})})
	t.Cleanup(sync.OnceFunc(func() { x.Close(); _ = j.Close() }))
	r.runner = operation.NewRunner(operation.Options{
		Plugins: plugins, Exchanger: x, Journal: j, Limiter: endpoint.New(endpoint.Options{}), Logger: hclog.NewNullLogger(), WorkTimeout: time.Minute,
	})
	r.flow = r.newFlow(0)
	t.Cleanup(func() { r.flow.Wait() })
	r.service = r.register(t, "crm", served.URL)
	return r
}

// newFlow is the rig's Flow with another MaxWait.
func (r *rig) newFlow(wait time.Duration) *authflow.Flow {
	return authflow.New(authflow.Options{
		Store: r.store, Runner: r.runner, Logger: hclog.NewNullLogger(), PublicURL: publicURL + "/", MaxWait: wait,
		Granted: func(c connection.Connection) { r.granted <- c },
	})
}

// register makes a service of the server at an address.
func (r *rig) register(t *testing.T, name, address string) service.Service {
	t.Helper()
	return r.registerWith(t, name, map[string]any{"issuer": address})
}

// registerWith makes a service of the server with options.
func (r *rig) registerWith(t *testing.T, name string, options map[string]any) service.Service {
	t.Helper()
	svc := r.preparedWith(t, name, options)
	must(t, r.store.Services.CreateService(t.Context(), svc))
	return svc
}

// preparedWith is a service as the plugin prepares it, not stored.
func (r *rig) preparedWith(t *testing.T, name string, options map[string]any) service.Service {
	t.Helper()
	d, sum, ok := plugins.Description("oauth2")
	if !ok {
		t.Fatal("the plugin serves no oauth2")
	}
	now := time.Now()
	svc := service.Service{
		ID: store.NewID(), Name: name, Title: name, Provider: "oauth2", ClientID: "client", ClientSecret: "secret", Scopes: []string{"openid", "offline_access"},
		Description: &d, PluginSum: sum, Options: options, CreatedAt: now, UpdatedAt: now,
	}
	p, err := r.runner.PrepareService(t.Context(), &operation.Op{Service: svc, Now: now})
	must(t, err)
	if len(p.Description.Grants) == 0 { // it serves all that it can
		p.Description.Grants = d.Grants
	}
	svc.Data, svc.Description = p.Data, p.Description
	return svc
}

// connection makes a connection that waits for its first authorization.
func (r *rig) connection(t *testing.T, name string) connection.Connection {
	t.Helper()
	c := connection.New(time.Now(), store.NewID(), name, name, r.service.ID, connection.PolicyOf(r.service.Description, provider.GrantAuthorizationCode))
	must(t, r.store.Grants.CreateConnection(t.Context(), c))
	return c
}

// start begins an authorization of a connection in the browser.
func (r *rig) start(t *testing.T, connectionID string) *authflow.Started {
	t.Helper()
	started, err := r.flow.Start(t.Context(), authflow.StartRequest{
		ConnectionID: connectionID, ServiceID: r.service.ID, UserID: "anna", Browser: browser, ReturnTo: "/connections", Lang: "en",
	})
	must(t, err)
	return started
}

// consent answers the server's page as somebody does, and returns the callback.
func (r *rig) consent(t *testing.T, started *authflow.Started, form url.Values) url.Values {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(started.URL, form)
	must(t, err)
	_ = resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		t.Fatalf("the server answered %s without sending the browser back", resp.Status)
	}
	if got := back.Scheme + "://" + back.Host + back.Path; got != publicURL+"/callback/"+r.service.Name {
		t.Fatalf("the browser is sent back to %s", got)
	}
	return back.Query()
}

// asAnna and asBoris log in and agree.
func asAnna() url.Values  { return url.Values{"login": {"anna@example.test"}, "password": {"anna"}} }
func asBoris() url.Values { return url.Values{"login": {"boris@example.test"}, "password": {"boris"}} }

// authorized has a connection authorized by anna.
func (r *rig) authorized(t *testing.T, name string) connection.Connection {
	t.Helper()
	c := r.connection(t, name)
	finished, err := r.flow.Finish(t.Context(), "crm", r.consent(t, r.start(t, c.ID), asAnna()), browser)
	must(t, err)
	<-r.granted
	return finished.Connection
}

// wantFailure is the failure that an authorization came to.
func wantFailure(t *testing.T, err error, reason authflow.Reason) *authflow.Failure {
	t.Helper()
	failure, ok := errors.AsType[*authflow.Failure](err)
	if !ok || failure.Reason != reason || failure.Reference == "" {
		t.Fatalf("got %v, want the failure %s with a reference", err, reason)
	}
	return failure
}

// wantKind is the cause of a failure.
func wantKind(t *testing.T, failure *authflow.Failure, kind provider.Kind) {
	t.Helper()
	if failure.Cause == nil || failure.Cause.Kind != kind {
		t.Errorf("the cause is %v, want %s", failure.Cause, kind)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
