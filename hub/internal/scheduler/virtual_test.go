package scheduler_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// virtualService is one account at a service, and its provider: it knows the truth
// about its tokens, and it does not forgive.
type virtualService struct {
	description provider.Description
	// accessLife, refreshLife (from issue) and idleLife (without use) are true.
	accessLife, refreshLife, idleLife time.Duration
	// faultEvery answers every n'th request with 503; 0 is never.
	faultEvery int

	mu            sync.Mutex
	serial        int
	requests      int
	access        string
	accessEnd     time.Time
	refresh       string
	refreshEnd    time.Time
	lastUse       time.Time
	previous      time.Time // the renewal before
	renewals      int
	longestPause  time.Duration
	shortestPause time.Duration
	spent, early  int // refresh tokens used twice, requests before the service wants them
}

// Describe implements provider.Provider.
func (s *virtualService) Describe(context.Context) (*provider.Description, error) {
	return &s.description, nil
}

// grant is what a person gets for the hub.
func (s *virtualService) grant() provider.Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh = ""
	return s.issue()
}

// issue makes the next token set.
func (s *virtualService) issue() provider.Token {
	now := time.Now()
	s.serial++
	s.access, s.accessEnd, s.lastUse = fmt.Sprintf("%s-access-%d", s.description.Name, s.serial), now.Add(s.accessLife), now
	reply := provider.Token{AccessToken: s.access, TokenType: "Bearer", ExpiresIn: new(s.accessLife)}
	rotates := s.description.Rotation.Kind != provider.RotationNone
	if s.description.AutoRenew == provider.AutoRenewRefreshToken && (rotates || s.refresh == "") {
		s.refresh = fmt.Sprintf("%s-refresh-%d", s.description.Name, s.serial)
		s.refreshEnd = time.Time{}
		if s.refreshLife > 0 {
			s.refreshEnd = now.Add(s.refreshLife)
		}
		reply.RefreshToken = s.refresh
	}
	return reply
}

// Refresh implements provider.Refresher.
func (s *virtualService) Refresh(_ context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	<-time.After(300 * time.Millisecond) // a service is not at once
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.requests++
	if s.faultEvery > 0 && s.requests%s.faultEvery == 0 {
		return nil, provider.Errorf(provider.Transient, "", "503")
	}
	if why := s.refuses(now, req.Current); why != "" {
		return nil, provider.Errorf(provider.ReauthorizationRequired, "invalid_grant", "%s", why)
	}
	if !s.previous.IsZero() {
		pause := now.Sub(s.previous)
		s.longestPause = max(s.longestPause, pause)
		if s.shortestPause == 0 || pause < s.shortestPause {
			s.shortestPause = pause
		}
	}
	s.previous = now
	s.renewals++
	reply := s.issue()
	return &reply, nil
}

// refuses says why a request gets nothing.
func (s *virtualService) refuses(now time.Time, current provider.Token) string {
	if s.description.AutoRenew != provider.AutoRenewRefreshToken {
		if current.AccessToken != s.access || !now.Before(s.accessEnd) {
			return "the access token has expired"
		}
		return ""
	}
	if s.description.RenewWindow.Kind == provider.RenewAfterExpiry && now.Before(s.accessEnd) {
		s.early++
		return "token not expired"
	}
	switch {
	case current.RefreshToken != s.refresh:
		s.spent++
		return "token has already been refreshed"
	case !s.refreshEnd.IsZero() && !now.Before(s.refreshEnd), s.idleLife > 0 && now.Sub(s.lastUse) >= s.idleLife:
		return "the refresh token has expired"
	}
	return ""
}

// accepts reports whether a call with the token would go through.
func (s *virtualService) accepts(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return token == s.access && time.Now().Before(s.accessEnd)
}

// inProcess serves providers over gRPC in this process, as operation.Plugins.
type inProcess struct{ client *providerplugin.Client }

// Run implements operation.Plugins.
func (p inProcess) Run(ctx context.Context, _ string, do func(context.Context, *providerplugin.Client) error) error {
	return do(ctx, p.client)
}

// Description implements operation.Plugins: services bring their own.
func (inProcess) Description(string) (d provider.Description, sum string, ok bool) {
	return d, "", false
}
