package peopledb

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type sessionRow struct {
	Token     string `gorm:"primaryKey"`
	Data      []byte
	ExpiresAt int64
	EndedAt   int64
}

// TableName pins the table.
func (sessionRow) TableName() string { return "sessions" }

// Sessions keeps browser sessions for alexedwards/scs; it is an scs.CtxStore.
// Set SessionManager.HashTokenInStore, so that the token never comes here.
type Sessions struct{ s *Rows }

// Sessions returns the sessions' part of the store.
func (s *Rows) Sessions() *Sessions { return &Sessions{s: s} }

// FindCtx reads a session that has not expired. One that does not open is as
// good as none: the person logs in again.
func (x *Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var row sessionRow
	err := x.s.db.Reading(ctx).Where("token = ? AND ended_at = 0 AND expires_at > ?", token, db.Millis(time.Now())).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, db.Failed("read a session", err)
	}
	data, err := x.s.db.Box.Open(row.Data, "sessions", row.Token, "data")
	if err != nil {
		x.s.db.Log.Warn("read session failed, login required")
		return nil, false, nil //nolint:nilerr // scs.Store requires no error for tampered data
	}
	return data, true, nil
}

// CommitCtx writes a session until expiry, over what there was. One that was ended
// meanwhile stays so: a request in flight at that time does not restore it.
func (x *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	sealed, err := x.s.db.Box.Seal(data, "sessions", token, "data")
	if err != nil {
		return errors.New("save a session: it cannot be sealed")
	}
	row := sessionRow{Token: token, Data: sealed, ExpiresAt: db.Millis(expiry)}
	return db.Failed("save a session", x.s.db.Writing(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "token"}},
		DoUpdates: clause.AssignmentColumns([]string{"data", "expires_at"}),
		Where:     clause.Where{Exprs: []clause.Expression{clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: "ended_at"}, Value: 0}}},
	}).Create(&row).Error)
}

// endedFor is how long it is known of a session that it was ended: longer than any
// request takes that may still hold it.
const endedFor = time.Hour

// DeleteCtx ends a session and deletes its data; a missing one is no error.
func (x *Sessions) DeleteCtx(ctx context.Context, token string) error {
	now := time.Now()
	return db.Failed("end a session", x.s.db.Writing(ctx).Model(&sessionRow{}).Where("token = ?", token).
		Updates(map[string]any{"data": []byte{}, "ended_at": db.Millis(now), "expires_at": db.Millis(now.Add(endedFor))}).Error)
}

// Find is FindCtx without a context, as scs.Store requires.
func (x *Sessions) Find(token string) ([]byte, bool, error) {
	return x.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context, as scs.Store requires.
func (x *Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return x.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx without a context, as scs.Store requires.
func (x *Sessions) Delete(token string) error { return x.DeleteCtx(context.Background(), token) }

// DeleteExpiredSessions removes sessions that have run out.
func (s *Rows) DeleteExpiredSessions(ctx context.Context, now time.Time) error {
	return db.Failed("remove expired sessions", s.db.Writing(ctx).Where("expires_at <= ?", db.Millis(now)).Delete(&sessionRow{}).Error)
}
