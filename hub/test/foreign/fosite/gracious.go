package main

import (
	"context"
	"sync"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/storage"
)

// gracious keeps a replaced refresh token good for a while. Fosite leaves that to its
// storage (RotateRefreshToken), and its storage in memory to others.
type gracious struct {
	*storage.MemoryStore
	grace time.Duration

	mu sync.Mutex
	// until is when replaced refresh tokens end, by signature; over are the grants that were
	// revoked, by the ID that all their tokens share.
	until map[string]time.Time
	over  map[string]bool
}

func newGracious(memory *storage.MemoryStore, grace time.Duration) *gracious {
	return &gracious{MemoryStore: memory, grace: grace, until: map[string]time.Time{}, over: map[string]bool{}}
}

// RotateRefreshToken implements oauth2.RefreshTokenStorage. Coming back does not extend the
// time of grace.
func (g *gracious) RotateRefreshToken(_ context.Context, _, signature string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, replaced := g.until[signature]; !replaced {
		g.until[signature] = time.Now().Add(g.grace)
	}
	return nil
}

// GetRefreshTokenSession implements oauth2.RefreshTokenStorage.
func (g *gracious) GetRefreshTokenSession(ctx context.Context, signature string, session fosite.Session) (fosite.Requester, error) {
	request, err := g.MemoryStore.GetRefreshTokenSession(ctx, signature, session)
	if err != nil {
		return request, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if until, replaced := g.until[signature]; g.over[request.GetID()] || replaced && !time.Now().Before(until) {
		return request, fosite.ErrInactiveToken
	}
	return request, nil
}

// RevokeRefreshToken implements oauth2.TokenRevocationStorage.
func (g *gracious) RevokeRefreshToken(ctx context.Context, requestID string) error {
	g.mu.Lock()
	g.over[requestID] = true
	g.mu.Unlock()
	return g.MemoryStore.RevokeRefreshToken(ctx, requestID)
}
