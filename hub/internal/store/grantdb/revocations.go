package grantdb

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/sdk/provider"
)

type revocationRow struct {
	ID         string `gorm:"primaryKey"`
	ServiceID  string
	Connection string
	Tokens     []byte
	About      []byte
	Tries      int
	DueAt      int64
	UntilAt    int64
}

// TableName pins the table.
func (revocationRow) TableName() string { return "revocations" }

// Revocation is a grant that was given up here and is not yet revoked at its service. It
// never prints its tokens.
type Revocation struct {
	ID        string
	ServiceID string
	// Connection is the name that it had.
	Connection string
	// About is the connection as a provider gets it.
	About  provider.Connection
	Tokens connection.TokenSet
	// Tries have failed; the next is at Due, and the last before Until.
	Tries      int
	Due, Until time.Time
}

// PutRevocation records that a revocation at the service is outstanding, or that a try
// has failed.
func (s *Rows) PutRevocation(ctx context.Context, r Revocation) error {
	tokens, err := s.sealTokens(r.Tokens, "revocations", r.ID)
	var about []byte
	if err == nil {
		about, err = s.db.SealJSON(r.About, "revocations", r.ID, "about")
	}
	if err == nil {
		row := revocationRow{
			ID: r.ID, ServiceID: r.ServiceID, Connection: r.Connection, Tokens: tokens, About: about, Tries: r.Tries, DueAt: db.Millis(r.Due), UntilAt: db.Millis(r.Until),
		}
		err = s.db.Writing(ctx).Save(&row).Error
	}
	return db.Failed("note that a grant of "+r.Connection+" has still to be revoked", err)
}

// DueRevocations reads those whose next try is due, at most limit.
func (s *Rows) DueRevocations(ctx context.Context, now time.Time, limit int) ([]Revocation, error) {
	var rows []revocationRow
	if err := s.db.Reading(ctx).Where("due_at <= ?", db.Millis(now)).Order("due_at").Limit(limit).Find(&rows).Error; err != nil {
		return nil, db.Failed("read what has still to be revoked", err)
	}
	due := make([]Revocation, 0, len(rows))
	for _, row := range rows {
		tokens, err := s.openTokens(row.Tokens, "revocations", row.ID)
		if err != nil {
			return due, db.Failed("read what has still to be revoked", err)
		}
		about := provider.Connection{Name: row.Connection} // of rows that are older than the column
		if len(row.About) > 0 {
			if err := s.db.OpenJSON(row.About, &about, "revocations", row.ID, "about"); err != nil {
				return due, db.Failed("read what has still to be revoked", err)
			}
		}
		due = append(due, Revocation{
			ID: row.ID, ServiceID: row.ServiceID, Connection: row.Connection, About: about, Tokens: tokens, Tries: row.Tries, Due: db.TimeOf(row.DueAt), Until: db.TimeOf(row.UntilAt),
		})
	}
	return due, nil
}

// DeleteRevocation removes one that has succeeded or is abandoned.
func (s *Rows) DeleteRevocation(ctx context.Context, id string) error {
	return db.Failed("forget a revocation", s.db.Writing(ctx).Where("id = ?", id).Delete(&revocationRow{}).Error)
}
