package people

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// Overview lists all people, for those who manage them.
type Overview struct {
	Users       []peopledb.User
	Invitations []peopledb.Invitation
	// Passkeys counts those of each person, Leaving is what would be withdrawn with them,
	// by the person's id.
	Passkeys map[string]int
	Leaving  map[string]peopledb.Leaving
	// Required is set if every person needs a second factor.
	Required bool
}

// Overview reads all people.
func (p *People) Overview(ctx context.Context, now time.Time) (v Overview, err error) {
	if v.Users, err = p.o.Store.People.Users(ctx); err != nil {
		return v, err
	}
	if v.Invitations, err = p.o.Store.People.Invitations(ctx, now); err != nil {
		return v, err
	}
	if v.Passkeys, err = p.o.Store.People.PasskeyCounts(ctx); err != nil {
		return v, err
	}
	if v.Required, err = p.o.Access.SecondFactorRequired(ctx); err != nil {
		return v, err
	}
	v.Leaving = make(map[string]peopledb.Leaving, len(v.Users))
	for _, u := range v.Users {
		if v.Leaving[u.ID], err = p.o.Store.People.LeavingOf(ctx, u, now); err != nil {
			return v, err
		}
	}
	return v, nil
}

// Users reads all people, by login.
func (p *People) Users(ctx context.Context) ([]peopledb.User, error) {
	return p.o.Store.People.Users(ctx)
}

// Nobody reports whether the hub has no account yet.
func (p *People) Nobody(ctx context.Context) (bool, error) {
	n, err := p.o.Store.People.CountUsers(ctx)
	return err == nil && n == 0, err
}

// Stands reports whether a person is as the first step of a login has judged them
// (access.LoginDigest).
func (p *People) Stands(ctx context.Context, userID, digest string) bool {
	u, err := p.o.Store.People.User(ctx, userID)
	return err == nil && access.LoginDigest(u) == digest
}

// Present finds who is signed in by a session that was used since a moment. Errors:
// store.ErrNotFound.
func (p *People) Present(ctx context.Context, session string, since time.Time) (peopledb.User, peopledb.UserSession, error) {
	return p.o.Store.People.SessionUser(ctx, session, since)
}

// NoteUse notes that a session is used, and by which browser.
func (p *People) NoteUse(ctx context.Context, session, address, browser string) error {
	return p.o.Store.People.TouchUserSession(ctx, session, address, browser, time.Now())
}

// Sessions reads the sessions of a person, the one that was used last first.
func (p *People) Sessions(ctx context.Context, userID string) ([]peopledb.UserSession, error) {
	return p.o.Store.People.UserSessions(ctx, userID)
}

// Passkeys reads the passkeys of a person, the oldest first.
func (p *People) Passkeys(ctx context.Context, userID string) ([]peopledb.Passkey, error) {
	return p.o.Store.People.Passkeys(ctx, userID)
}

// SessionRows keep what browsers' sessions hold.
func (p *People) SessionRows() *peopledb.Sessions { return p.o.Store.People.Sessions() }

// TurnedAway records that the role of who is logged in does not allow a form.
func (p *People) TurnedAway(ctx context.Context, form string) {
	p.o.Recorder.TurnedAway(ctx, "form", form)
}
