package operation_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// slow asks its service and then never comes to a result.
type slow struct{ description provider.Description }

func (s slow) Describe(context.Context) (*provider.Description, error) { return &s.description, nil }

func (s slow) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	out, err := http.NewRequestWithContext(ctx, http.MethodPost, req.Service.Option("server"), nil)
	if err != nil {
		return nil, err
	}
	resp, err := req.HTTP.Do(out)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	<-ctx.Done()
	return nil, ctx.Err()
}

// inProcess is a plugin in this process, over real gRPC.
type inProcess struct{ client *providerplugin.Client }

// Run implements operation.Plugins.
func (p inProcess) Run(ctx context.Context, _ string, do func(context.Context, *providerplugin.Client) error) error {
	return do(ctx, p.client)
}

// Description implements operation.Plugins.
func (inProcess) Description(string) (d provider.Description, sum string, ok bool) {
	return d, "", false
}

// panicking asks its service and then breaks on the answer.
type panicking struct{ slow }

func (panicking) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	out, err := http.NewRequestWithContext(ctx, http.MethodPost, req.Service.Option("server"), nil)
	if err != nil {
		return nil, err
	}
	resp, err := req.HTTP.Do(out)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	panic("this was not foreseen")
}

// A plugin that is too slow, or panics, must not cost the reply, which may hold the only
// live tokens: it is no word of the service.
func TestAReplyThatThePluginFailsOnIsNotTakenForAFailure(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	description := provider.Description{
		Name: "slow", Title: provider.Text{EN: "Slow"}, AutoRenew: provider.AutoRenewRefreshToken, PKCE: provider.PKCENone, API: provider.API{In: "header"},
		Hosts:   []provider.Host{{Pattern: provider.OptionHost("server")}},
		Options: provider.Schema{Options: []provider.Option{{Name: "server", Format: "uri", Title: provider.Text{EN: "Server"}}}},
	}
	for name, p := range map[string]provider.Provider{"is too slow for": slow{description}, "panics on": panicking{slow{description}}} {
		t.Run(name, func(t *testing.T) {
			client, stop, err := providerplugin.InProcess(p)
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			box, err := seal.Create(filepath.Join(t.TempDir(), "key"))
			if err != nil {
				t.Fatal(err)
			}
			j, err := journal.Open(t.TempDir(), box, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = j.Close() }()
			sender := egress.New(egress.Options{Version: "test", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
			runner := operation.NewRunner(operation.Options{
				Plugins: inProcess{client}, Exchanger: exchange.New(exchange.Options{Sender: sender}), Journal: j, Limiter: endpoint.New(endpoint.Options{}),
				Logger: hclog.NewNullLogger(), WorkTimeout: time.Second,
			})
			_, out, err := runner.Obtain(t.Context(), &operation.Op{
				ID: "op", Now: time.Now(), Journaled: true,
				Service: service.Service{Provider: "slow", Description: &description, Options: map[string]any{"server": server.URL}},
			}, operation.Obtaining{Current: provider.Token{RefreshToken: "r"}})
			if err == nil || !out.Sent || !out.Answered || !out.PluginFailed || len(out.Replies) != 1 {
				t.Errorf("sent %t, answered %t, the plugin failed %t, %d replies, %v", out.Sent, out.Answered, out.PluginFailed, len(out.Replies), err)
			}
			if kept, ok := j.Operation("op"); !ok || len(kept.Replies) != 1 {
				t.Error("the reply is not in the journal")
			}
		})
	}
}
