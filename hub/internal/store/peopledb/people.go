package peopledb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type invitationRow struct {
	ID        string `gorm:"primaryKey"`
	Hash      string
	Login     string
	Role      string
	CreatedBy string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	ExpiresAt int64
}

// TableName pins the table.
func (invitationRow) TableName() string { return "invitations" }

type userSessionRow struct {
	ID        string `gorm:"primaryKey"`
	UserID    string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	SeenAt    int64
	Address   string
	Agent     string
	ProvedAt  int64
}

// TableName pins the table.
func (userSessionRow) TableName() string { return "user_sessions" }

// Invitation is a single-use link to become a user.
type Invitation struct {
	ID string
	// Hash is the SHA-256 of the link's token.
	Hash                 string
	Login, Role          string
	CreatedBy            string
	CreatedAt, ExpiresAt time.Time
}

// UserSession is a place where a person is signed in.
type UserSession struct {
	ID, UserID        string
	CreatedAt, SeenAt time.Time
	// Address and Agent are the browser's own, of its last request.
	Address, Agent string
	// ProvedAt is when the person has last shown that it is them; zero for never.
	ProvedAt time.Time
}

// ErrLastOwner is returned for a change that would leave the hub without an owner.
var ErrLastOwner = errors.New("the hub needs an owner who can log in; make somebody else an owner first")

// ChangeUser reads a user, has it changed and writes it, keeping at least one owner. role
// is the role of owners. Errors: ErrNotFound, ErrLastOwner, *NameTakenError, what the
// change returned.
func (s *Rows) ChangeUser(ctx context.Context, id, role string, change func(*User) error) (User, error) {
	return s.changeUser(ctx, id, role, change, func(*gorm.DB, User) error { return nil })
}

// changeUser has more done in the same transaction, after the change.
func (s *Rows) changeUser(ctx context.Context, id, role string, change func(*User) error, after func(tx *gorm.DB, u User) error) (User, error) {
	var u User
	err := s.db.Transaction(ctx, func(tx *gorm.DB) error {
		// All owners are locked, so that two of them cannot remove each other.
		var owners []userRow
		if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where("role = ? AND disabled_at = 0", role).Find(&owners).Error; err != nil {
			return err
		}
		var row userRow
		if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ?", id).Take(&row).Error; err != nil {
			return db.Failed("change the user "+id, err)
		}
		var err error
		if u, err = s.userOf(&row); err != nil {
			return err
		}
		if err := change(&u); err != nil {
			return err
		}
		if len(owners) == 1 && owners[0].ID == id && (u.Role != role || !u.DisabledAt.IsZero()) {
			return ErrLastOwner
		}
		changed, err := s.rowOfUser(u)
		if err != nil {
			return err
		}
		if err := db.Written("change the user "+u.Login, tx.Save(changed), "login", u.Login); err != nil {
			return err
		}
		return after(tx, u)
	})
	return u, err
}

// RemoveUser deletes a user who is not the last owner, and withdraws the credentials by
// which they could return. Errors: ErrNotFound, ErrLastOwner.
func (s *Rows) RemoveUser(ctx context.Context, id, ownerRole string) error {
	_, _, err := s.RemoveLeaving(ctx, id, ownerRole)
	return err
}

// RemoveLeaving is RemoveUser that returns the user and what was withdrawn.
func (s *Rows) RemoveLeaving(ctx context.Context, id, ownerRole string) (u User, l Leaving, err error) {
	u, err = s.changeUser(ctx, id, ownerRole, func(u *User) error {
		u.DisabledAt = time.Now()
		return nil
	}, func(tx *gorm.DB, u User) (err error) {
		if l, err = withdraw(tx, u, time.Now()); err != nil {
			return err
		}
		return db.Changed("delete the user "+u.Login, tx.Session(&gorm.Session{NewDB: true}).Where("id = ?", u.ID).Delete(&userRow{}))
	})
	return u, l, err
}

// CreateInvitation adds an invitation.
func (s *Rows) CreateInvitation(ctx context.Context, i Invitation) error {
	return db.Failed("invite "+i.Login, s.db.Writing(ctx).Create(&invitationRow{
		ID: i.ID, Hash: i.Hash, Login: i.Login, Role: i.Role, CreatedBy: i.CreatedBy, CreatedAt: db.Millis(i.CreatedAt), ExpiresAt: db.Millis(i.ExpiresAt),
	}).Error)
}

// InvitationOf reads the newest invitation of a login, in any case of letters, that
// can be accepted. Errors: ErrNotFound.
func (s *Rows) InvitationOf(ctx context.Context, login string, now time.Time) (Invitation, error) {
	list, err := s.Invitations(ctx, now)
	if err != nil {
		return Invitation{}, err
	}
	for _, i := range list {
		if strings.EqualFold(i.Login, login) {
			return i, nil
		}
	}
	return Invitation{}, db.Failed("find an invitation of "+login, db.ErrNotFound)
}

// Invitations reads those that can be accepted at a time, newest first.
func (s *Rows) Invitations(ctx context.Context, now time.Time) ([]Invitation, error) {
	var rows []invitationRow
	if err := s.db.Reading(ctx).Where("expires_at > ?", db.Millis(now)).Order("created_at DESC, id").Find(&rows).Error; err != nil {
		return nil, db.Failed("read the invitations", err)
	}
	list := make([]Invitation, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.value())
	}
	return list, nil
}

