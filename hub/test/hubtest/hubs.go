package hubtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/plugins/demo"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// Confirmed has the service confirm a token that was just pulled, and returns it. Where
// lives are short a renewal may come in between and end it; then the next one counts.
func Confirmed(t *testing.T, s *demo.Service, process *Client, connection string, p Pulled) Pulled {
	t.Helper()
	for err := s.Confirm(t.Context(), p.AccessToken); err != nil; err = s.Confirm(t.Context(), p.AccessToken) {
		next := process.Pull(t, connection)
		if next.Generation == p.Generation {
			t.Fatalf("generation %d: %v", p.Generation, err)
		}
		p = next
	}
	return p
}

// Scrape reads /metrics with a key that may read nothing else.
func (r *Running) Scrape(t testing.TB) string {
	t.Helper()
	key := r.KeyOf(t, map[string]any{"title": "prometheus", "scopes": []string{"metrics:read"}})
	status, body := key.Do(t, "GET", "/metrics", nil)
	if status != http.StatusOK {
		t.Fatalf("/metrics: %d %s", status, body)
	}
	return string(body)
}

// Sample finds the value of a metric by its name and labels as they are written.
func Sample(text, series string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// Answer is the head of a reply to a pull.
type Answer struct {
	Status int
	Etag   string
}

// Ask is a pull with a header and a wait.
func (c *Client) Ask(ctx context.Context, connection, query, etag string) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Base+"/api/v1/connections/"+connection+"/token?"+query, nil)
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.Key)
	req.Header.Set("If-None-Match", etag)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return Answer{}, err
	}
	return Answer{resp.StatusCode, resp.Header.Get("ETag")}, resp.Body.Close()
}

// Made is what the API says of a new key.
type Made struct {
	ID, Key   string
	Addresses []string
	Replaces  string
}

// KeyOf makes a key by the API.
func (r *Running) KeyOf(t testing.TB, body map[string]any) *Client {
	t.Helper()
	var k Made
	r.Admin.Must(t, "POST", "/api/v1/api-keys", body, &k)
	return r.With(k.Key)
}

// With is a client with another key.
func (r *Running) With(key string) *Client {
	c := *r.Admin
	c.Key = key
	return &c
}

// Many adds n connections without a grant to a service.
func (r *Running) Many(t testing.TB, service string, n int) {
	t.Helper()
	for i := range n {
		r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": service, "name": fmt.Sprintf("branch-%03d", i), "title": fmt.Sprintf("Branch %d", i)}, nil)
	}
}

// Incident is what tests read of an incident.
type Incident struct {
	ID, Kind, Of, Who, Code string
	Affected                int
	Connections             []string
	ClosedAt                *time.Time `json:"closed_at"`
}

// Incidents are those of a state.
func (r *Running) Incidents(t *testing.T, state string) []Incident {
	t.Helper()
	var list struct {
		Incidents []Incident `json:"items"`
	}
	r.Admin.Must(t, "GET", "/api/v1/incidents?state="+state, nil, &list)
	return list.Incidents
}

// ServiceOf is the name of a connection's service.
func (r *Running) ServiceOf(t testing.TB, connection string) string {
	t.Helper()
	var c struct{ Service string }
	r.Admin.Must(t, "GET", "/api/v1/connections/"+connection, nil, &c)
	return c.Service
}

// Behind opens the database of a hub, which is stopped for it.
func (r *Running) Behind(t *testing.T, do func(*store.Store)) {
	t.Helper()
	r.Hub.Stop(context.Background())
	box, err := seal.Open(filepath.Join(r.Dir, "evergrant.key"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{DataDir: r.Dir, Box: box})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	do(s)
}

// RestoreState is what tests read of a restore.
type RestoreState struct {
	Noticed *struct {
		Cause     string
		Forwarded int
		Replicas  []struct{ Name string }
	}
	Held   bool
	Behind int
}

// Restore is how far the comparison after a restore is.
func (r *Running) Restore(t *testing.T) (s RestoreState) {
	t.Helper()
	r.Admin.Must(t, "GET", "/api/v1/data/restore", nil, &s)
	return s
}

// Again starts a hub on the folder and at the address of one that was stopped: services
// know it.
func (r *Running) Again(t *testing.T) *Running {
	t.Helper()
	return StartHubIn(t, r.Dir, map[string]any{"listen": r.Hub.Addr().String(), "public_url": r.Hub.URL()})
}

// ExecIn changes the database of a hub that is stopped.
func ExecIn(t *testing.T, dir, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "evergrant.db"))
	if err == nil {
		_, err = db.ExecContext(t.Context(), statement)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// InstalledPlugin is a plugin as the API shows it.
type InstalledPlugin struct {
	Name, State, Version, Package, Refused string

	LastError string   `json:"last_error"`
	LastWords []string `json:"last_words"`
	Packages  []struct {
		Sum                                  string `json:"sha256"`
		Version, State, Problem, Conformance string
	}
}

// Installed is a plugin of the hub; zero if there is none of the name.
func (r *Running) Installed(t testing.TB, name string) InstalledPlugin {
	t.Helper()
	var plugins struct{ Items []InstalledPlugin }
	r.Admin.Must(t, "GET", "/api/v1/plugins", nil, &plugins)
	for _, p := range plugins.Items {
		if p.Name == name {
			return p
		}
	}
	return InstalledPlugin{}
}

// BusyHub is a hub that has done everything that has a metric.
func BusyHub(t *testing.T, flags map[string]any) *Running {
	t.Helper()
	world := StartWorld(t, 4*time.Second)
	r := StartHub(t, flags)
	connection := r.AddService(t, world.Service("oauth2"))
	r.Authorize(t, connection)
	process := r.Key(t, connection)
	first := process.Pull(t, connection)
	Eventually(t, "the token is renewed", func() bool { return process.Pull(t, connection).Generation > first.Generation })
	Send(t, r.Grant(t, connection, emulator.Choices{Deny: true}))
	return r
}
