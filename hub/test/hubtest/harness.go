// Package hubtest is what tests of whole hubs share: it starts a hub beside emulated services
// (harness.go), and plays the processes that call it, the people at its pages, with a browser
// (browser.go, pages.go) or without (people.go), their devices, and the services that hubs
// sign in and tell people by.
package hubtest

import (
	"bytes"
	"context"
	"encoding/json"
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
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/plugins/demo"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// PluginsDir holds the real plugins, built once.
var PluginsDir string

// Main runs the tests of a package that start whole hubs, with the real plugins built before.
func Main(m *testing.M) {
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
	PluginsDir = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func buildPlugins(dir string) error {
	for _, name := range []string{"bitrix24", "taxcomkassa", "google", "oauth2", "logins", "statickeys"} {
		if _, err := plugintest.Put(dir, name, "plugins/"+name); err != nil {
			return err
		}
	}
	return nil
}

// LogBuffer is a log that tests can read while the hub writes.
type LogBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *LogBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *LogBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Running is a hub beside the emulators.
type Running struct {
	Hub   *hub.Hub
	Dir   string
	Log   *LogBuffer
	Admin *Client
	// Services are those by which people are told, where a test plays them.
	Services *channeltest.Server
}

// StartHub starts a hub on a data folder of its own; flags add to its
// configuration.
func StartHub(t testing.TB, flags map[string]any) *Running {
	t.Helper()
	return StartHubIn(t, storetest.Folder(t), flags)
}

// StartHubIn starts a hub on a data folder that is there.
func StartHubIn(t testing.TB, dir string, flags map[string]any) *Running {
	t.Helper()
	all := map[string]any{"listen": "127.0.0.1:0", "data_dir": dir, "plugins.dir": PluginsDir, "plugins.connect_timeout": "1m", "egress.private_networks": "127.0.0.0/8"}
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
	r := &Running{Dir: dir, Log: &LogBuffer{}}
	r.Hub, err = hub.Start(t.Context(), cfg, hub.Options{
		Version: "test", Logger: hclog.New(&hclog.LoggerOptions{Name: "hub", Level: level, Output: r.Log}),
	})
	if err != nil {
		t.Fatalf("start the hub: %v\n%s", err, r.Log)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		r.Hub.Stop(ctx)
		if i := strings.Index(r.Log.String(), "form answered without a redirect"); i >= 0 {
			t.Errorf("reloading a page would carry out its form again: %s", strings.SplitN(r.Log.String()[i:], "\n", 2)[0])
		}
		if t.Failed() {
			t.Logf("the hub's log:\n%s", Tail(r.Log.String(), 60))
		}
	})
	key, err := r.Hub.AdminKey(t.Context(), "test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	r.Admin = &Client{Base: r.Hub.URL(), Key: key}
	return r
}

// Tail is the end of a text.
func Tail(s string, lines int) string {
	all := strings.Split(s, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// StartWorld starts the emulators; their tokens live ttl.
func StartWorld(t testing.TB, ttl time.Duration) *demo.World {
	t.Helper()
	world, err := demo.Start(demo.Config{AccessTTL: ttl})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = world.Close() })
	return world
}

// Client calls the hub API.
type Client struct {
	Base, Key string
	// Seen collects every reply, for the search for secrets; optional.
	Seen *LogBuffer
}

// Do sends a request and returns status and body.
func (c *Client) Do(t testing.TB, method, path string, body any) (int, []byte) {
	t.Helper()
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.Base+path, payload)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.Key)
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
	if c.Seen != nil {
		_, _ = fmt.Fprintf(c.Seen, "%s %s -> %d %v\n%s\n", method, path, resp.StatusCode, resp.Header, data)
	}
	return resp.StatusCode, data
}