// Invitation reads one that can be accepted, by its hash. Errors: ErrNotFound.
func (s *Rows) Invitation(ctx context.Context, hash string, now time.Time) (Invitation, error) {
	var row invitationRow
	err := s.db.Reading(ctx).Where("hash = ? AND expires_at > ?", hash, db.Millis(now)).Take(&row).Error
	return row.value(), db.Failed("read the invitation", err)
}

// AcceptInvitation spends an invitation and adds its user, both or neither.
// Errors: ErrNotFound, ErrNameTaken.
func (s *Rows) AcceptInvitation(ctx context.Context, hash string, now time.Time, u User) error {
	row, err := s.rowOfUser(u)
	if err != nil {
		return err
	}
	return s.db.Transaction(ctx, func(tx *gorm.DB) error {
		spent := tx.Where("hash = ? AND expires_at > ?", hash, db.Millis(now)).Delete(&invitationRow{})
		if err := db.Changed("accept the invitation", spent); err != nil {
			return err
		}
		return db.Written("add the user "+u.Login, tx.Create(row), "login", u.Login)
	})
}

// DeleteInvitation withdraws one. Errors: ErrNotFound.
func (s *Rows) DeleteInvitation(ctx context.Context, id string) error {
	return db.Changed("withdraw the invitation", s.db.Writing(ctx).Where("id = ?", id).Delete(&invitationRow{}))
}

func (r *invitationRow) value() Invitation {
	return Invitation{
		ID: r.ID, Hash: r.Hash, Login: r.Login, Role: r.Role, CreatedBy: r.CreatedBy, CreatedAt: db.TimeOf(r.CreatedAt), ExpiresAt: db.TimeOf(r.ExpiresAt),
	}
}

// CreateUserSession notes that a person has signed in.
func (s *Rows) CreateUserSession(ctx context.Context, x UserSession) error {
	return db.Failed("note the session", s.db.Writing(ctx).Create(&userSessionRow{
		ID: x.ID, UserID: x.UserID, CreatedAt: db.Millis(x.CreatedAt), SeenAt: db.Millis(x.SeenAt), Address: x.Address, Agent: x.Agent, ProvedAt: db.Millis(x.ProvedAt),
	}).Error)
}

// NoteProof notes that the person of a session has shown that it is them. Errors:
// ErrNotFound.
func (s *Rows) NoteProof(ctx context.Context, id string, at time.Time) error {
	return db.Changed("note a proof of the session", s.db.Writing(ctx).Model(&userSessionRow{}).Where("id = ?", id).Update("proved_at", db.Millis(at)))
}

// SessionUser reads the user of a session that was not ended and was used since a moment,
// if they may log in. Errors: ErrNotFound.
func (s *Rows) SessionUser(ctx context.Context, sessionID string, since time.Time) (User, UserSession, error) {
	var session userSessionRow
	if err := s.db.Reading(ctx).Where("id = ? AND seen_at >= ?", sessionID, db.Millis(since)).Take(&session).Error; err != nil {
		return User{}, UserSession{}, db.Failed("read the session", err)
	}
	u, err := s.User(ctx, session.UserID)
	if err == nil && !u.DisabledAt.IsZero() {
		err = fmt.Errorf("the user %s is disabled: %w", u.Login, db.ErrNotFound)
	}
	return u, session.value(), err
}

// TouchUserSession notes a request of a session; the caller calls it seldom.
func (s *Rows) TouchUserSession(ctx context.Context, id, address, agent string, at time.Time) error {
	return db.Failed("note the use of a session", s.db.Writing(ctx).Model(&userSessionRow{}).Where("id = ?", id).
		Updates(map[string]any{"seen_at": db.Millis(at), "address": address, "agent": agent}).Error)
}

// UserSessions reads where a person is signed in, newest use first.
func (s *Rows) UserSessions(ctx context.Context, userID string) ([]UserSession, error) {
	var rows []userSessionRow
	if err := s.db.Reading(ctx).Where("user_id = ?", userID).Order("seen_at DESC, id").Find(&rows).Error; err != nil {
		return nil, db.Failed("read the sessions", err)
	}
	list := make([]UserSession, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.value())
	}
	return list, nil
}

// EndUserSessions signs a person out: of one session, or with id "" of all but one.
func (s *Rows) EndUserSessions(ctx context.Context, userID, id, but string) error {
	q := s.db.Writing(ctx).Where("user_id = ?", userID)
	if id != "" {
		q = q.Where("id = ?", id)
	} else {
		q = q.Where("id <> ?", but)
	}
	return db.Failed("end sessions", q.Delete(&userSessionRow{}).Error)
}

// DeleteOldPeopleRows removes expired invitations and sessions that were not used since.
func (s *Rows) DeleteOldPeopleRows(ctx context.Context, now, unusedSince time.Time) error {
	err := s.db.Writing(ctx).Where("expires_at <= ?", db.Millis(now)).Delete(&invitationRow{}).Error
	return db.Failed("remove what has run out", errors.Join(err, s.db.Writing(ctx).Where("seen_at < ?", db.Millis(unusedSince)).Delete(&userSessionRow{}).Error))
}

func (r *userSessionRow) value() UserSession {
	return UserSession{ID: r.ID, UserID: r.UserID, CreatedAt: db.TimeOf(r.CreatedAt), SeenAt: db.TimeOf(r.SeenAt), Address: r.Address, Agent: r.Agent, ProvedAt: db.TimeOf(r.ProvedAt)}
}
