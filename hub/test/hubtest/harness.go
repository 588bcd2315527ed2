package hub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/internal/channel/channeltest"
	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/plugins/demo"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// pluginsDir holds the real plugins, built once.
var pluginsDir string

func TestMain(m *testing.M) {
	if flag.Parse(); testing.Short() {
		fmt.Fprintln(os.Stderr, "left out by -short: these tests start whole hubs with their plugins, which takes minutes")
		return
	}
	dir, err := os.MkdirTemp("", "evergrant-plugins-")
	if err == nil {
		err = buildPlugins(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the plugins:", err)
		os.Exit(1)
	}
	pluginsDir = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func buildPlugins(dir string) error {
	for _, name := range []string{"bitrix24", "taxcomkassa", "google", "oauth2"} {
		if _, err := plugintest.Put(dir, name, "plugins/"+name); err != nil {
			return err
		}
	}
	return nil
}

// logBuffer is a log that tests can read while the hub writes.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// running is a hub beside the emulators.
type running struct {
	hub   *hub.Hub
	dir   string
	log   *logBuffer
	admin *client
	// services are those by which people are told, where a test plays them.
	services *channeltest.Server
}

// startHub starts a hub on a data folder of its own; flags add to its
// configuration.
func startHub(t testing.TB, flags map[string]any) *running {
	t.Helper()
	return startHubIn(t, t.TempDir(), flags)
}

// startHubIn starts a hub on a data folder that is there.
func startHubIn(t testing.TB, dir string, flags map[string]any) *running {
	t.Helper()
	all := map[string]any{"listen": "127.0.0.1:0", "data_dir": dir, "plugins.dir": pluginsDir, "egress.private_networks": "127.0.0.0/8"}
	maps.Copy(all, flags)
	if all["database.url"] != nil && all["key.file"] == nil {
		all["key.file"] = filepath.Join(dir, "made.key")
		if err := hub.CreateKey(filepath.Join(dir, "made.key")); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := hub.LoadConfig("", nil, all)
	if err != nil {
		t.Fatal(err)
	}
	level := hclog.Trace
	if _, benchmark := t.(*testing.B); benchmark {
		level = hclog.Info // what people run
	}
	r := &running{dir: dir, log: &logBuffer{}}
	r.hub, err = hub.Start(t.Context(), cfg, hub.Options{
		Version: "test", Logger: hclog.New(&hclog.LoggerOptions{Name: "hub", Level: level, Output: r.log}),
	})
	if err != nil {
		t.Fatalf("start the hub: %v\n%s", err, r.log)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		r.hub.Stop(ctx)
		if i := strings.Index(r.log.String(), "form answered without a redirect"); i >= 0 {
			t.Errorf("reloading a page would carry out its form again: %s", strings.SplitN(r.log.String()[i:], "\n", 2)[0])
		}
		if t.Failed() {
			t.Logf("the hub's log:\n%s", tail(r.log.String(), 60))
		}
	})
	key, err := r.hub.AdminKey(t.Context(), "test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	r.admin = &client{base: r.hub.URL(), key: key}
	return r
}

// tail is the end of a text.
func tail(s string, lines int) string {
	all := strings.Split(s, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// startWorld starts the emulators; their tokens live ttl.
func startWorld(t testing.TB, ttl time.Duration) *demo.World {
	t.Helper()
	world, err := demo.Start(demo.Config{AccessTTL: ttl})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = world.Close() })
	return world
}

// client calls the hub API.
type client struct {
	base, key string
	// seen collects every reply, for the search for secrets; optional.
	seen *logBuffer
}

// do sends a request and returns status and body.
func (c *client) do(t testing.TB, method, path string, body any) (int, []byte) {
	t.Helper()
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.base+path, payload)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if c.seen != nil {
		_, _ = fmt.Fprintf(c.seen, "%s %s -> %d %v\n%s\n", method, path, resp.StatusCode, resp.Header, data)
	}
	return resp.StatusCode, data
}

// must sends a request that has to succeed and decodes the answer.
func (c *client) must(t testing.TB, method, path string, body, answer any) {
	t.Helper()
	status, data := c.do(t, method, path, body)
	if status >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, status, data)
	}
	if answer == nil {
		return
	}
	if err := json.Unmarshal(data, answer); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, data)
	}
}

// view is what tests read of a connection.
type view struct {
	Status     string `json:"status"`
	Generation int64  `json:"generation"`
	Renewable  bool   `json:"renewable"`
	LastError  *struct {
		Kind, Code, Message string
	} `json:"last_error"`
	Account *struct{ ID, Name string } `json:"account"`
}

