package catalogue_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// revoking is a service that can be told of a grant's end, and does not answer at first.
type revoking struct {
	description *provider.Description
	fails       *bool
	told        *[]string
}

func (r revoking) Describe(context.Context) (*provider.Description, error) { return r.description, nil }

func (r revoking) Revoke(_ context.Context, req *provider.RevokeRequest) error {
	if *r.fails {
		return provider.Errorf(provider.Transient, "", "503")
	}
	*r.told = append(*r.told, req.Current.RefreshToken)
	return nil
}

// inProcess runs operations in this process.
type inProcess struct{ client *providerplugin.Client }

// Run implements operation.Plugins.
func (p inProcess) Run(ctx context.Context, _ string, do func(context.Context, *providerplugin.Client) error) error {
	return do(ctx, p.client)
}

// Description implements operation.Plugins.
func (inProcess) Description(string) (d provider.Description, sum string, ok bool) {
	return d, "", false
}

// A service that cannot be told of a deletion is told later, for a day, and all of it is
// noted.
func TestAServiceThatCouldNotBeToldIsToldLater(t *testing.T) {
	s := storetest.SQLite(t)
	d := &provider.Description{
		Name: "revoking", Title: provider.Text{EN: "Revoking"}, AutoRenew: provider.AutoRenewNone, PKCE: provider.PKCENone,
		Hosts: []provider.Host{{Pattern: "service.example"}}, Grants: []provider.Grant{provider.GrantRevoke},
	}
	fails, told := true, []string{}
	client, stop, err := providerplugin.InProcess(revoking{d, &fails, &told})
	must(t, err)
	t.Cleanup(stop)
	j, err := journal.Open(filepath.Join(storetest.Folder(t), "journal"), storetest.Box(t), hclog.NewNullLogger())
	must(t, err)
	x := exchange.New(exchange.Options{Sender: egress.New(egress.Options{Version: "test"})})
	t.Cleanup(func() { x.Close(); _ = j.Close() })
	runner := operation.NewRunner(operation.Options{Plugins: inProcess{client}, Exchanger: x, Journal: j, Limiter: endpoint.New(endpoint.Options{}), Logger: hclog.NewNullLogger()})
	c := catalogue.New(s, nil, runner, hclog.NewNullLogger())
	var noted []string
	c.OnRevocation(func(_ context.Context, act, name, _ string) { noted = append(noted, act+" "+name) })

	now := time.Now()
	svc := service.Service{ID: store.NewID(), Name: "svc", Title: "svc", Provider: d.Name, Description: d, CreatedAt: now, UpdatedAt: now}
	must(t, s.Services.CreateService(t.Context(), svc))
	for _, name := range []string{"first", "second"} {
		conn := connection.New(now, store.NewID(), name, name, svc.ID, connection.Policy{}).
			Granted(now, now, provider.Token{AccessToken: "a", RefreshToken: "r-" + name}, provider.Account{}, nil)
		must(t, s.Grants.CreateConnection(t.Context(), conn))
		revoked, err := c.Delete(t.Context(), conn.ID, catalogue.RevokeGrant)
		must(t, err)
		if !revoked.Supported || !revoked.Sent || revoked.Err == nil || revoked.Until.Sub(now) < 23*time.Hour {
			t.Errorf("the deletion is told as %+v", revoked)
		}
		if _, err := s.Grants.Connection(t.Context(), conn.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the connection is still there: %v", err)
		}
	}
	// Nothing is due yet; then one is told, and the other's day is over.
	must(t, c.RetryRevocations(t.Context()))
	due, err := s.Grants.DueRevocations(t.Context(), now.Add(time.Hour), 10)
	must(t, err)
	fails = false
	for i, r := range due {
		r.Due = now.Add(-time.Minute)
		if i == 1 {
			r.Until = now
			fails = true
		}
		must(t, s.Grants.PutRevocation(t.Context(), r))
		must(t, c.RetryRevocations(t.Context()))
	}
	want := []string{
		"connection.revoke_failed first", "connection.revoke_failed second", "connection.revoked_late " + due[0].Connection, "connection.revoke_given_up " + due[1].Connection,
	}
	if len(due) != 2 || !slices.Equal(noted, want) || !slices.Equal(told, []string{"r-" + due[0].Connection}) {
		t.Errorf("noted %q, told of %q", noted, told)
	}
	if left, _ := s.Grants.DueRevocations(t.Context(), now.Add(48*time.Hour), 10); len(left) != 0 {
		t.Errorf("%d are left", len(left))
	}
}
