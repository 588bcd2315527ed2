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
	// replay is set once a spent refresh token came back: nothing is good any more.
	replay *replay
	// counted is what Grant tells.
	counted Grant
	// last is when the last token set was issued.
	last time.Time
	// requests are the renewals that have come.
	requests int
}

type refreshToken struct {
	// nth is its number in the family.
	nth int
	// spent is when it was first used, and by what; zero if it was not.
	spent time.Time
	by    *Entry
}

// replay is a refresh token that came back.
type replay struct{ first, again *Entry }

type accessToken struct {
	expires time.Time
	// revoked is when it ended before its time, and by what; zero if it did not.
	revoked time.Time
	by      *Entry
}

// ledger is what the server remembers; mu makes each decision one step.
type ledger struct {
	mu       sync.Mutex
	families map[string]*family
	codes    map[string]string // family by code
	log      []*Entry
	// arrived are renewals, and out those that wait for their answer.
	arrived, out int
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

// arrive notes a renewal that has come.
func (l *ledger) arrive(token, client string) *Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &Entry{At: time.Now(), Family: familyOf(token), Client: client, Grant: "refresh_token"}
	if f := l.families[e.Family]; f != nil && f.refresh[token] != nil {
		e.Token = f.refresh[token].nth
	}
	l.log = append(l.log, e)
	l.arrived++
	l.out++
	return e
}

// request tells of a renewal that has come to whoever decides on its manner.
func (l *ledger) request(family string) Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.families[family]
	if f == nil {
		return Request{Family: family}
	}
	f.requests++
	return Request{Family: family, Kind: f.kind, Nth: f.requests}
}

// answered notes that the server is done with a renewal; verdict replaces the one
// that it has unless it is empty.
func (l *ledger) answered(e *Entry, verdict string, delivered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Answered, e.Delivered = time.Now(), delivered && e.Gone.IsZero()
	if verdict != "" {
		e.Verdict = verdict
	}
}

// gone notes that the client of a renewal has hung up before its answer.
func (l *ledger) gone(e *Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Answered.IsZero() {
		e.Gone = time.Now()
	}
}

// close notes that nothing is done for a renewal any more.
func (l *ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out--
}

// renew judges a refresh token and issues the next set if it is good. The new
// refresh token is empty if the old one stays.
func (l *ledger) renew(e *Entry, token string, now time.Time, life, grace time.Duration) (access, refresh string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Judged = now
	f := l.families[e.Family]
	if f == nil || f.refresh[token] == nil {
		e.Verdict = unknown
		return "", ""
	}
	if e.Verdict = f.judge(e, f.refresh[token], now, grace); e.Verdict != issued && e.Verdict != repeated {
		return "", ""
	}
	f.last = now
	f.counted.Issued++
	if f.kind == provider.RotationRotatesRevokesAccess {
		f.revokeAccess(now, e)
	}
	if f.kind != provider.RotationNone {
		refresh = f.mintRefresh()
		e.Next = f.refresh[refresh].nth
	}
	return f.mintAccess(now, life), refresh
}

// judge says what a refresh token is worth now, and spends it.
func (f *family) judge(e *Entry, t *refreshToken, now time.Time, grace time.Duration) string {
	switch {
	case f.kind == provider.RotationNone:
		return issued
	case t.spent.IsZero() && f.replay != nil:
		return revoked
	case t.spent.IsZero():
		t.spent, t.by = now, e
		f.counted.Spent++
		return issued
	case f.kind == provider.RotationRotatesWithGrace && now.Sub(t.spent) <= grace && f.replay == nil:
		t.by = e // what its client does with the answer decides from now on
		return repeated
	default: // RFC 9700 section 4.14.2: the family ends
		f.counted.DoubleSpent++
		if f.replay == nil {
			f.replay = &replay{first: t.by, again: e}
		}
		f.revokeAccess(now, e)
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
	f.refresh[value] = &refreshToken{nth: len(f.refresh) + 1}
	return value
}

func (f *family) revokeAccess(now time.Time, by *Entry) {
	for _, t := range f.access {
		if t.revoked.IsZero() {
			t.revoked, t.by = now, by
		}
	}
}

func (l *ledger) note(at time.Time, id, grant, verdict string) {
	l.log = append(l.log, &Entry{At: at, Judged: at, Answered: at, Delivered: true, Family: id, Grant: grant, Verdict: verdict})
}

// familyOf reads the family's name from a token.
func familyOf(token string) string {
	id, _, _ := strings.Cut(token, ".")
	return id
}