// pulled is a token as the API answers it.
type pulled struct {
	AccessToken string         `json:"access_token"`
	ExpiresAt   time.Time      `json:"expires_at"`
	Generation  int64          `json:"generation"`
	Extra       map[string]any `json:"extra"`
	Trouble     *struct{ Kind string }
}

// addService adds an emulated service and a connection "c-<provider>" to it.
func (r *running) addService(t testing.TB, s *demo.Service) (connection string) {
	t.Helper()
	var added struct {
		RedirectURI string `json:"redirect_uri"`
	}
	r.admin.must(t, "POST", "/api/v1/services", map[string]any{
		"name": s.Name, "title": s.Title, "provider": s.Provider, "client_id": s.ClientID, "client_secret": s.ClientSecret,
		"scopes": s.Scopes, "options": s.Options,
	}, &added)
	s.Register(added.RedirectURI)
	connection = "c-" + s.Provider
	r.admin.must(t, "POST", "/api/v1/connections", map[string]any{"service": s.Name, "name": connection, "title": s.Title}, nil)
	return connection
}

// started is an authorization that was begun.
type started struct {
	AuthorizeURL  string `json:"authorize_url"`
	BrowserCookie struct{ Name, Value string }
}

// UnmarshalJSON reads the API's names.
func (s *started) UnmarshalJSON(data []byte) error {
	var w struct {
		AuthorizeURL string `json:"authorize_url"`
		Cookie       struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"browser_cookie"`
	}
	err := json.Unmarshal(data, &w)
	s.AuthorizeURL, s.BrowserCookie.Name, s.BrowserCookie.Value = w.AuthorizeURL, w.Cookie.Name, w.Cookie.Value
	return err
}

// grant plays the person at the service and returns the callback's request; it
// is not sent yet.
func (r *running) grant(t testing.TB, connection string, choices emulator.Choices) *http.Request {
	t.Helper()
	var s started
	r.admin.must(t, "POST", "/api/v1/connections/"+connection+"/authorizations", nil, &s)
	landed, err := emulator.Person{}.Authorize(t.Context(), s.AuthorizeURL, choices)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, landed.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: s.BrowserCookie.Name, Value: s.BrowserCookie.Value})
	return req
}

// send sends a callback and returns its status and page.
func send(t testing.TB, req *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(page)
}

// authorise is grant with the callback sent and accepted.
func (r *running) authorise(t testing.TB, connection string) {
	t.Helper()
	status, page := send(t, r.grant(t, connection, emulator.Choices{}))
	if v := r.view(t, connection); v.Generation == 0 {
		t.Fatalf("the callback answered %d and there is no grant:\n%s", status, page)
	}
}

// view asks for a connection.
func (r *running) view(t testing.TB, connection string) view {
	t.Helper()
	var v view
	r.admin.must(t, "GET", "/api/v1/connections/"+connection, nil, &v)
	return v
}

// key makes an API key for some connections.
func (r *running) key(t testing.TB, connections ...string) *client {
	t.Helper()
	var created struct{ Key string }
	r.admin.must(t, "POST", "/api/v1/api-keys", map[string]any{"title": "process", "connections": connections}, &created)
	return &client{base: r.hub.URL(), key: created.Key}
}

// pull takes the token of a connection.
func (c *client) pull(t testing.TB, connection string) pulled {
	t.Helper()
	var p pulled
	c.must(t, "GET", "/api/v1/connections/"+connection+"/token", nil, &p)
	return p
}

// until waits until the wall clock has passed at: emulators and hub are other
// programs to these tests, so their time cannot be bent.
func until(t testing.TB, at time.Time) {
	t.Helper()
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
		t.Fatal(errors.Join(t.Context().Err()))
	}
}

// eventually asks again and again until check holds.
func eventually(t testing.TB, what string, check func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(30 * time.Second)
	for !check() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("did not happen in 30 s: %s", what)
		}
	}
}

// eventuallyMoving asks as eventually does, for as long as what moves says goes on: it
// fails once that has stayed the same for 30 seconds.
func eventuallyMoving(t testing.TB, what string, moves func() string, check func() bool) {
	t.Helper()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	last, since := "", time.Now()
	for !check() {
		if now := moves(); now != last {
			last, since = now, time.Now()
		}
		if time.Since(since) > 30*time.Second {
			t.Fatalf("did not move for 30 s: %s; last: %.300s", what, last)
		}
		<-ticker.C
	}
}

// contains reports whether a log has a text.
func contains(l *logBuffer, text string) bool { return strings.Contains(l.String(), text) }
