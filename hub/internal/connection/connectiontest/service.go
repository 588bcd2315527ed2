// Package connectiontest has services in virtual time, for tests of the renewal rules:
// Service holds the true state of its tokens and rejects every misuse, and Years states
// the expected results of a year with each provider.
package connectiontest

import (
	"fmt"
	"sync"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Service is one account at a service. Its lifetimes are the true ones; those of
// its description may be wrong.
type Service struct {
	Description provider.Description
	// AccessLife, RefreshLife (from issue) and IdleLife (without use); zero for the
	// latter two is for ever.
	AccessLife, RefreshLife, IdleLife time.Duration
	// FaultEvery answers every n'th request with 503; 0 is never.
	FaultEvery int

	mu         sync.Mutex
	serial     int
	access     string
	accessEnd  time.Time
	refresh    string
	refreshEnd time.Time
	lastUse    time.Time
	previous   time.Time // the renewal before
	tally      Tally
}

// Tally is what a Service has seen.
type Tally struct {
	Requests, Renewals int
	// LongestPause and ShortestPause lay between two renewals.
	LongestPause, ShortestPause time.Duration
	// Spent counts refresh tokens that were used twice, Early requests before the
	// service's renew window.
	Spent, Early int
}

// Tally returns what the service has seen.
func (s *Service) Tally() Tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tally
}

// Grant is what a person gets for the hub.
func (s *Service) Grant(now time.Time) provider.Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh = ""
	return s.issue(now)
}

// issue makes the next token set.
func (s *Service) issue(now time.Time) provider.Token {
	s.serial++
	s.access, s.accessEnd, s.lastUse = fmt.Sprintf("%s-access-%d", s.Description.Name, s.serial), now.Add(s.AccessLife), now
	reply := provider.Token{AccessToken: s.access, TokenType: "Bearer", ExpiresIn: new(s.AccessLife)}
	rotates := s.Description.Rotation.Kind != provider.RotationNone
	if s.Description.AutoRenew == provider.AutoRenewRefreshToken && (rotates || s.refresh == "") {
		s.refresh, s.refreshEnd = fmt.Sprintf("%s-refresh-%d", s.Description.Name, s.serial), time.Time{}
		if s.RefreshLife > 0 {
			s.refreshEnd = now.Add(s.RefreshLife)
		}
		reply.RefreshToken = s.refresh
	}
	return reply
}

// Refresh answers a renewal.
func (s *Service) Refresh(now time.Time, current provider.Token) (*provider.Token, *provider.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.Requests++
	if s.FaultEvery > 0 && s.tally.Requests%s.FaultEvery == 0 {
		return nil, provider.Errorf(provider.Transient, "", "503")
	}
	if why := s.refuses(now, current); why != "" {
		return nil, provider.Errorf(provider.ReauthorizationRequired, "invalid_grant", "%s", why)
	}
	if !s.previous.IsZero() {
		pause := now.Sub(s.previous)
		s.tally.LongestPause = max(s.tally.LongestPause, pause)
		if s.tally.ShortestPause == 0 || pause < s.tally.ShortestPause {
			s.tally.ShortestPause = pause
		}
	}
	s.previous = now
	s.tally.Renewals++
	reply := s.issue(now)
	return &reply, nil
}

// refuses returns why a request gets no token.
func (s *Service) refuses(now time.Time, current provider.Token) string {
	if s.Description.AutoRenew != provider.AutoRenewRefreshToken {
		if current.AccessToken != s.access || !now.Before(s.accessEnd) {
			return "the access token has expired"
		}
		return ""
	}
	if s.Description.RenewWindow.Kind == provider.RenewAfterExpiry && now.Before(s.accessEnd) {
		s.tally.Early++
		return "token not expired"
	}
	switch {
	case current.RefreshToken != s.refresh:
		s.tally.Spent++
		return "token has already been refreshed"
	case !s.refreshEnd.IsZero() && !now.Before(s.refreshEnd), s.IdleLife > 0 && now.Sub(s.lastUse) >= s.IdleLife:
		return "the refresh token has expired"
	}
	return ""
}

// Accepts reports whether a call with the token would go through.
func (s *Service) Accepts(now time.Time, token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return token == s.access && now.Before(s.accessEnd)
}
