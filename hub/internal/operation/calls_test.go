package operation_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/oauth2"

	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// process is a Runner over the oauth2 plugin's own process, and an authorization server.
type process struct {
	runner  *operation.Runner
	server  *authserver.Server
	service service.Service
}

func newProcess(t *testing.T, halted func(context.Context) error) *process {
	t.Helper()
	p := &process{server: authserver.New(authserver.Config{RequirePKCE: true})}
	served := httptest.NewServer(p.server)
	t.Cleanup(served.Close)
	dir := t.TempDir()
	_, err := plugintest.Put(dir, "oauth2", "plugins/oauth2")
	must(t, err)
	host, err := pluginhost.New(pluginhost.Options{Dir: dir, StartTimeout: time.Minute, ReadyTimeout: time.Minute, CallTimeout: time.Minute})
	must(t, err)
	t.Cleanup(func() { host.Stop(context.Background()) })
	must(t, host.Scan(t.Context()))
	box, err := seal.Create(filepath.Join(t.TempDir(), "key"))
	must(t, err)
	j, err := journal.Open(t.TempDir(), box, hclog.NewNullLogger())
	must(t, err)
	t.Cleanup(func() { _ = j.Close() })
	sender := egress.New(egress.Options{Version: "test", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	p.runner = operation.NewRunner(operation.Options{
		Plugins: host, Exchanger: exchange.New(exchange.Options{Sender: sender}), Journal: j, Limiter: endpoint.New(endpoint.Options{}),
		Logger: hclog.NewNullLogger(), WorkTimeout: time.Minute, Halted: halted,
	})
	p.service = service.Service{
		Name: "crm", Provider: "oauth2", ClientID: "client", ClientSecret: "secret", Scopes: []string{"openid"}, Options: map[string]any{"issuer": served.URL},
	}
	return p
}

func (p *process) op(id string) *operation.Op {
	return &operation.Op{ID: id, Service: p.service, Now: time.Now()}
}

// A grant's whole life over a plugin's process: each call reaches the service through the hub.
func TestAGrantLivesThroughAPluginsProcess(t *testing.T) {
	t.Parallel()
	p := newProcess(t, nil)
	prepared, err := p.runner.PrepareService(t.Context(), p.op("")) // hosts are the provider's own, as it has no description yet
	must(t, err)
	p.service.Data, p.service.Description = prepared.Data, prepared.Description

	const back = "https://hub.example/callback/crm"
	verifier := oauth2.GenerateVerifier()
	address, err := p.runner.AuthCodeURL(t.Context(), p.op(""), provider.AuthCodeURLRequest{
		State: "s", RedirectURI: back, Nonce: "n", CodeChallenge: oauth2.S256ChallengeFromVerifier(verifier),
	})
	must(t, err)
	if status, err := p.runner.Look(t.Context(), p.op(""), address.URL); err != nil || status != http.StatusOK {
		t.Errorf("the page answers %d, %v", status, err)
	}
	token, out, err := p.runner.Exchange(t.Context(), p.op("exchange"), provider.ExchangeRequest{
		Code: consent(t, address.URL), RedirectURI: back, CodeVerifier: verifier, Nonce: "n", Data: address.Data,
	})
	must(t, err)
	if !out.Sent || !out.Answered || out.PluginFailed || p.server.TokenState(token.AccessToken) != authserver.Valid {
		t.Errorf("exchanged with %+v", out)
	}
	account, err := p.runner.Identify(t.Context(), p.op(""), *token)
	if err != nil || account.ID != "1" {
		t.Errorf("the account is %+v, %v", account, err)
	}
	next, out, err := p.runner.Obtain(t.Context(), p.op("refresh"), operation.Obtaining{Current: *token})
	must(t, err)
	again := p.op("refresh")
	again.Kept = out.Replies
	same, _, err := p.runner.Obtain(t.Context(), again, operation.Obtaining{Current: *token})
	must(t, err)
	if same.RefreshToken != next.RefreshToken || p.server.TokenRequests("refresh_token") != 1 {
		t.Errorf("run again on its replies it asked %d times", p.server.TokenRequests("refresh_token"))
	}
	must(t, p.runner.Revoke(t.Context(), p.op(""), *next))
	if got := p.server.TokenState(next.AccessToken); got != authserver.Revoked {
		t.Errorf("after it was given back the token is %s", got)
	}
}

// What keeps an operation from being run is told with who has to act, and nothing is sent.
func TestWhatIsNotRunSaysWhy(t *testing.T) {
	t.Parallel()
	var halt error
	p := newProcess(t, func(context.Context) error { return halt })
	run := func(change func(*operation.Op)) *provider.Error {
		op := p.op("op")
		change(op)
		_, _, err := p.runner.Obtain(t.Context(), op, operation.Obtaining{Current: provider.Token{RefreshToken: "r"}})
		cause, ok := errors.AsType[*provider.Error](err)
		if !ok {
			t.Fatalf("%v names no kind", err)
		}
		return cause
	}
	if e := run(func(op *operation.Op) { op.Service.Provider = "gone" }); e.Kind != provider.Blocked || e.Code != "plugin_missing" {
		t.Errorf("no plugin: %v", e)
	}
	if e := run(func(op *operation.Op) { op.Service.HeldHosts = []provider.Host{{Pattern: "new.example"}} }); e.Kind != provider.Blocked || e.Code != operation.CodeHeld {
		t.Errorf("new hosts: %v", e)
	}
	halt = errors.New("a detached copy")
	if e := run(func(*operation.Op) {}); e.Kind != provider.Blocked || e.Code != operation.CodeHalted || !errors.Is(e, halt) {
		t.Errorf("halted: %v", e)
	}
	halt = nil
	spoilt := p.op("op")
	spoilt.Kept = map[int][]byte{0: []byte("{")}
	if _, _, err := p.runner.Obtain(t.Context(), spoilt, operation.Obtaining{Current: provider.Token{RefreshToken: "r"}}); err == nil {
		t.Error("a kept reply that cannot be read was taken")
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := p.runner.Obtain(over, p.op("late"), operation.Obtaining{Current: provider.Token{RefreshToken: "r"}})
	if e, ok := errors.AsType[*provider.Error](err); !ok || e.Kind != provider.Transient {
		t.Errorf("without time: %v", err)
	}
	if n := p.server.TokenRequests("refresh_token"); n != 0 {
		t.Errorf("the service was asked %d times", n)
	}
}

// A page at a host that is not the service's is not looked at.
func TestOnlyTheServicesOwnHostsAreLookedAt(t *testing.T) {
	t.Parallel()
	p := newProcess(t, nil)
	_, err := p.runner.Look(t.Context(), p.op(""), "https://elsewhere.example/authorize")
	if e, ok := errors.AsType[*provider.Error](err); !ok || e.Kind != provider.Transient {
		t.Errorf("%v", err)
	}
}

// consent agrees as anna and returns the code.
func consent(t *testing.T, address string) string {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(address, url.Values{"login": {"anna@example.test"}, "password": {"anna"}})
	must(t, err)
	_ = resp.Body.Close()
	location, err := resp.Location()
	must(t, err)
	return location.Query().Get("code")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
