package emulator

import (
	"slices"
	"sync"
	"time"
)

// Ledger is the state of an authorization server: its grants, and every code and token
// that was ever issued. It is safe for concurrent use, and it decides atomically which
// request spends a single-use secret.
type Ledger struct {
	now func() time.Time

	mu      sync.Mutex
	grants  []*Grant
	secrets map[secretKey]*secret
	issued  int
	reused  int
}

type secretKey struct {
	kind  Kind
	value string
}

type secret struct {
	grant   *Grant
	order   int
	issued  time.Time
	expires time.Time // zero: never
	state   State     // Valid, Revoked or Spent; Expired follows from the time
}

// NewLedger returns an empty ledger with the clock now.
func NewLedger(now func() time.Time) *Ledger {
	return &Ledger{now: now, secrets: map[secretKey]*secret{}}
}

// Open notes a grant and returns it with its ID. Account, client, scopes and
// request come from the caller.
func (l *Ledger) Open(g Grant) Grant {
	l.mu.Lock()
	defer l.mu.Unlock()
	g.ID, g.Opened = len(l.grants)+1, l.now()
	l.grants = append(l.grants, &g)
	return g
}

// Issue notes a secret of a grant, good for ttl (0: for ever). An access token
// begins a new generation of the grant.
func (l *Ledger) Issue(kind Kind, value string, ttl time.Duration, grantID int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.grants[grantID-1]
	l.issued++
	s := &secret{grant: g, order: l.issued, issued: l.now(), state: Valid}
	if ttl > 0 {
		s.expires = s.issued.Add(ttl)
	}
	l.secrets[secretKey{kind, value}] = s
	if kind == Access {
		g.Generation++
		g.Renewed = s.issued
	}
}

// Look returns a secret's state and, unless it is unknown, its grant and when it
// expires (zero: never).
func (l *Ledger) Look(kind Kind, value string) (Grant, time.Time, State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.secrets[secretKey{kind, value}]
	if !ok {
		return Grant{}, time.Time{}, Unknown
	}
	return *s.grant, s.expires, l.state(s)
}

// Spend uses a secret that is good once. It returns the state in which the secret
// was found: Valid for exactly one of any number of callers.
func (l *Ledger) Spend(kind Kind, value string) (Grant, State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.secrets[secretKey{kind, value}]
	if !ok {
		return Grant{}, Unknown
	}
	found := l.state(s)
	switch {
	case found == Valid:
		s.state = Spent
	case found == Spent && kind != Code:
		l.reused++
	}
	return *s.grant, found
}

// Extend gives a secret that is still valid ttl from now on.
func (l *Ledger) Extend(kind Kind, value string, ttl time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.secrets[secretKey{kind, value}]; ok && l.state(s) == Valid {
		s.expires = l.now().Add(ttl)
	}
}

// RevokeTokens ends the valid secrets of one kind of a grant; the grant stays valid.
func (l *Ledger) RevokeTokens(kind Kind, grantID int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, s := range l.secrets {
		if key.kind == kind && s.grant.ID == grantID && s.state == Valid {
			s.state = Revoked
		}
	}
}

// RevokeGrant ends a grant with all its secrets, as a person or an administrator does who
// withdraws the access.
func (l *Ledger) RevokeGrant(grantID int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.grants[grantID-1].Revoked = true
	for _, s := range l.secrets {
		if s.grant.ID == grantID && s.state == Valid {
			s.state = Revoked
		}
	}
}

// KeepNewest revokes the oldest valid secrets of one kind that a client holds of
// an account, until at most n are left.
func (l *Ledger) KeepNewest(kind Kind, clientID string, account Account, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var live []*secret
	for key, s := range l.secrets {
		if key.kind == kind && s.grant.ClientID == clientID && s.grant.Account.ID == account.ID && l.state(s) == Valid {
			live = append(live, s)
		}
	}
	slices.SortFunc(live, func(a, b *secret) int { return b.order - a.order })
	for _, s := range live[min(n, len(live)):] {
		s.state = Revoked
	}
}

// Grants returns the grants whose code was exchanged, oldest first.
func (l *Ledger) Grants() []Grant {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Grant
	for _, g := range l.grants {
		if g.Generation > 0 {
			out = append(out, *g)
		}
	}
	return out
}

// TokenState judges an access token as the service would if it were presented now:
// valid, expired, revoked or unknown.
func (l *Ledger) TokenState(accessToken string) State {
	_, _, state := l.Look(Access, accessToken)
	if state == Spent { // given in exchange for a newer one
		return Revoked
	}
	return state
}

// Spent returns how many times a token was presented for renewal that had been used
// for it before: a rotated refresh token, or an access token that was prolonged by
// a new one. Anything but 0 means that a client lost or branched its chain.
func (l *Ledger) Spent() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reused
}

func (l *Ledger) state(s *secret) State {
	if s.state == Valid && !s.expires.IsZero() && !l.now().Before(s.expires) {
		return Expired
	}
	return s.state
}
