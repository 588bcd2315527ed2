package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/test/chaos/authority"
	"github.com/evergrant/evergrant/sdk/provider"
)

// wanted is a service with its connections.
type wanted struct {
	service     map[string]any
	connections []string
	// consent plays the person: it opens an address and returns where the service
	// sends the browser.
	consent func(ctx context.Context, authorizeURL string) (string, error)
}

// chaosService is a service of a rotation kind at the authority.
func chaosService(a string, kind provider.RotationKind, connections ...string) wanted {
	name := "chaos-" + slug(string(kind))
	return wanted{
		connections: connections, consent: redirected,
		service: map[string]any{
			"name": name, "title": name, "provider": name, "client_id": authority.ClientID, "client_secret": authority.ClientSecret,
			"options": map[string]any{"server": a},
		},
	}
}

// prepare makes grants by a hub inside this process, which is stopped again, and
// returns a client with a key that is good at every hub on the same database.
// The key that seals secrets is at keyFile afterwards.
func (st *stage) prepare(ctx context.Context, dataDir, database, keyFile string, services ...wanted) (client, error) {
	return st.prepareAt(ctx, "127.0.0.1:0", dataDir, database, keyFile, services...)
}

// prepareAt is prepare with the address that the hub listens on.
func (st *stage) prepareAt(ctx context.Context, listen, dataDir, database, keyFile string, services ...wanted) (client, error) {
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return client{}, err
	}
	if err := hub.CreateKey(keyFile); err != nil {
		return client{}, err
	}
	flags := map[string]any{"listen": listen, "data_dir": dataDir, "plugins.dir": st.plugins(), "key.file": keyFile, "egress.private_networks": "127.0.0.0/8"}
	if database != "" {
		flags["database.url"] = database
	}
	cfg, err := hub.LoadConfig("", nil, flags)
	if err != nil {
		return client{}, err
	}
	log, err := os.Create(filepath.Join(dataDir, "prepare.log"))
	if err != nil {
		return client{}, err
	}
	defer log.Close()
	h, err := hub.Start(ctx, cfg, hub.Options{Logger: hclog.New(&hclog.LoggerOptions{Output: log}), Version: "chaos"})
	if err != nil {
		return client{}, err
	}
	defer h.Stop(context.WithoutCancel(ctx))
	key, err := h.AdminKey(ctx, "chaos", 24*time.Hour)
	if err != nil {
		return client{}, err
	}
	c := client{key: key}
	for _, w := range services {
		if err := c.grant(ctx, h.URL(), w); err != nil {
			return c, err
		}
	}
	return c, nil
}

// grant adds a service and authorizes its connections, several at a time.
func (c client) grant(ctx context.Context, hubURL string, w wanted) error {
	if err := c.do(ctx, http.MethodPost, hubURL+"/api/v1/services", w.service, nil); err != nil {
		return fmt.Errorf("add the service %v: %w", w.service["name"], err)
	}
	names := make(chan string)
	var mu sync.Mutex
	var failed error
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for name := range names {
				if err := c.authorize(ctx, hubURL, w, name); err != nil {
					mu.Lock()
					failed = errors.Join(failed, fmt.Errorf("authorize %s: %w", name, err))
					mu.Unlock()
				}
			}
		})
	}
	for _, name := range w.connections {
		names <- name
	}
	close(names)
	work.Wait()
	return failed
}

func (c client) authorize(ctx context.Context, hubURL string, w wanted, name string) error {
	err := c.do(ctx, http.MethodPost, hubURL+"/api/v1/connections", map[string]any{"service": w.service["name"], "name": name, "title": name}, nil)
	if err != nil {
		return err
	}
	if _, err := c.consent(ctx, hubURL, w.consent, name); err != nil {
		return err
	}
	v, err := c.view(ctx, hubURL, name)
	if err == nil && v.Generation != 1 {
		err = fmt.Errorf("after the callback the connection is %s", v)
	}
	return err
}

// consent plays the authorization of a connection that is there, and returns the
// code that it was given with.
func (c client) consent(ctx context.Context, hubURL string, person func(context.Context, string) (string, error), name string) (code string, err error) {
	back, err := c.agree(ctx, hubURL, person, name)
	if err != nil {
		return "", err
	}
	_, _, err = back.arrive(ctx, hubURL)
	return back.callback.Query().Get("code"), err
}

// wayBack is a browser that the service has sent back to the hub.
type wayBack struct {
	callback *url.URL
	cookie   http.Cookie
}

// agree starts an authorization and has the person agree.
func (c client) agree(ctx context.Context, hubURL string, person func(context.Context, string) (string, error), name string) (back wayBack, err error) {
	var started struct {
		AuthorizeURL  string `json:"authorize_url"`
		BrowserCookie struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"browser_cookie"`
	}
	if err := c.do(ctx, http.MethodPost, hubURL+"/api/v1/connections/"+name+"/authorizations", nil, &started); err != nil {
		return back, err
	}
	landed, err := person(ctx, started.AuthorizeURL)
	if err != nil {
		return back, err
	}
	back.cookie = http.Cookie{Name: started.BrowserCookie.Name, Value: started.BrowserCookie.Value} //nolint:gosec // a request's cookie has no attributes
	back.callback, err = url.Parse(landed)
	return back, err
}

// arrive sends the callback to a hub: the service knows the address at which the grants
// were made first.
func (b wayBack) arrive(ctx context.Context, hubURL string) (status int, page string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, hubURL+b.callback.RequestURI(), nil)
	if err != nil {
		return 0, "", err
	}
	req.AddCookie(&b.cookie)
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data), err
}

// redirected opens an address that sends the browser on at once.
func redirected(ctx context.Context, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	if resp.Header.Get("Location") == "" {
		return "", fmt.Errorf("the authorization server answered %s", resp.Status)
	}
	return resp.Header.Get("Location"), nil
}

// slug makes a name of a word of the contract.
func slug(word string) string { return strings.ReplaceAll(word, "_", "-") }

func (st *stage) plugins() string { return filepath.Join(st.bin, "plugins") }
func (st *stage) hub() string     { return filepath.Join(st.bin, "evergrant") }
