package hubtest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// Wave is a data folder in which everything is due.
type Wave struct {
	Server *authserver.Server
	URL    string
	Flags  map[string]any
	Dir    string
	size   int
	done   chan struct{}
	Rotate *atomic.Int64
	// inFlight are token requests at the server now, most the most there were.
	inFlight, Most atomic.Int64
	// Copied is how long a reply was in one journal only, on average, in milliseconds.
	Copied float64
}

// ServeHTTP counts what is in flight at the server.
func (w *Wave) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	now := w.inFlight.Add(1)
	defer w.inFlight.Add(-1)
	for most := w.Most.Load(); now > most && !w.Most.CompareAndSwap(most, now); most = w.Most.Load() {
	}
	w.Server.ServeHTTP(rw, r)
}

// PrepareWave fills a database with connections that are all due.
func PrepareWave(b testing.TB, database string, size int) *Wave {
	w := &Wave{Flags: map[string]any{}, Dir: b.TempDir(), size: size, done: make(chan struct{}), Rotate: &atomic.Int64{}}
	w.Server = authserver.New(authserver.Config{OnRotated: func() {
		if w.Rotate.Add(1) == int64(size) {
			close(w.done)
		}
	}})
	front := httptest.NewServer(w)
	b.Cleanup(front.Close)
	b.Cleanup(func() { _ = w.Server.Close() })
	w.URL = front.URL
	if database == "postgres" {
		w.Flags["database.url"] = storetest.Postgres(b)
	}
	r := StartHubIn(b, w.Dir, w.Flags)
	r.Admin.Must(b, "POST", "/api/v1/services", map[string]any{
		"name": "wave", "title": "Wave", "provider": "oauth2", "client_id": "client", "client_secret": "secret",
		"scopes": []string{"offline_access"}, "options": map[string]any{"issuer": w.URL},
	}, nil)
	r.Hub.Stop(context.Background())
	w.fill(b)
	return w
}

// fill stores the connections, all of which were due a second ago.
func (w *Wave) fill(b testing.TB) {
	s := w.open(b)
	defer func() { _ = s.Close() }()
	svc, err := s.Services.ServiceByName(b.Context(), "wave")
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	connections := make([]connection.Connection, 0, w.size)
	for n := range w.size {
		granted := w.Server.Grant(authserver.DefaultAccounts()[0], "offline_access")
		c := connection.New(now, store.NewID(), fmt.Sprintf("wave-%05d", n), "Wave", svc.ID, connection.PolicyOf(svc.Description, provider.GrantAuthorizationCode))
		c = c.Granted(now, now, provider.Token{AccessToken: granted.Access, RefreshToken: granted.Refresh, ExpiresIn: new(time.Hour)}, provider.Account{}, nil)
		c.Due = now.Add(-time.Second)
		connections = append(connections, c)
	}
	if err := s.Grants.CreateConnections(b.Context(), connections); err != nil {
		b.Fatal(err)
	}
}

// Run starts the hub on what is due and returns when every renewal is saved:
// a stop waits for that.
func (w *Wave) Run(b *testing.B) time.Duration {
	began := time.Now()
	r := StartHubIn(b, w.Dir, w.Flags)
	select {
	case <-w.done:
	case <-time.After(5 * time.Minute):
		b.Fatalf("%d of %d were renewed in 5 minutes", w.Rotate.Load(), w.size)
	}
	text := r.Scrape(b)
	if n, _ := strconv.ParseFloat(Sample(text, "evergrant_reply_copy_seconds_count"), 64); n > 0 {
		sum, _ := strconv.ParseFloat(Sample(text, "evergrant_reply_copy_seconds_sum"), 64)
		w.Copied = 1000 * sum / n
	}
	r.Hub.Stop(context.Background())
	took := time.Since(began)
	s := w.open(b)
	defer func() { _ = s.Close() }()
	connections, err := s.Grants.Connections(b.Context(), grantdb.Filter{})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range connections {
		if c.Generation != 2 {
			b.Fatalf("%s has generation %d after the wave", c.Name, c.Generation)
		}
	}
	return took
}

// open opens the hub's database beside a hub that is stopped.
func (w *Wave) open(b testing.TB) *store.Store {
	keyFile := filepath.Join(w.Dir, "evergrant.key")
	if w.Flags["database.url"] != nil {
		keyFile = filepath.Join(w.Dir, "made.key")
	}
	w.Flags["key.file"] = keyFile
	box, err := seal.Open(keyFile)
	if err != nil {
		b.Fatal(err)
	}
	address, _ := w.Flags["database.url"].(string)
	s, err := store.Open(b.Context(), store.Options{URL: address, DataDir: w.Dir, Box: box})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// Bare is how many renewals a second the server answers to plain HTTP requests.
func (w *Wave) Bare(b *testing.B, requests int) float64 {
	const callers = 64
	transport := &http.Transport{MaxIdleConnsPerHost: callers}
	defer transport.CloseIdleConnections()
	tokens := make(chan string, requests)
	for range requests {
		tokens <- w.Server.Grant(authserver.DefaultAccounts()[0]).Refresh
	}
	close(tokens)
	w.Rotate.Store(-1 << 40)
	began := time.Now()
	var callersDone sync.WaitGroup
	for range callers {
		callersDone.Go(func() {
			for refresh := range tokens {
				form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {"client"}, "client_secret": {"secret"}}
				req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, w.URL+"/token", strings.NewReader(form.Encode()))
				if err != nil {
					b.Error(err)
					return
				}
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				resp, err := transport.RoundTrip(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	callersDone.Wait()
	return float64(requests) / time.Since(began).Seconds()
}
