package web

import (
	"context"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

// newSessions returns the manager of the browsers' sessions. Only requests that change a session
// write it: with an idle time-out of its own the library would write the whole session at each
// request, and overwrite concurrent changes. The idle time-out is checked on the row of the
// login instead (idleSince).
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

// notedEvery is the interval at which the use of a session is stored: rarely, because it is a
// write, and often enough that no session in use ends.
func (k *kit) notedEvery() time.Duration {
	if k.sessionIdle <= 0 {
		return time.Minute
	}
	return min(time.Minute, k.sessionIdle/4)
}
