package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/connection/connectiontest"
	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/identity"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/scheduler"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

const day = 24 * time.Hour

// slowdown is what the race detector costs.
var slowdown = 1.0

// lived is how much of a year is run on the whole hub. The rules alone run all of
// it (package connection); here a renewal costs some 3 ms, so services that renew
// every few minutes get less, unless EVERGRANT_TEST_YEAR is "full".
func lived(y connectiontest.Year) time.Duration {
	if os.Getenv("EVERGRANT_TEST_YEAR") == "full" {
		return 365 * day
	}
	budget := 800 / slowdown // renewals
	if testing.Short() {
		budget /= 8
	}
	perDay := float64(y.Most)/365 + float64(day/y.Every)/8
	return min(365*day, time.Duration(budget/perDay)*day+day)
}

// virtual is the provider of a service that lives in virtual time.
type virtual struct{ *connectiontest.Service }

// Describe implements provider.Provider.
func (v virtual) Describe(context.Context) (*provider.Description, error) { return &v.Description, nil }

// Refresh implements provider.Refresher.
func (v virtual) Refresh(_ context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	waittest.Let(300 * time.Millisecond) // a service is not at once
	reply, failure := v.Service.Refresh(time.Now(), req.Current)
	if failure != nil {
		return nil, failure
	}
	return reply, nil
}

// inProcess serves providers over gRPC in this process, as operation.Plugins.
type inProcess struct{ client *providerplugin.Client }

// Run implements operation.Plugins.
func (p inProcess) Run(ctx context.Context, _ string, do func(context.Context, *providerplugin.Client) error) error {
	return do(ctx, p.client)
}

// Description implements operation.Plugins: services bring their own.
func (inProcess) Description(string) (d provider.Description, sum string, ok bool) {
	return d, "", false
}

// TestAYearOfEachProvider runs one connection of each provider with the real store,
// journal, token source and scheduler. The time is a bubble's.
func TestAYearOfEachProvider(t *testing.T) {
	for name, year := range connectiontest.Years() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := startYear(t, year.Service)
				long := lived(year)
				persons := h.live(t, year, long)
				t.Logf("%d days, %+v, %d pulls, a person %d times", long/day, year.Service.Tally(), h.pulls, persons)
				year.Check(t, long, persons)
			})
		})
	}
}

// hubOfAYear is the part of the hub that keeps grants alive.
type hubOfAYear struct {
	store   *store.Store
	source  *tokensource.Source
	options scheduler.Options
	ids     []string // of the connections
	pulls   int
}

