package store

import (
	"context"
	"fmt"
	"time"
)

type grantLinkRow struct {
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
func (grantLinkRow) TableName() string { return "grant_links" }

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
func (s *Store) CreateGrantLink(ctx context.Context, l GrantLink) error {
	return failed("make a link", s.writing(ctx).Create(&grantLinkRow{
		ID: l.ID, Hash: l.Hash, ConnectionID: l.ConnectionID, UserID: l.UserID, CreatedBy: l.CreatedBy, CreatedAt: millis(l.CreatedAt), ExpiresAt: millis(l.ExpiresAt),
	}).Error)
}

// GrantLink reads a link that can be followed, by its hash. Errors: ErrNotFound.
func (s *Store) GrantLink(ctx context.Context, hash string, now time.Time) (GrantLink, error) {
	var row grantLinkRow
	err := s.reading(ctx).Where("hash = ? AND used_at = 0 AND expires_at > ?", hash, millis(now)).Take(&row).Error
	return row.value(), failed("read the link", err)
}

func (r *grantLinkRow) value() GrantLink {
	return GrantLink{
		ID: r.ID, Hash: r.Hash, BrowserHash: r.BrowserHash, ConnectionID: r.ConnectionID, UserID: r.UserID, CreatedBy: r.CreatedBy,
		CreatedAt: timeOf(r.CreatedAt), ExpiresAt: timeOf(r.ExpiresAt),
	}
}

// GrantLinkIn reads the link of a connection that was followed in a browser, also one that
// has been used. Errors: ErrNotFound.
func (s *Store) GrantLinkIn(ctx context.Context, connectionID, browserHash string) (GrantLink, error) {
	var row grantLinkRow
	err := s.reading(ctx).Where("connection_id = ? AND browser_hash = ?", connectionID, browserHash).Order("created_at DESC").Take(&row).Error
	return row.value(), failed("read the link", err)
}

// BindGrantLink ties a link to the browser that follows it first; the same browser
// may come again. Errors: ErrInUse for another one.
func (s *Store) BindGrantLink(ctx context.Context, id, browserHash string) error {
	bound := s.writing(ctx).Model(&grantLinkRow{}).Where("id = ? AND used_at = 0 AND browser_hash IN ('', ?)", id, browserHash).UpdateColumn("browser_hash", browserHash)
	if bound.Error == nil && bound.RowsAffected == 0 {
		return fmt.Errorf("follow the link: another browser has: %w", ErrInUse)
	}
	return failed("follow the link", bound.Error)
}

// SpendGrantLink ends a link that has led to a grant, and every other one of its
// connection.
func (s *Store) SpendGrantLink(ctx context.Context, connectionID string, now time.Time) error {
	return failed("end the link", s.writing(ctx).Model(&grantLinkRow{}).Where("connection_id = ? AND used_at = 0", connectionID).UpdateColumn("used_at", millis(now)).Error)
}

// DeleteOldGrantLinks removes links that cannot be used any more.
func (s *Store) DeleteOldGrantLinks(ctx context.Context, now time.Time) error {
	return failed("remove old links", s.writing(ctx).Where("expires_at <= ?", millis(now)).Delete(&grantLinkRow{}).Error)
}