// Must sends a request that has to succeed and decodes the answer.
func (c *Client) Must(t testing.TB, method, path string, body, answer any) {
	t.Helper()
	status, data := c.Do(t, method, path, body)
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

// View is what tests read of a connection.
type View struct {
	Status     string `json:"status"`
	Generation int64  `json:"generation"`
	Renewable  bool   `json:"renewable"`
	LastError  *struct {
		Kind, Code, Message string
	} `json:"last_error"`
	Account *struct{ ID, Name string } `json:"account"`
}

// Pulled is a token as the API answers it.
type Pulled struct {
	AccessToken string         `json:"access_token"`
	ExpiresAt   time.Time      `json:"expires_at"`
	Generation  int64          `json:"generation"`
	Extra       map[string]any `json:"extra"`
	Trouble     *struct{ Kind string }
}

// AddService adds an emulated service and a connection "c-<provider>" to it.
func (r *Running) AddService(t testing.TB, s *demo.Service) (connection string) {
	t.Helper()
	var added struct {
		RedirectURI string `json:"redirect_uri"`
	}
	r.Admin.Must(t, "POST", "/api/v1/services", map[string]any{
		"name": s.Name, "title": s.Title, "provider": s.Provider, "client_id": s.ClientID, "client_secret": s.ClientSecret,
		"scopes": s.Scopes, "options": s.Options,
	}, &added)
	s.Register(added.RedirectURI)
	connection = "c-" + s.Provider
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": s.Name, "name": connection, "title": s.Title}, nil)
	return connection
}

// Started is an authorization that was begun.
type Started struct {
	AuthorizeURL  string `json:"authorize_url"`
	BrowserCookie struct{ Name, Value string }
}

// UnmarshalJSON reads the API's names.
func (s *Started) UnmarshalJSON(data []byte) error {
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

// Grant plays the person at the service and returns the callback's request; it
// is not sent yet.
func (r *Running) Grant(t testing.TB, connection string, choices emulator.Choices) *http.Request {
	t.Helper()
	var s Started
	r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/authorizations", nil, &s)
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

// Send sends a callback and returns its status and page.
func Send(t testing.TB, req *http.Request) (int, string) {
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

// Authorize is grant with the callback sent and accepted.
func (r *Running) Authorize(t testing.TB, connection string) {
	t.Helper()
	status, page := Send(t, r.Grant(t, connection, emulator.Choices{}))
	if v := r.View(t, connection); v.Generation == 0 {
		t.Fatalf("the callback answered %d and there is no grant:\n%s", status, page)
	}
}

// View asks for a connection.
func (r *Running) View(t testing.TB, connection string) View {
	t.Helper()
	var v View
	r.Admin.Must(t, "GET", "/api/v1/connections/"+connection, nil, &v)
	return v
}

// Key makes an API key for some connections.
func (r *Running) Key(t testing.TB, connections ...string) *Client {
	t.Helper()
	var created struct{ Key string }
	r.Admin.Must(t, "POST", "/api/v1/api-keys", map[string]any{"title": "process", "connections": connections}, &created)
	return &Client{Base: r.Hub.URL(), Key: created.Key}
}

// Pull takes the token of a connection.
func (c *Client) Pull(t testing.TB, connection string) Pulled {
	t.Helper()
	var p Pulled
	c.Must(t, "GET", "/api/v1/connections/"+connection+"/token", nil, &p)
	return p
}

// Until waits until the wall clock has passed at: emulators and hub are other
// programs to these tests, so their time cannot be bent.
func Until(t testing.TB, at time.Time) {
	t.Helper()
	waittest.Past(t, at)
}

// Eventually asks again and again until check holds.
func Eventually(t testing.TB, what string, check func() bool) {
	t.Helper()
	waittest.Until(t, what, check)
}

// EventuallyMoving asks as eventually does, for as long as what moves says goes on: it
// fails once that has stayed the same for 30 seconds.
func EventuallyMoving(t testing.TB, what string, moves func() string, check func() bool) {
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

// Contains reports whether a log has a text.
func Contains(l *LogBuffer, text string) bool { return strings.Contains(l.String(), text) }