// newHubOfAYear makes connections of a service with the same grant.
func newHubOfAYear(t *testing.T, s *connectiontest.Service, connections int) *hubOfAYear {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	box := storetest.Box(t)
	h := &hubOfAYear{store: storetest.OpenWith(t, store.Options{DataDir: storetest.Folder(t), Box: box})}
	client, stop, err := providerplugin.InProcess(virtual{s})
	must(err)
	t.Cleanup(stop)
	j, err := journal.Open(filepath.Join(storetest.Folder(t), "journal"), box, nil)
	must(err)
	t.Cleanup(func() { _ = j.Close() })
	log := hclog.NewNullLogger()
	sender := egress.New(egress.Options{Version: "test", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	t.Cleanup(sender.Close)
	limiter := endpoint.New(endpoint.Options{})
	x := exchange.New(exchange.Options{Sender: sender})
	who, err := identity.Enter(t.Context(), identity.Options{Store: h.store, Journal: j})
	must(err)
	h.source = tokensource.New(tokensource.Options{
		Store: h.store, Journal: j, Identity: who, Limiter: limiter, Logger: log, Exchanger: x,
		Runner: operation.NewRunner(operation.Options{Plugins: inProcess{client}, Exchanger: x, Journal: j, Limiter: limiter, Logger: log}),
	})
	t.Cleanup(func() { h.source.Close(context.Background()) })
	h.options = scheduler.Options{Limiter: limiter, Store: h.store, Source: h.source, Logger: log, LongestSleep: day}
	now := time.Now()
	svc := service.Service{ID: store.NewID(), Name: "svc", Title: "svc", Provider: s.Description.Name, Description: &s.Description, CreatedAt: now, UpdatedAt: now}
	must(h.store.Services.CreateService(t.Context(), svc))
	grant := s.Grant(now)
	for n := range connections {
		c := connection.New(now, store.NewID(), fmt.Sprint("conn-", n), "conn", svc.ID, connection.PolicyOf(&s.Description, provider.GrantAuthorizationCode)).
			Granted(now, now, grant, provider.Account{}, nil)
		must(h.store.Grants.CreateConnection(t.Context(), c))
		h.ids = append(h.ids, c.ID)
	}
	return h
}

func startYear(t *testing.T, s *connectiontest.Service) *hubOfAYear {
	t.Helper()
	h := newHubOfAYear(t, s, 1)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		scheduler.New(h.options).Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return h
}

// live lets a year pass, or a part of it: it pulls as the year says, holds every
// token against the service, and plays the person. It returns how often that was
// needed.
func (h *hubOfAYear) live(t *testing.T, y connectiontest.Year, long time.Duration) (persons int) {
	t.Helper()
	begin := time.Now()
	for next := begin.Add(y.Every); next.Sub(begin) < long; next = next.Add(y.Every) {
		if !y.Pulls(next.Sub(begin)) {
			continue
		}
		c := h.connection(t, h.ids[0])
		if by, _ := c.PersonBy(); !by.IsZero() && !by.After(next) {
			h.person(t, y.Service, by)
			persons++
		}
		waittest.Let(time.Until(next))
		h.pull(t, y.Service)
	}
	waittest.Let(time.Until(begin.Add(long)))
	return persons
}

func (h *hubOfAYear) connection(t *testing.T, id string) connection.Connection {
	t.Helper()
	c, err := h.store.Grants.Connection(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pull gets a token as a process does, and tries it on the service.
func (h *hubOfAYear) pull(t *testing.T, s *connectiontest.Service) {
	t.Helper()
	h.pulls++
	pulled, err := h.source.Token(t.Context(), "conn-0", time.Minute, tokensource.UsualWait)
	for range 20 { // a fault passes; a process does as it is told and asks again
		refused, ok := errors.AsType[*tokensource.RefusedError](err)
		if !ok || refused.Kind != provider.Transient {
			break
		}
		waittest.Let(refused.RetryAfter)
		pulled, err = h.source.Token(t.Context(), "conn-0", time.Minute, tokensource.UsualWait)
	}
	if err != nil {
		t.Fatalf("no token on day %d: %v", h.pulls, err)
	}
	if !s.Accepts(time.Now(), pulled.Connection.Tokens.AccessToken) {
		t.Fatalf("a token was served that the service does not take any more, pull %d", h.pulls)
	}
}

// person checks that nobody is needed before the declared time and somebody is
// after it, and authorizes again.
func (h *hubOfAYear) person(t *testing.T, s *connectiontest.Service, by time.Time) {
	t.Helper()
	waittest.Let(time.Until(by.Add(-time.Minute)))
	h.pull(t, s)
	if c := h.connection(t, h.ids[0]); c.StatusAt(time.Now()) != connection.StatusExpires {
		t.Fatalf("a minute before the declared end the status is %s", c.StatusAt(time.Now()))
	}
	waittest.Let(2 * time.Minute)
	c := h.connection(t, h.ids[0])
	if c.StatusAt(time.Now()) != connection.StatusNeedsAuthorization {
		t.Fatalf("a minute after the declared end the status is %s", c.StatusAt(time.Now()))
	}
	_, err := h.source.Token(t.Context(), "conn-0", time.Minute, tokensource.UsualWait)
	if refused, ok := errors.AsType[*tokensource.RefusedError](err); !ok || refused.Kind != provider.ReauthorizationRequired {
		t.Fatalf("a process is told %v", err)
	}
	now := time.Now()
	if err := h.store.Grants.UpdateConnection(t.Context(), c.Granted(now, now, s.Grant(time.Now()), provider.Account{}, nil), c); err != nil {
		t.Fatal(fmt.Errorf("authorize again: %w", err))
	}
}
