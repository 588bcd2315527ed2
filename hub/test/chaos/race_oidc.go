package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/evergrant/evergrant/plugins/oauth2/oidctest"
)

// oidcLife is the life of access tokens at oidc-provider.
const oidcLife = 8 * time.Second

// raceOIDC is race against an authorization server of strangers, whose reuse
// detection ends the family of a replayed refresh token.
func raceOIDC(ctx context.Context, st *stage) (tally, error) {
	var t tally
	connections := names("oidc", sized(st, 200, 20))
	long := sized(st, time.Minute, 7*time.Second)
	port, err := freePort()
	if err != nil {
		return t, err
	}
	callback := fmt.Sprintf("http://localhost:%d/callback/oidc", port)
	const secret = "a-secret-of-chaos"
	server, err := oidctest.Start(oidctest.Config{Dir: st.oidc, AccessLife: oidcLife, Clients: []oidctest.Client{
		{ClientID: "chaos", ClientSecret: secret, Auth: "client_secret_basic", RedirectURIs: []string{callback}},
	}})
	if errors.Is(err, oidctest.ErrMissing) {
		return t, skipError{err.Error()}
	}
	if err != nil {
		return t, err
	}
	defer func() { _ = server.Close() }()
	f, err := st.startFleetAt(ctx, "oidc", fmt.Sprintf("127.0.0.1:%d", port), 3, nil, wanted{
		connections: connections,
		service: map[string]any{
			"name": "oidc", "title": "oidc-provider", "provider": "oauth2", "client_id": "chaos", "client_secret": secret,
			"scopes": []string{"openid", "offline_access"}, "options": map[string]any{"issuer": server.Issuer},
		},
		consent: func(ctx context.Context, address string) (string, error) {
			landed, err := oidctest.NewPerson().Authorize(ctx, address, callback, true)
			if err != nil {
				return "", err
			}
			return landed.String(), nil
		},
	})
	if err != nil {
		return t, err
	}
	defer f.stop()
	before, err := server.Seen()
	if err != nil {
		return t, err
	}
	l := &load{client: f.client, connections: connections, hub: roundRobin(f.hubs), stale: staleAtOIDC(ctx, server.Issuer)}
	begin := time.Now()
	l.run(ctx, callers, func() bool { return time.Since(begin) >= long })
	l.report(st, &t, "oidc", time.Since(begin))
	dead, why := alive(ctx, f.client, l.hub, connections)
	seen, err := server.Seen()
	if err != nil {
		return t, err
	}
	st.say("   oidc: %d renewals of %d connections by 3 hubs; oidc-provider refused %d token requests and ended %d grants",
		seen.Renewed-before.Renewed, len(connections), seen.Refused, seen.Revoked)
	t.renewals, t.doubleSpent, t.lost = seen.Renewed, seen.Revoked, max(dead, seen.Revoked)
	if dead > 0 {
		t.problem("oidc: %d connections cannot be renewed any more, for example %s", dead, why)
	}
	if seen.Refused > 0 {
		t.problem("oidc: %d token requests were refused", seen.Refused)
	}
	return t, nil
}

// sampled is how many pulls come to one question to oidc-provider.
const sampled = 200

// staleAtOIDC judges by the expiry that the token was given with, and now and
// then asks oidc-provider itself.
func staleAtOIDC(ctx context.Context, issuer string) func(pulled, time.Time) bool {
	var n atomic.Int64
	return func(p pulled, received time.Time) bool {
		if received.Sub(p.ExpiresAt) > onTheWay {
			return true
		}
		if n.Add(1)%sampled != 0 || p.ExpiresAt.Sub(received) < oidcLife/4 {
			return false
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer+"/me", nil)
		if err != nil {
			return true
		}
		req.Header.Set("Authorization", "Bearer "+p.AccessToken)
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode != http.StatusOK && time.Now().Before(p.ExpiresAt)
	}
}
