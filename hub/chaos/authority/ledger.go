package authority

import (
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// family is all that was issued from one consent.
type family struct {
	id   string
	kind provider.RotationKind
	// refresh are the refresh tokens that were ever issued, and access the access
	// tokens that have not been over for long.
	refresh map[string]*refreshToken
	access  map[string]*accessToken
	// replayed is set once a spent refresh token came back: nothing is good any
	// more.
	replayed bool
	// last is when the last token set was issued.
	last time.Time
}

type refreshToken struct {
	// spent is when it was first used; zero if it was not.
	spent time.Time
}

type accessToken struct {
	expires time.Time
	// revoked is when it ended before its time; zero if it did not.
	revoked time.Time
}

// Entry is a token request in the log.
type Entry struct {
	At     time.Time
	Family string
	// Grant is the grant_type.
	Grant string
	// Verdict is what became of it: issued, repeated (within the grace), replayed,
	// revoked, unknown, or fault.
	Verdict string
}

// ledger is what the server remembers; mu makes each decision one step.
type ledger struct {
	mu       sync.Mutex
	families map[string]*family
	codes    map[string]string // family by code
	log      []Entry
}

// verdicts of a refresh token.
const (
	issued   = "issued"
	repeated = "repeated"
	replayed = "replayed"
	revoked  = "revoked"
	unknown  = "unknown"
	fault    = "fault"
)

// open begins a family and returns its code.
func (l *ledger) open(kind provider.RotationKind) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := &family{
		id: fmt.Sprintf("f%d", len(l.families)+1), kind: kind,
		refresh: map[string]*refreshToken{}, access: map[string]*accessToken{},
	}
	l.families[f.id] = f
	code := f.id + "." + rand.Text()
	l.codes[code] = f.id
	return code
}

// exchange spends a code.
func (l *ledger) exchange(code string, now time.Time, life time.Duration) (access, refresh string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.families[l.codes[code]]
	delete(l.codes, code)
	if f == nil {
		return "", "", false
	}
	l.note(now, f.id, "authorization_code", issued)
	return f.mintAccess(now, life), f.mintRefresh(), true
}

// renew judges a refresh token and issues the next set if it is good. The new
// refresh token is empty if the old one stays.
func (l *ledger) renew(token string, now time.Time, life, grace time.Duration) (access, refresh, verdict string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.families[familyOf(token)]
	if f == nil || f.refresh[token] == nil {
		l.note(now, familyOf(token), "refresh_token", unknown)
		return "", "", unknown
	}
	verdict = f.judge(f.refresh[token], now, grace)
	l.note(now, f.id, "refresh_token", verdict)
	if verdict != issued && verdict != repeated {
		return "", "", verdict
	}
	f.last = now
	if f.kind == provider.RotationRotatesRevokesAccess {
		f.revokeAccess(now)
	}
	if f.kind != provider.RotationNone {
		refresh = f.mintRefresh()
	}
	return f.mintAccess(now, life), refresh, verdict
}

// judge says what a refresh token is worth now, and spends it.
func (f *family) judge(t *refreshToken, now time.Time, grace time.Duration) string {
	switch {
	case f.kind == provider.RotationNone:
		return issued
	case t.spent.IsZero() && f.replayed:
		return revoked
	case t.spent.IsZero():
		t.spent = now
		return issued
	case f.kind == provider.RotationRotatesWithGrace && now.Sub(t.spent) <= grace && !f.replayed:
		return repeated
	default: // RFC 9700 section 4.14.2: the family ends
		f.replayed = true
		f.revokeAccess(now)
		return replayed
	}
}

func (f *family) mintAccess(now time.Time, life time.Duration) string {
	for value, old := range f.access { // what is over for long is asked for no more
		if now.Sub(old.expires) > time.Minute {
			delete(f.access, value)
		}
	}
	value := f.id + ".at." + rand.Text()
	f.access[value] = &accessToken{expires: now.Add(life)}
	return value
}

func (f *family) mintRefresh() string {
	value := f.id + ".rt." + rand.Text()
	f.refresh[value] = &refreshToken{}
	return value
}

func (f *family) revokeAccess(now time.Time) {
	for _, t := range f.access {
		if t.revoked.IsZero() {
			t.revoked = now
		}
	}
}

func (l *ledger) note(at time.Time, id, grant, verdict string) {
	l.log = append(l.log, Entry{At: at, Family: id, Grant: grant, Verdict: verdict})
}

// familyOf reads the family's name from a token.
func familyOf(token string) string {
	id, _, _ := strings.Cut(token, ".")
	return id
}
