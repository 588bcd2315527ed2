package web

import (
	"context"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

// newSessions is what keeps the browsers' sessions. A session is written by requests that
// change it and by no others: with an idle time-out of its own the library would write
// it whole at each request, over what another one has put there meanwhile. That a session
// is not used is judged by the row of who is signed in (idleSince).
func (k *kit) newSessions() *scs.SessionManager {
	m := scs.New()
	m.Store, m.HashTokenInStore = k.people.SessionRows(), true
	if k.sessionIdle > 0 { // of strangers; renewSession sets that of people
		m.Lifetime = k.sessionIdle
	}
	m.Cookie.Name, m.Cookie.HttpOnly = "evergrant_session", true
	m.Cookie.SameSite, m.Cookie.Secure = http.SameSiteLaxMode, k.secure
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		k.logger.Error("read or write session failed", "error", err)
		k.Apart(w, r, http.StatusServiceUnavailable)
	}
	return m
}

// renewSession gives the session of a person a new token, and the full absolute lifetime. The
// old token becomes invalid.
func (k *kit) renewSession(ctx context.Context) error {
	err := k.sessions.RenewToken(ctx)
	if err == nil && k.sessionAbsolute > 0 {
		k.sessions.SetDeadline(ctx, time.Now().Add(k.sessionAbsolute))
	}
	return err
}

// idleSince is the time since when a session must have been used to be valid.
func (k *kit) idleSince() time.Time {
	if k.sessionIdle <= 0 {
		return time.Time{}
	}
	return time.Now().Add(-k.sessionIdle)
}

// notedEvery is how often the use of a session is noted: a write, so seldom, and often
// enough that no session ends that is used.
func (k *kit) notedEvery() time.Duration {
	if k.sessionIdle <= 0 {
		return time.Minute
	}
	return min(time.Minute, k.sessionIdle/4)
}
