package incident_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/changes"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/incident"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// watched is a Watch over a store, in a bubble where hours pass in moments.
type watched struct {
	store    *store.Store
	notifier *changes.Notifier
	svc      service.Service
	log      *bytes.Buffer
	news     int
	stop     func()
}

func watch(t *testing.T, s *store.Store) *watched {
	t.Helper()
	w := &watched{store: s, notifier: &changes.Notifier{}, log: &bytes.Buffer{}}
	now := time.Now()
	d := provider.Description{Name: "p", Title: provider.Text{EN: "P"}, AutoRenew: provider.AutoRenewRefreshToken}
	w.svc = service.Service{ID: store.NewID(), Name: "svc", Title: "svc", Provider: "p", Description: &d, CreatedAt: now, UpdatedAt: now}
	must(t, s.Services.CreateService(t.Context(), w.svc))
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		incident.Watch(ctx, s, w.notifier, func() { w.news++ }, hclog.New(&hclog.LoggerOptions{Output: w.log}))
	})
	w.stop = func() { cancel(); watching.Wait() }
	return w
}

// suffering makes a connection that a cause keeps from being renewed.
func (w *watched) suffering(t *testing.T, name, cause string) connection.Connection {
	t.Helper()
	now := time.Now()
	token := provider.Token{AccessToken: "a", RefreshToken: "r", ExpiresIn: new(time.Hour)}
	c := connection.New(now, store.NewID(), name, name, w.svc.ID, connection.PolicyOf(w.svc.Description, provider.GrantAuthorizationCode)).Granted(now, now, token, provider.Account{}, nil)
	must(t, w.store.Grants.CreateConnection(t.Context(), c))
	return w.suffers(t, c, cause)
}

// suffers sets what a connection suffers from, and tells of the change.
func (w *watched) suffers(t *testing.T, c connection.Connection, cause string) connection.Connection {
	t.Helper()
	changed := c
	changed.Cause = cause
	must(t, w.store.Grants.UpdateConnection(t.Context(), changed, c))
	c, err := w.store.Grants.Connection(t.Context(), c.ID)
	must(t, err)
	w.notifier.Publish(c.ID)
	return c
}

// Many connections of one cause are one incident, which is over with the last of them.
func TestOneCauseIsOneIncidentUntilTheLastHasRecovered(t *testing.T) {
	bubble(t, func(t *testing.T, s *store.Store) {
		w := watch(t, s)
		defer w.stop()
		synctest.Wait()
		if w.news != 0 {
			t.Fatalf("%d news of nothing", w.news)
		}
		wrong := connection.Cause{Kind: connection.CauseOutage, Of: "auth.example"}.String()
		first, second := w.suffering(t, "first", wrong), w.suffering(t, "second", wrong)
		pass(3 * time.Second) // the debounce of the look before, then the look
		if w.news != 1 || strings.Count(w.log.String(), "incident opened") != 1 {
			t.Fatalf("%d news:\n%s", w.news, w.log)
		}
		first = w.suffers(t, first, "")
		pass(3 * time.Second)
		if w.news != 1 {
			t.Error("it is over although one suffers on")
		}
		w.suffers(t, second, "")
		pass(3 * time.Second)
		if w.news != 2 || strings.Count(w.log.String(), "incident closed") != 1 || first.ID == "" {
			t.Errorf("%d news:\n%s", w.news, w.log)
		}
	})
}

// A change that nobody told of, such as another replica's, is found within half a minute.
func TestAChangeThatNobodyToldOfIsFound(t *testing.T) {
	bubble(t, func(t *testing.T, s *store.Store) {
		w := watch(t, s)
		defer w.stop()
		pass(2 * time.Second)
		other := *w
		other.notifier = &changes.Notifier{} // nobody listens to it
		other.suffering(t, "quiet", connection.Cause{Kind: connection.CauseOutage, Of: "auth.example"}.String())
		pass(35 * time.Second)
		if w.news != 1 {
			t.Errorf("%d news", w.news)
		}
	})
}

// While the database is away the watch goes on, and says so.
func TestADatabaseThatIsAwayIsTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, s *store.Store) {
		w := watch(t, s)
		pass(time.Second)
		must(t, s.Close())
		pass(40 * time.Second)
		w.stop()
		if w.news != 0 || !strings.Contains(w.log.String(), "retrying") {
			t.Errorf("%d news:\n%s", w.news, w.log)
		}
	})
}

// bubble runs a test on SQLite in virtual time.
func bubble(t *testing.T, test func(*testing.T, *store.Store)) {
	t.Helper()
	file, box := filepath.Join(t.TempDir(), "evergrant.db"), storetest.Box(t)
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + file, Box: box})
		must(t, err)
		defer func() { _ = s.Close() }()
		test(t, s)
	})
}

// pass lets virtual time pass.
func pass(d time.Duration) {
	waittest.Let(d)
	synctest.Wait()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
