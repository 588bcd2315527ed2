package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/plugins/demo"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// play is the main job of one provider, each step checked.
type play struct {
	hub     *hub.Hub
	service *demo.Service
	admin   *hubClient
	process *hubClient
	name    string // of the connection

	checks      int
	generations []string
	err         error
}

func newPlay(h *hub.Hub, s *demo.Service, key string) *play {
	return &play{hub: h, service: s, admin: &hubClient{base: h.URL(), key: key}, name: "smoke-" + s.Provider}
}

// token is what a pull returns.
type token struct {
	AccessToken string    `json:"access_token"`
	ExpiresAt   time.Time `json:"expires_at"`
	Generation  int64     `json:"generation"`
}

// run plays the steps until one fails.
func (p *play) run(ctx context.Context) {
	var first, second token
	steps := []struct {
		what string
		do   func() error
	}{
		{"add the service", func() error { return p.addService(ctx) }},
		{"authorize at the service's login page", func() error { return p.authorize(ctx) }},
		{"create an API key for this connection alone", func() error { return p.createKey(ctx) }},
		{"pull the token", func() error { return p.pull(ctx, &first) }},
		{"the service accepts it", func() error { return p.service.Confirm(ctx, first.AccessToken) }},
		{"wait until it has expired", func() error { return p.expire(ctx, first) }},
		{"pull again: the next generation", func() error { return p.pullNext(ctx, first, &second) }},
		{"the service accepts the new token", func() error { return p.service.Confirm(ctx, second.AccessToken) }},
		{"the service refuses the old one", func() error { return p.refused(ctx, first) }},
		{"no refresh token was spent twice", p.notSpent},
	}
	for _, step := range steps {
		begin := time.Now()
		if err := step.do(); err != nil {
			p.err = fmt.Errorf("%s: %w", step.what, err)
			fmt.Printf("  FAIL  %-16s %s: %v\n", p.service.Provider, step.what, err)
			return
		}
		p.checks++
		fmt.Printf("  ok    %-16s %-46s %6s\n", p.service.Provider, step.what, time.Since(begin).Round(time.Millisecond))
	}
}

func (p *play) addService(ctx context.Context) error {
	redirectURI, err := addService(ctx, p.admin, p.service)
	if err != nil {
		return err
	}
	p.service.Register(redirectURI)
	return p.admin.post(ctx, "/api/v1/connections", map[string]any{"service": p.service.Name, "name": p.name, "title": p.service.Title}, nil)
}

// authorize plays the person: to the service, log in, allow, back to the hub.
func (p *play) authorize(ctx context.Context) error {
	var started struct {
		AuthorizeURL  string `json:"authorize_url"`
		BrowserCookie struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"browser_cookie"`
	}
	if err := p.admin.post(ctx, "/api/v1/connections/"+p.name+"/authorizations", nil, &started); err != nil {
		return err
	}
	landed, err := emulator.Person{}.Authorize(ctx, started.AuthorizeURL, emulator.Choices{})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, landed.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Cookie", started.BrowserCookie.Name+"="+started.BrowserCookie.Value)
	reply, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	_ = reply.Body.Close()
	var view struct {
		Status     string `json:"status"`
		Generation int64  `json:"generation"`
	}
	if err := p.admin.get(ctx, "/api/v1/connections/"+p.name, &view); err != nil {
		return err
	}
	if view.Generation != 1 {
		return fmt.Errorf("the callback answered %s and the connection is at generation %d, status %s", reply.Status, view.Generation, view.Status)
	}
	return nil
}

func (p *play) createKey(ctx context.Context) error {
	var created struct {
		Key string `json:"key"`
	}
	body := map[string]any{"title": "process of " + p.name, "connections": []string{p.name}}
	if err := p.admin.post(ctx, "/api/v1/api-keys", body, &created); err != nil {
		return err
	}
	p.process = &hubClient{base: p.hub.URL(), key: created.Key}
	err := p.process.get(ctx, "/api/v1/services", nil)
	if problem, ok := errors.AsType[*apiError](err); !ok || problem.Status != http.StatusForbidden {
		return fmt.Errorf("the key for one connection may do more than pull it: %w", err)
	}
	return nil
}

func (p *play) pull(ctx context.Context, t *token) error {
	if err := p.process.get(ctx, "/api/v1/connections/"+p.name+"/token", t); err != nil {
		return err
	}
	if t.AccessToken == "" || !t.ExpiresAt.After(time.Now()) {
		return errors.New("the hub served a token that is empty or expired")
	}
	p.generations = append(p.generations, strconv.FormatInt(t.Generation, 10))
	return nil
}

// expire waits until the service itself calls the token expired or replaced.
func (p *play) expire(ctx context.Context, t token) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(t.ExpiresAt) + 200*time.Millisecond):
	}
	if state := p.service.TokenState(t.AccessToken); state == "valid" {
		return errors.New("the token outlived what the service said")
	}
	return nil
}

func (p *play) pullNext(ctx context.Context, first token, second *token) error {
	if err := p.pull(ctx, second); err != nil {
		return err
	}
	if second.Generation <= first.Generation || second.AccessToken == first.AccessToken {
		return fmt.Errorf("generation %d after %d", second.Generation, first.Generation)
	}
	return nil
}

func (p *play) refused(ctx context.Context, old token) error {
	if p.service.Confirm(ctx, old.AccessToken) == nil {
		return errors.New("the service still accepts the old token, so this test proves nothing")
	}
	return nil
}

func (p *play) notSpent() error {
	if n := p.service.Spent(); n != 0 {
		return fmt.Errorf("%d times", n)
	}
	return nil
}
