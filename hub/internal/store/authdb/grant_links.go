package authdb

import (
	"context"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// GrantLinkRow is a row of grant_links.
type GrantLinkRow struct {
	ID           string `gorm:"primaryKey"`
	Hash         string
	ConnectionID string
	BrowserHash  string
	UserID       string
	CreatedBy    string
	CreatedAt    int64 `gorm:"autoCreateTime:false"`
	ExpiresAt    int64
	UsedAt       int64
}

// TableName pins the table.
func (GrantLinkRow) TableName() string { return "grant_links" }

// GrantLink is a link by which a person without an account here authorizes one
// connection, once.
type GrantLink struct {
	ID string
	// Hash is the SHA-256 of the link's token, BrowserHash that of the browser that
	// followed it first; "" before that.
	Hash, BrowserHash    string
	ConnectionID         string
	UserID, CreatedBy    string
	CreatedAt, ExpiresAt time.Time
}

// CreateGrantLink adds a link. Errors: ErrNotFound if its connection is gone.
func (s *Rows) CreateGrantLink(ctx context.Context, l GrantLink) error {
	return db.Failed("make a link", s.db.Writing(ctx).Create(&GrantLinkRow{
		ID: l.ID, Hash: l.Hash, ConnectionID: l.ConnectionID, UserID: l.UserID, CreatedBy: l.CreatedBy, CreatedAt: db.Millis(l.CreatedAt), ExpiresAt: db.Millis(l.ExpiresAt),
	}).Error)
}

// GrantLink reads a link that can be followed, by its hash. Errors: ErrNotFound.
func (s *Rows) GrantLink(ctx context.Context, hash string, now time.Time) (GrantLink, error) {
	var row GrantLinkRow
	err := s.db.Reading(ctx).Where("hash = ? AND used_at = 0 AND expires_at > ?", hash, db.Millis(now)).Take(&row).Error
	return row.value(), db.Failed("read the link", err)
}

func (r *GrantLinkRow) value() GrantLink {
	return GrantLink{
		ID: r.ID, Hash: r.Hash, BrowserHash: r.BrowserHash, ConnectionID: r.ConnectionID, UserID: r.UserID, CreatedBy: r.CreatedBy,
		CreatedAt: db.TimeOf(r.CreatedAt), ExpiresAt: db.TimeOf(r.ExpiresAt),
	}
}

// GrantLinkByHash reads a link by its hash, also one that cannot be followed any more.
// Errors: ErrNotFound.
func (s *Rows) GrantLinkByHash(ctx context.Context, hash string) (GrantLink, error) {
	var row GrantLinkRow
	err := s.db.Reading(ctx).Where("hash = ?", hash).Take(&row).Error
	return row.value(), db.Failed("read the link", err)
}

// GrantLinkIn reads the link of a connection that was followed in a browser, also one that
// has been used. Errors: ErrNotFound.
func (s *Rows) GrantLinkIn(ctx context.Context, connectionID, browserHash string) (GrantLink, error) {
	var row GrantLinkRow
	err := s.db.Reading(ctx).Where("connection_id = ? AND browser_hash = ?", connectionID, browserHash).Order("created_at DESC").Take(&row).Error
	return row.value(), db.Failed("read the link", err)
}

// BindGrantLink ties a link to the browser that follows it first; the same browser
// may come again. Errors: ErrInUse for another one.
func (s *Rows) BindGrantLink(ctx context.Context, id, browserHash string) error {
	bound := s.db.Writing(ctx).Model(&GrantLinkRow{}).Where("id = ? AND used_at = 0 AND browser_hash IN ('', ?)", id, browserHash).UpdateColumn("browser_hash", browserHash)
	if bound.Error == nil && bound.RowsAffected == 0 {
		return fmt.Errorf("follow the link: another browser has: %w", db.ErrInUse)
	}
	return db.Failed("follow the link", bound.Error)
}

// SpendGrantLink ends a link that has led to a grant, and every other one of its
// connection.
func (s *Rows) SpendGrantLink(ctx context.Context, connectionID string, now time.Time) error {
	return db.Failed("end the link", s.db.Writing(ctx).Model(&GrantLinkRow{}).Where("connection_id = ? AND used_at = 0", connectionID).UpdateColumn("used_at", db.Millis(now)).Error)
}

// DeleteOldGrantLinks removes links that cannot be used any more.
func (s *Rows) DeleteOldGrantLinks(ctx context.Context, now time.Time) error {
	return db.Failed("remove old links", s.db.Writing(ctx).Where("expires_at <= ?", db.Millis(now)).Delete(&GrantLinkRow{}).Error)
}
