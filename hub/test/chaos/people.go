package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/channel/channeltest"
)

// visitor is a browser without a window: cookies, no redirects.
type visitor struct {
	base string
	http *http.Client
}

func newVisitor(base string) (*visitor, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &visitor{base: base, http: &http.Client{
		Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// ask sends a form, or gets a page if form is nil; it returns the page and where it
// leads.
func (v *visitor) ask(ctx context.Context, path string, form url.Values) (page, location string, err error) {
	method, body := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	address := path
	if strings.HasPrefix(path, "/") {
		address = v.base + path
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return "", "", err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := v.http.Do(req)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s answers %s: %.300s", method, req.URL.Path, resp.Status, data)
	}
	return string(data), resp.Header.Get("Location"), err
}

// administer sets a hub up that is not running yet, through its pages.
func (st *stage) administer(ctx context.Context, dataDir, database, keyFile string, do func(*visitor) error) error {
	flags := map[string]any{"listen": "127.0.0.1:0", "data_dir": dataDir, "plugins.dir": st.plugins(), "key.file": keyFile, "egress.private_networks": "127.0.0.0/8"}
	if database != "" {
		flags["database.url"] = database
	}
	cfg, err := hub.LoadConfig("", nil, flags)
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(dataDir, "administer.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	h, err := hub.Start(ctx, cfg, hub.Options{Logger: hclog.New(&hclog.LoggerOptions{Output: log}), Version: "chaos"})
	if err != nil {
		return err
	}
	defer h.Stop(context.WithoutCancel(ctx))
	link, err := h.SetupLink(ctx)
	if err != nil {
		return err
	}
	v, err := newVisitor(h.URL())
	if err != nil {
		return err
	}
	_, token, _ := strings.Cut(link, "link=")
	const password = "correct horse battery"
	if _, _, err := v.ask(ctx, "/setup", url.Values{"link": {token}, "login": {"owner"}, "password": {password}, "repeat": {password}}); err != nil {
		return err
	}
	return do(v)
}

// addChannel adds a channel to the played services and returns its id.
func (v *visitor) addChannel(ctx context.Context, services *channeltest.Server, kind channel.Kind) (id string, err error) {
	form := url.Values{"title": {string(kind)}}
	for name, value := range services.Settings(kind) {
		form.Set("settings."+name, value)
	}
	page, location, err := v.ask(ctx, "/escalation/channels/new/"+string(kind), form)
	id, ok := strings.CutPrefix(location, "/escalation/channels/")
	if err == nil && !ok {
		err = fmt.Errorf("the channel %s was not added: %.300s", kind, page)
	}
	return id, err
}

var contactRE = regexp.MustCompile(`/escalation/contacts/([0-9a-f-]{36})">([^<]*)<`)

// addContact adds a contact with addresses by channel, and returns its id.
func (v *visitor) addContact(ctx context.Context, title string, addresses map[string]string) (id string, err error) {
	form := url.Values{"title": {title}, "lang": {"en"}, "zone": {"Europe/Moscow"}}
	for channelID, to := range addresses {
		form.Set("address."+channelID, to)
	}
	if _, _, err := v.ask(ctx, "/escalation/contacts/new", form); err != nil {
		return "", err
	}
	page, _, err := v.ask(ctx, "/escalation", nil)
	for _, m := range contactRE.FindAllStringSubmatch(page, -1) {
		if m[2] == title {
			return m[1], err
		}
	}
	return "", fmt.Errorf("the contact %s was not added: %w", title, err)
}
