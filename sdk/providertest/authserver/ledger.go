package authserver

import (
	"crypto/rand"
	"sync"
	"time"
)

// State is what the server would say about a secret that is presented now.
type State string

// The states of a secret.
const (
	Valid   State = "valid"
	Expired State = "expired"
	Revoked State = "revoked"
	Spent   State = "spent"
	Unknown State = "unknown"
)

// Family is all that was issued from one consent.
type Family struct {
	// ID counts from 1.
	ID      int
	Account Account
	Scopes  []string
	// Generation counts the access tokens; 0 until the code was exchanged.
	Generation int
	// Revoked is set once a person withdrew the grant, or a spent secret came
	// back.
	Revoked bool

	nonce string
}

// secret is a code or a token.
type secret struct {
	kind    string // "code", "access_token" or "refresh_token"
	family  *Family
	expires time.Time // zero is never
	state   State     // Valid, Revoked or Spent

	redirectURI, challenge string // of a code
}

// ledger is the state of the server. It decides atomically which request spends a
// single-use secret.
type ledger struct {
	mu          sync.Mutex
	families    []*Family
	secrets     map[string]*secret
	doubleSpent int
}

func (l *ledger) init() { l.secrets = map[string]*secret{} }

// open begins a family.
func (l *ledger) open(f Family) *Family {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.ID = len(l.families) + 1
	l.families = append(l.families, &f)
	return &f
}

// issue mints a secret. Life zero is for ever.
func (l *ledger) issue(s secret, now time.Time, life time.Duration) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.state = Valid
	if life > 0 {
		s.expires = now.Add(life)
	}
	if s.family.Revoked {
		s.state = Revoked
	}
	if s.kind == "access_token" {
		s.family.Generation++
	}
	value := s.kind + "-" + rand.Text()
	l.secrets[value] = &s
	return value
}

// look judges a secret of a kind.
func (l *ledger) look(kind, value string, now time.Time) (secret, State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.secrets[value]
	if !ok || s.kind != kind {
		return secret{}, Unknown
	}
	return *s, s.judge(now)
}

// spend uses a secret that is good once. One that was spent before ends its
// family (RFC 6749 section 4.1.2 for codes, RFC 9700 section 4.14 for refresh
// tokens).
func (l *ledger) spend(kind, value string, now time.Time) (secret, State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.secrets[value]
	if !ok || s.kind != kind {
		return secret{}, Unknown
	}
	state := s.judge(now)
	if s.state == Spent {
		l.doubleSpent++
		l.revoke(s.family)
		return *s, Spent
	}
	if state == Valid {
		s.state = Spent
	}
	return *s, state
}

// revoke ends a family; the caller holds the lock. Spent secrets stay spent, so
// that each later presentation is counted.
func (l *ledger) revoke(f *Family) {
	f.Revoked = true
	for _, s := range l.secrets {
		if s.family == f && s.state == Valid {
			s.state = Revoked
		}
	}
}

// revokeAccess ends the access tokens of a family.
func (l *ledger) revokeAccess(f *Family) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.secrets {
		if s.family == f && s.kind == "access_token" && s.state == Valid {
			s.state = Revoked
		}
	}
}

func (s *secret) judge(now time.Time) State {
	if s.state == Valid && !s.expires.IsZero() && !now.Before(s.expires) {
		return Expired
	}
	return s.state
}
