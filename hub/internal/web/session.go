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
func (p *Pages) newSessions() *scs.SessionManager {
	m := scs.New()
	m.Store, m.HashTokenInStore = p.o.People.SessionRows(), true
	if p.o.SessionIdle > 0 { // of strangers; renewSession sets that of people
		m.Lifetime = p.o.SessionIdle
	}
	m.Cookie.Name, m.Cookie.HttpOnly = "evergrant_session", true
	m.Cookie.SameSite, m.Cookie.Secure = http.SameSiteLaxMode, p.secure
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		p.o.Logger.Error("read or write session failed", "error", err)
		p.Apart(w, r, http.StatusServiceUnavailable)
	}
	return m
}

// renewSession gives the session of somebody who is signed in a new token, and all of
// the time that any session may last. The old token is worth nothing from here on.
func (p *Pages) renewSession(ctx context.Context) error {
	err := p.sessions.RenewToken(ctx)
	if err == nil && p.o.SessionAbsolute > 0 {
		p.sessions.SetDeadline(ctx, time.Now().Add(p.o.SessionAbsolute))
	}
	return err
}

// idleSince is since when a session must have been used to be one.
func (p *Pages) idleSince() time.Time {
	if p.o.SessionIdle <= 0 {
		return time.Time{}
	}
	return time.Now().Add(-p.o.SessionIdle)
}

// notedEvery is how often the use of a session is noted: a write, so seldom, and often
// enough that no session ends that is used.
func (p *Pages) notedEvery() time.Duration {
	if p.o.SessionIdle <= 0 {
		return time.Minute
	}
	return min(time.Minute, p.o.SessionIdle/4)
}
